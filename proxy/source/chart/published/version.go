// Package published reads what chart repositories tell of charts: the index of a
// classic one, and in a registry a chart's manifest and metadata. All of it is
// outside input.
package published

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-cd/waybill/proxy/sentence"
)

// Version is one version of a chart.
type Version struct {
	Version string `json:"v"`
	// Digest is the archive's, "sha256:…"; empty where it has to be read.
	Digest string `json:"d,omitempty"`
	// URL is the archive's in a classic repository, as the index has it.
	URL        string     `json:"u,omitempty"`
	AppVersion string     `json:"a,omitempty"`
	Created    *time.Time `json:"c,omitempty"`
	Source     string     `json:"s,omitempty"`
}

func isVersion(text string) bool {
	_, err := semver.NewVersion(text)
	return err == nil && len(text) <= maxVersion
}

const (
	maxVersion = 200  // bytes of a version
	maxURL     = 4096 // bytes of a URL
	maxText    = 200  // bytes of what people are shown
)

// digestOf returns the digest that an index names; none where it is no SHA-256.
func digestOf(written string) string {
	sum, err := hex.DecodeString(strings.TrimPrefix(written, "sha256:"))
	if err != nil || len(sum) != 32 {
		return ""
	}
	return "sha256:" + hex.EncodeToString(sum)
}

func timeOf(written string) *time.Time {
	at, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return nil
	}
	at = at.UTC().Truncate(time.Second)
	return &at
}

// sourceOf is where a chart comes from, as it says: its first source, else its
// home.
func sourceOf(sources []string, home string) string {
	if len(sources) > 0 {
		return bounded(sources[0])
	}
	return bounded(home)
}

func bounded(text string) string {
	if text = sentence.OneLine(text); len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
