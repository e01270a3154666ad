package published

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/waybill-cd/waybill/extension/chart"
)

// The media types of a chart in a registry (helm, pkg/registry/constants.go).
const (
	chartLayer       = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	chartLayerBefore = "application/tar+gzip" // of Helm before 3.7
	chartConfig      = "application/vnd.cncf.helm.config.v1+json"
)

// annotationCreated tells when a manifest was made (OCI image specification,
// annotations).
const annotationCreated = "org.opencontainers.image.created"

// Manifest returns the version of a manifest, and the digest of its metadata.
func Manifest(name string, raw []byte) (v Version, config string, err error) {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
	}
	var m struct {
		Config      descriptor        `json:"config"`
		Layers      []descriptor      `json:"layers"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return v, "", errors.New("its manifest is no JSON")
	}
	if m.Config.MediaType != chartConfig {
		return v, "", fmt.Errorf("it is no chart, but %.80q", m.Config.MediaType)
	}
	v = Version{Version: name, Created: timeOf(m.Annotations[annotationCreated])}
	for _, layer := range m.Layers {
		if layer.MediaType == chartLayer || layer.MediaType == chartLayerBefore {
			v.Digest = digestOf(layer.Digest)
		}
	}
	if v.Digest == "" {
		return v, "", errors.New("it has no archive")
	}
	return v, m.Config.Digest, nil
}

// Describe takes in a chart's metadata, which must be of that chart and version.
func (v *Version) Describe(name string, text []byte) error {
	var about struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		AppVersion string   `json:"appVersion"`
		Home       string   `json:"home"`
		Sources    []string `json:"sources"`
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return errors.New("its metadata is no JSON")
	}
	if about.Name != name || !chart.SameVersion(about.Version, v.Version) {
		return fmt.Errorf("it holds %.60q in version %.60q", about.Name, about.Version)
	}
	v.AppVersion, v.Source = bounded(about.AppVersion), sourceOf(about.Sources, about.Home)
	return nil
}
