package preview_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/proxy/gitrepo"
	"github.com/waybill-cd/waybill/proxy/preview"
)

// What is previewed is what the promotion's commit renders, on a branch that is
// shared and on one of the stage's own.
func TestThePreviewIsOfTheTreeThatIsCommitted(t *testing.T) {
	for name, own := range map[string]bool{"a shared branch": false, "a stage branch": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, preview.Options{})
			app := w.application(nil)
			w.push("main", map[string]string{"deploy/kustomization.yaml": "resources: [../base, d.yaml]", "deploy/d.yaml": fmt.Sprintf(deployment, 1, 1, 1),
				"base/kustomization.yaml": "resources: [c.yaml]", "base/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}"})
			c := gitrepo.Change{
				RepoURL: w.url, Branch: "main", Message: "Promote", Promotion: "p", At: time.Unix(0, 0),
				Files: map[string][]byte{waybillPath: bill(t, "p", "v1")},
			}
			if own {
				// It was made on an older main.
				c.Own, c.Branch = true, "env/prod"
				_, err := w.exports.Commit(t.Context(), c)
				w.must(err)
				w.push("main", map[string]string{"base/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: newer}"})
				c.Promotion, c.Files = "p2", map[string][]byte{waybillPath: bill(t, "p2", "v2")}
			}
			branches, err := w.exports.Branches(t.Context(), w.url)
			w.must(err)
			start, err := branches.Start(c)
			w.must(err)
			neutral := map[string][]byte{waybillPath: bill(t, "preview", map[bool]string{false: "v1", true: "v2"}[own])}
			seen, err := w.renderer.Digest(t.Context(), app, preview.Tree{Revision: start, Files: neutral})
			w.must(err)
			if own {
				c.Base = start
			}
			c.Tip = start
			written, err := w.exports.Commit(t.Context(), c)
			w.must(err)
			committed, err := w.renderer.Digest(t.Context(), app, preview.Tree{Revision: written.Commit})
			w.must(err)
			if seen != committed {
				t.Errorf("the preview has %s, and the commit renders %s", seen, committed)
			}
			if after := w.compare(app, preview.Tree{Revision: written.Commit}, preview.Tree{Revision: start, Files: neutral}); len(after.Changed)+len(after.Added)+len(after.Pruned) > 0 {
				t.Errorf("after the commit, the preview shows %+v", after)
			}
		})
	}
}
