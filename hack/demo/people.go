package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-cd/waybill/hack/install"
	"github.com/waybill-cd/waybill/hack/shop"
	"github.com/waybill-cd/waybill/hack/stack"
)

// writePeople logs the shop's people in, and writes for each a command of their
// own: argocd-waybill with their session.
func writePeople(ctx context.Context, s *stack.Stack, b install.Binaries, folder, front string) error {
	server := strings.Trim(strings.TrimPrefix(front, "http:"), "/")
	for _, person := range []string{shop.Promoter, shop.Approver} {
		token, err := s.Login(ctx, person, person)
		if err != nil {
			return err
		}
		home := filepath.Join(folder, "session-"+person)
		if err := os.MkdirAll(home, 0o700); err != nil {
			return err
		}
		config := fmt.Sprintf("current-context: demo\ncontexts:\n- {name: demo, server: %q, user: %q}\nservers:\n- {server: %q, plain-text: true}\nusers:\n- {name: %q, auth-token: %q}\n",
			server, person, server, person, token)
		if err := os.WriteFile(filepath.Join(home, "config"), []byte(config), 0o600); err != nil {
			return err
		}
		script := fmt.Sprintf("#!/bin/sh\n# argocd-waybill, as %s.\nARGOCD_CONFIG_DIR=%q exec %q \"$@\"\n", person, home, b.CLI)
		if err := os.WriteFile(filepath.Join(folder, person), []byte(script), 0o755); err != nil {
			return err
		}
	}
	script := fmt.Sprintf("#!/bin/sh\n# kubectl, as the cluster's administrator.\nexec %q --kubeconfig %q \"$@\"\n", s.KubectlPath(), s.Kubeconfig())
	return os.WriteFile(filepath.Join(folder, "kubectl"), []byte(script), 0o755)
}

func guide(out io.Writer, s *stack.Stack, product *shop.Shop, front string) {
	_, _ = fmt.Fprintf(out, `
Waybill runs. The shop's first version, %[1]s, is on its way through dev and staging.

  Argo CD      %[2]s   (alice/alice promotes, bob/bob approves, admin/%[3]s)
  Git          %[4]s   (%[5]s/%[6]s)
  registry     %[7]s

Open %[2]sapplications/argocd/shop-prod?view=Promotion to see and promote there,
or try, in another terminal of this folder:

  .demo/alice get stages                               where every version is
  .demo/alice why --stage prod --freight %[1]s        what keeps it out of prod
  .demo/alice promote --stage prod --freight %[1]s    ask for prod: it waits for an approval
  .demo/alice get promotions                           and shows for what
  .demo/bob approve PROMOTION --wait                   let it go, and watch it go live
  make demo-push                                       push the next version, as CI would
  pkill -9 waybill-proxy                               kill it whenever you like: it carries on
  .demo/alice rollback --stage prod --reason "..."     go back, once two versions were live
  .demo/kubectl get configmap -n waybill -l waybill.dev/kind -L waybill.dev/kind

Ctrl-C stops everything.
`, firstVersion, front, s.AdminPassword(), product.RepoURL, s.Git().User(), s.Git().Password(), product.Image)
}
