package cli

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/loopback"
	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

// webhookSecretSize of a receiver's secret, in random bytes.
const webhookSecretSize = 32

func (c *command) webhookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Make the Secrets of webhook receivers, and tell their URLs",
		Long: `Make the Secrets of webhook receivers, and tell their URLs.

A webhook has the warehouses that subscribe to what was pushed look at once, instead
of at their next interval. Each sender has a Secret in Waybill's namespace, labelled
` + receiver.Label + `.`,
		Example: `  argocd-waybill webhook new github | kubectl apply --server-side -f -
  kubectl get secret -n waybill github -o yaml | argocd-waybill webhook url --host https://hooks.example.com`,
		Args: subcommand,
		RunE: c.run(func(cmd *cobra.Command, _ []string) error { return cmd.Help() }),
	}
	cmd.AddCommand(c.webhookNewCommand(), c.webhookURLCommand())
	return cmd
}

func (c *command) webhookNewCommand() *cobra.Command {
	var name, namespace, expression, recipe string
	cmd := &cobra.Command{
		Use:   "new <kind>",
		Short: "Print the Secret of a new webhook receiver, with a fresh secret",
		Long: wrap(`Print the Secret of a new webhook receiver, with a fresh random secret. The kind is
that of the sender: ` + kindNames() + `. For a sender that is
none of these, generic takes an expression in expr-lang that gives the URLs of the
repositories that a payload is about; there are recipes for ` + recipeNames() + `.

Applied again, this changes the secret. A server-side apply keeps it out of an
annotation.`),
		Example: `  argocd-waybill webhook new github --name github | kubectl apply --server-side -f -
  argocd-waybill webhook new generic --recipe bitbucket-cloud --name bitbucket |
    kubectl apply --server-side -f -
  argocd-waybill webhook new generic --name ci --expression request.body.image |
    kubectl apply --server-side -f -`,
		Args: arguments(1, 1),
		RunE: c.run(func(_ *cobra.Command, args []string) error {
			text, err := newReceiver(args[0], name, namespace, expression, recipe)
			if err != nil {
				return err
			}
			return c.print("%s", text)
		}),
		ValidArgsFunction: first(words(strings.Split(kindNames(), ", "))),
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the Secret, and of the receiver in its URL; that of the kind unless given")
	cmd.Flags().StringVar(&namespace, "namespace", pipeline.DefaultNamespace, "the proxy's namespace")
	cmd.Flags().StringVar(&expression, "expression", "", "of the kind generic: the expression for the repositories of a payload")
	cmd.Flags().StringVar(&recipe, "recipe", "", "of the kind generic: the recipe to take the expression from")
	c.complete(cmd, "recipe", words(strings.Split(recipeNames(), ", ")))
	return cmd
}

// words offers always the same.
func words(all []string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func kindNames() string {
	var names []string
	for _, kind := range receiver.Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func recipeNames() string {
	// They are part of the program, and tested.
	recipes, _ := receiver.Recipes()
	var names []string
	for _, r := range recipes {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// newReceiver returns the Secret of a new receiver as YAML. A recipe's text for
// people stands before it as a comment.
func newReceiver(kind, name, namespace, expression, recipeName string) (string, error) {
	if !slices.Contains(receiver.Kinds(), receiver.Kind(kind)) {
		return "", usage("unknown kind %q: one of %s", kind, kindNames())
	}
	if name == "" {
		name = kind
	}
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return "", usage("--name: %q is not the name of a Secret: %s", name, problems[0])
	}
	random := make([]byte, webhookSecretSize)
	// It never fails: without randomness the program ends.
	_, _ = rand.Read(random)
	values := map[string]string{receiver.KeySecret: base64.RawURLEncoding.EncodeToString(random)}
	comment := ""
	if recipeName != "" {
		recipe, err := recipeNamed(recipeName)
		if err != nil {
			return "", err
		}
		if expression != "" {
			return "", usage("--expression and --recipe exclude each other: the recipe has an expression")
		}
		expression, comment = recipe.Expression, commented(recipe)
	}
	if expression != "" {
		values[receiver.KeyExpression] = expression
	}
	made := secret{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque",
		Metadata: secretMetadata{Name: name, Namespace: namespace, Labels: map[string]string{
			receiver.Label: kind, "app.kubernetes.io/part-of": "waybill",
		}},
		StringData: values,
	}
	if _, err := receiverOf(made.object()); err != nil {
		return "", usage("the receiver would be refused: %v", err)
	}
	text, err := yaml.Marshal(made)
	if err != nil {
		return "", fmt.Errorf("the Secret cannot be written: %w", err)
	}
	return comment + string(text), nil
}

func recipeNamed(name string) (receiver.Recipe, error) {
	recipes, err := receiver.Recipes()
	if err != nil {
		return receiver.Recipe{}, err
	}
	i := slices.IndexFunc(recipes, func(r receiver.Recipe) bool { return r.Name == name })
	if i < 0 {
		return receiver.Recipe{}, usage("--recipe: there is none named %q: there are %s", name, recipeNames())
	}
	return recipes[i], nil
}

func commented(r receiver.Recipe) string {
	proofs := map[string]string{
		receiver.ProofSignature:     "It signs its payloads with the secret.",
		receiver.ProofAuthorization: "It sends the secret in the header Authorization.",
		receiver.ProofPath:          "It proves nothing itself: use the unguessable URL, and keep it secret.",
	}
	text := r.Sender + ". " + proofs[r.Proof] + "\n\n" + r.Setup
	if r.Edit != "" {
		text += "\n" + r.Edit
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	return b.String()
}

// webhookURL is where a receiver is called.
type webhookURL struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	URL  string `json:"url"`
	// Unguessable is another URL, which is proof enough, where the kind has both.
	Unguessable string `json:"unguessableURL,omitempty"`
	// Setup tells where to enter it.
	Setup string `json:"setup"`
	// Secret is the command that tells the secret, where the sender needs it.
	Secret string `json:"secret,omitempty"`
}

func (c *command) webhookURLCommand() *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:   "url [<file>]",
		Short: "Tell the URLs of webhook receivers, from their Secrets",
		Long: `Tell the URLs of webhook receivers, and where to enter them, from their Secrets in a
file or on standard input. Nothing is called, and no secret is printed; but the URL
for a sender that proves nothing itself, such as Docker Hub, is a secret too.`,
		Example: `  kubectl get secret -n waybill -l ` + receiver.Label + ` -o yaml | argocd-waybill webhook url --host https://hooks.example.com`,
		Args:    arguments(0, 1),
		RunE: c.run(func(_ *cobra.Command, args []string) error {
			base, err := webhookBase(host)
			if err != nil {
				return err
			}
			text, err := c.read(append(args, "-")[0])
			if err != nil {
				return err
			}
			urls, err := webhookURLs(text, base)
			if err != nil {
				return err
			}
			if c.structured() {
				return c.write(urls)
			}
			return c.printURLs(urls)
		}),
	}
	cmd.Flags().StringVar(&host, "host", "", "address under which senders reach the proxy's port for webhooks: https://hooks.example.com")
	c.outputFlag(cmd, formatJSON, formatYAML)
	return cmd
}

// webhookBase is the address that the paths of receivers follow. In plain text, it
// may be this machine's alone: URLs and headers of webhooks are secrets.
func webhookBase(host string) (string, error) {
	u, err := url.Parse(strings.TrimRight(host, "/"))
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", usage("--host: %q is not an address: write https://hooks.example.com", host)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Is(u.Hostname())) {
		return "", usage("--host: webhooks to %s would go over the network in plain text: write https://", u.Host)
	}
	return u.String(), nil
}

// secretObject is a Secret as it is read, or a list of them.
type secretObject struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	Data       map[string][]byte `json:"data"`
	StringData map[string]string `json:"stringData"`
	Items      []secretObject    `json:"items"`
}

func (s secret) object() secretObject {
	o := secretObject{Kind: s.Kind, StringData: s.StringData}
	o.Metadata.Name, o.Metadata.Namespace, o.Metadata.Labels = s.Metadata.Name, s.Metadata.Namespace, s.Metadata.Labels
	return o
}

func receiverOf(o secretObject) (*receiver.Receiver, error) {
	data := map[string][]byte{}
	for key, value := range o.Data {
		data[key] = value
	}
	for key, value := range o.StringData {
		data[key] = []byte(value)
	}
	return receiver.New(o.Metadata.Name, o.Metadata.Labels[receiver.Label], data)
}

// webhookURLs reads all Secrets of receivers in a file.
func webhookURLs(text []byte, base string) ([]webhookURL, error) {
	var secrets []secretObject
	for _, document := range documentEnd.Split(string(text), -1) {
		var o secretObject
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			// The parser may quote what it did not like.
			return nil, errors.New("the input is not YAML, or its Secrets are not of Kubernetes' form: give what kubectl get secret -o yaml prints")
		}
		secrets = append(append(secrets, o), o.Items...)
	}
	var urls []webhookURL
	for _, s := range secrets {
		if _, labelled := s.Metadata.Labels[receiver.Label]; s.Kind != "Secret" || !labelled {
			continue
		}
		r, err := receiverOf(s)
		if err != nil {
			return nil, fmt.Errorf("Secret %s makes no receiver: %w", s.Metadata.Name, err)
		}
		urls = append(urls, urlOf(r, s.Metadata.Namespace, base))
	}
	if len(urls) == 0 {
		return nil, fmt.Errorf("the input has no Secret that is labelled %s: make one with argocd-waybill webhook new", receiver.Label)
	}
	return urls, nil
}

// setups tell where to enter a URL at each kind of sender.
var setups = map[receiver.Kind]string{
	receiver.GitHub:    "Settings of the repository or organization, Webhooks, Add webhook: URL, content type application/json, secret, and the events Pushes, Packages and Registry packages",
	receiver.GitLab:    "Settings of the project or group, Webhooks, Add new webhook: URL, secret token, and the triggers Push events and Tag push events",
	receiver.Gitea:     "Settings of the repository, organization or site, Webhooks, Add webhook, Gitea or Forgejo: URL, POST, application/json, secret, and the events Push and Package",
	receiver.DockerHub: "The repository, Webhooks: a name and the URL, which is a secret",
	receiver.Harbor:    "The project, Webhooks, New webhook: http, the event Artifact pushed, URL, and the secret as auth header",
	receiver.Quay:      "The repository, Settings, Create notification: Push to repository, Webhook POST, and the URL, which is a secret",
	receiver.Generic:   "The first URL for a sender that signs with HMAC-SHA256 in X-Hub-Signature, or sends the secret in Authorization; the second, which is a secret, for one that can do neither",
}

func urlOf(r *receiver.Receiver, namespace, base string) webhookURL {
	u := webhookURL{Name: r.Name, Kind: string(r.Kind), URL: base + r.Path(), Setup: setups[r.Kind]}
	if r.Kind == receiver.Generic {
		u.Unguessable = base + r.UnguessablePath()
	}
	if r.Path() != r.UnguessablePath() {
		if namespace == "" {
			namespace = pipeline.DefaultNamespace
		}
		u.Secret = fmt.Sprintf("kubectl get secret -n %s %s -o go-template='{{.data.%s | base64decode}}'", namespace, r.Name, receiver.KeySecret)
	}
	return u
}

func (c *command) printURLs(urls []webhookURL) error {
	for _, u := range urls {
		lines := []string{u.Name + " (" + u.Kind + ")", "  URL:    " + u.URL}
		if u.Unguessable != "" {
			lines = append(lines, "  or:     "+u.Unguessable)
		}
		lines = append(lines, "  Enter:  "+u.Setup)
		if u.Secret != "" {
			lines = append(lines, "  Secret: "+u.Secret)
		}
		for _, line := range lines {
			if err := c.print("%s\n", clean(line)); err != nil {
				return err
			}
		}
	}
	return nil
}
