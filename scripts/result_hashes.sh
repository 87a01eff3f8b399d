#!/usr/bin/env bash
# Holds what is measured against what was measured before: sha256s of volumes.csv and of every case
# record of the example scans, and of a further scan and bundle where they are given. A change that is
# not meant to change a number must leave them all as they are.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/result_hashes.sh [--write] [--model BUNDLE --scan CASE_FOLDER --name NAME]

Compares with scripts/result_hashes/PROCESSOR.txt; --write makes the lines anew. Processors of other
makers or vectors round differently, so each kind has a file, by maker and by the widest of AVX2, AVX-512
and AMX. --name: what the lines of a further scan begin with. MCVOL names the program
(build/release/bin/mcvol).
TEXT
}

fail() {
  printf 'result_hashes: %s\n' "$*" >&2
  exit 2
}

write=no model='' scan='' name=''
while (($#)); do
  case "$1" in
    --write) write=yes ;;
    --model | --scan | --name)
      (($# > 1)) || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
[[ -n $model$scan$name && (-z $model || -z $scan || -z $name) ]] &&
  fail "--model, --scan and --name go together"

[[ -z $name ]] || { model="$(realpath "$model")" && scan="$(realpath "$scan")"; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly kProgram="${MCVOL:-build/release/bin/mcvol}"
readonly kKnown=scripts/result_hashes

# Maker and vectors of this processor, in words.
processor() {
  local flags maker widest=sse
  maker="$(sed -n 's/^vendor_id[^:]*: //p' /proc/cpuinfo | head -n 1)"
  flags=" $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -n 1) "
  [[ $flags != *' avx2 '* ]] || widest=avx2
  [[ $flags != *' avx512vl '* ]] || widest=avx512
  [[ $flags != *' amx_tile '* ]] || widest=amx
  printf '%s-%s\n' "${maker:-unknown}" "${ATEN_CPU_CAPABILITY:-$widest}"
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# hashes PREFIX SCANS MODEL: a line for the table and one for each record. When the files of a scan were
# last written says nothing of the measurement.
hashes() {
  "$kProgram" predict "$2" --model "$3" --out "$work/$1" --device cpu --quiet
  printf '%s %s/volumes.csv\n' "$(sha256sum <"$work/$1/volumes.csv" | cut -d ' ' -f 1)" "$1"
  local record
  for record in "$work/$1"/cases/*.json; do
    printf '%s %s/%s\n' "$(sed -E 's/"mtime_ns": *[0-9]+//g' "$record" | sha256sum | cut -d ' ' -f 1)" \
      "$1" "$(basename "$record")"
  done
}

hashes examples examples/scans models/glioma-phantom >"$work/found"
[[ -z $name ]] || hashes "$name" "$scan" "$model" >>"$work/found"

known="$kKnown/$(processor).txt"
if [[ $write == yes ]]; then
  mkdir -p "$kKnown"
  cp "$work/found" "$known"
  echo "written: $known"
  exit 0
fi
[[ -f $known ]] || fail "$known: nothing is known of this processor; --write keeps what it gives now"
differ=0
while read -r hash file; do
  expected="$(awk -v file="$file" '$2 == file {print $1}' "$known")"
  if [[ -z $expected ]]; then
    echo "new:       $file"
  elif [[ $expected == "$hash" ]]; then
    echo "same:      $file"
  else
    echo "DIFFERENT: $file"
    differ=1
  fi
done <"$work/found"
while read -r hash file; do
  [[ $file == examples/* || ( -n $name && $file == "$name"/* ) ]] || continue
  awk -v file="$file" '$2 == file {found = 1} END {exit !found}' "$work/found" ||
    { echo "MISSING:   $file" && differ=1; }
done <"$known"
exit "$differ"
