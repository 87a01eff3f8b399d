#!/usr/bin/env bash
# All that needs a GPU, in one command: its tests, its agreement with the CPU and what it costs
# against MONAI and a plain PyTorch loop. Run it after a build, on a machine with a GPU.
#
#   scripts/gpu_check.sh [--bin DIR] [--python PYTHON] [--skip-bench]
#
# The comparison needs a Python with torch, monai and nibabel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=build/release/bin
python=python3
bench=yes
while (($#)); do
  case $1 in
    --bin) bin="${2:?--bin needs a folder}"; shift ;;
    --python) python="${2:?--python needs a program}"; shift ;;
    --skip-bench) bench=no ;;
    *) echo "gpu_check.sh: unknown argument $1 (see the top of this file)" >&2; exit 2 ;;
  esac
  shift
done
if ! nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; then
  echo "gpu_check.sh: no NVIDIA driver here; nothing checked" >&2
  exit 1
fi

echo "== tests"
export MCVOL_REQUIRE_GPU=1
"$bin/network_test" --gtest_filter='*OnTheGpu*' --gtest_brief=1
if command -v compute-sanitizer >/dev/null; then
  echo "== compute-sanitizer"
  compute-sanitizer --error-exitcode 9 --log-file /dev/stderr \
    "$bin/network_test" --gtest_filter='OnTheGpu.*' --gtest_brief=1
fi
echo "== agreement with the CPU"
"$python" bench/gpu_agreement.py --mcvol "$bin/mcvol"
if [[ $bench == yes ]]; then
  echo "== cost"
  "$python" -W ignore bench/gpu_cost.py --mcvol "$bin/mcvol"
fi
