package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/render"
)

// announcement is what Argo CD's parameters tab shows of one parameter
// (argo-cd, reposerver/apiclient, ParameterAnnouncement).
type announcement struct {
	Name           string            `json:"name"`
	Title          string            `json:"title"`
	Tooltip        string            `json:"tooltip"`
	ItemType       string            `json:"itemType,omitempty"`
	CollectionType string            `json:"collectionType,omitempty"`
	String         string            `json:"string,omitempty"`
	Array          []string          `json:"array,omitempty"`
	Map            map[string]string `json:"map,omitempty"`
}

// announce writes the parameters, and what the waybill pins. Without a waybill
// to read it says so in their place, because people look here to find out.
func (c Call) announce() error {
	held, pins := c.held()
	var all []announcement
	kind := c.kind()
	for _, d := range definitions(kind) {
		a := announcement{Name: d.name, Title: d.title, Tooltip: d.tooltip}
		form, _ := parameters.FormOf(kind, d.name)
		a.CollectionType = form.Field()
		// Of what an Application sets the tab shows its value, of all else what is
		// announced (argo-cd, ui, application-parameters.tsx).
		if form == parameters.Boolean {
			a.ItemType, a.String = "boolean", "false"
		}
		switch d.name {
		case parameters.Freight:
			a.String = held
		case parameters.Pins:
			a.Map = pins
		}
		all = append(all, a)
	}
	encoder := json.NewEncoder(c.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}

// kind returns what the Application's path holds, plain where that is not known.
func (c Call) kind() parameters.Kind {
	checkout, err := render.Open(c.Dir, c.Env[envSourcePath])
	if err != nil {
		return parameters.Plain
	}
	defer checkout.Close()
	kind, err := checkout.Kind()
	if err != nil {
		return parameters.Plain
	}
	return kind
}

// held tells in words what freight the Application holds, and its pins.
func (c Call) held() (string, map[string]string) {
	application, err := c.application()
	if err != nil {
		return "unknown: " + err.Error(), nil
	}
	checkout, err := render.Open(c.Dir, c.Env[envSourcePath])
	if err != nil {
		return "unknown: " + err.Error(), nil
	}
	defer checkout.Close()
	w, err := c.readWaybill(checkout, instanceName(checkout, application))
	switch {
	case errors.Is(err, errNoWaybill):
		return "none yet: promote freight into the stage", nil
	case err != nil:
		return "unknown: " + err.Error(), nil
	}
	var names []string
	pins := map[string]string{}
	for _, f := range w.Freight {
		names = append(names, fmt.Sprintf("%s from %s (%s)", freight.Short(f.ID), f.Origin, f.Summary()))
		add(pins, f.Artifacts)
	}
	return fmt.Sprintf("%s, in %s by promotion %s", strings.Join(names, ", "), w.Stage, w.Promotion.ID), pins
}

func add(pins map[string]string, artifacts freight.Artifacts) {
	put := func(artifact, subscription, pin string) {
		if subscription != "" {
			artifact += " (" + subscription + ")"
		}
		pins[artifact] = pin
	}
	for _, image := range artifacts.Images {
		put(image.RepoURL, image.Subscription, strings.TrimPrefix(image.Tag+"@"+image.Digest, "@"))
	}
	for _, commit := range artifacts.Commits {
		put(commit.RepoURL, commit.Subscription, commit.ID)
	}
	for _, chart := range artifacts.Charts {
		put(strings.TrimSuffix(chart.RepoURL+"/"+chart.Name, "/"), chart.Subscription, chart.Version)
	}
}

// instanceName returns the name that the Application's waybill bears. For its
// parameters tab Argo CD passes the bare name, for a render <namespace>_<name>
// where the Application is in a namespace of its own.
func instanceName(checkout *render.Checkout, application string) string {
	names, err := checkout.Names()
	if err != nil || slices.Contains(names, waybill.FileName(application)) {
		return application
	}
	prefix, suffix, _ := strings.Cut(waybill.FileName("*"), "*")
	instance := application
	for _, name := range names {
		if !waybill.IsFile(name) || !strings.HasSuffix(name, "_"+application+suffix) {
			continue
		}
		if instance != application {
			return application // one of several: which, Argo CD does not tell
		}
		instance = strings.TrimSuffix(strings.TrimPrefix(name, prefix), suffix)
	}
	return instance
}
