package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// compile builds a main package into a static binary at path. What could differ
// from one machine to the next, such as paths, GOFLAGS or the level of the
// architecture, is fixed.
func compile(ctx context.Context, pkg, path, version string, platform v1.Platform) error {
	c := exec.CommandContext(ctx, "go", "build",
		"-trimpath",
		"-buildvcs=false", // the label states the revision
		"-ldflags", "-s -w -X main.version="+version,
		"-o", path,
		pkg)
	c.Env = append(os.Environ(),
		"CGO_ENABLED=0",
		"GOFLAGS=",
		"GOEXPERIMENT=",
		"GOOS="+platform.OS,
		"GOARCH="+platform.Architecture,
		"GOAMD64=v1",
		"GOARM64=v8.0",
	)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling %s for %s: %w\n%s", pkg, platform.String(), err, bytes.TrimSpace(out))
	}
	return nil
}
