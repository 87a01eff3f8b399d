#!/usr/bin/env bash
# Formats every source file as .clang-format says; with --check it only names those that differ.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(-i)
case "${1:-}" in
  '') ;;
  --check) mode=(--dry-run --Werror) ;;
  *)
    echo "Usage: scripts/format.sh [--check]" >&2
    exit 2
    ;;
esac

# Another version formats some lines otherwise.
clang_format="$(command -v clang-format-14 || command -v clang-format || true)"
if [[ -z $clang_format || $("$clang_format" --version) != *'version 14.'* ]]; then
  echo "format: needs clang-format 14; scripts/setup.sh --dev installs it" >&2
  exit 1
fi
find include src tests bench -name '*.h' -print0 -o -name '*.cpp' -print0 |
  xargs -0 -r "$clang_format" "${mode[@]}" --style=file
