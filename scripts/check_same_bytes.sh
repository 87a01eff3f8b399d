#!/usr/bin/env bash
# Shows that volumes.csv does not depend on how a run came about: threads, order of cases, shards,
# and SIGKILL at random moments followed by a second run. Prints a line per check; exit 1 where the
# bytes differ.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/check_same_bytes.sh MODEL SCANS [--kills N] [--seed N] [-- PREDICT OPTIONS]

MODEL: a bundle. SCANS: a folder with several case folders. --kills: runs to kill (10).
MCVOL names the program (build/release/bin/mcvol).
TEXT
}

(($# >= 2)) || { usage >&2 && exit 2; }
model="$1"
scans="$(cd "$2" && pwd)"
shift 2
kills=10
RANDOM=1
while (($#)); do
  case "$1" in
    --kills) kills="$2" && shift 2 ;;
    --seed) RANDOM="$2" && shift 2 ;;
    --) shift && break ;;
    *) usage >&2 && exit 2 ;;
  esac
done
options=("$@")
program="${MCVOL:-$(dirname "${BASH_SOURCE[0]}")/../build/release/bin/mcvol}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

predict() { # OUT SCANS... -- OPTIONS
  local out="$1"
  shift
  "$program" predict "$@" --model "$model" --out "$work/$out" --device cpu --quiet "${options[@]}"
}
differ=0
same() { # NAME OUT
  if cmp -s "$work/whole/volumes.csv" "$work/$2/volumes.csv"; then
    echo "same bytes: $1"
  else
    echo "DIFFERENT: $1"
    differ=1
  fi
}

begin=$(date +%s%N)
predict whole "$scans"
duration_ms=$((($(date +%s%N) - begin) / 1000000))
echo "one run: $(($(wc -l <"$work/whole/volumes.csv") - 1)) rows, $duration_ms ms"

for threads in 1 2 3; do
  predict "threads_$threads" "$scans" --threads "$threads"
  same "--threads $threads" "threads_$threads"
done

mapfile -t cases < <(find "$scans" -mindepth 1 -maxdepth 1 -type d | sort -r)
predict reversed "${cases[@]}"
same "cases given in reverse order" reversed

for shard in 1 2 3; do predict shards "$scans" --shard "$shard/3"; done
"$program" merge "$work/shards" --out "$work/merged" --quiet
same "three shards merged" merged

killed=0
for ((n = 1; n <= kills; ++n)); do
  moment_ms=$((RANDOM * duration_ms / 32768))
  "$program" predict "$scans" --model "$model" --out "$work/killed_$n" --device cpu --quiet \
    "${options[@]}" &
  process=$!
  sleep "$(printf '%d.%03d' $((moment_ms / 1000)) $((moment_ms % 1000)))"
  kill -KILL "$process" 2>/dev/null && killed=$((killed + 1))
  wait "$process" 2>/dev/null || true
  left=$({ find "$work/killed_$n" -path '*/cases/*.json' 2>/dev/null || true; } | wc -l)
  predict "killed_$n" "$scans"
  same "killed after $moment_ms ms ($left records left), resumed" "killed_$n"
done
echo "$killed of $kills runs were still going when killed"
exit "$differ"
