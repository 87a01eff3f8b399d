#!/usr/bin/env python3
"""Scores of every scan by every interval method, and how many times those of one method are as large.

    experiments/coverage/ratios.py --scores FILE.csv [FILE.csv ...] [--evaluations DIR ...]
        [--beside METHOD=OTHER.csv ...] > table.md

DIR are output folders of `mcvol evaluate` of the same scans; of several, by calibrations on other
draws, a scan's score is the mean. With them FILE.csv is written, else read, several as one cohort: a row per region and
scan, for each method its interval score of V^(1/3) at 0.9 (Gneiting and Raftery 2007) and its CRPS
("crps METHOD"), both in ml^(1/3). --beside takes a method from the scores of other measurements of
the same scans.

The table has, for every other method, the ratio of mean scores in each region and the mean of these
ratios, with 95 % intervals (bootstrap over scans, all regions of a scan together; given the draws of the
calibrations, where there are several). Needs numpy.
"""
import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from tables import fail, print_table, read_rows, write_rows  # noqa: E402

LEVEL = "0.9"
BOOTSTRAPS = 10000
CRPS = "crps "


def scores_of(folders):
    """{(region, case_id): {column: mean over the folders}}"""
    found = defaultdict(lambda: defaultdict(list))
    for folder in folders:
        for row in read_rows(folder / "intervals.csv"):
            if row["level"] == LEVEL:
                scores = found[row["region"], row["case_id"]]
                scores[row["method"]].append(float(row["interval_score_root"]))
                scores[CRPS + row["method"]].append(float(row["crps_root"]))
    counts = {len(values) for scores in found.values() for values in scores.values()}
    if counts != {len(folders)}:
        fail("a method or a scan is not in all of the evaluations; take those that have all")
    return {key: {column: float(np.mean(values)) for column, values in scores.items()}
            for key, scores in found.items()}


def read_scores(path):
    return {(row.pop("region"), row.pop("case_id")): {column: float(value) for column, value
                                                     in row.items()}
            for row in read_rows(path)}


def write_scores(path, scores):
    columns = list(next(iter(scores.values())))
    write_rows(path, ("region", "case_id", *columns),
               [(*key, *(f"{values[column]:.4g}" for column in columns))
                for key, values in sorted(scores.items())])


def put_beside(scores, word):
    """Adds a column "METHOD, FILE" for the interval score and the CRPS. Returns its name."""
    method, _, path = word.partition("=")
    other = read_scores(path)
    name = f"{method}, {Path(path).stem}"
    if set(other) != set(scores):
        fail(f"{path}: other scans than those of --scores")
    for key, values in scores.items():
        values[name], values[CRPS + name] = other[key][method], other[key][CRPS + method]
    return name


def by_region(scores, column):
    """[region, scan], regions in the order of the alphabet."""
    regions = sorted({region for region, _ in scores})
    cases = sorted({case for _, case in scores})
    return np.array([[scores[region, case][column] for case in cases] for region in regions])


def ratios(scores, over):
    """Of each region and of their mean, with 95 % intervals."""
    rng = np.random.default_rng(1)  # the same resamples for all
    cases = scores.shape[1]
    picked = [rng.integers(0, cases, cases) for _ in range(BOOTSTRAPS)]
    found = scores.mean(axis=1) / over.mean(axis=1)
    drawn = np.array([scores[:, one].mean(axis=1) / over[:, one].mean(axis=1) for one in picked])
    bounds = np.quantile(np.c_[drawn, drawn.mean(axis=1)], (0.025, 0.975), axis=0)
    return [f"{value:.3f} [{low:.3f}, {high:.3f}]"
            for value, low, high in zip((*found, found.mean()), *bounds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="FILE.csv")
    parser.add_argument("--evaluations", type=Path, nargs="+", default=[])
    parser.add_argument("--beside", action="append", default=[], metavar="METHOD=OTHER.csv")
    parser.add_argument("--method", default="regression", help="whose ratio (regression)")
    arguments = parser.parse_args()
    try:
        if arguments.evaluations:
            if len(arguments.scores) > 1:
                fail("--evaluations: expected one file of --scores to write")
            write_scores(arguments.scores[0], scores_of(arguments.evaluations))
        scores = {key: values for path in arguments.scores
                  for key, values in read_scores(path).items()}
        for word in arguments.beside:
            put_beside(scores, word)
        columns = next(iter(scores.values()))
        for title, prefix in (("interval score of V^(1/3) at 0.9", ""), ("CRPS of V^(1/3)", CRPS)):
            methods = [column[len(prefix):] for column in columns
                       if column.startswith(CRPS) == bool(prefix)]
            own = by_region(scores, prefix + arguments.method)
            rows = [(f"`{method}`", *ratios(own, by_region(scores, prefix + method)))
                    for method in methods if method != arguments.method]
            print_table(f"{title}, `{arguments.method}` over others: ratio [95 %]",
                        ("over", *sorted({region for region, _ in scores}), "mean of the ratios"),
                        rows)
    except (OSError, KeyError, ValueError, StopIteration) as error:
        fail(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
