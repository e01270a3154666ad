package freight

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"strconv"
	"strings"
)

// The words of aliases: short, plain, and none that offends beside another.
//
//go:embed alias.txt
var aliasWords string

// aliasAttempts bounds the search for an alias that is free; beyond, a number is
// added.
const aliasAttempts = 16

// Alias returns the memorable name of freight, an adjective and an animal. It
// follows from the ID alone unless taken says that it is in use: then the next is
// tried, so that no two pieces of freight of a pipeline that are kept share one.
// Taken must not be true of everything.
func Alias(id string, taken func(alias string) bool) string {
	adjectives, animals, _ := strings.Cut(aliasWords, "\n\n")
	first, second := strings.Fields(adjectives), strings.Fields(animals)
	var alias string
	for attempt := range aliasAttempts {
		sum := sha256.Sum256([]byte(strconv.Itoa(attempt) + " " + id))
		alias = pick(first, sum[:4]) + "-" + pick(second, sum[4:8])
		if !taken(alias) {
			return alias
		}
	}
	for n := 2; ; n++ {
		if numbered := alias + "-" + strconv.Itoa(n); !taken(numbered) {
			return numbered
		}
	}
}

func pick(words []string, at []byte) string {
	return words[uint64(binary.BigEndian.Uint32(at))%uint64(len(words))]
}
