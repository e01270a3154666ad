package engine

import (
	"context"
	"fmt"

	"github.com/waybill-cd/waybill/extension/promotion"
	"github.com/waybill-cd/waybill/extension/waybill"
)

// newer is the error of a waybill that the branch holds and that a later
// promotion of the stage has written.
type newer struct{ serial int64 }

func (n *newer) Error() string {
	return fmt.Sprintf("Git holds a waybill of a later promotion of the stage (serial %d)", n.serial)
}

// maxFollowed is the largest serial that a stage goes on from: it leaves as many
// again.
const maxFollowed = waybill.MaxSerial / 2

// admits tells whether a promotion may replace what stands where its waybill
// goes: anything but a later waybill of the stage. It is what keeps a replica
// that was frozen before its push, and wakes after its successor's, from undoing
// that. A serial that no stage counts to was written by hand and is nothing to
// follow: the count would end there.
func admits(present []byte, stage string, serial int64) error {
	bill, err := waybill.Parse(present)
	if err == nil && bill.Stage == stage && bill.Serial > serial && bill.Serial <= maxFollowed {
		return &newer{bill.Serial}
	}
	return nil
}

// follow deals with a later waybill. Where the stage is another promotion's by
// now, this process has slept and must not write. Else the stage's record was
// lost and counts anew: the waybills are the truth, and the count goes on from
// there. It is stored before anything is written, so that a repeated step writes
// the same.
func (w writeWaybill) follow(ctx context.Context, s *Situation, p *promotion.Promotion, later *newer) outcomeOf {
	now, err := w.store.StageNow(ctx, s.Name)
	switch {
	case err != nil:
		return retry(err)
	case now.Running != p.ID || now.Serial >= later.serial:
		return retry(fmt.Errorf("%w, and the stage is that promotion's", later))
	}
	p.Serial = later.serial + 1
	return waiting("%s, of which the stage's record knows nothing: this one is serial %d", later, p.Serial)
}
