package loopback_test

import (
	"testing"

	"github.com/waybill-cd/waybill/proxy/loopback"
)

func TestOnlyWhatCannotBeAnotherMachineIsThisOne(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "registry.localhost": false, "localhost.example.com": false, "localhost.": false, "127.0.0.1.example.com": false,
		"0.0.0.0": false, "10.0.0.1": false, "::": false, "127.1": false, "2130706433": false, "[::1]": false, "127.0.0.1:80": false,
	} {
		if got := loopback.Is(host); got != want {
			t.Errorf("%q is this machine: %t, want %t", host, got, want)
		}
	}
}
