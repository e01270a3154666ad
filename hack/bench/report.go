package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// figure is one outcome, and the promise that it is held against.
type figure struct {
	what string
	// ours and theirs are what the ratio is of, as people read them. Both are
	// empty for what is held against a bound.
	ours, theirs string
	// value must not exceed limit. A limit of 0 promises nothing: the figure is
	// told for comparison.
	value, limit float64
	unit         string // of value and limit, empty for a ratio
}

func (f figure) missed() bool { return f.limit > 0 && f.value > f.limit }

// report writes the table. The error is errMissed where a promise is.
func report(out io.Writer, all []figure) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\twaybill\tcompared with\tfigure\tlimit\t")
	missed := 0
	for _, f := range all {
		limit, verdict := "", ""
		if f.limit > 0 {
			limit, verdict = fmt.Sprintf("%.4g%s", f.limit, f.unit), "kept"
		}
		if f.missed() {
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.4g%s\t%s\t%s\n", f.what, f.ours, f.theirs, f.value, f.unit, limit, verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%w: %d of %d figures", errMissed, missed, len(all))
	}
	return nil
}
