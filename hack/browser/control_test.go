package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/waybill-cd/waybill/hack/stack/fault"
	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

// control is what the tests of the page use for what happens outside of it.
type control struct{ server *loopback.Server }

func serveControl(ctx context.Context) (*control, error) {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := do(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	// Pushes a version, as CI would.
	handle("POST /push", func(r *http.Request) (any, error) {
		return theShop.Push(r.Context(), r.FormValue("tag"))
	})
	// Tells the image that runs in an environment.
	handle("GET /live", func(r *http.Request) (any, error) {
		out, err := theStack.Kubectl(r.Context(), nil, "get", "deployment", "shop", "-n", "shop-"+r.FormValue("stage"), "-o", "jsonpath={.spec.template.spec.containers[0].image}")
		return string(out), err
	})
	// Changes an Application, so that Argo CD's stream has an event.
	handle("POST /touch", func(r *http.Request) (any, error) {
		_, err := theStack.Kubectl(r.Context(), nil, "annotate", "--overwrite", "application", r.FormValue("app"), "-n", "argocd", "touched="+r.FormValue("at"))
		return nil, err
	})
	handle("GET /requests", func(*http.Request) (any, error) { return counted.list(), nil })
	handle("POST /forget", func(*http.Request) (any, error) {
		counted.forget()
		return nil, nil
	})
	// Delays every answer of an extension.
	handle("POST /latency", func(r *http.Request) (any, error) {
		ms, err := strconv.Atoi(r.FormValue("ms"))
		counted.traffic.SetLatency(time.Duration(ms) * time.Millisecond)
		return nil, err
	})
	// Answers every call of an extension with a status; 0 lets them pass, 1 breaks
	// the connection.
	handle("POST /fault", func(r *http.Request) (any, error) {
		status, err := strconv.Atoi(r.FormValue("status"))
		switch status {
		case 0:
			counted.traffic.SetFault(nil)
		default:
			counted.traffic.SetFault(func(*http.Request) *fault.Fault { return &fault.Fault{Status: status, Drop: status == 1} })
		}
		return nil, err
	})
	// Stops and starts a component of the stack, such as waybill-proxy.
	handle("POST /component", func(r *http.Request) (any, error) {
		if r.FormValue("do") == "stop" {
			return nil, theStack.StopComponent(r.Context(), r.FormValue("name"))
		}
		return nil, theStack.StartComponent(r.Context(), r.FormValue("name"))
	})
	c := &control{server: loopback.NewServer("control", 0, mux)}
	if err := c.server.Start(ctx); err != nil {
		return nil, fmt.Errorf("the tests' control: %w", err)
	}
	return c, nil
}

func (c *control) url() string { return "http://" + c.server.Host() }

func (c *control) close() error { return c.server.Kill() }
