package command

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/parameters"
	"github.com/waybill-cd/waybill/extension/waybill"
	"github.com/waybill-cd/waybill/plugin/refusal"
	"github.com/waybill-cd/waybill/plugin/render"
)

// What Argo CD sets (argo-cd, reposerver/repository, getPluginEnvs).
const (
	envApplication = "ARGOCD_APP_NAME"
	envSourcePath  = "ARGOCD_APP_SOURCE_PATH"
	envParameters  = "ARGOCD_APP_PARAMETERS"
	// envWaybill is [parameters.EnvWaybill] of spec.source.plugin.env.
	envWaybill = "ARGOCD_ENV_" + parameters.EnvWaybill
)

// promoteOrAllow is what to do where there is no waybill.
const promoteOrAllow = "promote freight into its stage, or set the parameter " + parameters.Unpinned + ": allow until then"

// errNoWaybill is the cause when there is no waybill in the Application's path.
var errNoWaybill = refusal.New("it has no waybill", promoteOrAllow)

// application returns Argo CD's name of the Application. It becomes part of a
// file name.
func (c Call) application() (string, error) {
	name := c.Env[envApplication]
	if name == "" {
		return "", refusal.New(envApplication+" is not set", "Argo CD sets it, set it yourself to render by hand")
	}
	if strings.ContainsAny(name, `/\`) {
		return "", refusal.New(envApplication+" holds a slash", "no Application is named so")
	}
	return name, nil
}

// readWaybill reads and checks the Application's waybill, which comes with the
// files of its path. What it returns beside an error names the subject only.
func (c Call) readWaybill(checkout *render.Checkout, application string) (waybill.Waybill, error) {
	data, err := checkout.Read(waybill.FileName(application))
	missing := errors.Is(err, fs.ErrNotExist)
	if c.Env[envWaybill] != "" {
		if missing {
			return waybill.Waybill{}, refusal.New("its waybill is in the plugin variable "+parameters.EnvWaybill+", and this version reads it from Git alone",
				"remove the variable and promote with the carrier git")
		}
		return waybill.Waybill{}, refusal.New("it has two waybills, a file and the plugin variable "+parameters.EnvWaybill, "remove the variable")
	}
	if missing {
		return waybill.Waybill{}, errNoWaybill
	}
	if err != nil {
		return waybill.Waybill{}, err
	}
	w, err := waybill.Parse(data)
	if err != nil {
		return waybill.Waybill{}, refusal.Wrap(err, "promote again")
	}
	return w, w.Check(application)
}

// subject is what errors name from now on.
func subject(application string, w waybill.Waybill) refusal.Subject {
	s := refusal.Subject{Application: application}
	if w.Application != application {
		return s
	}
	s.Stage = w.Stage
	for _, f := range w.Freight {
		s.Freight = append(s.Freight, freight.Short(f.ID))
	}
	return s
}
