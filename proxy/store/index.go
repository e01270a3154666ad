package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/extension/pipeline"
)

// The labels of every record.
const (
	LabelKind     = "waybill.dev/kind"
	LabelPipeline = "waybill.dev/pipeline"
	LabelStage    = "waybill.dev/stage"
	// LabelPhase is the phase of a promotion.
	LabelPhase = "waybill.dev/phase"
	// LabelPrevious is the shortened hash of the previous record of the stage,
	// on promotions that have ended.
	LabelPrevious = "waybill.dev/previous"
)

// AnnotationPipeline is the full name of a record's pipeline, which a label can
// hold only in part.
const AnnotationPipeline = "waybill.dev/pipeline"

// The kinds of records, the values of [LabelKind].
const (
	KindPipeline  = "pipeline"
	KindAccepted  = "accepted"
	KindFreight   = "freight"
	KindWarehouse = "warehouse"
	KindStage     = "stage"
	KindPromotion = "promotion"
)

// indexName is the informer's index over the records.
const indexName = "waybill.dev/records"

// IndexConfigMaps adds the index that the store lists by.
func IndexConfigMaps(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &corev1.ConfigMap{}, indexName, func(o client.Object) []string {
		cm, ok := o.(*corev1.ConfigMap)
		if !ok {
			return nil
		}
		return indexValues(cm)
	})
}

func indexValues(cm *corev1.ConfigMap) []string {
	l := cm.Labels
	kind := l[LabelKind]
	if kind == "" {
		return nil
	}
	values := []string{byKind(kind), byPipeline(kind, l[LabelPipeline])}
	if kind != KindPromotion {
		return values
	}
	stage := l[LabelPipeline] + "/" + l[LabelStage]
	values = append(values, "stage/"+stage)
	if phase := l[LabelPhase]; phase == "Pending" || phase == "Running" {
		values = append(values, "open/"+stage)
	}
	if previous, ended := l[LabelPrevious]; ended {
		values = append(values, "after/"+stage+"/"+previous)
	}
	return values
}

func byKind(kind string) string               { return "kind/" + kind }
func byPipeline(kind, pipeline string) string { return "kind/" + kind + "/" + pipeline }

// maxLabel is the length of a label's value in Kubernetes.
const maxLabel = 63

// label turns a name into a label's value: a slash, which labels do not allow,
// becomes a dot, and what is too long is cut and told apart by its hash. No name
// holds the underscore before the hash, so no short one is a long one's label.
func label(name string) string {
	value := strings.ReplaceAll(name, "/", ".")
	if len(value) <= maxLabel {
		return value
	}
	const digits = 32
	sum := sha256.Sum256([]byte(name))
	return value[:maxLabel-digits-1] + "_" + hex.EncodeToString(sum[:])[:digits]
}

// previousLabel shortens a record's hash; the first record's is "none".
func previousLabel(hash string) string {
	const digits = 40
	hash = strings.TrimPrefix(hash, "sha256:")
	if len(hash) < digits {
		return "none"
	}
	return hash[:digits]
}

// recordName is the name of a ConfigMap of a pipeline. No part holds a dot, so
// names never collide.
func recordName(p pipeline.Name, parts ...string) string {
	return strings.Join(append([]string{p.Namespace, p.Name}, parts...), ".")
}
