package pipeline

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of the document, for editors. It
// allows what [Parse] takes, but for a number where a text is wanted and for an
// empty value that stands for the default. What a schema cannot say, Parse tells.
//
// It is made from the types and their comments:
//
//	go test ./extension/pipeline -run TestTheSchemaIsTheTypes -update
//
//go:embed pipeline.schema.json
var Schema string
