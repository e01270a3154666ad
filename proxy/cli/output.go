package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// The formats of output.
const (
	formatTable = ""
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatName  = "name"
)

// outputFlag gives a command -o with the formats that it knows.
func (c *command) outputFlag(cmd *cobra.Command, formats ...string) {
	cmd.Flags().StringVarP(&c.output, "output", "o", "", "output format: "+strings.Join(formats, ", "))
	c.complete(cmd, "output", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formats, cobra.ShellCompDirectiveNoFileComp
	})
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if c.output != formatTable && !slices.Contains(formats, c.output) {
			return usage("-o %s is not known here: use %s", c.output, strings.Join(formats, ", "))
		}
		return nil
	}
}

// structured tells whether programs, and not people, read the output.
func (c *command) structured() bool {
	return c.output == formatJSON || c.output == formatYAML || c.output == formatName
}

// write prints a document as JSON or YAML.
func (c *command) write(document any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("the answer cannot be written as JSON: %w", err)
	}
	if c.output != formatYAML {
		return c.print("%s", text.String())
	}
	lines, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		return fmt.Errorf("the answer cannot be written as YAML: %w", err)
	}
	return c.print("%s", lines)
}

// column is one of a table.
type column[T any] struct {
	title string
	// wide columns are shown with -o wide alone.
	wide bool
	cell func(T) string
}

// list is what a get command has got.
type list[T any] struct {
	items []client.Document[T]
	// single was asked for by name: it is written alone, not in a list.
	single bool
	// none is the sentence where there is nothing.
	none    string
	columns []column[T]
	name    func(T) string
}

func show[T any](c *command, l list[T]) error {
	switch c.output {
	case formatJSON, formatYAML:
		if l.single && len(l.items) == 1 {
			return c.write(l.items[0])
		}
		items := l.items
		if items == nil {
			items = []client.Document[T]{}
		}
		return c.write(map[string]any{"items": items})
	case formatName:
		for _, item := range l.items {
			if err := c.print("%s\n", clean(l.name(item.Value))); err != nil {
				return err
			}
		}
		return nil
	}
	if len(l.items) == 0 {
		fmt.Fprintln(c.Err, l.none)
		return nil
	}
	return table(c.Out, l, c.output == formatWide)
}

// columnGap is the space between two columns, as kubectl has it.
const columnGap = 3

func table[T any](out io.Writer, l list[T], wide bool) error {
	columns := slices.DeleteFunc(slices.Clone(l.columns), func(c column[T]) bool { return c.wide && !wide })
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.title
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
	for _, item := range l.items {
		for i, c := range columns {
			if cells[i] = clean(c.cell(item.Value)); cells[i] == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("the output cannot be written: %w", err)
	}
	return nil
}

// age is how long ago something was, in one or two units.
func (c *command) age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(c.Now().Sub(t))
}
