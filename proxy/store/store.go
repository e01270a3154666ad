// Package store keeps Waybill's state in ConfigMaps, one for each object, in
// its own namespace.
//
// Reads come from informers. Every write is a compare-and-swap on the
// resourceVersion that was read, and nothing is written that would change
// nothing. Since an informer trails the API server, the store remembers its own
// writes and reads past the informer until it has seen them: what this process
// wrote, it reads.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/waybill-cd/waybill/extension/freight"
	"github.com/waybill-cd/waybill/extension/promotion"
)

// ErrConflict tells that somebody else wrote first: read again, decide again.
var ErrConflict = errors.New("the record was changed meanwhile")

// ErrNotFound tells that there is no such record.
var ErrNotFound = errors.New("there is no such record")

// Store reads and writes the records. It is safe for concurrent use.
type Store struct {
	cached    client.Reader // informers
	live      client.Reader // the API server
	writer    client.Writer
	namespace string
	own       ownWrites
	parsed    parsed
}

// New returns a store over a namespace. cached must have the index of
// [IndexConfigMaps]; live reads the API server itself.
func New(cached, live client.Reader, writer client.Writer, namespace string) *Store {
	return &Store{
		cached: cached, live: live, writer: writer, namespace: namespace,
		own:    ownWrites{versions: map[string]string{}},
		parsed: parsed{values: map[string]parsedValue{}},
	}
}

// Namespace is where the records are.
func (s *Store) Namespace() string { return s.namespace }

// Record is a stored document and the version at which it was read.
type Record[T any] struct {
	Value T
	// Text is the document as stored; empty for one that is not stored yet.
	Text    string
	version string
}

// get reads one ConfigMap, past the informer where that trails our own write.
func (s *Store) get(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	var cm corev1.ConfigMap
	key := client.ObjectKey{Namespace: s.namespace, Name: name}
	// Noted before the look: meanwhile the informer may catch up, and another
	// reader forget our write, while this one holds what it was before.
	noted := s.own.pending()[name]
	err := s.cached.Get(ctx, key, &cm)
	if s.own.trails(name, cm.ResourceVersion) || noted != "" && older(cm.ResourceVersion, noted) {
		err = s.live.Get(ctx, key, &cm)
		if apierrors.IsNotFound(err) {
			s.own.forget(name)
		}
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("cannot read ConfigMap %s/%s: %w", s.namespace, name, err)
	}
	return &cm, nil
}

func (s *Store) getLive(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	var cm corev1.ConfigMap
	if err := s.live.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &cm); err != nil {
		return nil, fmt.Errorf("cannot read ConfigMap %s/%s: %w", s.namespace, name, err)
	}
	return &cm, nil
}

// list reads the ConfigMaps of an index value, our own writes included.
func (s *Store) list(ctx context.Context, value string) ([]corev1.ConfigMap, error) {
	var list corev1.ConfigMapList
	pending := s.own.pending() // before the look, as in get
	if err := s.cached.List(ctx, &list, client.InNamespace(s.namespace), client.MatchingFields{indexName: value}); err != nil {
		return nil, fmt.Errorf("cannot list ConfigMaps of %s: %w", s.namespace, err)
	}
	if len(pending) == 0 {
		return list.Items, nil
	}
	items := list.Items[:0]
	for _, cm := range list.Items {
		if _, own := pending[cm.Name]; !own {
			items = append(items, cm)
		}
	}
	for name := range pending {
		cm, err := s.get(ctx, name)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		for _, v := range indexValues(cm) {
			if v == value {
				items = append(items, *cm)
			}
		}
	}
	return items, nil
}

// document is what put writes.
type document struct {
	name      string
	pipeline  string // full name
	labels    map[string]string
	key       string // of the ConfigMap's data
	value     any
	immutable bool
}

// put creates the document, or replaces the version that was read. It returns
// the text and the version that are stored now.
func (s *Store) put(ctx context.Context, d document, text, version string) (newText, newVersion string, err error) {
	data, err := yaml.Marshal(d.value)
	if err != nil {
		return "", "", fmt.Errorf("cannot write %s: %w", d.name, err)
	}
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace, Name: d.name, ResourceVersion: version,
			Labels: d.labels, Annotations: map[string]string{AnnotationPipeline: d.pipeline},
		},
		Data: map[string]string{d.key: string(data)},
	}
	if d.immutable {
		cm.Immutable = &d.immutable
	}
	switch {
	case version == "":
		err = s.writer.Create(ctx, cm)
	case string(data) == text:
		return text, version, nil
	default:
		err = s.writer.Update(ctx, cm)
	}
	switch {
	// What an update does not find, somebody has deleted. What a create does not
	// find is the namespace, and nobody wrote first.
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err) && version != "":
		return "", "", fmt.Errorf("ConfigMap %s/%s: %w", s.namespace, d.name, ErrConflict)
	case err != nil:
		return "", "", fmt.Errorf("cannot write ConfigMap %s/%s: %w", s.namespace, d.name, err)
	}
	s.own.wrote(d.name, cm.ResourceVersion)
	return string(data), cm.ResourceVersion, nil
}

// Delete removes a record. One that is gone already is no error.
func (s *Store) Delete(ctx context.Context, name string) error {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	if err := s.writer.Delete(ctx, cm); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot delete ConfigMap %s/%s: %w", s.namespace, name, err)
	}
	s.own.forget(name)
	return nil
}

// errCopy is for a ConfigMap that holds the record of another name. Nobody but who
// copies ConfigMaps makes one, and what is done to the record would be done to the
// one that it is a copy of.
var errCopy = fmt.Errorf("it is a copy of another record: delete it: %w", ErrNotFound)

// read parses one key of a ConfigMap, once for each version of it.
func read[T any](ctx context.Context, s *Store, cm *corev1.ConfigMap, key string) (Record[T], error) {
	r := Record[T]{Text: cm.Data[key], version: cm.ResourceVersion}
	if v, ok := s.parsed.get(cm.Name, cm.ResourceVersion); ok {
		switch value := v.(type) {
		case error:
			return Record[T]{}, value
		case T:
			r.Value = clone(value)
			return r, nil
		}
	}
	err := yaml.UnmarshalStrict([]byte(r.Text), &r.Value)
	if strings.TrimSpace(r.Text) == "" {
		err = errors.New("it is empty") // and would be read as a record that knows nothing
	}
	if err != nil {
		return Record[T]{}, fmt.Errorf("ConfigMap %s/%s, %s cannot be read: %w: restore it, or delete it to start it anew", cm.Namespace, cm.Name, key, err)
	}
	if id, named := idOf(r.Value); named && id != cm.Name {
		err := fmt.Errorf("ConfigMap %s/%s: %w", cm.Namespace, cm.Name, errCopy)
		s.parsed.put(cm.Name, cm.ResourceVersion, err)
		log.FromContext(ctx).WithName("store").Info("a record is ignored, because it is a copy of another one: delete it", "configMap", cm.Name, "record", id)
		return Record[T]{}, err
	}
	s.parsed.put(cm.Name, cm.ResourceVersion, clone(r.Value))
	return r, nil
}

// idOf returns the ID of a record whose ConfigMap is named by it.
func idOf(record any) (id string, named bool) {
	switch r := record.(type) {
	case promotion.Promotion:
		return r.ID, true
	case freight.Freight:
		return r.ID, true
	default:
		return "", false
	}
}

// clone keeps callers, who change what they read, off what is kept parsed.
func clone[T any](value T) T {
	if c, ok := any(value).(interface{ Clone() T }); ok {
		return c.Clone()
	}
	return value
}
