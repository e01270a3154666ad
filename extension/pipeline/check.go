package pipeline

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waybill-cd/waybill/extension/freight"
)

// extensionName is what Argo CD accepts for a proxy extension
// (argo-cd server/extension/extension.go).
var extensionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

func (d *Document) check(found *problems) {
	if d.APIVersion != freight.APIVersion {
		found.add("apiVersion", "%q is not known: write %s", d.APIVersion, freight.APIVersion)
	}
	if d.Project == "" {
		found.add("project", "is missing: name the AppProject whose Applications may join")
	}
	checkGate("gates.promote", d.Gates.Promote, found)
	checkGate("gates.approve", d.Gates.Approve, found)
	if len(d.Warehouses) == 0 {
		found.add("warehouses", "is empty: freight comes from at least one")
	}
	if len(d.Stages) == 0 {
		found.add("stages", "is empty: freight goes to at least one")
	}
	d.checkWarehouses(found)
	d.checkStages(found)
	d.checkCycles(found)
}

func checkGate(path, name string, found *problems) {
	if !extensionName.MatchString(name) {
		found.add(path, "%q is not the name of an Argo CD extension: use letters, digits, - and _", name)
	}
	if name == GateRead {
		found.add(path, "%s is the gate of reads: whoever may look could then decide", GateRead)
	}
}

func (d *Document) checkStages(found *problems) {
	names, branches := map[string]bool{}, map[string]string{}
	for i, s := range d.Stages {
		path := fmt.Sprintf("stages[%d]", i)
		checkName(path+".name", s.Name, names, found)
		if len(s.RequestedFreight) == 0 {
			found.add(path+".requestedFreight", "is empty: name the origin of at least one kind of freight")
		}
		origins := map[string]bool{}
		for j, r := range s.RequestedFreight {
			d.checkRequest(fmt.Sprintf("%s.requestedFreight[%d]", path, j), r, origins, found)
		}
		if a := s.Approval; a != nil {
			if a.Required < 1 || a.Required > maxApprovals {
				found.add(path+".approval.required", "must be 1 to %d", maxApprovals)
			}
			if a.NotBy != "" && a.NotBy != NotByPromoter {
				found.add(path+".approval.notBy", "%q is not known: allowed is %s", a.NotBy, NotByPromoter)
			}
		}
		if at, err := freight.CheckMirrors(s.Mirrors); err != nil {
			where := path + ".mirrors"
			if at >= 0 {
				where = fmt.Sprintf("%s[%d]", where, at)
			}
			found.add(where, "%s", err)
		}
		if s.Branch == "" {
			continue
		}
		if !branchName(s.Branch) {
			found.add(path+".branch", "%q is not the name of a Git branch", s.Branch)
		}
		if other, taken := branches[s.Branch]; taken {
			found.add(path+".branch", "%s is the branch of stage %s already: a stage branch belongs to one stage alone", s.Branch, other)
		}
		for _, branch := range slices.Sorted(maps.Keys(branches)) {
			if strings.HasPrefix(s.Branch, branch+"/") || strings.HasPrefix(branch, s.Branch+"/") {
				found.add(path+".branch", "%s cannot stand beside %s, the branch of stage %s: Git keeps no branch below another", s.Branch, branch, branches[branch])
			}
		}
		branches[s.Branch] = s.Name
	}
}

// maxApprovals bounds what a promotion's record holds.
const maxApprovals = 20

func (d *Document) checkRequest(path string, r RequestedFreight, origins map[string]bool, found *problems) {
	origin := r.Origin.Name
	if r.Origin.Kind != KindWarehouse {
		found.add(path+".origin.kind", "%q is not known: allowed is %s", r.Origin.Kind, KindWarehouse)
	}
	if _, known := d.Warehouse(origin); !known {
		found.add(path+".origin", "there is no warehouse %q", origin)
	}
	if origins[origin] {
		found.add(path+".origin", "%s is requested twice: give all its sources in one entry", origin)
	}
	origins[origin] = true
	if !r.Sources.Direct && len(r.Sources.Stages) == 0 {
		found.add(path+".sources", "is empty: write direct: true, or name stages")
	}
	for k, up := range r.Sources.Stages {
		at := fmt.Sprintf("%s.sources.stages[%d]", path, k)
		stage, known := d.Stage(up)
		if !known {
			found.add(at, "there is no stage %q", up)
			continue
		}
		if _, requests := stage.Requests(origin); !requests {
			found.add(at, "stage %s takes no freight of %s, so it can never hand any on", up, origin)
		}
	}
	switch soak := time.Duration(r.Sources.RequiredSoakTime); {
	case soak < 0:
		found.add(path+".sources.requiredSoakTime", "%s is negative", soak)
	case soak > 0 && len(r.Sources.Stages) == 0:
		found.add(path+".sources.requiredSoakTime", "needs sources.stages: direct freight has soaked nowhere")
	}
	if s := r.Sources.AvailabilityStrategy; s != OneOf && s != All {
		found.add(path+".sources.availabilityStrategy", "%q is not known: allowed are %s and %s", s, OneOf, All)
	}
}

// checkCycles walks up from each stage, once over each edge: a stage that it
// meets again on its way is upstream of itself.
func (d *Document) checkCycles(found *problems) {
	index := make(map[string]int, len(d.Stages))
	for i, s := range slices.Backward(d.Stages) {
		index[s.Name] = i // of two of one name the first, as [Document.Stage] has it
	}
	var way []int
	onWay, done := make([]bool, len(d.Stages)), make([]bool, len(d.Stages))
	var visit func(i int)
	visit = func(i int) {
		switch {
		case done[i]:
			return
		case onWay[i]:
			found.add(fmt.Sprintf("stages[%d].requestedFreight", i), "stage %s is upstream of itself: %s",
				d.Stages[i].Name, d.cycle(way[slices.Index(way, i):]))
			done[i] = true // once is enough
			return
		}
		way, onWay[i] = append(way, i), true
		for _, r := range d.Stages[i].RequestedFreight {
			for _, up := range r.Sources.Stages {
				if j, known := index[up]; known {
					visit(j)
				}
			}
		}
		way, onWay[i], done[i] = way[:len(way)-1], false, true
	}
	for i := range d.Stages {
		visit(i)
	}
}

// cycle writes stages of which each takes freight from the next, and the last
// from the first: a <- b <- a.
func (d *Document) cycle(stages []int) string {
	var names strings.Builder
	for _, i := range stages {
		names.WriteString(d.Stages[i].Name + " <- ")
	}
	return names.String() + d.Stages[stages[0]].Name
}

func checkName(path, name string, taken map[string]bool, found *problems) {
	switch {
	case !isLabel(name):
		found.add(path, "%q is not a name: use lower-case letters, digits and hyphens, 63 at most", name)
	case taken[name]:
		found.add(path, "%q is taken", name)
	}
	taken[name] = true
}

// branchPattern follows git-check-ref-format for one branch, without the forms
// that a shell or a person would read as something else.
var branchPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$`)

func branchName(s string) bool {
	return len(s) <= 200 && s != "HEAD" && branchPattern.MatchString(s) && !strings.Contains(s, "..") &&
		!strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ".lock") && !strings.Contains(s, ".lock/")
}
