package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/proxy/cli/convert"
)

// conversion is what the flags of convert say.
type conversion struct {
	convert.Options
	repo    string
	inPlace bool
	diff    bool
}

// converted is a file with what became of it.
type converted struct {
	name string
	text []byte
	convert.Result
}

func (c *command) convertCommand() *cobra.Command {
	var asked conversion
	cmd := &cobra.Command{
		Use:   "convert <file>...",
		Short: "Move Applications to the plugin, or back, without a server",
		Long: `Move Applications with a kustomize, Helm or directory source to the plugin, or
with --back from it, without a server. The files are printed as they become; "-"
reads standard input. What has nothing to do with the source stays as it is, byte
for byte, and so do other resources in the files.

What cannot move is named with the reason and a remedy, and its Application is
left as it is; the exit code is 1 then, and --in-place writes nothing.

Settings of Argo CD itself, such as kustomize.buildOptions, do not reach a plugin.

With --repo, a clone of the repository, it sees what kind of source a path holds
and what a render would read: that makes the annotation manifest-generate-paths,
without which Argo CD packs the whole repository for each render.`,
		Example: `  argocd-waybill convert app.yaml --stage shop/prod --repo . --diff
  argocd-waybill convert apps/*.yaml --repo . --in-place
  argocd-waybill convert --back app.yaml | kubectl apply -f -`,
		Args: arguments(1, anyNumber),
		RunE: c.run(func(_ *cobra.Command, args []string) error {
			if err := asked.check(args); err != nil {
				return err
			}
			return c.convert(asked, args)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&asked.Back, "back", false, "move from the plugin to the native source")
	flags.StringVar(&asked.Stage, "stage", "", "bind the Applications to this stage: [<namespace>/]<pipeline>/<stage>")
	flags.StringVar(&asked.repo, "repo", "", "the folder of a clone of the repository that the Applications name")
	flags.IntVar(&asked.Source, "source", 0, "which source moves where an Application has several, counted from 1")
	flags.BoolVar(&asked.AllowUnpinned, "unpinned-allow", false, "render without a waybill until the first promotion")
	flags.BoolVarP(&asked.inPlace, "in-place", "i", false, "write the files, if all of their Applications can move")
	flags.BoolVar(&asked.diff, "diff", false, "print what changes, as a unified diff")
	c.complete(cmd, "stage", c.completeFullStages)
	_ = cmd.MarkFlagDirname("repo") // it exists
	return cmd
}

// check finds flags that contradict one another.
func (a conversion) check(files []string) error {
	switch {
	case a.Back && (a.Stage != "" || a.AllowUnpinned):
		return usage("--back takes neither --stage nor --unpinned-allow: a native source has no stage")
	case a.inPlace && a.diff:
		return usage("either --in-place or --diff: the one writes, the other shows")
	case a.inPlace && slices.Contains(files, "-"):
		return usage("--in-place needs files: standard input cannot be written")
	case a.Source < 0:
		return usage("--source counts from 1")
	case count(files, "-") > 1:
		return usage("standard input can be read once")
	}
	return nil
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func (c *command) convert(asked conversion, names []string) error {
	if asked.repo != "" {
		clone, err := convert.OpenClone(asked.repo)
		if err != nil {
			return fmt.Errorf("--repo %s: %w", asked.repo, err)
		}
		defer clone.Close()
		asked.Clone = clone
	}
	var files []converted
	found, stuck := 0, 0
	for _, name := range names {
		text, err := c.read(name)
		if err != nil {
			return err
		}
		result, err := convert.Convert(text, asked.Options)
		if err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		for _, a := range result.Applications {
			found++
			if len(a.Obstacles) > 0 {
				stuck++
			}
			c.tell(name, a)
		}
		files = append(files, converted{name, text, result})
	}
	if found == 0 {
		return fmt.Errorf("%s holds no Application", strings.Join(names, ", "))
	}
	if stuck > 0 && asked.inPlace {
		return fmt.Errorf("%s: nothing is written", cannotMove(stuck, found))
	}
	if err := c.hand(asked, files); err != nil {
		return err
	}
	if stuck > 0 {
		return errors.New(cannotMove(stuck, found))
	}
	return nil
}

func cannotMove(stuck, found int) string {
	if found == 1 {
		return "the Application cannot move"
	}
	return fmt.Sprintf("%d of %d Applications cannot move", stuck, found)
}

// tell says on standard error what keeps an Application from moving, and what to
// know where it moves.
func (c *command) tell(file string, a convert.Application) {
	subject := clean(fmt.Sprintf("%s: %s %s", filepath.ToSlash(file), a.Kind, a.Name))
	for _, o := range a.Obstacles {
		fmt.Fprintf(c.Err, "%s %s: %s\n", styleOf(c.Err, c.style.env).mark(markNo), subject, clean(o.String()))
	}
	for _, note := range a.Notes {
		fmt.Fprintf(c.Err, "%s: %s\n", subject, clean(note))
	}
}

// hand gives the files out: into their places, as a diff, or as they are.
func (c *command) hand(asked conversion, files []converted) error {
	if asked.inPlace {
		return replaceAll(files)
	}
	for i, file := range files {
		text := string(file.Text)
		switch {
		case asked.diff:
			text = convert.Unified(filepath.ToSlash(file.name), file.text, file.Changes)
		case i > 0 && !strings.HasPrefix(text, "---"):
			text = "---\n" + text
		}
		if !asked.diff && i+1 < len(files) && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		if err := c.print("%s", text); err != nil {
			return err
		}
	}
	return nil
}
