package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrAddressInUse marks the failure of a process whose log says that an address
// it was to listen on is taken.
var ErrAddressInUse = errors.New("an address is in use already")

const (
	maxLog    = 1 << 20 // what Log returns at most
	tailBytes = 16 << 10
	tailLines = 15
	// trimAt is the size at which a log file is cut to its last maxLog bytes.
	trimAt       = 64 << 20
	trimInterval = 30 * time.Second
)

// Log returns the end of a component's log, at most 1 MiB. A component that
// has written none has an empty one.
func (g *Group) Log(name string) ([]byte, error) {
	b, err := readEnd(g.LogPath(name), maxLog)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log of %s: %w", name, err)
	}
	return b, nil
}

// failure is an error about the process that carries the end of its log.
func (p *process) failure(what string) error {
	tail, err := readEnd(p.group.LogPath(p.spec.Name), tailBytes)
	if err != nil {
		return fmt.Errorf("%s %s, and its log cannot be read: %w", p.spec.Name, what, err)
	}
	text := lastLines(string(tail), tailLines)
	if text == "" {
		return fmt.Errorf("%s %s; its log is empty", p.spec.Name, what)
	}
	if strings.Contains(string(tail), "address already in use") {
		return fmt.Errorf("%s %s: %w; the last lines of its log:\n%s", p.spec.Name, what, ErrAddressInUse, text)
	}
	return fmt.Errorf("%s %s; the last lines of its log:\n%s", p.spec.Name, what, text)
}

func readEnd(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		if _, err := file.Seek(-limit, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(file, limit))
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// trimLogs keeps the log files of a long run from filling the disk, until ended
// is closed.
func trimLogs(dir string, ended <-chan struct{}) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.log")) // the pattern is a good one
		for _, file := range files {
			// Tried again at the next tick; nobody is helped by an error here.
			_ = trim(file, trimAt, maxLog)
		}
	}
}

// trim cuts a file larger than limit to its last bytes. Its writer appends, so
// that it goes on behind them.
func trim(path string, limit, keep int64) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= limit {
		return err
	}
	end, err := readEnd(path, keep)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(end)
	return errors.Join(err, file.Close())
}
