package gitrepo

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// Bounds of what a pack holds. The library inflates each object as a whole, in
// memory, to make the index of a pack; what a pack says in its headers is looked
// at before.
const (
	maxObject  = 64 << 20  // bytes of an object: a file, a folder, a commit
	maxDeltas  = 256 << 20 // bytes of all objects that are sent as a change of another: a chain of them is held together
	maxContent = 2 << 30   // bytes of all objects
	maxObjects = 500_000
)

// excess is the error of a pack that holds more than is taken.
type excess struct{ what string }

func (e *excess) Error() string { return "the pack holds " + e.what }

func mebibytes(what string, n int64) *excess {
	return &excess{fmt.Sprintf("%s of more than %d MiB", what, n>>20)}
}

// weight is what a pack holds.
type weight struct {
	objects int
	bytes   int64 // of all objects, inflated
}

// checkPack reads a pack without keeping any of it. The error is an *excess where
// its objects are too large or too many, and that of the library where it is no
// pack.
func checkPack(pack io.Reader) (weight, error) {
	s := packfile.NewScanner(pack)
	_, count, err := s.Header()
	if err != nil {
		return weight{}, err
	}
	if count > maxObjects {
		return weight{}, &excess{fmt.Sprintf("more than %d files and folders", maxObjects)}
	}
	var all, deltas int64
	for range count {
		o, err := s.NextObjectHeader()
		if err != nil {
			return weight{}, err
		}
		size := o.Length
		if size > maxObject {
			return weight{}, mebibytes("a file", maxObject)
		}
		var start prefix
		if _, _, err := s.NextObject(&start); err != nil {
			return weight{}, err
		}
		if o.Type.IsDelta() {
			if size = start.target(); size < 0 || size > maxObject {
				return weight{}, mebibytes("a file", maxObject)
			}
			if deltas += size; deltas > maxDeltas {
				return weight{}, mebibytes("changes of files", maxDeltas)
			}
		}
		if all += size; all > maxContent {
			return weight{}, mebibytes("files", maxContent)
		}
	}
	return weight{int(count), all}, nil
}

// prefix keeps the beginning of what is written to it: enough for two numbers.
type prefix struct {
	kept [2 * binary.MaxVarintLen64]byte
	n    int
}

// Write implements io.Writer.
func (p *prefix) Write(b []byte) (int, error) {
	p.n += copy(p.kept[p.n:], b)
	return len(b), nil
}

// target is the size, in bytes, of what a delta makes: the second of the numbers
// that it begins with (Git, gitformat-pack, "Deltified representation");
// negative where it is none.
func (p *prefix) target() int64 {
	_, first := binary.Uvarint(p.kept[:p.n])
	if first <= 0 {
		return -1
	}
	size, second := binary.Uvarint(p.kept[first:p.n])
	if second <= 0 {
		return -1
	}
	return int64(size) //nolint:gosec // what overflows is negative, and refused
}
