#!/usr/bin/env python3
"""Tables of what `mcvol evaluate` found on a test cohort and on cohorts that differ from it.

    experiments/coverage/summarise.py --calibration FILE --evaluations DIR test
        shifted_noise shifted_contrast shifted_anatomy > tables.md

DIR/<cohort>/ are output folders of `mcvol evaluate`; the first cohort is the one drawn like the
calibration's. Coverage of the first is held against the beta-binomial range of what a correct
conformal interval gives on as many scans (docs/method.md), at 0.05 over the number of regions.
Needs numpy and scipy.
"""
import argparse
import json
import math
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.stats import betabinom

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from tables import fail, print_table, proportion_text, read_rows  # noqa: E402

LEVEL = "0.9"
LARGE_ML = 5.0
GROSS = 0.5  # ml^(1/3)
TERTILES = ("tertile_1", "tertile_2", "tertile_3")


def share(part, whole):
    return f"{part / whole:.3f} ({part} of {whole})" if whole else "-"


class Evaluation:
    def __init__(self, folder):
        self.coverage = read_rows(folder / "coverage.csv")
        self.comparison = read_rows(folder / "comparison.csv")
        self.intervals = read_rows(folder / "intervals.csv")
        self.segmentations = read_rows(folder / "segmentations.csv")
        self.method = self.coverage[0]["method"]
        self.methods = list(dict.fromkeys(row["method"] for row in self.coverage))
        self.levels = list(dict.fromkeys(row["level"] for row in self.coverage))
        self.regions = list(dict.fromkeys(row["region"] for row in self.coverage))

    def row(self, region, method, level=LEVEL, stratum="all"):
        return next(row for row in self.coverage
                    if (row["region"], row["method"], row["level"], row["stratum"])
                    == (region, method, level, stratum))

    def ratio(self, region, method, measure):
        for row in self.comparison:
            if (row["region"], row["level"], row["compared_with"], row["measure"]) == (
                    region, LEVEL, method, measure):
                return (f"{float(row['ratio']):.3f} [{float(row['ratio_lower']):.3f}, "
                        f"{float(row['ratio_upper']):.3f}]")
        return "1"


def ranges_of(calibration, region, level, n, regions):
    """Least and most covered scans of a correct conformal interval, and its coverage on average;
    none of strata or of another method."""
    strata = next(one for one in calibration["regions"] if one["region"] == region)["strata"]
    if len(strata) > 1 or calibration["method"] == "quantile":
        return None
    n_calibration = len(strata[0]["fits"]["size_only"][0]["scores"])
    # Whole decimals: k = floor(alpha (n + 1) / 2)
    k = math.floor((1 - Fraction(level)) * (n_calibration + 1) / 2)
    covered = betabinom(n, n_calibration + 1 - 2 * k, 2 * k)
    tail = 0.05 / regions / 2
    return int(covered.ppf(tail)), int(covered.ppf(1 - tail)), 1 - 2 * k / (n_calibration + 1)


def print_test(name, test, calibration):
    rows = []
    for region in test.regions:
        for level in test.levels:
            row = test.row(region, test.method, level)
            found = ranges_of(calibration, region, level, int(row["n"]), len(test.regions))
            covered = f"{row['covered']} of {row['n']}"
            if found is None:
                rows.append((region, level, "-", covered, "-", ""))
                continue
            low, high, promised = found
            inside = "inside" if low <= int(row["covered"]) <= high else "**outside**"
            rows.append((region, level, f"{promised:.4f}", covered, f"{low} to {high}", inside))
    print_table(f"### Coverage of `{test.method}` on `{name}`",
                ("region", "level", "promised on average", "covered", "range", ""), rows)
    rows = [(region, method, proportion_text(int(row["covered"]), int(row["n"])),
             f"{float(row['mean_width_ml']):.2f}", f"{float(row['mean_width_root']):.3f}",
             f"{float(row['interval_score_ml']):.2f}", f"{float(row['interval_score_root']):.3f}",
             f"{float(row['crps_root']):.4f}", f"{float(row['bias_ml']):.2f}")
            for region in test.regions for method in test.methods
            for row in [test.row(region, method)]]
    print_table(f"### All methods on `{name}`, level {LEVEL}",
                ("region", "method", "coverage [95 %]", "mean width, ml", "ml^(1/3)",
                 "interval score, ml", "ml^(1/3)", "CRPS, ml^(1/3)", "bias, ml"), rows)
    measures = ("interval_score_root", "interval_score_ml", "mean_width_root", "mean_width_ml",
                "crps_root")
    rows = [(region, method, *(test.ratio(region, method, measure) for measure in measures))
            for region in test.regions for method in test.methods if method != test.method]
    print_table(f"### `{test.method}` over the others on `{name}`: ratio [95 %], below 1 is better",
                ("region", "over", "interval score, ml^(1/3)", "ml", "mean width, ml^(1/3)", "ml",
                 "CRPS, ml^(1/3)"), rows)
    rows = [(region, method,
             *(proportion_text(int(row["covered"]), int(row["n"]))
               for row in (test.row(region, method, LEVEL, one) for one in TERTILES)))
            for region in test.regions for method in test.methods]
    print_table(f"### Coverage by third of predicted volume on `{name}`, level {LEVEL}",
                ("region", "method", "smallest third", "middle", "largest"), rows)


def print_segmentations(name, evaluation):
    """Dice and errors of the calibrated volume, by region; from 5 ml too."""
    references = {(row["case_id"], row["region"]): float(row["reference_ml"])
                  for row in evaluation.intervals}
    volumes = {(row["case_id"], row["region"]): float(row["volume_ml"])
               for row in evaluation.intervals if row["method"] == evaluation.method}
    table = []
    for region in evaluation.regions:
        rows = [row for row in evaluation.segmentations if row["region"] == region]
        keys = [(row["case_id"], region) for row in rows]
        errors = np.array([np.cbrt(volumes[key]) - np.cbrt(references[key]) for key in keys])
        for size, least in (("all", 0.0), ("from 5 ml", LARGE_ML)):
            kept = np.array([references[key] >= least for key in keys], dtype=bool)
            if not kept.any():
                continue
            dice = [float(row["dice"]) for row, keep in zip(rows, kept) if keep and row["dice"]]
            relative = [float(row["relative_error"] or "inf")
                        for row, keep in zip(rows, kept) if keep]
            table.append((region, size, int(kept.sum()),
                          f"{np.median(dice):.3f}" if dice else "-",
                          f"{np.mean(dice):.3f}" if dice else "-",
                          f"{np.median(relative):.3f}",
                          f"{np.quantile(relative, 0.9, method='lower'):.3f}",
                          f"{errors[kept].mean():+.3f}",
                          f"{np.sqrt((errors[kept] ** 2).mean()):.3f}",
                          int((np.abs(errors[kept]) > GROSS).sum())))
    print_table(f"### Segmentations and volumes on `{name}`",
                ("region", "size", "n", "Dice, median", "mean", "relative error, median", "90 %",
                 "error of V^(1/3), mean", "RMS", "over 0.5"), table)


def flag_row(name, evaluation, region):
    rows = [row for row in evaluation.intervals
            if (row["region"], row["method"], row["level"]) == (region, evaluation.method, LEVEL)]
    covered = [row for row in rows if row["covered"] == "1"]
    missed = [row for row in rows if row["covered"] != "1"]
    flagged = [row for row in rows if row["flagged"] == "1"]
    unflagged = [row for row in rows if row["flagged"] != "1"]
    of = lambda some: sum(row["flagged"] == "1" for row in some)  # noqa: E731
    held = sum(row["covered"] == "1" for row in unflagged)
    return (name, region, proportion_text(len(covered), len(rows)), share(len(flagged), len(rows)),
            share(of(missed), len(missed)), share(of(covered), len(covered)),
            proportion_text(held, len(unflagged)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--calibration", type=Path, required=True, help="calibration.json")
    parser.add_argument("--evaluations", type=Path, required=True,
                        help="folder of the output folders of mcvol evaluate")
    parser.add_argument("cohorts", nargs="+", help="the first is drawn like the calibration's")
    arguments = parser.parse_args()
    try:
        calibration = json.loads(arguments.calibration.read_text(encoding="utf-8"))
        found = {name: Evaluation(arguments.evaluations / name) for name in arguments.cohorts}
    except (OSError, KeyError, ValueError) as error:
        fail(str(error))
    first = arguments.cohorts[0]
    print_test(first, found[first], calibration)
    for name, one in found.items():
        print_segmentations(name, one)
    print_table(f"### Coverage and flags on every cohort, level {LEVEL}",
                ("cohort", "region", "coverage [95 %]", "flagged", "of the missed, flagged",
                 "of the covered, flagged", "coverage of the unflagged [95 %]"),
                [flag_row(name, one, region) for name, one in found.items()
                 for region in one.regions])
    rows = [(name, region, *(f"{float(row['interval_score_root']):.3f}"
                             for row in (one.row(region, method) for method in one.methods)))
            for name, one in found.items() for region in one.regions]
    print_table(f"### Interval score of V^(1/3), ml^(1/3), of every method, level {LEVEL}",
                ("cohort", "region", *found[first].methods), rows)
    rows = [(name, region, *(f"{float(row['coverage']):.3f}"
                             for row in (one.row(region, method) for method in one.methods)))
            for name, one in found.items() for region in one.regions]
    print_table(f"### Coverage of every method, level {LEVEL}",
                ("cohort", "region", *found[first].methods), rows)


if __name__ == "__main__":
    main()
