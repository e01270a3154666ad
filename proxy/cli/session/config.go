package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v2/util/localconfig"
	"sigs.k8s.io/yaml"
)

// maxConfig bounds argocd's config file, in bytes. One context takes about two
// thousand.
const maxConfig = 1 << 20

// readConfig reads argocd's config file; without a file there are no contexts.
// argocd's own reader is not used because it takes a file that is not YAML for
// an empty one.
func readConfig(path string) (localconfig.LocalConfig, error) {
	if path == "" {
		var err error
		if path, err = localconfig.DefaultLocalConfigPath(); err != nil {
			return localconfig.LocalConfig{}, fmt.Errorf("argocd's config file cannot be found: %w: name it with --config", err)
		}
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return localconfig.LocalConfig{}, nil
	}
	if err != nil {
		return localconfig.LocalConfig{}, fmt.Errorf("argocd's config file %s cannot be read: %w", shown(path), cause(err))
	}
	defer file.Close()
	if err := private(file); err != nil {
		return localconfig.LocalConfig{}, fmt.Errorf("argocd's config file %s %w", shown(path), err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return localconfig.LocalConfig{}, fmt.Errorf("argocd's config file %s cannot be read: %w", shown(path), cause(err))
	}
	parsed, err := parseConfig(text)
	if err != nil {
		return localconfig.LocalConfig{}, fmt.Errorf("argocd's config file %s %w", shown(path), err)
	}
	return parsed, nil
}

func parseConfig(text []byte) (localconfig.LocalConfig, error) {
	var parsed localconfig.LocalConfig
	if len(text) > maxConfig {
		return parsed, fmt.Errorf("is larger than %d KiB: it is not argocd's", maxConfig>>10)
	}
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		// The parser may quote the line that it did not like, which may be one
		// with a token.
		return localconfig.LocalConfig{}, errors.New("is not YAML of argocd's form: log in again with argocd login")
	}
	return parsed, nil
}

// private applies argocd's own rule: the file holds tokens, so nobody but its
// owner may read it.
func private(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cannot be looked at: %w", cause(err))
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a file")
	}
	allowed := []fs.FileMode{0o600, 0o400}
	if runtime.GOOS == "windows" {
		allowed = []fs.FileMode{0o666, 0o444}
	}
	if !slices.Contains(allowed, info.Mode().Perm()) {
		return fmt.Errorf("has the mode %04o, so others might read its tokens: make it %04o or %04o (chmod 600)", info.Mode().Perm(), allowed[0], allowed[1])
	}
	return nil
}

// contextFor chooses the context that a session rests on. ok is false where
// none fits, which is fine as long as server and token are given.
func contextFor(file localconfig.LocalConfig, name, server string) (chosen localconfig.Context, ok bool, err error) {
	if name == "" && server != "" {
		return contextOfServer(file, server)
	}
	if name == "" {
		name = file.CurrentContext
	}
	if name == "" {
		return localconfig.Context{}, false, nil
	}
	resolved, err := file.ResolveContext(name)
	if err != nil {
		return localconfig.Context{}, false, fmt.Errorf("argocd's config file has no complete context %q%s", name, known(file))
	}
	if server != "" && !sameServer(server, resolved.Server.Server) {
		return localconfig.Context{}, false, fmt.Errorf("context %q is a session at %s, not at %s: leave out --argocd-context or the server (--server, ARGOCD_SERVER)", name, resolved.Server.Server, server)
	}
	return *resolved, true, nil
}

// contextOfServer finds the session at a server: the current context's if it is
// there, else the first. A token is never sent to a server that did not give
// it, which is why any other context will not do.
func contextOfServer(file localconfig.LocalConfig, server string) (localconfig.Context, bool, error) {
	names := []string{file.CurrentContext}
	for _, c := range file.Contexts {
		names = append(names, c.Name)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if c, err := file.ResolveContext(name); err == nil && sameServer(server, c.Server.Server) {
			return *c, true, nil
		}
	}
	return localconfig.Context{}, false, nil
}

func known(file localconfig.LocalConfig) string {
	names := make([]string, len(file.Contexts))
	for i, c := range file.Contexts {
		names[i] = c.Name
	}
	if len(names) == 0 {
		return ": log in first with argocd login"
	}
	return ": it has " + strings.Join(names, ", ")
}

// shown writes a path below the home directory as people do.
func shown(path string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	if rest, below := strings.CutPrefix(path, home+string(filepath.Separator)); below {
		return filepath.Join("~", rest)
	}
	return path
}

// cause strips the path off a file error, whose sentence names it already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// readBounded reads a small file that a flag names.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("it is larger than %d KiB", maxConfig>>10)
	}
	return text, nil
}
