#!/usr/bin/env python3
"""Whether the standard errors in mcvol's records are how far bounds scatter over seeds.

    bench/monte_carlo_error.py --model models/glioma-phantom --scans examples/scans

Measures the scans with seeds 0, 1, … and prints a table: for each number of passes, scan, region and
bound the standard deviation over seeds beside the root mean square of what the records say. `auto` is a
number of passes too. Writes nothing.
"""
import argparse
import collections
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured_process import PROGRAM

BOUNDS = ("lower", "upper")


def measure(arguments, passes, seed):
    """By (case_id, region, bound): passes, bound in ml, its standard error, the interval's width."""
    with tempfile.TemporaryDirectory(prefix="mcvol_bench_") as out:
        done = subprocess.run(
            [arguments.mcvol, "predict", arguments.scans, "--model", arguments.model, "--out", out,
             "--passes", passes, "--seed", str(seed), "--calibration", "none", "--device", "cpu",
             "--threads", str(arguments.threads), "--no-thumbnails", "--quiet", "--print", "jsonl"],
            check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"monte_carlo_error.py: {done.stderr.strip()}")
        errors = {}
        for path in Path(out, "cases").glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            for region in record["regions"]:
                errors[record["case_id"], region["region"]] = region["monte_carlo_error"]
    found = {}
    for row in map(json.loads, done.stdout.splitlines()):
        key = row["case_id"], row["region"]
        for bound in BOUNDS:
            found[*key, bound] = (row["passes"], row[f"raw_{bound}_ml"], errors[key][f"{bound}_ml"],
                                  row["raw_upper_ml"] - row["raw_lower_ml"])
    return found


def line_of(key, values):
    """A row of the table, and the ratio of the recorded error to the scatter."""
    passes, bounds, errors, widths = zip(*values)
    scatter = statistics.stdev(bounds)
    recorded = math.sqrt(statistics.fmean(error * error for error in errors))
    of_runs = sorted(error / scatter for error in errors)
    tenth = len(of_runs) // 10
    counts = ", ".join(f"{number}: {count}"
                       for number, count in sorted(collections.Counter(passes).items()))
    return (*key, counts, f"{statistics.fmean(bounds):.2f}", f"{statistics.fmean(widths):.2f}",
            f"{scatter:.3f}", f"{recorded:.3f}", f"{recorded / scatter:.2f}",
            f"{of_runs[tenth]:.2f} to {of_runs[-1 - tenth]:.2f}"), recorded / scatter


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mcvol", default=PROGRAM, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--scans", required=True, type=Path)
    parser.add_argument("--passes", nargs="+", default=["20", "80", "auto"])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    print("| scan | region | bound | passes: runs | mean, ml | width, ml | SD over seeds, ml | recorded, "
          "ml | ratio | of 80 % of the runs |\n|---|---|---|---|---|---|---|---|---|---|")
    for passes in arguments.passes:
        runs = [measure(arguments, passes, seed) for seed in range(arguments.seeds)]
        ratios = []
        for key in runs[0]:
            cells, ratio = line_of(key, [run[key] for run in runs])
            ratios.append(ratio)
            print("| " + " | ".join(cells) + " |", flush=True)
        print(f"\n{passes} passes, {arguments.seeds} seeds: ratios {min(ratios):.2f} to "
              f"{max(ratios):.2f}, geometric mean {statistics.geometric_mean(ratios):.2f}\n")


if __name__ == "__main__":
    main()
