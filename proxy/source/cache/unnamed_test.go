package cache

import (
	"os"
	"testing"
)

// Who finds the file taken has one that ends with the process, also where that is
// made anew.
func TestAFileWithoutANameLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for range 2 {
		if err := second.renew(); err != nil {
			t.Fatal(err)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("the folder holds %v, want the first's file alone", files)
		}
		shop := Scope{Repository: "shop"}
		if err := second.Write(shop, map[string][]byte{"v1": []byte("a")}); err != nil {
			t.Error(err)
		}
		second.Read(shop, func(get func(string) []byte) {
			if string(get("v1")) != "a" {
				t.Error("nothing is known of what was written")
			}
		})
	}
}
