package store_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/proxy/store"
)

const namespace = "waybill"

var shop = pipeline.Name{Namespace: namespace, Name: "shop"}

// cluster stands in for the API server, and for an informer that shows what it
// has seen when it last caught up.
type cluster struct {
	server   client.WithWatch
	informer client.Reader
	// writes are the calls that change something, as "create name".
	writes []string
	// liveReads are the names that were read past the informer.
	liveReads []string
	// before runs ahead of each write, and may fail it.
	before func(verb, name string) error
}

func newCluster(t *testing.T, objects ...client.Object) *cluster {
	t.Helper()
	c := &cluster{}
	c.server = interceptor.NewClient(indexed(t, objects...), interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			c.liveReads = append(c.liveReads, key.Name)
			return w.Get(ctx, key, o, opts...)
		},
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return c.write("create", o, func() error { return w.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return c.write("update", o, func() error { return w.Update(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return c.write("delete", o, func() error { return w.Delete(ctx, o, opts...) })
		},
	})
	c.catchUp(t)
	return c
}

func (c *cluster) write(verb string, o client.Object, do func() error) error {
	c.writes = append(c.writes, verb+" "+o.GetName())
	if c.before != nil {
		if err := c.before(verb, o.GetName()); err != nil {
			return err
		}
	}
	return do()
}

// catchUp has the informer see all that is stored.
func (c *cluster) catchUp(t *testing.T) {
	t.Helper()
	var maps corev1.ConfigMapList
	var secrets corev1.SecretList
	if err := errors.Join(c.server.List(t.Context(), &maps), c.server.List(t.Context(), &secrets)); err != nil {
		t.Fatal(err)
	}
	var all []client.Object
	for i := range maps.Items {
		all = append(all, &maps.Items[i])
	}
	for i := range secrets.Items {
		all = append(all, &secrets.Items[i])
	}
	c.informer = indexed(t, all...)
}

// Get and List are the informer's.
func (c *cluster) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return c.informer.Get(ctx, key, o, opts...)
}

func (c *cluster) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.informer.List(ctx, list, opts...)
}

// store returns what a replica has of its own: two of them share the cluster.
func (c *cluster) store() *store.Store { return store.New(c, c.server, c.server, namespace) }

// configMap reads what is stored.
func (c *cluster) configMap(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	var cm corev1.ConfigMap
	if err := c.server.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &cm); err != nil {
		t.Fatal(err)
	}
	return &cm
}

// indexed returns a client with the store's index.
func indexed(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	builder := fake.NewClientBuilder().WithObjects(objects...)
	if err := store.IndexConfigMaps(t.Context(), indexer{builder}); err != nil {
		t.Fatal(err)
	}
	return builder.Build()
}

type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	i.WithIndex(o, field, values)
	return nil
}
