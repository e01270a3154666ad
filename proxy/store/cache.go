package store

import (
	"maps"
	"strconv"
	"sync"
)

// ownWrites remembers the versions that this process wrote and that its
// informer has not shown yet. It holds an entry only between the two.
type ownWrites struct {
	mu       sync.Mutex
	versions map[string]string
}

// wrote notes a write. Of two at a time, the one that ends first may be noted
// last.
func (o *ownWrites) wrote(name, version string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if older(o.versions[name], version) {
		o.versions[name] = version
	}
}

func (o *ownWrites) forget(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.versions, name)
}

// trails tells whether the informer's version is older than our own write.
func (o *ownWrites) trails(name, seen string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	version, wrote := o.versions[name]
	if !wrote {
		return false
	}
	if !older(seen, version) {
		delete(o.versions, name)
		return false
	}
	return true
}

func (o *ownWrites) pending() map[string]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.versions)
}

// older compares resource versions of one type of object. They are numbers that
// grow with each write (Kubernetes KEP-5504); one that is none is never ours.
func older(a, b string) bool {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	return errB == nil && (errA != nil || x < y)
}

// maxParsed bounds the documents that are kept parsed. Past it, reading costs
// the parsing again.
const maxParsed = 20000

// parsed keeps documents parsed for as long as they do not change.
type parsed struct {
	mu     sync.Mutex
	values map[string]parsedValue
}

type parsedValue struct {
	version string
	value   any
}

func (p *parsed) get(name, version string) (any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.values[name]
	return v.value, ok && v.version == version
}

func (p *parsed) put(name, version string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.values) >= maxParsed {
		clear(p.values)
	}
	p.values[name] = parsedValue{version, value}
}
