#!/usr/bin/env bash
# Set-up, build and all tests: what to run after a clone and before a push, and what continuous
# integration runs. With everything built it takes seconds.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--preset NAME] [OPTIONS OF scripts/setup.sh]

  --preset NAME    what to build and test: release (the default), dev, asan or ci
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=release
setup_options=()
while (($#)); do
  case "$1" in
    --preset)
      (($# > 1)) || { usage >&2 && exit 2; }
      preset="$2"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) setup_options+=("$1") ;;
  esac
  shift
done

scripts/setup.sh --tests "${setup_options[@]}"
cmake --preset "$preset"
# The build itself holds back the translation units that need much memory.
cmake --build --preset "$preset" --parallel "$(nproc)"
ctest --preset "$preset"
