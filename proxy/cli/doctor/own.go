package doctor

import (
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/extension/finding"
	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store/credential"
)

// own looks at Waybill's own side: the proxy, its pipelines and credentials.
func own(in Installation) []finding.Finding {
	l := finding.For(CheckWaybill)
	proxy(l, in)
	lease(l, in)
	pipelines(l, in)
	unboundStages(l, in)
	gitCredentials(l, in)
	webhookReceivers(l, in)
	return l.All()
}

func proxy(l *finding.List, in Installation) {
	if in.OwnDeployments.Err != nil {
		return
	}
	d, found := deployment(in.OwnDeployments, proxyName)
	if !found {
		l.Fail("install the proxy as the README says, or name Waybill's namespace with --namespace", "there is no Deployment %s in namespace %s", proxyName, in.Namespace)
		return
	}
	describe := "kubectl describe -n " + in.Namespace + " pod -l " + labelName + "=" + proxyName
	switch {
	case d.replicas() == 0:
		l.Fail("kubectl scale -n "+in.Namespace+" deployment/"+d.Meta.Name+" --replicas=2", "Deployment %s has no replicas", d.Meta.Key())
	case d.Status.ReadyReplicas == 0:
		l.Fail(describe, "no replica of %s is ready", d.Meta.Key())
	case d.Status.ReadyReplicas < d.replicas():
		l.Warn(describe, "%d of %d replicas of %s are ready", d.Status.ReadyReplicas, d.replicas(), d.Meta.Key())
	default:
		l.OK("all %d replicas of %s are ready", d.replicas(), d.Meta.Key())
	}
	c, found := d.Spec.Template.Spec.container(proxyName)
	if !found {
		return
	}
	tag := tagOf(c.Image)
	if tag == unreleased {
		l.Fail("put the image that make images prints in its place", "the image of the proxy, %s, stands for one that is still to be built", c.Image)
	}
	if theirs, err := semver.NewVersion(tag); err == nil {
		if ours, err := semver.NewVersion(in.CLIVersion); err == nil && !theirs.Equal(ours) {
			l.Warn("use the command line of the proxy's version", "the proxy has the version %s, and this command line %s", theirs, ours)
		}
	}
	for _, arg := range c.Args {
		if other, is := strings.CutPrefix(arg, "--argocd-namespace="); is && other != in.ArgoCDNamespace {
			l.Fail("correct the Deployment's --argocd-namespace, or that of doctor", "the proxy looks for Argo CD in namespace %s, not in %s", other, in.ArgoCDNamespace)
		}
	}
}

// lease tells whether a replica runs the engine.
func lease(l *finding.List, in Installation) {
	logs := "kubectl logs -n " + in.Namespace + " deployment/" + proxyName
	switch {
	case in.Lease.Err != nil:
		return
	case in.Lease.Missing || in.Lease.Value.Spec.RenewTime == nil || in.Lease.Value.Spec.HolderIdentity == "":
		l.Fail(logs, "no replica holds the Lease %s/%s, so that nothing is promoted", in.Namespace, proxyName)
		return
	}
	spec := in.Lease.Value.Spec
	// Clocks differ a little, and a holder renews several times in that time.
	const patience = 2
	lasts := patience * time.Duration(spec.LeaseDurationSeconds) * time.Second
	if in.Now.Sub(*spec.RenewTime) > max(lasts, time.Minute) {
		l.Fail(logs, "the Lease %s/%s was renewed %s: no replica runs the engine, so that nothing is promoted", in.Namespace, proxyName, in.ago(*spec.RenewTime))
		return
	}
	l.OK("%s runs the engine", spec.HolderIdentity)
}

// pipelines tells which documents are not in force.
func pipelines(l *finding.List, in Installation) {
	if in.Pipelines.Err != nil {
		return
	}
	if len(in.Pipelines.Value) == 0 {
		l.Warn("apply one, labelled "+labelKind+": "+kindPipeline+" (hack/shop/manifests has a whole example)", "there is no pipeline in namespace %s", in.Namespace)
		return
	}
	records := acceptedRecords(in)
	for _, cm := range in.Pipelines.Value {
		name, err := pipeline.ParseName(cm.Meta.Key())
		if err != nil {
			l.Warn("rename it: lower-case letters, digits and hyphens", "ConfigMap %s is labelled as a pipeline, and no pipeline can have its name", cm.Meta.Key())
			continue
		}
		text := cm.Data[pipeline.Key]
		record := records[name.String()]
		_, problem := pipeline.Parse(name, text)
		_, unread := pipeline.Parse(name, record.Document) // an older version may have taken what this one does not
		switch {
		case problem != nil && unread == nil:
			l.Fail("mend it: argocd-waybill lint tells every problem", "pipeline %s has problems, and the last good document stays in force: %v", name.Short(), problem)
		case problem != nil:
			l.Fail("mend it: argocd-waybill lint tells every problem", "pipeline %s has problems, and nothing is promoted: %v", name.Short(), problem)
		case in.Accepted.Err == nil && record.Refused == pipeline.Hash(text) && record.Refused != "":
			l.Fail("use the command line of the proxy's version", "pipeline %s is good for this command line, and the proxy refuses it: %s", name.Short(), problemsOf(record.Problems))
		case in.Accepted.Err == nil && record.Hash != pipeline.Hash(text):
			l.Warn("wait a minute; then look at the proxy's log", "the proxy has not taken over the newest document of pipeline %s yet", name.Short())
		default:
			l.OK("pipeline %s is in force", name.Short())
		}
	}
}

func problemsOf(all []pipeline.Problem) string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.String()
	}
	return finding.Names(lines)
}

// unboundStages tells which stages keep promotions waiting.
func unboundStages(l *finding.List, in Installation) {
	if !in.Applications.ok() {
		return
	}
	bound := map[string]bool{}
	for _, a := range in.Applications.Value {
		if name, err := a.stage(); err == nil {
			bound[name.String()] = true
		}
	}
	var without []string
	for _, p := range documents(in) {
		for _, s := range p.document.Stages {
			if name := (pipeline.StageName{Pipeline: p.name, Stage: s.Name}).String(); !bound[name] && !s.ControlFlow {
				without = append(without, name)
			}
		}
	}
	if len(without) > 0 {
		l.Warn("annotate an Application with "+annotationStage+", or say controlFlow: true", "no Application is bound to these stages, so that their promotions wait: %s", finding.Names(without))
		l.About(without)
	}
}

// gitCredentials tells for which repositories the proxy has none to push with.
func gitCredentials(l *finding.List, in Installation) {
	if in.Repositories.Err != nil || !in.Applications.ok() {
		return
	}
	var without, with []string
	for _, url := range repositories(in) {
		repo := freight.GitRepository(url)
		found := slices.ContainsFunc(in.Repositories.Value, func(r Repository) bool {
			return credential.Nearness(credential.Secret{Type: r.Type, URL: r.URL, Kind: r.Kind, Complete: r.Complete}, repo) > 0
		})
		if found {
			with = append(with, url)
		} else {
			without = append(without, url)
		}
	}
	if len(without) > 0 {
		l.Warn("make a Secret in namespace "+in.Namespace+" labelled argocd.argoproj.io/secret-type: repository, with url, username and password",
			"the proxy has no credentials to push waybills with, which only a repository that anybody may write to does without: %s", finding.Names(without))
		l.About(without)
	}
	if len(with) > 0 {
		l.OK("the proxy has credentials for %s", finding.Names(with))
		l.About(with)
	}
}

// webhookReceivers tells of Secrets to which all webhooks are refused.
func webhookReceivers(l *finding.List, in Installation) {
	if in.Receivers.Err != nil || len(in.Receivers.Value) == 0 {
		return
	}
	good := 0
	for _, r := range in.Receivers.Value {
		if r.Problem == "" {
			good++
			continue
		}
		l.Fail("mend it, or delete it", "all webhooks to Secret %s are refused: %s", r.Meta.Key(), r.Problem)
		l.About([]string{r.Meta.Key()})
	}
	if good > 0 {
		l.OK("webhook receivers that are ready: %d", good)
	}
}
