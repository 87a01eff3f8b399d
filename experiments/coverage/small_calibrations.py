#!/usr/bin/env python3
"""Evaluates a test cohort under calibrations on few scans, drawn from the calibration cohort.

    experiments/coverage/small_calibrations.py --mcvol BIN --calibration RESULT REFERENCES.csv
        --test RESULT REFERENCES.csv [--on 50] [--draws 20] --out DIR

Writes DIR/<draw>/, what `mcvol evaluate` gives of the test under that calibration; drawn by numpy's
default generator with the number of the draw as its seed. Done draws of as many scans are kept. ratios.py
takes them together. Needs numpy.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from tables import fail, read_rows, run, write_references  # noqa: E402


def evaluate_draw(arguments, rows, draw):
    out = arguments.out / str(draw)
    references, calibration = out / "references.csv", out / "calibration.json"
    cases = sorted({row["case_id"] for row in rows})
    if not 0 < arguments.on <= len(cases):
        fail(f"--on {arguments.on}: expected at most the {len(cases)} cases of the calibration")
    if (out / "intervals.csv").exists():
        kept = len({row["case_id"] for row in read_rows(references)})
        if kept != arguments.on:
            fail(f"{out}: a draw of {kept} scans, expected {arguments.on}; choose another --out")
        return
    drawn = set(np.random.default_rng(draw).choice(cases, arguments.on, replace=False))
    out.mkdir(parents=True, exist_ok=True)
    write_references(references, rows, drawn)
    run(arguments.mcvol, "calibrate", arguments.calibration[0], "--references", references,
        "--output", calibration, "--quiet")
    run(arguments.mcvol, "evaluate", arguments.test[0], "--references", arguments.test[1],
        "--calibration", calibration, "--level", "0.9", "--out", out, "--quiet")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mcvol", required=True, help="the program")
    parser.add_argument("--calibration", nargs=2, required=True, metavar=("RESULT", "REFERENCES"))
    parser.add_argument("--test", nargs=2, required=True, metavar=("RESULT", "REFERENCES"))
    parser.add_argument("--on", type=int, default=50, help="scans to calibrate on (50)")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        rows = read_rows(arguments.calibration[1])
        for draw in range(arguments.draws):
            evaluate_draw(arguments, rows, draw)
            print(f"{draw + 1}/{arguments.draws}", file=sys.stderr)
    except (OSError, KeyError) as error:
        fail(str(error))


if __name__ == "__main__":
    main()
