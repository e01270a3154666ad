package gitrepo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// packed makes a pack that claims to hold count objects, of which these follow.
func packed(count uint32, objects ...[]byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), count)
	return append(b, slices.Concat(objects...)...)
}

// sized is an object that claims a size.
func sized(t *testing.T, kind plumbing.ObjectType, size uint64, base []byte, content []byte) []byte {
	t.Helper()
	b := []byte{byte(kind)<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		b[len(b)-1] |= 0x80
		b = append(b, byte(size&127))
	}
	out := bytes.NewBuffer(append(b, base...))
	z := zlib.NewWriter(out)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPackIsMeasuredBeforeItIsInflated(t *testing.T) {
	blob := func(size uint64, content string) []byte {
		return sized(t, plumbing.BlobObject, size, nil, []byte(content))
	}
	delta := func(target uint64) []byte {
		content := binary.AppendUvarint(binary.AppendUvarint(nil, 1), target)
		return sized(t, plumbing.REFDeltaObject, uint64(len(content)), make([]byte, 20), content)
	}
	for name, tt := range map[string]struct {
		pack []byte
		want string
	}{
		"small objects":            {packed(2, blob(1, "x"), delta(maxObject)), ""},
		"an object that is large":  {packed(1, blob(maxObject+1, "x")), "a file of more than 64 MiB"},
		"a delta that is large":    {packed(1, delta(maxObject+1)), "a file of more than 64 MiB"},
		"a delta beyond numbers":   {packed(1, delta(1<<63)), "a file of more than 64 MiB"},
		"a delta without a size":   {packed(1, sized(t, plumbing.REFDeltaObject, 1, make([]byte, 20), []byte{0x80})), "a file of more than 64 MiB"},
		"deltas of much":           {packed(5, delta(maxObject), delta(maxObject), delta(maxObject), delta(maxObject), delta(1)), "changes of files of more than 256 MiB"},
		"objects beyond the bound": {packed(maxObjects + 1), "more than 500000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := checkPack(bytes.NewReader(tt.pack))
			var large *excess
			if tt.want == "" && err == nil {
				return
			}
			if !errors.As(err, &large) || tt.want == "" || !strings.Contains(large.what, tt.want) {
				t.Errorf("error %v, want one of %q", err, tt.want)
			}
		})
	}
}
