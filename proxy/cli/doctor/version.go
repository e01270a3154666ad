package doctor

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/finding"
)

// implication is what a range of Argo CD's versions means for Waybill.
type implication struct {
	// from is the first version, until the first that is no longer meant; either
	// may be empty. A release candidate counts as its release.
	from, until string
	// where tells whether the installation is concerned; nil for every one.
	where func(Installation) bool

	severity finding.Severity
	fact     string
	remedy   string
}

// implications is the table: every line is a fact of Argo CD's source, at the
// release or issue that it names.
var implications = []implication{
	{
		until: "2.14.0", severity: finding.Error,
		fact: "Argo CD before 2.14 is older than what Waybill is tried with", remedy: "update to 2.14 or later",
	},
	{ // server/extension/extension.go, prepareRequest; 3.0 falls back to the user's ID
		until: "3.0.0", severity: finding.Warning,
		fact:   "Argo CD before 3.0 sets no username for an SSO user without the claim email, and hands on what the client sent, so that such a user may call themselves anybody",
		remedy: "have the identity provider send email for everybody who may invoke a gate, or update to 3.0",
	},
	{ // argo-cd #19337
		until: "3.0.0", where: namesDestination, severity: finding.Warning,
		fact:   "Argo CD before 3.0 refuses extension calls for Applications with destination.name, unless the AppProject permits the destination by that name (argo-cd #19337)",
		remedy: "name the destination in the AppProject as the Application does, or use destination.server",
	},
	{ // server/extension/extension.go, Argocd-User-Id
		until: "3.2.0", severity: finding.OK,
		fact: "Argo CD before 3.2 hands on a client's own Argocd-User-Id; Waybill reads usernames alone, so that nothing rests on it",
	},
	{ // argo-cd #23615
		until: "3.2.0", where: severalSources, severity: finding.Warning,
		fact:   "Argo CD before 3.2 does not sync an Application with several sources by itself when its plugin's parameters alone change, unless selfHeal is set (argo-cd #23615)",
		remedy: "let Waybill's own sync deploy, set selfHeal, or update to 3.2",
	},
	{ // docs/operator-manual/upgrading/2.14-3.0.md
		from: "3.0.0", severity: finding.OK,
		fact: "from Argo CD 3.0, applications, update and delete no longer cover the resources of an Application; the actions action/waybill.dev/Stage/* are granted as before",
	},
	{ // argo-cd #25891
		until: "3.4.0", severity: finding.OK,
		fact: "Argo CD before 3.4 does not tell why it finds no plugin: the log of argocd-repo-server does",
	},
	{ // ui/package.json
		until: "3.5.0", severity: finding.OK,
		fact: "Argo CD before 3.5 has React 16; Waybill's extension runs on it",
	},
	{
		from: "3.5.0", severity: finding.OK,
		fact: "from Argo CD 3.5 it has React 19; Waybill's extension runs on it",
	},
	{ // argo-cd #29066
		from: "3.5.0", until: "3.5.2", where: ignoresDifferences, severity: finding.Error,
		fact:   "in Argo CD 3.5.0 and 3.5.1, ignoreApplicationDifferences of an ApplicationSet empties the parent of what it ignores (argo-cd #29066), and ApplicationSets of bound Applications use it",
		remedy: "update Argo CD to 3.5.7 or later",
	},
	{
		from: "3.5.0", until: "3.5.2", where: not(ignoresDifferences), severity: finding.Warning,
		fact:   "in Argo CD 3.5.0 and 3.5.1, ignoreApplicationDifferences of an ApplicationSet empties the parent of what it ignores (argo-cd #29066)",
		remedy: "do not use it before an update to 3.5.7 or later",
	},
	{ // server/extension/extension.go at 3.5.7
		from: "3.5.7", where: elsewhere, severity: finding.Warning,
		fact:   "from Argo CD 3.5.7, an extension call for an Application outside of Argo CD's namespace is checked as <project>/<namespace>/<application>, before as <project>/<application>",
		remedy: "grant applications, get for these Applications in the longer form",
	},
	{ // until 3.5.7, the same line of code
		until: "3.5.7", where: elsewhere, severity: finding.Warning,
		fact:   "before Argo CD 3.5.7, an extension call for an Application outside of Argo CD's namespace is checked as <project>/<application>, without its namespace",
		remedy: "grant applications, get for these Applications in the shorter form too",
	},
}

func (i implication) concerns(v *semver.Version) bool {
	return (i.from == "" || !v.LessThan(semver.MustParse(i.from))) && (i.until == "" || v.LessThan(semver.MustParse(i.until)))
}

func not(where func(Installation) bool) func(Installation) bool {
	return func(in Installation) bool { return !where(in) }
}

func namesDestination(in Installation) bool {
	return slices.ContainsFunc(in.Applications.Value, func(a Application) bool { return a.Spec.Destination.Name != "" })
}

func severalSources(in Installation) bool {
	return slices.ContainsFunc(in.Applications.Value, func(a Application) bool {
		return len(a.Spec.Sources) > 0 && a.Spec.SyncPolicy.automated() && !a.Spec.SyncPolicy.Automated.SelfHeal
	})
}

func ignoresDifferences(in Installation) bool {
	return slices.ContainsFunc(in.ApplicationSets.Value, func(s ApplicationSet) bool { return len(s.Spec.IgnoreApplicationDifferences) > 0 })
}

func elsewhere(in Installation) bool {
	return slices.ContainsFunc(in.Applications.Value, func(a Application) bool { return a.Meta.Namespace != in.ArgoCDNamespace })
}

// version tells Argo CD's version, and what it implies.
func version(in Installation) []finding.Finding {
	l := finding.For(CheckVersion)
	found, from := argocdVersion(in)
	if found == nil {
		l.Warn("log in with argocd login, so that argocd-server can be asked", "Argo CD's version is not known: the image of argocd-server does not tell it, and argocd-server was not asked")
		return l.All()
	}
	l.OK("Argo CD %s (%s says so)", found, from)
	// A release candidate has what its release has.
	release, err := found.SetPrerelease("")
	if err != nil {
		release = *found
	}
	for _, i := range implications {
		if !i.concerns(&release) || i.where != nil && !i.where(in) {
			continue
		}
		switch i.severity {
		case finding.OK:
			l.OK("%s", i.fact)
		case finding.Warning:
			l.Warn(i.remedy, "%s", i.fact)
		case finding.Error:
			l.Fail(i.remedy, "%s", i.fact)
		}
	}
	return l.All()
}

// NeedsServerVersion tells whether Argo CD's version has to be asked for: the
// image of argocd-server does not tell it.
func NeedsServerVersion(in Installation) bool {
	v, _ := argocdVersion(in)
	return v == nil
}

// argocdVersion is the tag of argocd-server's image, else what argocd-server
// says: a session may be with another Argo CD than the one that was read.
func argocdVersion(in Installation) (v *semver.Version, from string) {
	if server, ok := deployment(in.Deployments, serverName); ok {
		containers := server.Spec.Template.Spec.Containers
		for _, c := range containers {
			own := c.Name == serverName || c.Name == serverChart || len(containers) == 1
			if v, err := semver.NewVersion(tagOf(c.Image)); err == nil && own {
				return v, "the image of argocd-server"
			}
		}
	}
	if v, err := semver.NewVersion(in.ServerVersion); err == nil {
		return v, "argocd-server"
	}
	return nil, ""
}

// tagOf returns the tag of an image; empty for none.
func tagOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}
