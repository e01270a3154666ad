package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/waybill-cd/waybill/extension/pipeline"
	v1 "github.com/waybill-cd/waybill/proxy/api/v1"
	"github.com/waybill-cd/waybill/proxy/cli/client"
)

// identity is who the proxy takes the user for, and which gates let them through.
type identity struct {
	Username    string   `json:"username"`
	Application string   `json:"application"`
	Project     string   `json:"project"`
	Stage       string   `json:"stage"`
	Gates       []access `json:"gates"`
}

// access is one gate, tried.
type access struct {
	Gate    string   `json:"gate"`
	Actions []string `json:"actions"`
	Allowed bool     `json:"allowed"`
	// Why not.
	Why string `json:"why,omitempty"`
}

func (c *command) whoamiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Tell who you are to Waybill, and which gates let you through",
		Long: `Tell who you are to Waybill, on behalf of which Application, and which gates of
its stage let you through. Behind a gate, Argo CD's policy for the Application and
the stage's approval rule still stand.`,
		Example: `  argocd-waybill whoami -p shop
  argocd-waybill whoami --app shop-prod`,
		Args: arguments(0, 0),
		RunE: c.run(func(cmd *cobra.Command, _ []string) error {
			r, err := c.route(cmd.Context())
			if err != nil {
				return err
			}
			who, err := identify(cmd.Context(), r)
			if err != nil {
				return err
			}
			if c.structured() {
				return c.write(who)
			}
			return c.introduce(who)
		}),
	}
	c.outputFlag(cmd, formatJSON, formatYAML)
	return cmd
}

func identify(ctx context.Context, r *route) (identity, error) {
	var me v1.Me
	if err := r.get(ctx, &me, nil, "me"); err != nil {
		return identity{}, err
	}
	var application v1.Application
	if err := r.get(ctx, &application, nil, "application"); err != nil {
		return identity{}, err
	}
	who := identity{
		Username: me.Username, Application: me.Application, Project: me.Project,
		Stage: r.applications[0].Stage.String(),
		Gates: []access{{Gate: pipeline.GateRead, Actions: []string{"read"}, Allowed: true}},
	}
	for _, a := range application.Actions {
		name := gateOf(application.Actions, a.Name)
		i := slices.IndexFunc(who.Gates, func(g access) bool { return g.Gate == name })
		if i >= 0 {
			who.Gates[i].Actions = append(who.Gates[i].Actions, a.Name)
			continue
		}
		gate := access{Gate: name, Actions: []string{a.Name}}
		err := r.client.Get(ctx, client.Door{Application: r.applications[0], Gate: name}, &me, nil, "me")
		var permission *client.PermissionError
		if err != nil && !errors.As(err, &permission) {
			return identity{}, err
		}
		if gate.Allowed = err == nil; !gate.Allowed {
			gate.Why = err.Error()
		}
		who.Gates = append(who.Gates, gate)
	}
	return who, nil
}

// spoken is an action as this command line calls it: by the command for it.
func spoken(action string) string {
	if action == v1.ActionAssemble {
		return "create freight"
	}
	return action
}

func (c *command) introduce(who identity) error {
	if err := c.print("%s, on behalf of Application %s (stage %s, project %s)\n",
		clean(who.Username), clean(who.Application), clean(who.Stage), clean(who.Project)); err != nil {
		return err
	}
	strokes := c.style.branches()
	for i, g := range who.Gates {
		stroke, below := strokes.fork, strokes.trunk
		if i == len(who.Gates)-1 {
			stroke, below = strokes.last, strokes.gap
		}
		m := markYes
		if !g.Allowed {
			m = markNo
		}
		if err := c.print("%s%s %s: %s\n", stroke, c.style.mark(m), clean(g.Gate), clean(join(", ", g.Actions, spoken))); err != nil {
			return err
		}
		if g.Why == "" {
			continue
		}
		if err := c.print("%s  %s%s\n", below, strokes.remedy, clean(g.Why)); err != nil {
			return err
		}
	}
	return nil
}
