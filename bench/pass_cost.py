#!/usr/bin/env python3
"""What T passes cost against one: whole processes, in turn, as pairs.

Prints wall seconds and peak memory of `mcvol predict` with one pass and with T, and the ratio of each
pair: machines drift, ratios of neighbours do not. Needs Python's standard library only.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(arguments, passes):
    """Returns wall seconds and peak resident MB of one run."""
    out = tempfile.mkdtemp(prefix="pass_cost_")
    command = [
        arguments.program, "predict", arguments.scans, "--model", arguments.model, "--out", out,
        "--device", arguments.device, "--scope", arguments.scope, "--passes", str(passes), "--quiet",
    ]  # fmt: skip
    if arguments.threads:
        command += ["--threads", str(arguments.threads)]
    try:
        begin = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"mcvol failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("scans")
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", default=str(root / "build/release/bin/mcvol"))
    parser.add_argument("--passes", type=int, default=20, help="T (20)")
    parser.add_argument("--runs", type=int, default=5, help="pairs (5)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scope", default="channel", choices=["native", "channel", "element"])
    parser.add_argument("--threads", type=int, default=0, help="0: the program's default")
    arguments = parser.parse_args()

    one, many = [], []
    for pair in range(arguments.runs):
        one.append(run(arguments, 1))
        many.append(run(arguments, arguments.passes))
        print(
            f"pair {pair + 1}: 1 pass {one[-1][0]:.1f} s, {one[-1][1]:.0f} MB; "
            f"{arguments.passes} passes {many[-1][0]:.1f} s, {many[-1][1]:.0f} MB",
            flush=True,
        )
    print(f"seconds, 1 pass: {spread([seconds for seconds, _ in one])}")
    print(f"seconds, {arguments.passes} passes: {spread([seconds for seconds, _ in many])}")
    print(f"ratio of pairs: {spread([b[0] / a[0] for a, b in zip(one, many)])}")
    print(f"peak MB, 1 pass: {spread([memory for _, memory in one])}")
    print(f"peak MB, {arguments.passes} passes: {spread([memory for _, memory in many])}")


if __name__ == "__main__":
    main()
