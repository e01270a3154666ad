// Package sidecar holds the plugin's configuration as users apply it, for who
// compares it with what an installation has.
package sidecar

import _ "embed"

// Plugin is plugin.yaml.
//
//go:embed plugin.yaml
var Plugin string
