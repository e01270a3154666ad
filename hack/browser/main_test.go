// Package browser states what the UI extension promises in a real browser, on the
// real stack: argocd-server serves the bundle, its login's cookie and its extension
// proxy stand between the page and waybill-proxy. The tests of the page itself are
// in ui/browser; this package starts what they need, and gives them a hand outside
// the page.
package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/hack/chromium"
	"github.com/waybill-cd/waybill/hack/front"
	"github.com/waybill-cd/waybill/hack/install"
	"github.com/waybill-cd/waybill/hack/shop"
	"github.com/waybill-cd/waybill/hack/stack"
	"github.com/waybill-cd/waybill/hack/stack/component"
)

const (
	// firstVersion is in prod before the first test, so that there is something
	// to roll back to.
	firstVersion = "v1.0.0"
	// outsider may look at the Applications and call no extension.
	outsider = "carol"
	rootPath = "/argocd"
)

// The stack that all tests share.
var (
	root     string // of the repository
	theStack *stack.Stack
	theShop  *shop.Shop
	ui       front.UI
	counted  = &requests{}
	site     *front.Front // Argo CD at the root
	below    *front.Front // and below rootPath
	hand     *control
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if root, err = component.RepositoryRoot(); err != nil {
		return 0, err
	}
	if err := chromium.Ensure(ctx, os.Stdout); err != nil {
		return 0, err
	}
	ui = front.Built(root)
	if _, err := os.Stat(ui.Extension); err != nil {
		return 0, errors.New("the UI extension is not built: run make ui")
	}
	folder, err := os.MkdirTemp("", "waybill-browser-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binaries, err := install.Build(ctx, root, filepath.Join(folder, "bin"), os.Stdout)
	if err != nil {
		return 0, err
	}
	theStack, err = stack.Start(ctx, stack.Config{Log: os.Stdout, Plugin: binaries.Sidecar(root)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, theStack.Stop()) }()
	if err := theStack.UIExtension("waybill", ui.Extension); err != nil {
		return 0, err
	}
	if _, err := install.Install(ctx, theStack, root, binaries, install.Options{}); err != nil {
		return 0, err
	}
	if theShop, err = shop.SetUp(ctx, theStack); err != nil {
		return 0, err
	}
	if err := letPeopleIn(ctx); err != nil {
		return 0, err
	}
	if err := deliverFirst(ctx, binaries.CLI, folder); err != nil {
		return 0, err
	}
	if site, err = front.Serve(ctx, front.Config{ArgoCD: theStack.ArgoCDURL(), Pages: ui.Host, Around: counted.around}); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	server, err := theStack.ServeUnder(ctx, rootPath)
	if err != nil {
		return 0, err
	}
	if below, err = front.Serve(ctx, front.Config{ArgoCD: server, RootPath: rootPath, Pages: ui.Host, Around: counted.around}); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, below.Close()) }()
	if hand, err = serveControl(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, hand.close()) }()
	return m.Run(), nil
}

// letPeopleIn gives the promoter the right to approve as well, which the rule
// "not by the promoter" takes away again, and makes the outsider.
func letPeopleIn(ctx context.Context) error {
	if err := theStack.CreateAccount(ctx, outsider, outsider); err != nil {
		return err
	}
	access, err := theShop.Manifest("access.yaml")
	if err != nil {
		return err
	}
	return theShop.Apply(ctx, strings.TrimRight(access, "\n")+`
    g, alice, role:shop-approver
    p, role:outsider, applications, get, shop/*, allow
    g, carol, role:outsider
`)
}

// deliverFirst takes the first version to prod, with the command line.
func deliverFirst(ctx context.Context, cli, folder string) error {
	if _, err := theShop.Push(ctx, firstVersion); err != nil {
		return err
	}
	as := func(person string, args ...string) (string, error) {
		token, err := theStack.Login(ctx, person, person)
		if err != nil {
			return "", err
		}
		cmd := exec.CommandContext(ctx, cli, args...)
		cmd.Env = append(os.Environ(), "ARGOCD_CONFIG_DIR="+folder, "ARGOCD_OPTS=--plaintext",
			"ARGOCD_SERVER="+strings.TrimPrefix(theStack.ArgoCDURL(), "http://"), "ARGOCD_AUTH_TOKEN="+token)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("argocd-waybill %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out)), err
	}
	if _, err := as(shop.Promoter, "refresh", "shop", "--app", "shop-dev"); err != nil {
		return err
	}
	var id string
	asked := func() (err error) {
		id, err = as(shop.Promoter, "promote", "-p", "shop", "--stage", "prod", "--freight", firstVersion, "-o", "name")
		return err
	}
	// It is refused until staging has verified the version.
	if err := eventually(ctx, asked); err != nil {
		return err
	}
	_, err := as(shop.Approver, "approve", id[strings.LastIndex(id, "/")+1:], "--wait")
	return err
}

// eventually tries until it succeeds, for three minutes at most.
func eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
