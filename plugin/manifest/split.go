package manifest

import "bytes"

// split cuts a YAML stream before each line that marks a document. Such a line
// can stand nowhere inside a document (YAML 1.2, 9.1.2), so no parser is needed.
func split(stream []byte) [][]byte {
	var documents [][]byte
	start, at := 0, 0
	for at < len(stream) {
		end := len(stream)
		if i := bytes.IndexByte(stream[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if at > start && isMarker(stream[at:end]) {
			documents = append(documents, stream[start:at])
			start = at
		}
		at = end
	}
	return append(documents, stream[start:])
}

func isMarker(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	return found && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}
