package leader

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Handler tells the other replicas what this one knows. They show the token that
// all replicas have, because the listener is open to the whole cluster.
func Handler[T any](token string, tell func() T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(bearer(token))) != 1 {
			http.Error(w, "this is for the other replicas alone", http.StatusUnauthorized)
			return
		}
		body, err := json.Marshal(tell())
		if err != nil {
			http.Error(w, "it cannot be told", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // who asked may have gone
	})
}

func bearer(token string) string { return "Bearer " + token }

// Asker asks the replica that holds the Lease. It may be used by several
// goroutines at a time, which share what it is told.
type Asker[T any] struct {
	path, token string
	holder      func() (address string, ok bool)
	client      *http.Client

	mu    sync.Mutex
	told  T
	until time.Time
}

const (
	// askTimeout bounds a question: what waits for it is shown without an answer.
	askTimeout = 500 * time.Millisecond
	// toldFor is how long an answer counts, or that there was none.
	toldFor = time.Second
	// maxTold bounds an answer, in bytes.
	maxTold = 8 << 20
)

// NewAsker asks for a path of the listener that a Lease names.
func NewAsker[T any](lease *Lease, path, token string) *Asker[T] {
	return newAsker[T](lease.Holder, path, token)
}

func newAsker[T any](holder func() (string, bool), path, token string) *Asker[T] {
	return &Asker[T]{path: path, token: token, holder: holder, client: &http.Client{
		Timeout: askTimeout,
		// A pod of this cluster is reached without a proxy, and sends nobody elsewhere.
		Transport:     &http.Transport{Proxy: nil, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Ask returns what the holder of the Lease tells; the zero value where it does not.
func (a *Asker[T]) Ask(ctx context.Context) T {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Now().Before(a.until) {
		return a.told
	}
	var none T
	a.told, a.until = none, time.Now().Add(toldFor)
	address, known := a.holder()
	if !known {
		return none
	}
	// Others wait for the same answer: it must not end with who asked first.
	told, err := a.ask(context.WithoutCancel(ctx), address)
	if err != nil {
		log.FromContext(ctx).WithName("leader").V(1).Info("the replica that holds the Lease did not answer", "address", address, "cause", err.Error())
		return none
	}
	a.told, a.until = told, time.Now().Add(toldFor)
	return told
}

func (a *Asker[T]) ask(ctx context.Context, address string) (told T, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+a.path, http.NoBody)
	if err != nil {
		return told, err
	}
	request.Header.Set("Authorization", bearer(a.token))
	response, err := a.client.Do(request)
	if err != nil {
		return told, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return told, fmt.Errorf("it answered with %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTold+1))
	switch {
	case err != nil:
		return told, err
	case len(body) > maxTold:
		return told, errors.New("its answer is too large")
	}
	err = json.Unmarshal(body, &told)
	return told, err
}
