#!/usr/bin/env bash
# Runs every fuzz target of the repository for a time: fuzz.sh 60s [FOLDER]
#
# What is found to cover more is kept in the folder, where later runs begin with it;
# without one a run begins with the targets' own seeds, so that all of its time is
# for what is new. As many targets run at once as there are CPUs, each on one.
#
# A target is ended by an interrupt, not by -test.fuzztime: where that time ends,
# Go's fuzzer may report its own deadline as a failure (golang.org/issue/75804).
set -euo pipefail
time=${1:?usage: fuzz.sh TIME [FOLDER]}
cd "$(dirname "$0")/.."
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
corpus=${2:-$built/corpus}

# build makes the binary of each package, and prints a line for each of its targets.
build() {
  local package binary target
  grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r package; do
    binary=$built/$(tr / _ <<< "$package").test
    go test -c -fuzz=. -o "$binary" "$package"
    sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$package"/*_test.go | sort -u | while read -r target; do
      echo "$package $target $binary"
    done
  done
}

# target runs a target for a time.
target() { # PACKAGE TARGET BINARY TIME
  GOMAXPROCS=1 timeout --foreground --preserve-status --signal=INT "$4" "$3" -test.run '^$' \
    -test.fuzz "^$2\$" -test.fuzzcachedir "$corpus/$1" -test.fuzzminimizetime 1x < /dev/null 2>&1
}

# fuzz runs a target, for longer where it was interrupted (130) before it listened
# for that, as it may be on a busy machine. What it prints is printed at once, so
# that two are not mixed.
fuzz() { # PACKAGE TARGET BINARY
  local output status=0
  cd "$1"
  output=$(target "$@" "$time") || status=$?
  if [ "$status" -eq 130 ]; then
    status=0
    output=$(target "$@" 1m) || status=$?
  fi
  if [ "$status" -ne 0 ]; then
    printf 'fuzz %s %s\n%s\n' "$1" "$2" "$output"
    return 1
  fi
  echo "fuzz $1 $2: $(grep -o 'execs: [0-9]*' <<< "$output" | tail -n 1)"
}

export time corpus
export -f target fuzz
build | xargs -P "$(nproc)" -L 1 bash -euo pipefail -c 'fuzz "$@"' fuzz
