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

// maxAliases bounds the search for an alias that is free; beyond, a number is
// added.
const maxAliases = 16

// Alias returns the memorable name of freight, an adjective and an animal. It
// follows from the ID, but for one that is taken: then the next is tried, so that
// no two pieces of freight of a pipeline share one while both are kept.
func Alias(id string, taken func(alias string) bool) string {
	adjectives, animals, _ := strings.Cut(strings.TrimSpace(aliasWords), "\n\n")
	first, second := strings.Fields(adjectives), strings.Fields(animals)
	alias := ""
	for attempt := range maxAliases {
		sum := sha256.Sum256([]byte(strconv.Itoa(attempt) + id))
		alias = first[binary.BigEndian.Uint32(sum[:4])%uint32(len(first))] + "-" +
			second[binary.BigEndian.Uint32(sum[4:8])%uint32(len(second))]
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
