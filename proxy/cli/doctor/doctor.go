// Package doctor looks at an installation of Waybill beside Argo CD and tells
// what keeps promotions from working, from being fast or from being safe, each
// with its remedy.
//
// [Read] is the one place that talks to Kubernetes, and only reads. What it may
// not read becomes a finding. Every check is a pure function of what was read.
package doctor

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybill-cd/waybill/extension/finding"
)

// The checks, in the order in which they are told.
const (
	CheckAccess          = "access"
	CheckVersion         = "version"
	CheckParameters      = "parameters"
	CheckGates           = "gates"
	CheckPolicy          = "policy"
	CheckSidecar         = "sidecar"
	CheckExtension       = "extension"
	CheckApplications    = "applications"
	CheckApplicationSets = "applicationsets"
	CheckWaybill         = "waybill"
)

var checks = []struct {
	name string
	do   func(Installation) []finding.Finding
}{
	{CheckAccess, access},
	{CheckVersion, version},
	{CheckParameters, parameters},
	{CheckGates, gates},
	{CheckPolicy, policies},
	{CheckSidecar, sidecar},
	{CheckExtension, uiExtension},
	{CheckApplications, applications},
	{CheckApplicationSets, applicationSets},
	{CheckWaybill, own},
}

// Checks returns the names of all checks, in the order in which they are told.
func Checks() []string {
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	return names
}

// Examine returns what there is to say of an installation. only chooses checks;
// all where it is empty.
func Examine(in Installation, only []string) []finding.Finding {
	all := []finding.Finding{}
	for _, c := range checks {
		if len(only) == 0 || slices.Contains(only, c.name) {
			all = append(all, c.do(in)...)
		}
	}
	return all
}

// Installation is what was read of Argo CD and of Waybill.
type Installation struct {
	// Now is when it was read.
	Now time.Time
	// ArgoCDNamespace and Namespace are those of Argo CD and of Waybill.
	ArgoCDNamespace string
	Namespace       string
	// ServerVersion is what argocd-server itself says; empty where it was not
	// asked.
	ServerVersion string
	// CLIVersion is that of this command line.
	CLIVersion string

	// Argo CD's own.
	Settings    Part[ConfigMap] // argocd-cm
	Parameters  Part[ConfigMap] // argocd-cmd-params-cm
	Policy      Part[ConfigMap] // argocd-rbac-cm
	Plugin      Part[ConfigMap] // waybill-plugin
	GatesOfArgo Part[GateSecret]
	Deployments Part[[]Deployment]
	Pods        Part[[]Pod]
	Projects    Part[[]Project]

	// Bound to stages, wherever they are, and the ApplicationSets that own them.
	Applications    Part[[]Application]
	ApplicationSets Part[[]ApplicationSet]

	// Waybill's own.
	OwnDeployments Part[[]Deployment]
	OwnPods        Part[[]Pod]
	GatesOfWaybill Part[GateSecret]
	Lease          Part[Lease]
	Pipelines      Part[[]ConfigMap]
	Accepted       Part[[]ConfigMap]
	Repositories   Part[[]Repository]
	Receivers      Part[[]Receiver]
}

// Part is one thing that was read.
type Part[T any] struct {
	Value T
	// Missing tells that there is none.
	Missing bool
	// What and Err tell what could not be read, and why.
	What string
	Err  error
}

// ok tells whether the part was read and is there.
func (p Part[T]) ok() bool { return !p.Missing && p.Err == nil }

func (p Part[T]) failure() (what string, err error) { return p.What, p.Err }

// access tells what could not be read, and so was not looked at.
func access(in Installation) []finding.Finding {
	l := finding.For(CheckAccess)
	parts := []interface{ failure() (string, error) }{
		in.Settings, in.Parameters, in.Policy, in.Plugin, in.GatesOfArgo, in.Deployments, in.Pods, in.Projects,
		in.Applications, in.ApplicationSets,
		in.OwnDeployments, in.OwnPods, in.GatesOfWaybill, in.Lease, in.Pipelines, in.Accepted, in.Repositories, in.Receivers,
	}
	told := map[string]bool{} // several parts may be of one kind in one namespace
	for _, part := range parts {
		if what, err := part.failure(); err != nil && !told[what] {
			told[what] = true
			l.Warn("ask for the right (argocd-waybill doctor --help lists all), or let somebody who has it run doctor", "not looked at: %s cannot be read: %v", what, err)
		}
	}
	if len(l.All()) == 0 {
		l.OK("everything could be read")
	}
	return l.All()
}

// ago writes how long ago something was, roughly.
func (in Installation) ago(t time.Time) string {
	switch d := in.Now.Sub(t); {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d ago", int(d.Hours()/24))
	}
}
