// Package cache keeps what is known of repositories over a restart: that a tag
// stands for a digest, when an image was built. All of it can be asked for again,
// so that nothing here may hold up a look, or the start: a damaged file is made
// anew, and what does not fit is forgotten. Nothing in it is secret.
package cache

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Scope is what knowledge is about, and whose it is: nothing is known to another
// scope. So a namespace never learns by it what only another may read; nor does a
// subscription without credentials learn what was read with a Secret, or one that
// checks certificates what an unchecked one vouched for.
type Scope struct {
	Namespace string
	// Kind is what is known: "image", "chart".
	Kind       string
	Repository string
	// Secret names the credentials that the repository was read with.
	Secret   string
	Insecure bool
}

// name is the scope as a key: quoted, so that no two have the same.
func (s Scope) name() []byte {
	return fmt.Appendf(nil, "%q %q %q %q %t", s.Namespace, s.Kind, s.Repository, s.Secret, s.Insecure)
}

// Options bound a cache. The zero value stands for the defaults.
type Options struct {
	// MaxBytes is how much is kept, keys and values; 256 MiB. The file is larger,
	// by the pages that are not full.
	MaxBytes int64
	// MaxEntries is how many keys are kept; 4 million.
	MaxEntries int
}

const (
	defaultMaxBytes   = 256 << 20
	defaultMaxEntries = 4_000_000
)

// Cache is the file. It may be used by several goroutines at a time.
type Cache struct {
	options Options
	path    string
	unnamed bool // the file loses its name as soon as it is open

	mu     sync.RWMutex // held to write
	db     *bolt.DB     // nil where no file could be opened
	closed bool
	scopes map[string]*usage
	total  usage

	usedMu sync.Mutex // guards usage.used, which reading changes
}

// usage is how much a scope holds, and when it was last asked.
type usage struct {
	entries int
	bytes   int64
	used    time.Time
}

// Read has read called with what looks up keys of a scope; a value is valid until
// read returns. What cannot be read is not there.
func (c *Cache) Read(s Scope, read func(get func(key string) []byte)) {
	c.view(s, func(b *bolt.Bucket) { read(func(key string) []byte { return b.Get([]byte(key)) }) })
}

// Each has visit called for the keys of a scope that begin with a prefix, in byte
// order. Key and value are valid until it returns.
func (c *Cache) Each(s Scope, prefix string, visit func(key string, value []byte)) {
	c.view(s, func(b *bolt.Bucket) {
		cursor := b.Cursor()
		for k, v := cursor.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = cursor.Next() {
			visit(string(k), v)
		}
	})
}

func (c *Cache) view(s Scope, f func(*bolt.Bucket)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if u, ok := c.scopes[string(s.name())]; ok {
		c.usedMu.Lock()
		u.used = time.Now()
		c.usedMu.Unlock()
		_ = sound(func() error {
			return c.db.View(func(tx *bolt.Tx) error {
				if b := tx.Bucket(s.name()); b != nil {
					f(b)
				}
				return nil
			})
		})
	}
}

// Write puts and drops keys of a scope at once. A nil value drops. Scopes that
// were not asked for longest make room; what still does not fit is an error.
func (c *Cache) Write(s Scope, values map[string][]byte) error {
	if len(values) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed // and no damage, which would make the file anew
	}
	name := s.name()
	grown := usage{}
	err := sound(func() error {
		return c.db.Update(func(tx *bolt.Tx) (err error) {
			grown, err = put(tx, name, values)
			if err != nil {
				return err
			}
			return c.makeRoom(tx, string(name), grown)
		})
	})
	if err != nil {
		c.reload()
		return fmt.Errorf("what was read cannot be kept: %w", err)
	}
	u, ok := c.scopes[string(name)]
	if !ok {
		u = &usage{}
		c.scopes[string(name)] = u
	}
	u.add(grown)
	u.used = time.Now()
	c.total.add(grown)
	return nil
}

func put(tx *bolt.Tx, name []byte, values map[string][]byte) (grown usage, err error) {
	b, err := tx.CreateBucketIfNotExists(name)
	if err != nil {
		return usage{}, err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) { // pages are filled in order
		k, v := []byte(key), values[key]
		if old := b.Get(k); old != nil {
			grown.add(usage{entries: -1, bytes: -int64(len(k) + len(old))})
		}
		if v == nil {
			if err := b.Delete(k); err != nil {
				return usage{}, err
			}
			continue
		}
		if err := b.Put(k, v); err != nil {
			return usage{}, err
		}
		grown.add(usage{entries: 1, bytes: int64(len(k) + len(v))})
	}
	return grown, nil
}

func (u *usage) add(v usage) { u.entries += v.entries; u.bytes += v.bytes }

// makeRoom drops the scopes that were not asked for longest until what one has
// grown by fits.
func (c *Cache) makeRoom(tx *bolt.Tx, grows string, by usage) error {
	names := slices.SortedFunc(maps.Keys(c.scopes), func(a, b string) int { return c.scopes[a].used.Compare(c.scopes[b].used) })
	for c.total.entries+by.entries > c.options.MaxEntries || c.total.bytes+by.bytes > c.options.MaxBytes {
		if len(names) > 0 && names[0] == grows {
			names = names[1:]
		}
		if len(names) == 0 {
			return fmt.Errorf("one repository takes more than %d MiB or %d entries", c.options.MaxBytes>>20, c.options.MaxEntries)
		}
		if err := tx.DeleteBucket([]byte(names[0])); err != nil {
			return err
		}
		dropped := c.scopes[names[0]]
		c.total.add(usage{entries: -dropped.entries, bytes: -dropped.bytes})
		delete(c.scopes, names[0])
		names = names[1:]
	}
	return nil
}
