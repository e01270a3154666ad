package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const repositoryURL = "https://github.com/waybill-cd/waybill"

// source is what the images are built from; it is all that varies in them from
// one build to the next.
type source struct {
	Version  string    // in the binaries, the labels and the tag
	Revision string    // the commit, "" outside a repository
	Time     time.Time // of the commit; every timestamp in the images
}

// describeSource reads version, commit and time from the Git repository around
// the working directory. Without one, or before the first commit, the version is
// "unreleased" and the time the Unix epoch. SOURCE_DATE_EPOCH overrides the time,
// in seconds.
func describeSource(ctx context.Context) (source, error) {
	s := source{Version: "unreleased", Time: time.Unix(0, 0).UTC()}
	if commit, err := git(ctx, "log", "-1", "--format=%H %ct"); err == nil {
		revision, seconds, _ := strings.Cut(commit, " ")
		s.Revision = revision
		if s.Time, err = parseEpoch(seconds); err != nil {
			return source{}, fmt.Errorf("time of commit %s: %w", revision, err)
		}
		if s.Version, err = git(ctx, "describe", "--tags", "--always", "--dirty"); err != nil {
			return source{}, err
		}
	} else if ctx.Err() != nil {
		return source{}, ctx.Err()
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		t, err := parseEpoch(epoch)
		if err != nil {
			return source{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		s.Time = t
	}
	return s, nil
}

func parseEpoch(s string) (time.Time, error) {
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a number of seconds", s)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
