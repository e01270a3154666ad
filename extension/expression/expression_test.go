package expression_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/waybill-cd/waybill/extension/expression"
)

var commit = expression.Commit{
	ID: "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90", Author: "Alice <alice@example.com>", Committer: "Bot <bot@example.com>",
	Subject: "fix(cart): sell more", CommitDate: time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC),
}

func TestAConditionOnACommitHoldsOrNot(t *testing.T) {
	for text, want := range map[string]bool{
		"true": true,
		`id == "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90"`:              true,
		`author contains "alice@"`:                                      true,
		`!(author contains "bot")`:                                      true,
		`committer startsWith "Bot"`:                                    true,
		`subject endsWith "less"`:                                       false,
		`subject matches "^(feat|fix)[(:]"`:                             true,
		`any(["feat", "fix"], subject startsWith #)`:                    true,
		`all(["feat", "fix"], subject startsWith #)`:                    false,
		`any(split(subject, " "), lower(#) matches "^more$")`:           true,
		`any(["a", "fix"], subject matches "^fix" && # == "fix")`:       true,
		`count(split(subject, " "), len(#) > 3) == 3`:                   true,
		`first(split(subject, ":")) == "fix(cart)"`:                     true,
		`lower(author) in ["alice <alice@example.com>"]`:                true,
		`commitDate.Year() >= 2026`:                                     true,
		`commitDate > date("2026-03-04T05:06:07Z")`:                     false,
		`commitDate.Weekday().String() == "Wednesday"`:                  true,
		`date("2026-03-04T23:30:00-05:00").UTC().Day() == 5`:            true,
		`commitDate.AddDate(0, 0, 7).After(date("2026-03-11"))`:         true,
		`commitDate.Add(duration("1h")).Hour() == 6`:                    true,
		`commitDate - date("2026-03-01") > duration("72h")`:             true,
		`trimPrefix(subject, "fix") != subject ? len(id) == 40 : false`: true,
	} {
		condition, err := expression.CompileCommit(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := condition.Holds(commit); got != want || err != nil {
			t.Errorf("%s = %t, %v, want %t", text, got, err, want)
		}
	}
}

func TestAConditionOnATagHoldsOrNot(t *testing.T) {
	tag := expression.Tag{
		Tag: "v1.2.0", ID: commit.ID, Author: commit.Author, Committer: commit.Committer, Subject: commit.Subject,
		CreatorDate: commit.CommitDate, Tagger: "Bob <bob@example.com>", Annotation: "Release 1.2.0",
	}
	for text, want := range map[string]bool{
		`tag startsWith "v1."`: true, `id startsWith "4b"`: true, `author == committer`: false, `subject contains "cart"`: true,
		`creatorDate.Month().String() == "March"`: true, `tagger contains "bob@"`: true, `annotation matches "^Release [0-9.]+$"`: true, `annotation == ""`: false,
	} {
		condition, err := expression.CompileTag(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := condition.Holds(tag); got != want || err != nil {
			t.Errorf("%s = %t, %v, want %t", text, got, err, want)
		}
	}
}

const allowed = ": the functions are len, type, lower, upper, trim, trimPrefix, trimSuffix, hasPrefix, hasSuffix, indexOf, lastIndexOf, split, " +
	"int, float, abs, ceil, floor, round, min, max, date, duration, first, last, all, any, none, one, filter, find, count"

const allowedMethods = ": of a date or a duration, there are Year, Month, Day, YearDay, Weekday, Hour, Minute, Second, Unix, UTC, Add, AddDate, Before, After, Equal, Sub, Hours, Minutes, Seconds, String"

func TestWhatIsNoConditionIsRefused(t *testing.T) {
	const nested = "a condition on the elements of a list cannot hold another one: write one list"
	for text, want := range map[string]string{
		"":                               "is empty: write a condition, which is true or false",
		" \n\t":                          "is empty: write a condition, which is true or false",
		"#" + strings.Repeat(" ", 4<<10): "is longer than 4096 bytes: write a shorter condition",
		"author":                         "expected bool, but got string",
		"1":                              "expected bool, but got int",
		"nil":                            "expected bool, but got unknown",
		"writer == 'a'":                  "unknown name writer (1:1): an expression here sees id, author, committer, subject, commitDate",
		"author == 1":                    "invalid operation: == (mismatched types string and int) (1:8)",
		"author ==":                      "unexpected token EOF (1:9)",
		"author.Name == ''":              "string has no field Name (1:8)",
		"commitDate.year > 2020":         "date has no field year (1:12): it has Year(), Month(), Day(), YearDay(), Weekday(), Hour(), Minute(), Second(), Unix(), UTC(), Add(), AddDate(), Before(), After(), Equal(), Sub(), String()",
		"commitDate > 2020":              "invalid operation: > (mismatched types date and int) (1:12)",
		`subject matches "("`:            "\"(\" is not a regular expression (RE2): error parsing regexp: missing closing ): `(`",
		`subject matches author + "("`:   "a computed regular expression is not allowed here: write it out after matches",
		`any(split(subject, ""), lower(subject) matches "a")`:            "matches goes with # in what is done with each element of a list: match another text outside of it",
		`subject matches "(x?x?){1000}"`:                                 `"(x?x?){1000}" stands for more than 1000 characters, its repetitions written out: repeat less, or write several`,
		"now().Year() > 2020":                                            "now is not allowed here" + allowed,
		`repeat(subject, 1000000) != ""`:                                 "repeat is not allowed here" + allowed,
		`let s = subject + subject; s == ""`:                             "let is not allowed here: write the value where it is used",
		`"a"; true`:                                                      "several expressions (;) are not allowed here: write one",
		`len(1..1000000) > 0`:                                            "ranges (..) are not allowed here: compare with >= and <=",
		`reduce([1], #acc + #) > 0`:                                      "reduce is not allowed here" + allowed,
		`len(map([subject], # + #)) > 0`:                                 "map is not allowed here" + allowed,
		`commitDate.Format(subject) == ""`:                               "Format() is not allowed here" + allowedMethods,
		`date(subject)?.Local() == commitDate`:                           "Local() is not allowed here" + allowedMethods,
		`$env.commitDate?.Format("1") == ""`:                             "Format() is not allowed here" + allowedMethods,
		`any([commitDate], .Format("1") == "")`:                          "Format() is not allowed here" + allowedMethods,
		`any([1], any([2], # > 0))`:                                      nested,
		`any([1], len(filter([2], # > 0)) > 0)`:                          nested,
		`date("2026-01-01", "2006-01-02", "Europe/Berlin") < commitDate`: "date takes no time zone here: write it into the date, as 2026-01-31T00:00:00+01:00",
		strings.Repeat("1+", 17) + "1 > 0":                               "more than 16 sums (+) are not allowed here: write a shorter one",
		strings.Repeat("!", 600) + "true":                                "compilation failed: expression exceeds maximum allowed nodes (1:604)",
	} {
		_, err := expression.CompileCommit(text)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

func TestWhatCannotBeToldOfAValueIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		`int(subject) > 1`:                    `invalid operation: int(fix(cart): sell more)`,
		`date(subject) < commitDate`:          "invalid date fix(cart): sell more",
		`split(subject, ":")[7] == ""`:        "index out of range: 7 (array length is 2)",
		`len(subject) % (len(id) - 40) == 0`:  "divide by zero",
		`duration(subject) > duration("1ns")`: "invalid duration",
	} {
		condition, err := expression.CompileCommit(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := condition.Holds(commit)
		if got || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s = %t, %v, want an error of one line: %s", text, got, err, want)
		}
	}
}

// The whole is bounded by the expression's length and by that of the texts.
func TestNoExpressionTakesMuchMemory(t *testing.T) {
	huge := commit
	huge.Subject = strings.Repeat("ü ", 1<<20)
	for name, text := range map[string]string{
		"as many sums as there may be":  "len(" + strings.TrimSuffix(strings.Repeat("subject+", 17), "+") + ") < 0",
		"as many lists as there may be": "count(split(subject, ''), len(split(subject, '')) < 0) > 0",
		"as many sums at each element":  "any(split(subject, ''), " + strings.Repeat("subject+", 16) + "# == '')",
		"a large pattern":               "subject matches '(.?.?){100}y'",
	} {
		condition, err := expression.CompileCommit(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if got, err := condition.Holds(huge); got || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Errorf("%s allocates %d MiB", name, took>>20)
		}
	}
}

func TestOfALongTextTheBeginningCounts(t *testing.T) {
	condition, err := expression.CompileCommit(`len(subject) <= 1024 && subject startsWith "aü" && !(subject contains "end")`)
	if err != nil {
		t.Fatal(err)
	}
	long := commit
	long.Subject = "a" + strings.Repeat("ü", 2000) + "end"
	if holds, err := condition.Holds(long); !holds || err != nil {
		t.Errorf("Holds = %t, %v", holds, err)
	}
}

// FuzzConditions feeds expressions, which whoever may write a pipeline writes.
func FuzzConditions(f *testing.F) {
	for _, text := range []string{
		"true", `author contains "a"`, `any(split(subject, " "), # matches "^a")`, `commitDate.Year() > 2020`, "let x = 1; x > 0", "1..9", "((((", "{a: 1}.a == 1",
		`subject[1:3] == "ix"`, `subject?.x ?? true`, `filter([1,2], # > 1)[0] == 2`, `1 % 0 == 1`, `"a" in ["a"] ? true : false`, "#", `$env.author == ""`, `int("9") ** 99 > 1e9`,
		`tag == ""`, `min([3, 1]) == 1`, `"\u0000" < "b" || not true`, `author |> lower() |> hasPrefix("a")`, `find(["a"], # == subject) == nil`, `duration("1h") > commitDate - commitDate`,
	} {
		f.Add(text, "subject", "author")
	}
	f.Fuzz(func(t *testing.T, text, subject, author string) {
		value := expression.Commit{ID: commit.ID, Author: author, Committer: author, Subject: subject, CommitDate: commit.CommitDate}
		condition, err := expression.CompileCommit(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		first, err := condition.Holds(value)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %q", err)
		}
		if again, _ := condition.Holds(value); again != first {
			t.Errorf("%q holds of a commit once, and once not", text)
		}
	})
}

func ExampleCompileCommit() {
	condition, err := expression.CompileCommit(`author contains "@example.com" && not (subject startsWith "chore:")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(condition.Holds(expression.Commit{Author: "Alice <alice@example.com>", Subject: "feat: sell more"}))
	fmt.Println(condition.Holds(expression.Commit{Author: "Alice <alice@example.com>", Subject: "chore: tidy up"}))
	// Output:
	// true <nil>
	// false <nil>
}
