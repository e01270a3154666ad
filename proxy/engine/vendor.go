package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/waybill-cd/waybill/extension/chart"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/argocd"
	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/source"
)

// errVendor ends a promotion whose charts cannot be vendored until a person
// changes something.
var errVendor = errors.New("a chart that the freight pins cannot be vendored")

func cannotVendor(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), errVendor}
}

// pinsOf returns the charts that freight pins.
func pinsOf(loads []freight.Freight) []freight.Chart {
	var pins []freight.Chart
	for _, f := range loads {
		pins = append(pins, f.Charts...)
	}
	return pins
}

// vendor adds to a change what becomes of the charts in the Applications' folders
// that depend on what the freight pins, at the commit whose tree the change takes.
// With the same commit it adds the same each time: at is that of the promotion.
// Freight that pins no chart costs nothing.
func (e *Engine) vendor(ctx context.Context, s *Situation, c *gitrepo.Change, loads []freight.Freight, apps []argocd.Application, start string) error {
	pins := pinsOf(loads)
	if len(pins) == 0 {
		return nil
	}
	done := map[string]bool{}
	for _, a := range apps {
		folder := folderOf(a)
		if done[folder] {
			continue
		}
		done[folder] = true
		edits, err := e.editsOf(ctx, s, a, loads, start, *c)
		if err != nil {
			return err
		}
		for name, content := range edits.Files {
			c.Files[path.Join(folder, name)] = content
		}
		for _, name := range edits.Removed {
			c.Removed = append(c.Removed, path.Join(folder, name))
		}
	}
	return nil
}

// folderOf is an Application's source path in its repository.
func folderOf(a argocd.Application) string { return path.Dir(a.WaybillPath()) }

// editsOf tells what becomes of the chart in one Application's folder. On a branch
// that is shared, nothing may.
func (e *Engine) editsOf(ctx context.Context, s *Situation, a argocd.Application, loads []freight.Freight, start string, c gitrepo.Change) (chart.Edits, error) {
	folder := folderOf(a)
	files, err := e.git.Glob(ctx, a.RepoURL, start, folder, chart.Named...)
	if err != nil {
		return chart.Edits{}, err
	}
	if _, is := files[chart.Metadata]; !is {
		return chart.Edits{}, nil
	}
	pins := pinsOf(loads)
	if needed, err := chart.Depends(files, pins); err != nil || len(needed) == 0 {
		return chart.Edits{}, ofApplication(a, err)
	}
	vendored, err := e.git.Glob(ctx, a.RepoURL, start, path.Join(folder, "charts"), chart.Below...)
	if err != nil {
		return chart.Edits{}, err
	}
	for name, content := range vendored {
		files["charts/"+name] = content
	}
	shared := fmt.Errorf("the freight pins a chart that it depends on, and branch %s holds another one: give stage %s a branch of its own (branch: env/%s), so that it can be vendored there",
		c.Branch, s.Stage.Name, s.Stage.Name)
	edits, err := chart.Vendor(files, pins, c.At, func(pin freight.Chart) ([]byte, error) {
		if !c.Own {
			return nil, shared
		}
		return e.archive(ctx, s, loads, pin)
	})
	if err == nil && !c.Own && !edits.Empty() {
		err = shared
	}
	return edits, ofApplication(a, err)
}

// ofApplication tells whose chart it is that cannot be vendored. What is of the
// moment stays so.
func ofApplication(a argocd.Application, err error) error {
	if err == nil || errors.As(err, new(*momentary)) {
		return err
	}
	return cannotVendor("Application %s: %s", a.Key(), err)
}

// momentary is the error of a chart repository that may answer the next time.
type momentary struct{ error }

// Unwrap returns the error.
func (m *momentary) Unwrap() error { return m.error }

// archive gets the archive of a pin, as the subscription says that found it.
func (e *Engine) archive(ctx context.Context, s *Situation, loads []freight.Freight, pin freight.Chart) ([]byte, error) {
	if e.Charts == nil {
		return nil, errors.New("this installation of Waybill reads no chart repositories")
	}
	content, err := e.Charts.Archive(ctx, s.Pipeline.Name.Namespace, pin, insecure(s.Pipeline.Warehouses, loads, pin))
	if err != nil && !errors.Is(err, source.ErrRefused) {
		return nil, &momentary{err}
	}
	return content, err
}

// insecure tells whether the subscription that found a chart trusts any
// certificate; one that is gone trusts none but those that are known.
func insecure(warehouses []pipeline.Warehouse, loads []freight.Freight, pin freight.Chart) bool {
	return slices.ContainsFunc(loads, func(f freight.Freight) bool {
		return slices.Contains(f.Charts, pin) && slices.ContainsFunc(warehouses, func(w pipeline.Warehouse) bool {
			return w.Name == f.Origin && slices.ContainsFunc(w.Subscriptions, func(sub pipeline.Subscription) bool {
				return sub.Chart != nil && sub.Chart.InsecureSkipTLSVerify && sub.Name == pin.Subscription &&
					chart.Identity(sub.Chart.RepoURL, sub.Chart.Name) == chart.Identity(pin.RepoURL, pin.Name)
			})
		})
	})
}
