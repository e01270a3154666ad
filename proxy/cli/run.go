// Package cli is the command line of Waybill, argocd-waybill. It reaches the
// proxy through argocd-server, as the user whom argocd is logged in as.
package cli

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"

	"github.com/waybill-cd/waybill/proxy/cli/client"
	"github.com/waybill-cd/waybill/proxy/cli/session"
)

// Program is what the command line is given to run with.
type Program struct {
	// Args are the arguments without the program's name.
	Args []string
	// Version of the build; that of the module where it is empty.
	Version string
	In      io.Reader
	// Out and Err are drawn on as terminals where they are files that are.
	Out io.Writer
	Err io.Writer
	// Now tells the time; time.Now where it is nil.
	Now func() time.Time
	// Kubernetes makes the client that doctor reads through; that of the kubeconfig
	// where it is nil.
	Kubernetes func(kubeconfig, context string) (dynamic.Interface, error)
	// Interval is the time between two looks at what is waited for; a second
	// where it is zero.
	Interval time.Duration
}

// Run runs one command and returns the exit code, one of the Exit constants.
func Run(ctx context.Context, p Program) int {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Interval <= 0 {
		p.Interval = time.Second
	}
	if p.Version == "" {
		p.Version = moduleVersion()
	}
	c := &command{Program: p, style: styleOf(p.Out, os.Getenv)}
	root := c.root()
	// Without any, cobra would take those of the process.
	root.SetArgs(append([]string{}, p.Args...))
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	ran, err := root.ExecuteContextC(ctx)
	return c.exit(ctx, ran, err)
}

func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// command is the one that runs, with what its flags say.
type command struct {
	Program
	style style

	session  session.Flags
	pipeline string
	app      string
	output   string

	// started tells an error of the command from one of its usage.
	started bool
	client  *client.Client
}

const about = `Waybill decides which version goes to which environment, when, and only if it
passed in the one before. This command line shows pipelines, promotes, approves,
and tells why something may not be promoted.

It uses the session of argocd: log in with argocd login, or set ARGOCD_SERVER and
ARGOCD_AUTH_TOKEN. Argo CD's own RBAC decides what you may do. Every call is made
on behalf of an Application: the one of --app, else the first one that you can
read and that is bound to the pipeline.

Exit codes:
  0    it is done; with --wait, the promotion has succeeded
  1    an error
  2    the command was not understood
  3    refused: by the verdict, a gate, Argo CD's policy or an approval rule
  4    the promotion has ended, but has not succeeded
  5    --timeout has passed while waiting
  130  interrupted

On a terminal the marks are ✓ ✗ … and coloured unless NO_COLOR is set; elsewhere
they are plain words.`

const aboutExamples = `  argocd-waybill get stages --pipeline shop
  argocd-waybill why --pipeline shop --stage prod --freight v1.2.0
  argocd-waybill preview --pipeline shop --stage prod --freight v1.2.0
  argocd-waybill promote --pipeline shop --stage prod --freight v1.2.0 --wait
  argocd-waybill approve shop-prod-5f0c1b9e27d4a8830c6e --comment "release 1.2"`

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "argocd-waybill",
		Short:         "Promote freight through the stages of a pipeline, inside Argo CD",
		Long:          about,
		Example:       aboutExamples,
		Args:          subcommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          c.run(func(cmd *cobra.Command, _ []string) error { return cmd.Help() }),
	}
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&c.pipeline, "pipeline", "p", "", "the pipeline, [<namespace>/]<name>; may be left out with --app, or where you can read only one")
	flags.StringVar(&c.app, "app", "", "the Application on whose behalf to call, [<namespace>/]<name>")
	c.session.Register(flags)
	c.complete(root, "pipeline", c.completePipelines)
	wrapFlags(root)

	root.AddCommand(
		c.getCommand(), c.whyCommand(), c.previewCommand(), c.compareCommand(),
		c.promoteCommand(), c.rollbackCommand(),
		c.approveCommand(), c.rejectCommand(), c.abortCommand(),
		c.createCommand(), c.refreshCommand(), c.whoamiCommand(),
		offline(c.lintCommand()), offline(c.convertCommand()), c.doctorCommand(),
		offline(c.gateSecretsCommand()), offline(c.webhookCommand()), offline(c.versionCommand()),
	)
	return root
}

// run marks that a command has been understood: an error from here on is not
// one of usage.
func (c *command) run(do func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.started = true
		return do(cmd, args)
	}
}

// connect finds the session and makes the client, once.
func (c *command) connect() (*client.Client, error) {
	if c.client != nil {
		return c.client, nil
	}
	s, err := c.session.Resolve()
	if err != nil {
		return nil, err
	}
	c.client = client.New(s, "argocd-waybill/"+c.Version)
	return c.client, nil
}

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this command line",
		Args:  arguments(0, 0),
		RunE: c.run(func(*cobra.Command, []string) error {
			return c.print("argocd-waybill %s\n", c.Version)
		}),
	}
}
