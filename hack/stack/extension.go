package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// extensionsFolder is where argocd-server looks for UI extensions, whatever its
// configuration says.
const extensionsFolder = "/tmp/extensions"

// extensions is this stack's own subfolder of it.
type extensions struct {
	mu       sync.Mutex
	path     string // empty while there is none
	ownsRoot bool   // whether extensionsFolder did not exist before
}

var extensionName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// UIExtension has argocd-server serve a file as the UI extension of that name,
// until Stop. A second one of the same name replaces the first. All stacks and
// Argo CDs of this machine serve it meanwhile, because they share one folder.
func (s *Stack) UIExtension(name, file string) error {
	if !extensionName.MatchString(name) {
		return fmt.Errorf("%q is no name for a UI extension: use letters, digits and dashes", name)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the UI extension %s: %w", name, err)
	}
	s.ui.mu.Lock()
	defer s.ui.mu.Unlock()
	if err := s.ui.make(); err != nil {
		return fmt.Errorf("installing the UI extension %s: %w", name, err)
	}
	// Written beside and moved, so that a page never loads half of it. The
	// server takes files by their names, and this one does not end in .js.
	path := filepath.Join(s.ui.path, "extension-"+name+".js")
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return fmt.Errorf("installing the UI extension %s: %w", name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("installing the UI extension %s: %w", name, err)
	}
	return nil
}

func (e *extensions) make() error {
	const tries = 3 // another stack may remove the folder between two steps
	for try := 1; e.path == ""; try++ {
		switch err := os.Mkdir(extensionsFolder, 0o777); {
		case err == nil:
			e.ownsRoot = true
		case !errors.Is(err, os.ErrExist):
			return err
		}
		path, err := os.MkdirTemp(extensionsFolder, "waybill-stack-")
		if err != nil && (!errors.Is(err, os.ErrNotExist) || try == tries) {
			return err
		}
		e.path = path
	}
	return nil
}

// remove leaves nothing behind that the stack has made, and everything else.
func (e *extensions) remove() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.path == "" {
		return nil
	}
	if err := os.RemoveAll(e.path); err != nil {
		return fmt.Errorf("removing the UI extensions: %w", err)
	}
	e.path = ""
	if e.ownsRoot {
		// Fails when somebody else has put something there, and then it stays.
		_ = os.Remove(extensionsFolder)
	}
	return nil
}
