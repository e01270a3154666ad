#!/usr/bin/env bash
# Runs every fuzz target of the repository for a time: fuzz.sh 3s
#
# A target is ended by an interrupt, not by -test.fuzztime: where that time ends,
# Go's fuzzer may report its own deadline as a failure (golang.org/issue/75804).
set -euo pipefail
time=${1:?usage: fuzz.sh TIME}
cd "$(dirname "$0")/.."
root=$PWD
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
cache=$(go env GOCACHE)/fuzz
# The status of a target that was interrupted before it listened for that, which is
# while it starts, and takes longer on a busy machine.
interrupted=130
fuzz() { # PACKAGE TARGET TIME
  timeout --foreground --preserve-status --signal=INT "$3" "$built/fuzz.test" -test.run '^$' \
    -test.fuzz "^$2\$" -test.fuzzcachedir "$cache/$1" -test.fuzzminimizetime 1x < /dev/null
}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r package; do
  go test -c -fuzz=. -o "$built/fuzz.test" "$package"
  cd "$package"
  sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' ./*_test.go | sort -u | while read -r target; do
    echo "fuzz $package $target"
    status=0
    fuzz "$package" "$target" "$time" || status=$?
    if [ "$status" -eq "$interrupted" ]; then
      status=0
      fuzz "$package" "$target" 1m || status=$?
    fi
    [ "$status" -eq 0 ] || exit "$status"
  done
  cd "$root"
done
