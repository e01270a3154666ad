package session

import (
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/argoproj/argo-cd/v2/util/config"
	"github.com/spf13/pflag"
)

// Flags are those of the argocd command line that choose a server and a
// session: the same names, the same meaning, the same defaults from
// ARGOCD_OPTS.
type Flags struct {
	Config     string
	Context    string
	Server     string
	AuthToken  string
	PlainText  bool
	Insecure   bool
	RootPath   string
	Headers    []string
	ServerCert string
	ClientCert string
	ClientKey  string

	core        bool
	portForward bool
	grpcWeb     bool
}

// Register adds the flags to a set. No default comes from the environment
// here, so that help never shows a token.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.StringVar(&f.Config, "config", "", "argocd's config file (default: where argocd keeps it)")
	set.StringVar(&f.Context, "argocd-context", "", "the context of argocd's config file to use")
	set.StringVar(&f.Server, "server", "", "address of argocd-server (env ARGOCD_SERVER)")
	set.StringVar(&f.AuthToken, "auth-token", "", "token to authenticate with (env ARGOCD_AUTH_TOKEN)")
	set.BoolVar(&f.PlainText, "plaintext", false, "talk HTTP without TLS")
	set.BoolVar(&f.Insecure, "insecure", false, "do not verify the server's certificate")
	set.StringVar(&f.RootPath, "grpc-web-root-path", "", "path below which argocd-server is served")
	set.StringSliceVarP(&f.Headers, "header", "H", nil, "header to send with each request, as \"Name: value\"; may be repeated")
	set.StringVar(&f.ServerCert, "server-crt", "", "file with the certificates to trust")
	set.StringVar(&f.ClientCert, "client-crt", "", "file with the client's certificate")
	set.StringVar(&f.ClientKey, "client-crt-key", "", "file with the key of the client's certificate")

	// Accepted, so that a script may pass argocd's options on: the first two
	// are refused with a reason, the third changes nothing for plain HTTP.
	set.BoolVar(&f.core, "core", false, "")
	set.BoolVar(&f.portForward, "port-forward", false, "")
	set.BoolVar(&f.grpcWeb, "grpc-web", false, "")
	for _, hidden := range []string{"core", "port-forward", "grpc-web"} {
		set.Lookup(hidden).Hidden = true
	}
}

// withDefaults fills in what ARGOCD_OPTS says of flags that were not given.
func (f Flags) withDefaults() (Flags, error) {
	// argocd's package reads the variable when the program starts, and is asked
	// to read it again to learn of an error.
	if err := config.LoadFlags(); err != nil {
		return Flags{}, fmt.Errorf("ARGOCD_OPTS cannot be read: %w", err)
	}
	for name, value := range map[string]*string{
		"config":             &f.Config,
		"server":             &f.Server,
		"auth-token":         &f.AuthToken,
		"grpc-web-root-path": &f.RootPath,
		"server-crt":         &f.ServerCert,
		"client-crt":         &f.ClientCert,
		"client-crt-key":     &f.ClientKey,
	} {
		if *value == "" {
			*value = config.GetFlag(name, "")
		}
	}
	for name, value := range map[string]*bool{
		"plaintext":    &f.PlainText,
		"insecure":     &f.Insecure,
		"core":         &f.core,
		"port-forward": &f.portForward,
	} {
		*value = *value || config.GetBoolFlag(name)
	}
	if given := config.GetFlag("header", ""); len(f.Headers) == 0 && given != "" {
		headers, err := csv.NewReader(strings.NewReader(given)).Read()
		if err != nil {
			return Flags{}, fmt.Errorf("ARGOCD_OPTS: --header is not a comma-separated list: %w", err)
		}
		f.Headers = headers
	}
	return f, nil
}
