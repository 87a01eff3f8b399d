#!/usr/bin/env bash
# Set-up, build and all tests: what to run after a clone and before a push, and what continuous
# integration runs. With everything built it takes seconds.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--preset NAME] [--fast] [OPTIONS OF scripts/setup.sh]

  --preset NAME    what to build and test: release (the default), dev, asan or ci
  --fast           leave out the tests that take ten seconds and more by themselves (those
                   of ctest's label `slow`); for work in between, not before a push

Says which of its four steps it is at and, of the build and the tests, how many of how many are
done: a line each, so that a log that is no terminal shows it too.
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=release
setup_options=()
test_options=()
what='all tests'
while (($#)); do
  case "$1" in
    --preset)
      (($# > 1)) || { usage >&2 && exit 2; }
      preset="$2"
      shift
      ;;
    --fast)
      test_options=(--label-exclude slow)
      what='all tests but the slow ones'
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) setup_options+=("$1") ;;
  esac
  shift
done

step() { printf 'test: step %s of 4, after %d s: %s\n' "$1" "$SECONDS" "$2"; }

step 1 'set-up'
scripts/setup.sh --tests "${setup_options[@]}"
step 2 "configuring the preset $preset"
cmake --preset "$preset"
step 3 'building'
# The build itself holds back the translation units that need much memory.
cmake --build --preset "$preset" --parallel "$(nproc)"
step 4 "$what"
ctest --preset "$preset" "${test_options[@]}"
