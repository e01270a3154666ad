package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Spec describes one process.
type Spec struct {
	// Name is unique in its group and names the log file.
	Name string
	// Path is the binary; a name without a slash is looked up in PATH.
	Path string
	// Args are the arguments without the program's own name.
	Args []string
	// Env holds NAME=value pairs, added to the group's environment; the last
	// value of a name counts.
	Env []string
	// Dir is the working directory, the group's own when empty.
	Dir string
	// Ready is one try to find out whether the process can be used. It is called
	// again until it returns nil, with a context that bounds the try. A process
	// without it counts as ready once it has started.
	Ready func(ctx context.Context) error
	// Grace is the time from SIGTERM to SIGKILL, DefaultGrace when zero.
	Grace time.Duration
}

// DefaultGrace is how long a process may take to end by itself.
const DefaultGrace = 5 * time.Second

// maxAnswer bounds what a readiness check reads.
const maxAnswer = 64 << 10

// HTTPReady is ready when a GET of url answers 200. A nil client is
// http.DefaultClient.
func HTTPReady(client *http.Client, url string) func(context.Context) error {
	if client == nil {
		client = http.DefaultClient
	}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answered %s", url, response.Status)
		}
		return nil
	}
}

// DialReady is ready when the address accepts a connection.
func DialReady(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}
