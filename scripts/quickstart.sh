#!/usr/bin/env bash
# From a fresh clone to a table of tumour volumes: set-up, build, and the example scans measured with
# the bundled network. Can be run again at any time; what is there already is kept.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/quickstart.sh [--out DIR] [--fresh] [OPTIONS OF scripts/setup.sh]

  --out DIR    the result folder (results/quickstart in this checkout)
  --fresh      measure again what is in it already
TEXT
}

fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

out=''
setup_options=()
predict_options=()
while (($#)); do
  case "$1" in
    --out)
      (($# > 1)) || { usage >&2 && exit 2; }
      out="$(realpath -m -- "$2")"
      shift
      ;;
    --out=*) out="$(realpath -m -- "${1#*=}")" ;;
    --fresh) predict_options+=(--fresh) ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) setup_options+=("$1") ;;
  esac
  shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly kScans=examples/scans kModel=models/glioma-phantom
[[ -f $kModel/model.json && -f $kScans/references.csv ]] ||
  fail "this checkout is not whole ($kModel, $kScans); clone it anew"
# The bundled network may be another after an update; a folder of our own is then measured again.
[[ -n $out ]] || predict_options+=(--fresh)
out="${out:-$PWD/results/quickstart}"

# Before minutes of work: that its result can be kept.
mkdir -p "$out" 2>/dev/null && [[ -w $out ]] ||
  fail "cannot write to $out; give another folder with --out"

scripts/setup.sh "${setup_options[@]}"
cmake --preset release
cmake --build --preset release --target mcvol --parallel "$(nproc)"

begin=$SECONDS
build/release/bin/mcvol predict "$kScans" --model "$kModel" --out "$out" \
  "${predict_options[@]}"

# case_id and region of both files, then the columns wanted; neither has quoted fields here.
echo
awk -F, '
  function ml(text) { return text == "" ? "-" : sprintf("%.1f", text) }
  FNR == 1 { delete column; for (i = 1; i <= NF; ++i) column[$i] = i; next }
  FNR == NR { truth[$column["case_id"], $column["region"]] = $column["volume_ml"]; next }
  !header++ {
    printf "%-16s %-18s %9s %9s   %s\n", "case", "region", "true ml", "found ml", "interval ml"
  }
  {
    calibrated = $column["volume_ml"] != ""
    prefix = calibrated ? "" : "raw_"
    uncalibrated += !calibrated
    printf "%-16s %-18s %9s %9s   %s to %s\n", $column["case_id"], $column["region"],
      ml(truth[$column["case_id"], $column["region"]]), ml($column[prefix "volume_ml"]),
      ml($column[prefix "lower_ml"]), ml($column[prefix "upper_ml"])
  }
  END {
    print uncalibrated ? "\nUncalibrated intervals: 90 % is their name, not their coverage." \
                       : "\n90 % intervals, calibrated on simulated cases: of such cases 9 of 10 hold."
  }' "$kScans/references.csv" "$out/volumes.csv"
echo
echo "Simulated cases, measured in $((SECONDS - begin)) s by a network that was trained on simulated"
echo "scans only: not for clinical use."
echo "Table:   $out/volumes.csv"
[[ ! -f $out/report.html ]] || echo "Report:  $out/report.html"
echo "Next:    build/release/bin/mcvol predict YOUR_SCANS --model YOUR_MODEL --out DIR"
