package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/waybill-cd/waybill/hack/chromium"
	"github.com/waybill-cd/waybill/hack/front"
)

// belowOne is the limit of a count that must be zero: a limit of zero would promise
// nothing.
const belowOne = 0.5

// uiExtension measures the UI extension in Chromium, with recorded answers in the
// place of the servers. What is measured, and how, stands in ui/bench.
func uiExtension(ctx context.Context, w *workshop) ([]figure, error) {
	if err := chromium.Ensure(ctx, os.Stderr); err != nil {
		return nil, err
	}
	if _, err := front.Build(ctx, w.root); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "node", filepath.Join("bench", "bench.mjs"))
	command.Dir = filepath.Join(w.root, "ui")
	command.Env = append(os.Environ(), "WAYBILL_CHROMIUM="+chromium.Path)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("ui/bench: %w", err)
	}
	return uiFigures(out)
}

// uiFigures reads the last line of what ui/bench prints.
func uiFigures(out []byte) ([]figure, error) {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var told []struct {
		What  string   `json:"what"`
		Value float64  `json:"value"`
		Limit *float64 `json:"limit"`
		Unit  string   `json:"unit"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &told); err != nil {
		return nil, fmt.Errorf("ui/bench ends with no figures: %w", err)
	}
	figures := make([]figure, len(told))
	for i, t := range told {
		figures[i] = figure{what: t.What, value: t.Value, unit: t.Unit}
		if t.Limit != nil {
			figures[i].limit = max(*t.Limit, belowOne)
		}
	}
	return figures, nil
}
