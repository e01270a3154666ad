// Package registry is a container registry on a loopback port, in memory.
package registry

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

// Config says how a registry is served.
type Config struct {
	// Port is the port on 127.0.0.1; 0 is a free one.
	Port int
	// User and Password are what clients have to send; without a user anybody
	// may read and write.
	User, Password string
	// Log gets a line for each request; nil for none.
	Log io.Writer
}

// Server is a registry. What is pushed to it lives as long as the Server, over
// stops and starts.
type Server struct {
	// Traffic counts, delays and breaks what clients send. PushImage and Digest
	// pass it by.
	Traffic fault.Traffic

	*loopback.Server
	images http.Handler
}

// New makes a registry that does not run yet.
func New(c Config) *Server {
	out := c.Log
	if out == nil {
		out = io.Discard
	}
	s := &Server{images: registry.New(
		registry.Logger(log.New(out, "", log.LstdFlags)),
		registry.WithReferrersSupport(true),
	)}
	s.Server = loopback.NewServer("registry", c.Port, s.Traffic.Wrap(authenticated(c, s.images)))
	return s
}

func authenticated(c Config, next http.Handler) http.Handler {
	if c.User == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(c.User+":"+c.Password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Repository is the repository of that name as a pipeline's repoURL has it:
// host, port and name.
func (s *Server) Repository(repository string) string {
	return s.Host() + "/" + repository
}

// PushImage makes an image, stores it under the tag and returns its digest. It
// needs no credentials and works while the server does not run.
func (s *Server) PushImage(ctx context.Context, repository, tag string, image Image) (string, error) {
	return push(ctx, s.Repository(repository)+":"+tag, image, remote.WithTransport(direct{s.images}))
}

// Digest returns the digest that the tag stands for.
func (s *Server) Digest(ctx context.Context, repository, tag string) (string, error) {
	reference, err := name.NewTag(s.Repository(repository) + ":" + tag)
	if err != nil {
		return "", fmt.Errorf("reading the digest of %s:%s: %w", repository, tag, err)
	}
	descriptor, err := remote.Head(reference, remote.WithContext(ctx), remote.WithTransport(direct{s.images}))
	if err != nil {
		return "", fmt.Errorf("reading the digest of %s:%s: %w", repository, tag, err)
	}
	return descriptor.Digest.String(), nil
}

// Push makes an image and pushes it over HTTP to reference
// (host:port/repository:tag), as CI would, and returns its digest. The
// credentials are those of the user's Docker configuration.
func Push(ctx context.Context, reference string, image Image) (string, error) {
	return push(ctx, reference, image, remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

func push(ctx context.Context, reference string, image Image, option remote.Option) (string, error) {
	tag, err := name.NewTag(reference, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", reference, err)
	}
	built, err := image.build()
	if err != nil {
		return "", fmt.Errorf("making the image %s: %w", reference, err)
	}
	if err := remote.Write(tag, built, remote.WithContext(ctx), option); err != nil {
		return "", fmt.Errorf("pushing %s: %w", reference, err)
	}
	digest, err := built.Digest()
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", reference, err)
	}
	return digest.String(), nil
}
