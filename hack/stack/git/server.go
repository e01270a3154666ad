// Package git serves Git repositories over HTTP on a loopback port, through
// Git's own backend, as a Git host does: with a user and a password, for reading
// and writing.
package git

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

// Config says how repositories are served.
type Config struct {
	// Dir is the folder of the bare repositories; it is made when missing.
	Dir string
	// Port is the port on 127.0.0.1; 0 is a free one.
	Port int
	// Log gets what Git writes on standard error; nil for nowhere.
	Log io.Writer
}

// Server is a Git host. Its methods that read and write repositories go to the
// folder, not over HTTP, and work while the server does not run.
type Server struct {
	// Traffic counts, delays and breaks what clients send.
	Traffic fault.Traffic

	*loopback.Server
	dir      string
	binary   string
	password string

	mu         sync.Mutex
	beforePush map[string]func()
}

// user is the account that clients sign in with.
const user = "git"

// New makes a server that does not run yet. It fails when Git, or its HTTP
// backend, is not installed.
func New(c Config) (*Server, error) {
	binary, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("the program git was not found: install Git and make sure that PATH names its folder")
	}
	backend, err := httpBackend(binary)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of the Git repositories: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the Git repositories: %w", err)
	}
	out := c.Log
	if out == nil {
		out = io.Discard
	}
	s := &Server{dir: dir, binary: binary, password: rand.Text(), beforePush: map[string]func(){}}
	handler := &cgi.Handler{
		Path:   backend,
		Root:   "/",
		Dir:    dir,
		Env:    append(s.environment(), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER="+user),
		Logger: log.New(out, "", log.LstdFlags),
		Stderr: out,
	}
	s.Server = loopback.NewServer("git", c.Port, s.Traffic.Wrap(s.authenticated(s.announcePush(withLength(handler)))))
	return s, nil
}

func httpBackend(binary string) (string, error) {
	out, err := exec.Command(binary, "--exec-path").Output()
	if err != nil {
		return "", fmt.Errorf("asking git for its folder of programs: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("git's program git-http-backend was not found: install a Git that can serve over HTTP")
	}
	return path, nil
}

// environment keeps the user's own Git settings out.
func (s *Server) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + s.dir,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"LC_ALL=C",
	}
}

// User is the account that clients sign in with.
func (s *Server) User() string { return user }

// Password is that account's, made anew for each server.
func (s *Server) Password() string { return s.password }

// URL is where clients find the repository; it holds no credentials.
func (s *Server) URL(repository string) string {
	return "http://" + s.Host() + "/" + repository + ".git"
}

func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(name+":"+password), []byte(user+":"+s.password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "authentication required", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// BeforeNextPush has f called once: when the next push to the repository has
// been prepared against the refs that its client saw, and before it is served.
// What f commits makes that push lose the race.
func (s *Server) BeforeNextPush(repository string, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beforePush[repository] = f
}

func (s *Server) announcePush(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutSuffix(r.URL.Path, ".git/git-receive-pack"); ok && r.Method == http.MethodPost {
			if f := s.takeBeforePush(strings.TrimPrefix(path, "/")); f != nil {
				f()
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) takeBeforePush(repository string) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.beforePush[repository]
	delete(s.beforePush, repository)
	return f
}
