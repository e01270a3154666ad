package stack

import (
	"context"
	"time"

	"github.com/waybill-cd/waybill/hack/stack/process"
)

// The names of the stack's own components.
const (
	Etcd                  = "etcd"
	KubeAPIServer         = "kube-apiserver"
	KubeControllerManager = "kube-controller-manager"
	KubeScheduler         = "kube-scheduler"
	Kwok                  = "kwok"
	Redis                 = "redis"
	Registry              = "registry"
	Git                   = "git"
	ArgoCDRepoServer      = "argocd-repo-server"
	ArgoCDController      = "argocd-application-controller"
	ArgoCDServer          = "argocd-server"
	ArgoCDCMPServer       = "argocd-cmp-server"
)

// Run adds a process to the stack, starts it and waits until it is ready. Its
// Env is added to Environment. It is stopped before what was started earlier.
func (s *Stack) Run(ctx context.Context, spec process.Spec) error {
	began := time.Now()
	if err := s.group.Run(ctx, spec); err != nil {
		return err
	}
	s.log.printf("%s is ready (%v)", spec.Name, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// Kill ends a component as a crash would, and returns when it is gone.
func (s *Stack) Kill(name string) error { return s.group.Kill(name) }

// StopComponent stops a component in good order.
func (s *Stack) StopComponent(ctx context.Context, name string) error {
	return s.group.Stop(ctx, name)
}

// StartComponent starts a component that was stopped or killed or has died, as
// it was before, and waits until it is ready.
func (s *Stack) StartComponent(ctx context.Context, name string) error {
	return s.group.Start(ctx, name)
}

// LogPath is the log file of a component. Redis writes none.
func (s *Stack) LogPath(name string) string { return s.group.LogPath(name) }

// Log returns the end of a component's log, at most 1 MiB.
func (s *Stack) Log(name string) ([]byte, error) { return s.group.Log(name) }
