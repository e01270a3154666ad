package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	helmyaml "sigs.k8s.io/yaml"
)

// maxUnpacked bounds what is read of an archive, in bytes, as Helm does.
const maxUnpacked = 100 << 20

// Digest returns the digest of an archive, as freight pins it.
func Digest(archive []byte) string {
	sum := sha256.Sum256(archive)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// About is what a chart says of itself.
type About struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion"`
}

// Describe reads the Chart.yaml of an archive.
func Describe(archive []byte) (About, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return About{}, fmt.Errorf("it is no archive: %w", err)
	}
	files := tar.NewReader(io.LimitReader(unzipped, maxUnpacked))
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return About{}, errors.New("it holds no " + Metadata)
		}
		if err != nil {
			return About{}, fmt.Errorf("it is no archive: %w", err)
		}
		// The first part is the chart's own folder, whatever its name.
		if _, name, _ := strings.Cut(strings.TrimPrefix(header.Name, "./"), "/"); name != Metadata {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(files, maxText))
		if err != nil {
			return About{}, fmt.Errorf("its %s cannot be read: %w", Metadata, err)
		}
		return describe(text)
	}
}

func describe(text []byte) (About, error) {
	var about About
	if err := helmyaml.Unmarshal(text, &about); err != nil {
		return About{}, fmt.Errorf("its %s cannot be read: %s", Metadata, oneLine(err))
	}
	return about, nil
}
