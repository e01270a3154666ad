package cli

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is how wide help is at most, in characters.
const helpWidth = 84

// wrap fills the lines of paragraphs, which empty lines part.
func wrap(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		var b strings.Builder
		width := 0
		for _, word := range strings.Fields(paragraph) {
			switch {
			case width == 0:
			case width+1+len(word) > helpWidth:
				b.WriteByte('\n')
				width = 0
			default:
				b.WriteByte(' ')
				width++
			}
			b.WriteString(word)
			width += len(word)
		}
		paragraphs = append(paragraphs, b.String())
	}
	return strings.Join(paragraphs, "\n\n")
}

// wrapFlags has help wrap what flags mean, in a command and those below it.
func wrapFlags(cmd *cobra.Command) {
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), "Flags.FlagUsages", fmt.Sprintf("Flags.FlagUsagesWrapped %d", helpWidth)))
}

// offline hides in the help of a command, and of those below it, the flags that
// every command takes: it calls no server. They are taken all the same.
func offline(cmd *cobra.Command) *cobra.Command {
	cmd.SetHelpFunc(func(asked *cobra.Command, args []string) {
		cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) { f.Hidden = true })
		cmd.Root().HelpFunc()(asked, args)
	})
	return cmd
}

// suggestionDistance is how many letters may be wrong in a command that is meant,
// as cobra has it for commands without a rule for their arguments.
const suggestionDistance = 2

// subcommand is the rule for the arguments of a command that has others below it:
// one that it does not know is not understood, but what may be meant is told.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	sentence := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = suggestionDistance
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		sentence += ": did you mean " + strings.Join(meant, " or ") + "?"
	}
	return usage("%s", sentence)
}

// anyNumber of arguments is fine.
const anyNumber = math.MaxInt

// arguments is the rule for a command that takes so many, and tells how it is
// written where they are others.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		_, takes, _ := strings.Cut(cmd.Use, " ")
		form := strings.TrimSpace(cmd.CommandPath() + " " + takes)
		switch {
		case len(args) > most && most == 0:
			return usage("%q is not understood: %s takes flags alone", args[0], cmd.CommandPath())
		case len(args) > most:
			return usage("%q is one argument too many: write %s", args[most], form)
		case len(args) < least:
			return usage("an argument is missing: write %s", form)
		}
		return nil
	}
}
