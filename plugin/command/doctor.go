package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/doctor"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// checkApplication is the part of the doctor that looks at the Application whose
// path is the working directory, as a render would.
const checkApplication = "application"

// errUnwell is the end of a doctor's run that has found an error. The findings
// are on standard output already.
var errUnwell = errors.New("there are errors")

// doctor tells what keeps renders from working, and what mends it.
func (c Call) doctor() error {
	asJSON, err := c.doctorFormat()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return errors.New("the running program cannot be found")
	}
	sidecar := doctor.Sidecar{Env: c.Env, Version: c.Version, Self: self}
	findings := append(doctor.Examine(context.Background(), sidecar), c.examine()...)
	if err := c.tell(findings, asJSON); err != nil {
		return err
	}
	if finding.Worst(findings) == finding.Error {
		return errUnwell
	}
	return nil
}

// doctorFormat reads the command's own arguments.
func (c Call) doctorFormat() (asJSON bool, err error) {
	switch words := strings.Join(c.Args[1:], " "); words {
	case "":
		return false, nil
	case "-o json", "-o=json", "-ojson", "--output json", "--output=json":
		return true, nil
	default:
		return false, refusal.New(fmt.Sprintf("doctor does not know %q", words), "write doctor, or doctor -o json")
	}
}

func (c Call) tell(findings []finding.Finding, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(c.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"findings": findings})
	}
	for _, f := range findings {
		line := fmt.Sprintf("%-7s  %s: %s", f.Severity, f.Check, f.Fact)
		if f.Remedy != "" {
			line += ". Remedy: " + f.Remedy
		}
		if _, err := fmt.Fprintln(c.Stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// examine looks at the Application's path as a render would. Where no
// Application is named there is nothing to look at, and that is fine.
func (c Call) examine() []finding.Finding {
	l := finding.For(checkApplication)
	if c.Env[envApplication] == "" {
		l.OK("no Application is named: in a checkout, with %s and %s set, doctor shows what its render sees", envApplication, envSourcePath)
		return l.All()
	}
	application, err := c.application()
	if err != nil {
		failed(l, err)
		return l.All()
	}
	checkout, err := render.Open(c.Dir, c.Env[envSourcePath])
	if err != nil {
		failed(l, err)
		return l.All()
	}
	defer checkout.Close()
	c.examineSource(l, checkout)
	packed(l, checkout)
	c.examineWaybill(l, checkout, application)
	return l.All()
}

func (c Call) examineSource(l *finding.List, checkout *render.Checkout) {
	kind, err := checkout.Kind()
	if err != nil {
		failed(l, err)
		return
	}
	l.OK("its path holds %s", inWords(kind))
	if _, err := parseParameters(c.Env[envParameters], kind); err != nil {
		failed(l, err)
	}
}

// packed tells how much Argo CD packs for each render.
func packed(l *finding.List, checkout *render.Checkout) {
	p, err := checkout.Packed()
	if err != nil {
		failed(l, err)
		return
	}
	size := fmt.Sprintf("%d files, %d KiB", p.Files, (p.Bytes+1023)>>10)
	if p.Cut {
		size = "more than " + size
	}
	switch {
	case !p.Argo:
		l.OK("this is a checkout that Argo CD did not unpack: %s, of which .git has %d KiB", size, p.Git>>10)
	case p.HasGit:
		l.Warn("annotate the Application with argocd.argoproj.io/manifest-generate-paths (\".\" for its own folder alone), and set reposerver.plugin.use.manifest.generate.paths in argocd-cmd-params-cm",
			"the whole checkout is packed for each render: %s, of which .git has %d KiB", size, p.Git>>10)
	default:
		l.OK("what is packed begins at %s: %s, without .git", p.Root, size)
	}
}

// examineWaybill tells which waybill a render reads, and what it says.
func (c Call) examineWaybill(l *finding.List, checkout *render.Checkout, application string) {
	w, err := c.readWaybill(checkout, application)
	switch {
	case errors.Is(err, errNoWaybill):
		fact := "there is no " + waybill.FileName(application) + " in its path"
		if others := otherWaybills(checkout, application); len(others) > 0 {
			fact += ", but " + finding.Names(others)
		}
		l.Warn(promoteOrAllow, "%s", fact)
	case err != nil:
		failed(l, err)
	default:
		var held []string
		for _, f := range w.Freight {
			held = append(held, freight.Short(f.ID)+" from "+f.Origin)
		}
		l.OK("%s is its waybill: stage %s, serial %d, freight %s", waybill.FileName(application), w.Stage, w.Serial, finding.Names(held))
	}
}

func otherWaybills(checkout *render.Checkout, application string) []string {
	names, err := checkout.Names()
	if err != nil {
		return nil
	}
	var others []string
	for _, name := range names {
		if waybill.IsFile(name) && filepath.Base(name) != waybill.FileName(application) {
			others = append(others, name)
		}
	}
	return others
}

// failed adds what a render would be refused for.
func failed(l *finding.List, err error) {
	cause, remedy := refusal.Split(err)
	l.Fail(remedy, "%s", cause)
}
