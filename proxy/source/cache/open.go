package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileName = "sources.db"
	// format is written into the file: one of another is made anew.
	format = "waybill.dev/sources/1"
	// lockTimeout is how long the start waits for another process.
	lockTimeout = time.Second
)

// formatBucket holds one key, the format. No scope has its name.
var formatBucket = []byte("format")

var (
	errDamaged = errors.New("the file is damaged")
	errClosed  = errors.New("what was read cannot be kept: the cache is closed")
)

// Open opens the cache in a folder, which is made where it is missing. A file
// that is damaged or of another version is made anew. While another process has
// it, a file without a name is used instead, and forgotten at the end. An error
// is of the folder: nothing can be written to it.
func Open(dir string, o Options) (*Cache, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = defaultMaxEntries
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("the cache folder cannot be made: %w", err)
	}
	c := &Cache{options: o, path: filepath.Join(dir, fileName)}
	err := c.load()
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		err = c.loadUnnamed(dir)
	case err != nil:
		err = c.renew()
	}
	if err != nil {
		return nil, fmt.Errorf("the cache folder %s cannot be used: %w", dir, err)
	}
	return c, nil
}

// Close closes the file. Nothing is known after it, nor kept.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed, c.scopes = true, nil
	if c.db == nil {
		return nil
	}
	return c.db.Close()
}

// load opens the file and reads all of it once, which finds damage before it can
// do harm, and counts what there is.
func (c *Cache) load() error {
	c.scopes, c.total = map[string]*usage{}, usage{}
	return sound(func() (err error) {
		// Every write is on the disk before it is done: of pages of two ages, as a crash
		// of the machine would leave them, one repository would be given what the tag of
		// another stood for, and nothing would notice.
		c.db, err = bolt.Open(c.path, 0o600, &bolt.Options{Timeout: lockTimeout})
		if c.unnamed {
			_ = os.Remove(c.path)
		}
		if err != nil {
			return err
		}
		if err := c.db.Update(begin); err != nil {
			return err
		}
		return c.db.View(c.survey)
	})
}

// begin writes the format into a new file, and refuses another.
func begin(tx *bolt.Tx) error {
	if b := tx.Bucket(formatBucket); b != nil {
		if string(b.Get(formatBucket)) != format {
			return errDamaged
		}
		return nil
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return errDamaged // a file of somebody else
	}
	b, err := tx.CreateBucket(formatBucket)
	if err != nil {
		return err
	}
	return b.Put(formatBucket, []byte(format))
}

// survey reads everything and counts it.
func (c *Cache) survey(tx *bolt.Tx) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		if string(name) == string(formatBucket) {
			return nil
		}
		u := &usage{}
		err := b.ForEach(func(k, v []byte) error {
			if v == nil {
				return errDamaged
			}
			u.add(usage{entries: 1, bytes: int64(len(k) + len(v))})
			return nil
		})
		c.scopes[string(name)] = u
		c.total.add(*u)
		return err
	})
}

// renew starts anew with an empty file.
func (c *Cache) renew() error {
	if c.db != nil {
		_ = sound(c.db.Close)
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return c.load()
}

// loadUnnamed uses a file that ends with the process.
func (c *Cache) loadUnnamed(dir string) error {
	f, err := os.CreateTemp(dir, "sources-*.db")
	if err != nil {
		return err
	}
	defer f.Close()
	c.path, c.unnamed = f.Name(), true
	return c.load()
}

// reload finds out anew what the file holds after a write that failed, and starts
// anew where it is damaged.
func (c *Cache) reload() {
	before := c.scopes
	c.scopes, c.total = map[string]*usage{}, usage{}
	if sound(func() error { return c.db.View(c.survey) }) != nil {
		_ = c.renew()
	}
	for name, u := range before {
		if now, ok := c.scopes[name]; ok {
			now.used = u.used
		}
	}
}

// sound makes an error of what a damaged file does to who reads it: a panic, or a
// fault where it is shorter than it says.
func sound(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", errDamaged, cause)
		}
	}()
	return f()
}
