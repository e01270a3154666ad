package cache_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/waybill-cd/waybill/proxy/source/cache"
)

var shop = cache.Scope{Namespace: "waybill", Kind: "image", Repository: "registry.example.com/shop"}

func open(t *testing.T, dir string, o cache.Options) *cache.Cache {
	t.Helper()
	c, err := cache.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func write(t *testing.T, c *cache.Cache, s cache.Scope, values map[string][]byte) {
	t.Helper()
	if err := c.Write(s, values); err != nil {
		t.Fatal(err)
	}
}

// all reads a scope as text.
func all(c *cache.Cache, s cache.Scope) map[string]string {
	found := map[string]string{}
	c.Each(s, "", func(key string, value []byte) { found[key] = string(value) })
	return found
}

func TestWhatIsKnownSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, cache.Options{})
	write(t, c, shop, map[string][]byte{"tag/v1": []byte("a"), "tag/v2": []byte("b"), "other": []byte("c")})
	write(t, c, shop, map[string][]byte{"tag/v1": nil, "tag/v3": []byte("d")})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	c = open(t, dir, cache.Options{})
	if diff := cmp.Diff(map[string]string{"tag/v2": "b", "tag/v3": "d", "other": "c"}, all(c, shop)); diff != "" {
		t.Errorf("what is known (-want +got):\n%s", diff)
	}
	var tags []string
	c.Each(shop, "tag/", func(key string, _ []byte) { tags = append(tags, key) })
	if diff := cmp.Diff([]string{"tag/v2", "tag/v3"}, tags); diff != "" {
		t.Errorf("keys of a prefix (-want +got):\n%s", diff)
	}
	c.Read(shop, func(get func(string) []byte) {
		if string(get("tag/v2")) != "b" || get("tag/v1") != nil {
			t.Errorf("v2 is %q, v1 %q", get("tag/v2"), get("tag/v1"))
		}
	})
}

func TestNothingIsKnownToAnotherScope(t *testing.T) {
	c := open(t, t.TempDir(), cache.Options{})
	write(t, c, shop, map[string][]byte{"v1": []byte("a")})
	for what, change := range map[string]func(*cache.Scope){
		"namespace":          func(s *cache.Scope) { s.Namespace = "other" },
		"kind":               func(s *cache.Scope) { s.Kind = "chart" },
		"repository":         func(s *cache.Scope) { s.Repository += "2" },
		"Secret":             func(s *cache.Scope) { s.Secret = "pull" },
		"checked or not":     func(s *cache.Scope) { s.Insecure = true },
		"borders of a field": func(s *cache.Scope) { s.Namespace, s.Kind = "waybilli", "mage" },
	} {
		other := shop
		change(&other)
		if known := all(c, other); len(known) != 0 {
			t.Errorf("another %s knows %v", what, known)
		}
	}
}

func TestADamagedOrForeignFileIsMadeAnew(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, path string){
		"junk":  func(t *testing.T, path string) { overwrite(t, path, []byte("junk")) },
		"empty": func(t *testing.T, path string) { overwrite(t, path, nil) },
		"truncated": func(t *testing.T, path string) {
			if err := os.Truncate(path, 3*4096); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten in the middle": func(t *testing.T, path string) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := 2 * 4096; i < len(raw); i++ {
				raw[i] = 0xA5
			}
			overwrite(t, path, raw)
		},
		"of another version": func(t *testing.T, path string) {
			put(t, path, "format", "format", "waybill.dev/sources/0")
		},
		"of another program": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			put(t, path, "things", "a", "b")
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			c := open(t, dir, cache.Options{})
			values := map[string][]byte{}
			for n := range 1000 {
				values[fmt.Sprintf("v%d", n)] = []byte("some value")
			}
			write(t, c, shop, values)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, filepath.Join(dir, "sources.db"))

			c = open(t, dir, cache.Options{})
			if known := all(c, shop); len(known) != 0 {
				t.Errorf("%d keys are known of a file that was %s", len(known), what)
			}
			write(t, c, shop, map[string][]byte{"v1": []byte("a")})
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"v1": "a"}, all(open(t, dir, cache.Options{}), shop)); diff != "" {
				t.Errorf("what is known then (-want +got):\n%s", diff)
			}
		})
	}
}

func overwrite(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, path, bucket, key, value string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), []byte(value))
	}); err != nil {
		t.Fatal(err)
	}
}

// A look may outlive the cache by a moment, where the process ends.
func TestWhatComesAfterTheEndHarmsNothing(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, cache.Options{})
	write(t, c, shop, map[string][]byte{"v1": []byte("a")})
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(shop, map[string][]byte{"v2": []byte("b")}); err == nil {
			t.Error("something is kept after the end")
		}
		if known := all(c, shop); len(known) != 0 {
			t.Errorf("%v is known after the end", known)
		}
	}
	if diff := cmp.Diff(map[string]string{"v1": "a"}, all(open(t, dir, cache.Options{}), shop)); diff != "" {
		t.Errorf("what is known after a restart (-want +got):\n%s", diff)
	}
}

func TestAnotherProcessThatHasTheFileHoldsUpNobody(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, cache.Options{})
	write(t, first, shop, map[string][]byte{"v1": []byte("a")})
	second := open(t, dir, cache.Options{})
	write(t, second, shop, map[string][]byte{"v2": []byte("b")})
	if diff := cmp.Diff(map[string]string{"v2": "b"}, all(second, shop)); diff != "" {
		t.Errorf("what the second knows (-want +got):\n%s", diff)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("the folder holds %v, want the first's file alone", files)
	}
	if _, err := cache.Open(filepath.Join(dir, "sources.db", "below"), cache.Options{}); err == nil {
		t.Error("a folder that cannot be made is no error")
	}
}

func TestScopesThatWereNotAskedLongestMakeRoom(t *testing.T) {
	for bound, o := range map[string]cache.Options{"entries": {MaxEntries: 30}, "bytes": {MaxBytes: 30 * 6}} {
		t.Run(bound, func(t *testing.T) {
			c := open(t, t.TempDir(), o)
			scope := func(n int) cache.Scope {
				return cache.Scope{Namespace: "waybill", Kind: "image", Repository: fmt.Sprint(n)}
			}
			ten := map[string][]byte{}
			for n := range 10 {
				ten[fmt.Sprintf("v%02d", n)] = []byte("abc")
			}
			for n := range 3 {
				write(t, c, scope(n), ten)
			}
			all(c, scope(0)) // is asked, so that 1 goes first
			write(t, c, scope(3), map[string][]byte{"v": []byte("a")})
			for n, want := range []int{10, 0, 10, 1} {
				if got := len(all(c, scope(n))); got != want {
					t.Errorf("%d keys of repository %d are known, want %d", got, n, want)
				}
			}
			// Written again, they take no more room.
			for range 5 {
				write(t, c, scope(0), ten)
			}
			if got := len(all(c, scope(2))); got != 10 {
				t.Errorf("%d keys of repository 2 are known, want 10", got)
			}
			many := map[string][]byte{}
			for n := range 100 {
				many[fmt.Sprint(n)] = []byte("abcdef")
			}
			if err := c.Write(scope(5), many); err == nil {
				t.Error("what cannot fit is kept")
			}
			if got := len(all(c, scope(0))); got != 10 {
				t.Errorf("%d keys of repository 0 are known after what did not fit, want 10", got)
			}
		})
	}
}

func TestManyMayReadAndWriteAtOnce(t *testing.T) {
	c := open(t, t.TempDir(), cache.Options{MaxEntries: 200})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			s := cache.Scope{Repository: fmt.Sprint(n % 4)}
			for i := range 50 {
				if err := c.Write(s, map[string][]byte{fmt.Sprint(i): []byte("x")}); err != nil {
					t.Error(err)
				}
				all(c, s)
			}
		})
	}
	wg.Wait()
}
