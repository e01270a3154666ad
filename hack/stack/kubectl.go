package stack

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// FieldManager is the name under which Apply owns fields.
const FieldManager = "waybill-stack"

// KubectlPath is the path of kubectl, of the API server's version.
func (s *Stack) KubectlPath() string { return filepath.Join(s.bin.kubernetes, "kubectl") }

// Kubectl runs kubectl as the administrator and returns its standard output. The
// error carries what it wrote on standard error.
func (s *Stack) Kubectl(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, s.KubectlPath(), args...)
	command.Env = append(slices.Clone(s.env), "KUBECONFIG="+s.Kubeconfig())
	command.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// Apply applies YAML documents on the server's side. Fields of an object that an
// earlier Apply set and this one does not name are removed.
func (s *Stack) Apply(ctx context.Context, manifests []byte) error {
	return s.apply(ctx, FieldManager, manifests, "-f", "-")
}

func (s *Stack) apply(ctx context.Context, manager string, stdin []byte, args ...string) error {
	_, err := s.Kubectl(ctx, stdin, append([]string{"apply", "--server-side", "--force-conflicts", "--field-manager=" + manager}, args...)...)
	return err
}
