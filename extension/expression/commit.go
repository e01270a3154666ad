package expression

import "time"

// Commit is what the expressionFilter of a branch sees.
type Commit struct {
	// ID is the full object ID.
	ID string `expr:"id"`
	// Author and Committer are written as Git does: Name <address>.
	Author    string `expr:"author"`
	Committer string `expr:"committer"`
	// Subject is the first line of the message.
	Subject string `expr:"subject"`
	// CommitDate is the committer's date.
	CommitDate time.Time `expr:"commitDate"`
}

// Tag is what the expressionFilter of tags sees.
type Tag struct {
	// Tag is its name.
	Tag string `expr:"tag"`
	// ID is the full object ID of the commit.
	ID string `expr:"id"`
	// Author, Committer and Subject are the commit's.
	Author    string `expr:"author"`
	Committer string `expr:"committer"`
	Subject   string `expr:"subject"`
	// CreatorDate is when an annotated tag was made, else the committer's date.
	CreatorDate time.Time `expr:"creatorDate"`
	// Tagger and Annotation, its first line, are those of an annotated tag, and
	// empty for another.
	Tagger     string `expr:"tagger"`
	Annotation string `expr:"annotation"`
}

func (c Commit) clipped() Commit {
	c.ID, c.Author, c.Committer, c.Subject = clip(c.ID), clip(c.Author), clip(c.Committer), clip(c.Subject)
	return c
}

func (t Tag) clipped() Tag {
	t.Tag, t.ID, t.Author, t.Committer, t.Subject = clip(t.Tag), clip(t.ID), clip(t.Author), clip(t.Committer), clip(t.Subject)
	t.Tagger, t.Annotation = clip(t.Tagger), clip(t.Annotation)
	return t
}

// CompileCommit compiles an expressionFilter of a branch.
func CompileCommit(text string) (Condition[Commit], error) { return compile[Commit](text) }

// CompileTag compiles an expressionFilter of tags.
func CompileTag(text string) (Condition[Tag], error) { return compile[Tag](text) }
