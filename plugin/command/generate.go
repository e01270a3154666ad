package command

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/plugin/manifest"
	"github.com/waybill-cd/waybill/plugin/pin"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// generate writes the pinned manifests, all or nothing.
func (c Call) generate() (refusal.Subject, error) {
	application, err := c.application()
	if err != nil {
		return refusal.Subject{}, err
	}
	about := refusal.Subject{Application: application}
	checkout, err := render.Open(c.Dir, c.Env[envSourcePath])
	if err != nil {
		return about, err
	}
	defer checkout.Close()
	// First, so that every refusal names stage and freight. Whether it is one
	// itself depends on the parameters.
	w, waybillErr := c.readWaybill(checkout, application)
	about = subject(application, w)
	kind, err := checkout.Kind()
	if err != nil {
		return about, err
	}
	given, err := parseParameters(c.Env[envParameters], kind)
	if err != nil {
		return about, err
	}
	unpinned := errors.Is(waybillErr, errNoWaybill) && given.allowUnpinned
	if waybillErr != nil && !unpinned {
		return about, waybillErr
	}
	var pins pin.Pins
	if !unpinned {
		if pins, err = pin.New(w); err != nil {
			return about, err
		}
	}
	sources := render.Options{Kustomize: c.kustomizeOptions(given.kustomize), Directory: given.directory}
	chart := func(checkout *render.Checkout) ([]manifest.Object, error) {
		options, err := c.chartOptions(given.chart, application)
		if err == nil && !unpinned {
			err = given.chart.pin(&options, pins, w.Freight)
		}
		if err != nil {
			return nil, err
		}
		return c.Chart(checkout, options)
	}
	manifests, err := c.bounded(func() ([]byte, error) {
		objects, err := checkout.Manifests(sources, chart)
		if err == nil && !unpinned {
			err = pinAll(objects, pins, given)
		}
		if err != nil {
			return nil, err
		}
		return written(objects)
	})
	if err != nil {
		return about, err
	}
	if _, err := c.Stdout.Write(manifests); err != nil {
		return about, fmt.Errorf("the manifests cannot be written: %w", err)
	}
	return about, nil
}

// pinAll puts the pins into the objects.
func pinAll(objects []manifest.Object, pins pin.Pins, given settings) error {
	result, err := pins.Apply(objects, given.imagePaths)
	if err != nil {
		return err
	}
	if given.strict && len(result.Unpinned) > 0 {
		return refusal.New("the parameter "+parameters.Strict+" is set, and no freight pins "+few(result.Unpinned),
			"subscribe to it in a warehouse, or unset "+parameters.Strict)
	}
	return nil
}

// written returns the objects as Argo CD reads them.
func written(objects []manifest.Object) ([]byte, error) {
	var out bytes.Buffer
	if err := manifest.Write(&out, objects); err != nil {
		return nil, err
	}
	if out.Len() > manifest.MaxSize {
		return nil, refusal.New(fmt.Sprintf("its manifests are larger than %d MiB, which Argo CD would not take", manifest.MaxSize>>20), "split the Application")
	}
	return out.Bytes(), nil
}

// few names the first of many.
func few(all []string) string {
	const shown = 3
	if len(all) <= shown {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:shown], ", "), len(all)-shown)
}
