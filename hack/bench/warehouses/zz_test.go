package warehouses_test

import (
	"testing"
	"time"

	"github.com/waybill-cd/waybill/hack/bench/warehouses"
)

func TestZZ(t *testing.T) {
	for _, s := range []warehouses.Scene{{10000, "SemVer", 20 * time.Millisecond}, {2000, "NewestBuild", 20 * time.Millisecond}} {
		begin := time.Now()
		cost, err := warehouses.Measure(t.Context(), s)
		t.Logf("%+v: %+v %v, all %s", s, cost, err, time.Since(begin))
	}
}
