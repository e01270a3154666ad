package freight

import "strings"

// The lengths of hashes in hex digits.
const (
	sha1Length   = 40
	sha256Length = 64
)

// IsDigest tells whether a text is an OCI digest of the one algorithm that is
// pinned.
func IsDigest(text string) bool {
	digits, found := strings.CutPrefix(text, "sha256:")
	return found && isHash(digits, sha256Length)
}

// isCommit tells whether a text is the full ID of a Git commit, in either of
// Git's formats.
func isCommit(text string) bool { return isHash(text, sha1Length) || isHash(text, sha256Length) }

func isHash(text string, length int) bool {
	return len(text) == length && strings.Trim(text, "0123456789abcdef") == ""
}
