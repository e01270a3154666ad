#!/usr/bin/env bash
# Runs every fuzz target of the repository for a time: fuzz.sh 3s
set -euo pipefail
time=${1:?usage: fuzz.sh TIME}
cd "$(dirname "$0")/.."
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r package; do
  sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$package"/*_test.go | sort -u | while read -r target; do
    echo "fuzz $package $target"
    go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1x < /dev/null
  done
done
