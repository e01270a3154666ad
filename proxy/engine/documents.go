package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

// Pipeline is a pipeline whose document is in force.
type Pipeline struct {
	pipeline.Document
	Name pipeline.Name
	// Hash is that of the document in force.
	Hash string
	// Problems are those of the newest document, which keep it from coming
	// into force.
	Problems []pipeline.Problem
}

// StageNamed returns a stage of the pipeline and its full name.
func (p Pipeline) StageNamed(name string) (pipeline.Stage, pipeline.StageName, error) {
	stage, ok := p.Stage(name)
	full := pipeline.StageName{Pipeline: p.Name, Stage: name}
	if !ok {
		has := make([]string, len(p.Stages))
		for i, s := range p.Stages {
			has[i] = s.Name
		}
		return stage, full, p.lacks("stage", name, has)
	}
	return stage, full, nil
}

// WarehouseNamed returns a warehouse of the pipeline.
func (p Pipeline) WarehouseNamed(name string) (pipeline.Warehouse, error) {
	warehouse, ok := p.Warehouse(name)
	if !ok {
		has := make([]string, len(p.Warehouses))
		for i, w := range p.Warehouses {
			has[i] = w.Name
		}
		return warehouse, p.lacks("warehouse", name, has)
	}
	return warehouse, nil
}

// maxNamed bounds the names that one sentence tells.
const maxNamed = 10

// lacks tells that there is no stage, or warehouse, of a name, and which there are.
func (p Pipeline) lacks(kind, name string, has []string) error {
	told, more := has, ""
	if len(has) > maxNamed {
		told, more = has[:maxNamed], fmt.Sprintf(" and %d more", len(has)-maxNamed)
	}
	return notFound("pipeline %s has no %s %q: it has %s%s", p.Name.Short(), kind, name, strings.Join(told, ", "), more)
}

// documents keeps the documents in force parsed.
type documents struct {
	mu     sync.Mutex
	parsed map[pipeline.Name]Pipeline
}

func (d *documents) forget(name pipeline.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.parsed, name)
}

// last returns the documents as they were read last.
func (d *documents) last() map[pipeline.Name]Pipeline {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.parsed)
}

// Pipeline returns the pipeline as it is in force.
func (e *Engine) Pipeline(ctx context.Context, name pipeline.Name) (Pipeline, error) {
	// Deleting the ConfigMap takes a pipeline out of force; its records stay.
	if _, err := e.store.Pipeline(ctx, name); errors.Is(err, store.ErrNotFound) {
		e.docs.forget(name)
		return Pipeline{}, notFound("there is no pipeline %s", name.Short())
	} else if err != nil {
		return Pipeline{}, err
	}
	accepted, err := e.store.Accepted(ctx, name)
	if err != nil {
		return Pipeline{}, err
	}
	a := accepted.Value
	if a.Hash == "" {
		return Pipeline{}, notFound("pipeline %s has no valid document yet%s", name.Short(), firstProblem(a.Problems))
	}
	e.docs.mu.Lock()
	defer e.docs.mu.Unlock()
	p, ok := e.docs.parsed[name]
	if !ok || p.Hash != a.Hash {
		doc, err := pipeline.Parse(name, a.Document)
		if err != nil {
			return Pipeline{}, notFound("the document in force of pipeline %s is not valid in this version of Waybill: %v", name.Short(), err)
		}
		p = Pipeline{Document: doc, Name: name, Hash: a.Hash}
		e.docs.parsed[name] = p
	}
	p.Problems = a.Problems
	return p, nil
}

func firstProblem(problems []pipeline.Problem) string {
	if len(problems) == 0 {
		return ""
	}
	return ": " + problems[0].String()
}

// Pipelines returns the pipelines in force, sorted by name. One that never had
// a valid document, or whose record cannot be read, is left out:
// [Engine.Pipeline] tells why.
func (e *Engine) Pipelines(ctx context.Context) ([]Pipeline, error) {
	texts, err := e.store.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Pipeline, 0, len(texts))
	for _, t := range texts {
		p, err := e.Pipeline(ctx, t.Name)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			log.FromContext(ctx).Error(err, "a pipeline is passed over", "pipeline", t.Name.Short())
			continue
		}
		all = append(all, p)
	}
	return all, nil
}

// accept brings a pipeline's document into force, or records why it cannot:
// then the last good one stays.
func (e *Engine) accept(ctx context.Context, name pipeline.Name) (reconcile.Result, error) {
	written, err := e.store.Pipeline(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		e.docs.forget(name)
		forgetPipeline(name)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	accepted, err := e.store.Accepted(ctx, name)
	if err != nil {
		return reconcile.Result{}, err
	}
	hash := pipeline.Hash(written.Text)
	// One that was refused, or is in force, is read again: another version of
	// Waybill may take it, or take it no more.
	_, err = pipeline.Parse(name, written.Text)
	if err == nil && hash == accepted.Value.Hash && accepted.Value.Refused == "" {
		return reconcile.Result{}, nil
	}
	var invalid *pipeline.Invalid
	switch {
	case errors.As(err, &invalid):
		if accepted.Value.Refused == hash && slices.Equal(accepted.Value.Problems, invalid.Problems) {
			return reconcile.Result{}, nil
		}
		accepted.Value.Refused, accepted.Value.Problems = hash, invalid.Problems
	case err != nil:
		return reconcile.Result{}, err
	default:
		accepted.Value.Hash, accepted.Value.Document = hash, written.Text
		accepted.Value.At = e.Now().UTC()
		accepted.Value.Refused, accepted.Value.Problems = "", nil
	}
	if err := e.store.PutAccepted(ctx, name, &accepted); err != nil {
		return again(err)
	}
	switch {
	case invalid != nil && hash == accepted.Value.Hash:
		e.event(name, corev1.EventTypeWarning, "PipelineInvalid", "%s; it was in force, and nothing is promoted until it is mended", invalid)
	case invalid != nil:
		e.event(name, corev1.EventTypeWarning, "PipelineInvalid", "%s; the last good document stays in force", invalid)
	default:
		e.event(name, corev1.EventTypeNormal, "PipelineAccepted", "document %s is in force", hash[:12])
	}
	return reconcile.Result{}, nil
}

// again turns a lost compare-and-swap into another turn: it is no error, the
// record has only become a newer one.
func again(err error) (reconcile.Result, error) {
	if errors.Is(err, store.ErrConflict) {
		return reconcile.Result{Requeue: true}, nil
	}
	return reconcile.Result{}, err
}
