#!/usr/bin/env python3
"""Eaton-Rosen et al.'s experiments on simulated cohorts, through mcvol.

    experiments/paper/run.py --cohorts DIR --results DIR [--mcvol BIN] [--tables]

Makes the cohorts, measures them, and writes the tables and figures of README.md beside this file. What
is there already is not made again, so the same command goes on where it was cut off; --tables writes
tables of what has been measured so far, marking what is outstanding.
"""
import argparse
from pathlib import Path

import conversions
import dice
import noise
import passes
import quality
import shifted
from common import ROOT
from tables import fail
from plan import DICE, RUNS, Workplace


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--cohorts", type=Path, required=True, help="folder of the cohorts")
    parser.add_argument("--results", type=Path, required=True, help="folder of the result folders")
    parser.add_argument("--mcvol", type=Path, default=ROOT / "build/release/bin/mcvol",
                        help="the program")
    parser.add_argument("--model", type=Path, default=ROOT / "models/glioma-phantom",
                        help="bundle with its calibration")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent,
                        help="folder of README.md, tables and figures")
    parser.add_argument("--threads", type=int, help="of mcvol predict")
    parser.add_argument("--measure", action="store_true", help="measure only, no tables")
    parser.add_argument("--tables", action="store_true", help="tables only, measure nothing")
    parser.add_argument("--only", nargs="+", choices=("passes", "conversions", "shifted", "noise",
                                                      "quality"), help="these tables only")
    arguments = parser.parse_args()
    workplace = Workplace(arguments)
    try:
        if not arguments.tables:
            for run in RUNS:
                workplace.measure(run)
            for kind, run in DICE:
                dice.measure(workplace, kind, run)
        if not arguments.measure:
            for module in (passes, conversions, shifted, noise, quality):
                if not arguments.only or module.__name__ in arguments.only:
                    module.write(workplace, arguments.out)
    except (OSError, KeyError, ValueError) as error:
        fail(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
