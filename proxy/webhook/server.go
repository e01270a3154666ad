// Package webhook answers the webhooks of Git hosts and registries, on a listener
// of its own. All that a call can do is have warehouses that subscribe to what was
// pushed look now.
//
// A call is refused unless it proves that it is the sender's, and a caller who is
// refused is told nothing: neither whether the receiver exists nor what is wrong.
// The log tells people, without anything of the payload. Only that a payload is too
// large or too slow is told before its signature can be looked at.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/waybill-cd/waybill/extension/selection"
	"github.com/waybill-cd/waybill/proxy/engine"
	"github.com/waybill-cd/waybill/proxy/webhook/receiver"
)

const (
	// maxBody bounds a payload.
	maxBody = 1 << 20
	// bodyTimeout is how long a payload may take to come.
	bodyTimeout = 10 * time.Second
	// maxCalls bounds the calls that are answered at a time, and with maxBody the
	// memory that they take.
	maxCalls = 64
)

// Warehouses are asked to look; [engine.Engine] are those of this process.
type Warehouses interface {
	// Concerned returns those of a namespace that pushes may concern.
	Concerned(ctx context.Context, namespace string, pushes []selection.Push) ([]engine.WarehouseName, error)
	// RefreshNamed asks one to look.
	RefreshNamed(ctx context.Context, name engine.WarehouseName) error
}

// Server answers the webhooks of a namespace's receivers.
type Server struct {
	namespace  string
	receivers  *Receivers
	warehouses Warehouses
	log        logr.Logger
	asks       *asks
	routes     *http.ServeMux
	places     chan struct{}
	// refusals bounds the log lines that anybody can cause.
	refusals    *rate.Limiter
	bodyTimeout time.Duration
}

// New returns a server. Warehouses are asked while [Server.Start] runs.
func New(namespace string, receivers *Receivers, warehouses Warehouses, log logr.Logger) *Server {
	const linesAtOnce = 10
	s := &Server{
		namespace: namespace, receivers: receivers, warehouses: warehouses, log: log,
		asks: newAsks(warehouses.RefreshNamed, log), routes: http.NewServeMux(),
		places: make(chan struct{}, maxCalls), refusals: rate.NewLimiter(1, linesAtOnce), bodyTimeout: bodyTimeout,
	}
	s.routes.HandleFunc("POST "+receiver.Prefix+"{name}", s.answer)
	s.routes.HandleFunc("POST "+receiver.Prefix+"{name}/{token}", s.answer)
	return s
}

// ServeHTTP answers a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.routes.ServeHTTP(w, r) }

// Start asks warehouses to look until the context ends.
func (s *Server) Start(ctx context.Context) error {
	s.asks.serve(ctx)
	return nil
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	name, token := r.PathValue("name"), r.PathValue("token")
	k, exists := s.receivers.get(name)
	if !exists {
		name = "" // one that anybody can make up is no label of a metric
	}
	done := func(o outcome) { webhookCalls.WithLabelValues(name, string(o)).Inc() }
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		w.Header().Set("Retry-After", "1")
		unwanted(w, http.StatusServiceUnavailable)
		done(busy)
		return
	}
	switch {
	case !exists:
		s.refuse(w, r, name, "there is no receiver of that name")
		done(refused)
	case k.problem != nil:
		s.refuse(w, r, name, "its Secret makes no receiver: "+k.problem.Error())
		done(refused)
	default:
		done(s.receive(w, r, k.Receiver, token))
	}
}

// refuse tells the caller nothing, and people why.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, name, why string) {
	unwanted(w, http.StatusUnauthorized)
	if s.refusals.Allow() {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		s.log.Info("a webhook call is refused", "receiver", name, "why", why, "from", from)
	}
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request, to *receiver.Receiver, token string) outcome {
	proof, ok := to.Proof(r.Header, token)
	if !ok {
		s.refuse(w, r, to.Name, fmt.Sprintf("it does not carry the proof of a %s webhook, or a wrong one", to.Kind))
		return refused
	}
	body, status := s.read(w, r)
	if status != http.StatusOK {
		unwanted(w, status)
		if status == http.StatusRequestEntityTooLarge {
			return tooLarge
		}
		return unread
	}
	if !proof.Holds(body) {
		s.refuse(w, r, to.Name, "its signature is not that of its payload with the receiver's secret")
		return refused
	}
	pushes, err := to.Pushes(r.Header, body)
	if err != nil {
		// It may tell of the payload, so that the sender alone is told.
		say(w, http.StatusUnprocessableEntity, err.Error())
		s.log.Info("a webhook call is not understood; its sender was told why", "receiver", to.Name)
		return malformed
	}
	names, err := s.warehouses.Concerned(r.Context(), s.namespace, pushes)
	if err != nil {
		s.log.Error(err, "a webhook call is lost", "receiver", to.Name)
		w.WriteHeader(http.StatusInternalServerError)
		return failed
	}
	if len(names) == 0 {
		say(w, http.StatusOK, "no warehouse is concerned")
		return nothing
	}
	s.asks.add(names)
	say(w, http.StatusAccepted, fmt.Sprintf("warehouses that look now: %d", len(names)))
	return asked
}

// read reads the body, unless it is too large or too slow.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	if r.ContentLength > maxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.bodyTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, http.StatusBadRequest
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return body, http.StatusOK
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout
	default:
		return nil, http.StatusBadRequest
	}
}

// unwanted answers a call whose body is not wanted, or not any more: without this
// header the server would read it before it answers.
func unwanted(w http.ResponseWriter, status int) {
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
}

// say answers with a sentence.
func say(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A caller who has gone does not read it.
	_, _ = io.WriteString(w, sentence+"\n") //nolint:gosec // plain text, as the headers say, that no browser takes for a page
}
