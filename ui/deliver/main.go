// Command waybill-extension puts the UI extension where argocd-server reads it: it
// is the init container of argocd-server's pod.
//
//	waybill-extension /tmp/extensions/waybill
//
// The extension stands beside it in the image. There is no shell to copy it with.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

var version = "dev" // set by the linker

// fileName is one that argocd-server takes for an extension: it serves the files
// whose names match ^extension(.*)\.js$ (server/server.go, serveExtensions).
const fileName = "extension-waybill.js"

// source is the extension in the image.
const source = "/usr/local/share/waybill/" + fileName

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: waybill-extension <folder>, which is below /tmp/extensions in argocd-server's container; --version")
		os.Exit(2)
	}
	if os.Args[1] == "--version" {
		fmt.Println("waybill-extension", version)
		return
	}
	if err := deliver(source, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "waybill-extension:", err)
		os.Exit(1)
	}
}

// deliver copies the extension into a folder, whole or not at all: the name under
// which it is written is none that argocd-server serves.
func deliver(source, folder string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("the image lacks the UI extension: %w", cause(err))
	}
	target := filepath.Join(folder, fileName)
	if err := os.WriteFile(target+".new", content, 0o644); err != nil { //nolint:gosec // argocd-server, another user in general, reads it
		return fmt.Errorf("the UI extension cannot be written to %s (%w): mount the volume there that argocd-server has at /tmp/extensions/waybill", folder, cause(err))
	}
	if err := os.Rename(target+".new", target); err != nil { //nolint:gosec // the folder is the init container's own argument
		return fmt.Errorf("the UI extension cannot be put in place in %s: %w", folder, cause(err))
	}
	return nil
}

// cause is an error without the path, which the sentence around it tells.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
