#!/usr/bin/env python3
"""Volumes of a GPU against those of the CPU, in each precision.

    bench/gpu_agreement.py --mcvol build/release/bin/mcvol [--model DIR] [--scans DIR]

Prints the largest differences of any volume in the table, in ml and in percent, and fails where one
in fp32 is off by more than 0.01 ml and 0.1 %.
"""
import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ("raw_volume_ml", "raw_lower_ml", "raw_upper_ml", "segmented_ml")
LARGEST_ML, LARGEST_SHARE = 0.01, 0.001


def volumes(arguments, out, device, precision):
    subprocess.run([arguments.mcvol, "predict", arguments.scans, "--model", arguments.model, "--out",
                    out, "--device", device, "--precision", precision, "--calibration", "none",
                    "--quiet"], check=True)
    with open(out / "volumes.csv", encoding="utf-8", newline="") as stream:
        return [float(row[column]) for row in csv.DictReader(stream) for column in COLUMNS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mcvol", required=True)
    parser.add_argument("--model", default=ROOT / "models/glioma-phantom")
    parser.add_argument("--scans", default=ROOT / "examples/scans")
    arguments = parser.parse_args()
    print("| precision | largest difference, ml | largest where above 1 ml, % |\n|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        expected = volumes(arguments, Path(name) / "cpu", "cpu", "fp32")
        for precision in ("fp32", "bf16", "fp16"):
            found = volumes(arguments, Path(name) / precision, "cuda", precision)
            off = [(abs(a - b), a) for a, b in zip(expected, found, strict=True)]
            share = max((d / a for d, a in off if a > 1), default=0)
            print(f"| {precision} | {max(d for d, _ in off):.3f} | {100 * share:.3f} |", flush=True)
            failed |= precision == "fp32" and any(
                d > LARGEST_ML and d > LARGEST_SHARE * a for d, a in off)
    sys.exit("gpu_agreement.py: fp32 is off by more than 0.01 ml and 0.1 %" if failed else 0)


if __name__ == "__main__":
    main()
