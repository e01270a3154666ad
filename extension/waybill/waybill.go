// Package waybill defines the Waybill: the small document that travels with
// freight into one Application and tells which pins to render, by whose
// decision, on what evidence.
//
// The plugin renders from it and from nothing else, so what it says must stand
// on its own: a document whose freight ID does not match its pins, or that was
// written for another Application, is refused by [Waybill.Check].
package waybill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline/name"
)

// Kind is the kind of the document.
const Kind = "Waybill"

// MaxSize bounds what is read as a waybill, in bytes: hundreds of pins fit.
const MaxSize = 256 << 10

// MaxSerial bounds a serial: what JSON's numbers hold exactly (RFC 8259, section
// 6), so that all readers see the same. No stage promotes that often; a larger
// one was written by hand, and leaves nothing to count on with.
const MaxSerial = 1 << 53

// header keeps Argo CD from treating the file as a manifest when it renders
// the directory itself, and tells a reader where the file comes from.
const header = "# +argocd:skip-file-rendering\n" +
	"# Written by Waybill with each promotion. To change it, promote.\n"

// Freight is one piece of freight as a waybill carries it: one for each origin.
type Freight struct {
	ID                string `json:"id" yaml:"id"`
	Origin            string `json:"origin" yaml:"origin"`
	freight.Artifacts `yaml:",inline"`
}

// Promotion tells which promotion wrote the waybill and who answers for it.
type Promotion struct {
	ID         string    `json:"id" yaml:"id"`
	By         string    `json:"by" yaml:"by"`
	ApprovedBy []string  `json:"approvedBy,omitempty" yaml:"approvedBy,omitempty,flow"`
	At         time.Time `json:"at" yaml:"at"`
	Reason     string    `json:"reason,omitempty" yaml:"reason,omitempty"`
}

// Waybill is the document.
type Waybill struct {
	APIVersion string `json:"apiVersion" yaml:"apiVersion"`
	Kind       string `json:"kind" yaml:"kind"`
	// Application is Argo CD's instance name of the Application (ARGOCD_APP_NAME).
	Application string `json:"application" yaml:"application"`
	// Stage is [namespace/]pipeline/stage.
	Stage string `json:"stage" yaml:"stage"`
	// Serial grows with each promotion of the stage.
	Serial    int64     `json:"serial" yaml:"serial"`
	Freight   []Freight `json:"freight" yaml:"freight"`
	Promotion Promotion `json:"promotion" yaml:"promotion"`
	// Mirrors are the registries from which the stage pulls what the freight pins.
	Mirrors []freight.Mirror `json:"mirrors,omitempty" yaml:"mirrors,omitempty,flow"`
	// VerifiedIn names the stages in which all of the freight had passed
	// verification when the promotion started.
	VerifiedIn []string `json:"verifiedIn,omitempty" yaml:"verifiedIn,omitempty,flow"`
}

const (
	filePrefix = "waybill-"
	fileSuffix = ".yaml"
)

// FileName returns the name of an Application's waybill in its source path.
// application is Argo CD's instance name, see [InstanceName].
func FileName(application string) string { return filePrefix + application + fileSuffix }

// IsFile tells whether a path of a repository is a waybill's. A commit that
// changes nothing else is Waybill's own and never a candidate for freight.
func IsFile(name string) bool {
	name = path.Base(name)
	return strings.HasPrefix(name, filePrefix) && strings.HasSuffix(name, fileSuffix)
}

// InstanceName returns the name under which Argo CD renders an Application:
// its own, prefixed by its namespace where that is not Argo CD's own
// (argo-cd, Application.InstanceName).
func InstanceName(namespace, name, controlPlaneNamespace string) string {
	if namespace == "" || namespace == controlPlaneNamespace {
		return name
	}
	return namespace + "_" + name
}

// Marshal returns the file: the same waybill is always the same bytes.
func (w Waybill) Marshal() ([]byte, error) {
	w.APIVersion, w.Kind = freight.APIVersion, Kind
	w.Promotion.At = w.Promotion.At.UTC().Truncate(time.Second)
	// The YAML library cannot read a text back that begins with a tab and has
	// several lines.
	w.Promotion.Reason = strings.TrimSpace(w.Promotion.Reason)
	var out bytes.Buffer
	out.WriteString(header)
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(w); err != nil {
		return nil, fmt.Errorf("cannot write the waybill of %s: %w", w.Application, err)
	}
	if out.Len() > MaxSize {
		return nil, fmt.Errorf("the waybill of %s is larger than %d KiB: split the freight over several warehouses and stages", w.Application, MaxSize>>10)
	}
	return out.Bytes(), nil
}

// Parse reads a waybill. It refuses unknown fields, since a field that this
// version does not know may forbid what it would do.
func Parse(data []byte) (Waybill, error) {
	if len(data) > MaxSize {
		return Waybill{}, fmt.Errorf("the waybill is larger than %d KiB", MaxSize>>10)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var w Waybill
	switch err := dec.Decode(&w); {
	case errors.Is(err, io.EOF):
		return Waybill{}, errors.New("the waybill is empty: promote again")
	case err != nil:
		return Waybill{}, fmt.Errorf("the waybill cannot be read: %s", oneLine(err))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Waybill{}, errors.New("the waybill holds more than one document")
	}
	return w, nil
}

// maxError bounds what is told of a file that cannot be read, in bytes: the
// YAML library tells every field of it.
const maxError = 500

// oneLine keeps what the YAML library says in one line: the first line is all
// that Argo CD's users see of an error.
func oneLine(err error) string {
	line := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
	if len(line) > maxError {
		line = strings.ToValidUTF8(line[:maxError], "") + "…"
	}
	return line
}

// Check tells why a waybill must not be rendered for an Application: wrong
// version or kind, another Application, no freight, two of one origin, pins
// that are no pins, or a serial above [MaxSerial] or a freight ID that its pins do
// not give (a file edited by hand). application is Argo CD's instance name.
func (w Waybill) Check(application string) error {
	if w.APIVersion != freight.APIVersion || w.Kind != Kind {
		return fmt.Errorf("the waybill says %q %q, this version of Waybill reads %s %s: run the proxy and the plugin of one version, and promote again", w.APIVersion, w.Kind, freight.APIVersion, Kind)
	}
	if w.Application != application {
		return fmt.Errorf("the waybill was written for Application %s: promote again instead of copying the file", w.Application)
	}
	stage, err := name.ParseStage(w.Stage)
	if err != nil {
		return fmt.Errorf("the waybill's stage: %w: promote again", err)
	}
	if w.Serial < 1 || w.Promotion.ID == "" {
		return errors.New("the waybill names no promotion: promote again")
	}
	if w.Serial > MaxSerial {
		return errors.New("the waybill's serial is larger than any that Waybill writes, the waybill was edited by hand: promote again")
	}
	if len(w.Freight) == 0 {
		return errors.New("the waybill holds no freight: promote again")
	}
	if _, err := freight.CheckMirrors(w.Mirrors); err != nil {
		return fmt.Errorf("the waybill's mirrors: %w: promote again", err)
	}
	seen := map[string]bool{}
	for _, f := range w.Freight {
		if seen[f.Origin] {
			return fmt.Errorf("the waybill holds two pieces of freight from warehouse %s: promote again", f.Origin)
		}
		seen[f.Origin] = true
		if err := f.Check(); err != nil {
			return fmt.Errorf("freight %s: %w: promote again", freight.Short(f.ID), err)
		}
		if f.ID != freight.ID(stage.Pipeline.String(), f.Origin, f.Artifacts) {
			return fmt.Errorf("freight %s does not match its pins, the waybill was edited by hand: promote again", freight.Short(f.ID))
		}
	}
	return nil
}
