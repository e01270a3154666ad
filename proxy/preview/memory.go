package preview

import (
	"container/list"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	children = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_preview_children_total",
		Help: "Processes of the plugin that were run for previews, by command.",
	}, []string{"command"})

	remembered = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_preview_renders_total",
		Help: "Renders that previews needed, by result (remembered, made).",
	}, []string{"result"})
)

func init() { metrics.Registry.MustRegister(children, remembered) }

// memory remembers renders, those that were used last.
type memory struct {
	mu    sync.Mutex
	left  int // bytes
	used  *list.List
	known map[string]*list.Element
}

type remembrance struct {
	key   string
	value manifests
}

func newMemory(bytes int) *memory {
	return &memory{left: bytes, used: list.New(), known: map[string]*list.Element{}}
}

func (m *memory) get(key string) (manifests, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, known := m.known[key]
	if !known {
		remembered.WithLabelValues("made").Inc()
		return manifests{}, false
	}
	remembered.WithLabelValues("remembered").Inc()
	m.used.MoveToFront(e)
	return e.Value.(remembrance).value, true
}

func (m *memory) put(key string, value manifests) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, known := m.known[key]; known {
		// Another render of the same was faster. What it gave stays; what is known
		// of its repetition is new.
		if value.again == unrepeated {
			return
		}
		m.left += m.used.Remove(e).(remembrance).value.size()
	}
	m.known[key] = m.used.PushFront(remembrance{key, value})
	for m.left -= value.size(); m.left < 0; {
		oldest := m.used.Back()
		old := m.used.Remove(oldest).(remembrance)
		delete(m.known, old.key)
		m.left += old.value.size()
	}
}
