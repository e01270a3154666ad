package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// The keys of the documents in the ConfigMaps' data.
const (
	keyAccepted  = "accepted.yaml"
	keyFreight   = "freight.yaml"
	keyWarehouse = "warehouse.yaml"
	keyStage     = "stage.yaml"
	keyPromotion = "promotion.yaml"
)

// PipelineText is the document of a pipeline as its user wrote it.
type PipelineText struct {
	Name pipeline.Name
	Text string
	// UID is that of its ConfigMap, which Events name.
	UID types.UID
}

// Pipelines returns the pipelines' documents, sorted by name. A ConfigMap whose
// name no pipeline can have, such as one with a dot, is none.
func (s *Store) Pipelines(ctx context.Context) ([]PipelineText, error) {
	items, err := s.list(ctx, byKind(KindPipeline))
	if err != nil {
		return nil, err
	}
	texts := make([]PipelineText, 0, len(items))
	for i := range items {
		if name, ok := PipelineOf(&items[i]); ok {
			texts = append(texts, PipelineText{name, items[i].Data[pipeline.Key], items[i].UID})
		}
	}
	slices.SortFunc(texts, func(a, b PipelineText) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return texts, nil
}

// Pipeline returns the document of one pipeline, or ErrNotFound.
func (s *Store) Pipeline(ctx context.Context, name pipeline.Name) (PipelineText, error) {
	if name.Namespace != s.namespace {
		return PipelineText{}, ErrNotFound
	}
	cm, err := s.get(ctx, name.Name)
	if err != nil {
		return PipelineText{}, err
	}
	if cm.Labels[LabelKind] != KindPipeline {
		return PipelineText{}, ErrNotFound
	}
	return PipelineText{name, cm.Data[pipeline.Key], cm.UID}, nil
}

// Accepted is the last good document of a pipeline, which stays in force while
// the newest has problems.
type Accepted struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Pipeline   string `json:"pipeline"`
	// Hash is that of Document.
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
	// Document is the text that is in force.
	Document string `json:"document"`
	// Refused is the hash of the newest document where it has problems.
	Refused  string             `json:"refused,omitempty"`
	Problems []pipeline.Problem `json:"problems,omitempty"`
}

// Accepted returns the last good document of a pipeline; an empty record where
// there is none yet.
func (s *Store) Accepted(ctx context.Context, name pipeline.Name) (Record[Accepted], error) {
	empty := Accepted{APIVersion: freight.APIVersion, Kind: "Accepted", Pipeline: name.String()}
	return getOr(ctx, s, recordName(name, KindAccepted), keyAccepted, empty)
}

// AcceptedNames returns the pipelines of which a document was in force once, those
// that somebody has deleted since among them, sorted.
func (s *Store) AcceptedNames(ctx context.Context) ([]pipeline.Name, error) {
	items, err := s.list(ctx, byKind(KindAccepted))
	if err != nil {
		return nil, err
	}
	var names []pipeline.Name
	for i := range items {
		if name, ok := PipelineOf(&items[i]); ok && items[i].Name == recordName(name, KindAccepted) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b pipeline.Name) int { return strings.Compare(a.String(), b.String()) })
	return names, nil
}

// PutAccepted stores what [Store.Accepted] returned.
func (s *Store) PutAccepted(ctx context.Context, name pipeline.Name, r *Record[Accepted]) error {
	return save(ctx, s, r, document{
		name: recordName(name, KindAccepted), key: keyAccepted, pipeline: name.String(), labels: labels(KindAccepted, name.String(), ""),
	})
}

// Warehouse is the outcome of a warehouse's looks.
type Warehouse struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Pipeline   string `json:"pipeline"`
	Name       string `json:"name"`
	// Candidate is the ID of the freight that the warehouse selects now.
	Candidate string `json:"candidate,omitempty"`
	// Error tells why the last look found nothing or could not be made. The
	// candidate of the look before stays.
	Error string `json:"error,omitempty"`
	// Reason tells why no freight was made of what the last look found. The
	// candidate stays then, too.
	Reason string `json:"reason,omitempty"`
	// Refresh is the last request for which a look has begun. One that does not come
	// to its end does so with its process, and the next process looks first of all.
	Refresh string `json:"refresh,omitempty"`
	// Asked is the last request to look.
	Asked string `json:"asked,omitempty"`
}

// Warehouse returns the record of a warehouse, an empty one where there is none.
func (s *Store) Warehouse(ctx context.Context, name pipeline.Name, warehouse string) (Record[Warehouse], error) {
	return getOr(ctx, s, recordName(name, KindWarehouse, warehouse), keyWarehouse, noWarehouse(name, warehouse))
}

// WarehouseNow is [Store.Warehouse] past the informer.
func (s *Store) WarehouseNow(ctx context.Context, name pipeline.Name, warehouse string) (Record[Warehouse], error) {
	cm, err := s.getLive(ctx, recordName(name, KindWarehouse, warehouse))
	if apierrors.IsNotFound(err) {
		return Record[Warehouse]{Value: noWarehouse(name, warehouse)}, nil
	}
	if err != nil {
		return Record[Warehouse]{}, err
	}
	return read[Warehouse](ctx, s, cm, keyWarehouse)
}

func noWarehouse(name pipeline.Name, warehouse string) Warehouse {
	return Warehouse{APIVersion: freight.APIVersion, Kind: "Warehouse", Pipeline: name.String(), Name: warehouse}
}

// PutWarehouse stores what [Store.Warehouse] returned.
func (s *Store) PutWarehouse(ctx context.Context, name pipeline.Name, r *Record[Warehouse]) error {
	return save(ctx, s, r, document{
		name: recordName(name, KindWarehouse, r.Value.Name), key: keyWarehouse, pipeline: name.String(), labels: labels(KindWarehouse, name.String(), ""),
	})
}

// Freight returns the freight of a pipeline, newest first.
func (s *Store) Freight(ctx context.Context, name pipeline.Name) ([]freight.Freight, error) {
	all, err := listRecords[freight.Freight](ctx, s, byPipeline(KindFreight, label(name.String())), keyFreight)
	if err != nil {
		return nil, err
	}
	values := make([]freight.Freight, len(all))
	for i, r := range all {
		values[i] = r.Value
	}
	slices.SortFunc(values, func(a, b freight.Freight) int {
		if c := b.DiscoveredAt.Compare(a.DiscoveredAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return values, nil
}

// FreightByID returns one piece of freight of a pipeline, or ErrNotFound.
func (s *Store) FreightByID(ctx context.Context, name pipeline.Name, id string) (freight.Freight, error) {
	cm, err := s.get(ctx, id)
	if err != nil {
		return freight.Freight{}, err
	}
	if !isOf(cm, KindFreight, name) {
		return freight.Freight{}, ErrNotFound
	}
	r, err := read[freight.Freight](ctx, s, cm, keyFreight)
	return r.Value, err
}

// CreateFreight stores freight, immutable from birth. Freight that exists is
// left as it is, and created is false: its name is its ID.
func (s *Store) CreateFreight(ctx context.Context, f freight.Freight) (created bool, err error) {
	_, _, err = s.put(ctx, document{
		name: f.ID, key: keyFreight, pipeline: f.Pipeline, labels: labels(KindFreight, f.Pipeline, ""), value: f, immutable: true,
	}, "", "")
	if errors.Is(err, ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// Stage returns the record of a stage, an empty one where there is none.
func (s *Store) Stage(ctx context.Context, name pipeline.StageName) (Record[promotion.Stage], error) {
	empty := promotion.NewStage(name.Pipeline.String(), name.Stage)
	return getOr(ctx, s, recordName(name.Pipeline, KindStage, name.Stage), keyStage, empty)
}

// StageNow returns the record of a stage past the informer, for a decision that
// no compare-and-swap guards.
func (s *Store) StageNow(ctx context.Context, name pipeline.StageName) (promotion.Stage, error) {
	cm, err := s.getLive(ctx, recordName(name.Pipeline, KindStage, name.Stage))
	if err != nil {
		return promotion.Stage{}, err
	}
	r, err := read[promotion.Stage](ctx, s, cm, keyStage)
	return r.Value, err
}

// PutStage stores what [Store.Stage] returned.
func (s *Store) PutStage(ctx context.Context, name pipeline.StageName, r *Record[promotion.Stage]) error {
	return save(ctx, s, r, document{
		name:     recordName(name.Pipeline, KindStage, name.Stage),
		labels:   labels(KindStage, name.Pipeline.String(), name.Stage),
		pipeline: name.Pipeline.String(),
		key:      keyStage,
	})
}

func labels(kind, pipelineName, stage string) map[string]string {
	l := map[string]string{LabelKind: kind, LabelPipeline: label(pipelineName)}
	if stage != "" {
		l[LabelStage] = stage
	}
	return l
}

// isOf tells whether a ConfigMap is a record of that kind and pipeline.
func isOf(cm *corev1.ConfigMap, kind string, name pipeline.Name) bool {
	return cm.Labels[LabelKind] == kind && cm.Labels[LabelPipeline] == label(name.String())
}

func getOr[T any](ctx context.Context, s *Store, name, key string, empty T) (Record[T], error) {
	cm, err := s.get(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return Record[T]{Value: empty}, nil
	}
	if err != nil {
		return Record[T]{}, err
	}
	return read[T](ctx, s, cm, key)
}

// save writes a record and moves it to the version that it became.
func save[T any](ctx context.Context, s *Store, r *Record[T], d document) error {
	d.value = r.Value
	text, version, err := s.put(ctx, d, r.Text, r.version)
	if err != nil {
		return err
	}
	r.Text, r.version = text, version
	return nil
}

func listRecords[T any](ctx context.Context, s *Store, value, key string) ([]Record[T], error) {
	items, err := s.list(ctx, value)
	if err != nil {
		return nil, err
	}
	records := make([]Record[T], 0, len(items))
	for i := range items {
		r, err := read[T](ctx, s, &items[i], key)
		if errors.Is(err, errCopy) {
			continue
		}
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// PipelineOf returns the pipeline that a record's ConfigMap belongs to, for
// watches; of a pipeline's own document it is the pipeline itself.
func PipelineOf(cm *corev1.ConfigMap) (pipeline.Name, bool) {
	full := cm.Annotations[AnnotationPipeline]
	if cm.Labels[LabelKind] == KindPipeline {
		full = cm.Namespace + "/" + cm.Name
	}
	name, err := pipeline.ParseName(full)
	return name, err == nil
}
