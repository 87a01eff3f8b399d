#!/usr/bin/env python3
"""What `mcvol change` promises, held against pairs of scans whose true volumes are known.

    experiments/change/evaluate_change.py --mcvol BIN --results RESULT --cohort COHORT
        [--reference-pairs 40] [--check 20] [--out DIR]

COHORT holds pairs.csv and references.csv, as scripts/phantoms writes them. The first pairs are the
references that a correlation is estimated from (`mcvol change --references`); the others are tested.
Coverage with Clopper-Pearson intervals, interval scores (Gneiting and Raftery 2007), reliability and
Brier scores of the probabilities of growth and shrinkage. Tables go to stdout as Markdown; --out
takes them as CSV. --check computes some pairs a second time, in Python, by Monte Carlo from the
records and the calibration file (docs/method.md), and exits with 1 where mcvol says otherwise.
Needs numpy and scipy.
"""
import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import stats

from promises import BONFERRONI, ESTIMATED, INDEPENDENT, LEAST_ML, LEVELS, THRESHOLDS
from second_computation import check
from tables import fail, print_table, proportion, proportion_text, read_rows, write_rows

CLASSES = ("all", "stable", "growing", "shrinking")
EVENTS = ("growth", "shrinkage")
BINS = (0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1)
BOOTSTRAPS = 10000
SURE = 0.95


# --- What mcvol says ------------------------------------------------------------------------------

def change_rows(arguments, pairs, *options):
    """Rows of change.csv by (subject_id, region, level), and what stderr says of correlations."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "change.csv"
        command = [arguments.mcvol, "change", arguments.results, "--pairs", pairs, "--output", output]
        command += [word for level in LEVELS for word in ("--level", level)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):  # 3: some pair could not be compared
            fail(done.stderr.strip())
        rows = read_rows(output)
    found = {(row["subject_id"], row["region"], row["level"]): row for row in rows
             if row["status"] == "ok"}
    estimates = dict(re.findall(r"(\w+): correlation (-?[\d.]+ \[.*?\] of \d+)", done.stderr))
    return found, estimates


def write_some_references(path, rows, pairs):
    cases = {pair[when] for pair in pairs for when in ("baseline", "followup")}
    write_rows(path, ("case_id", "region", "volume_ml"),
               [(row["case_id"], row["region"], row["volume_ml"]) for row in rows
                if row["case_id"] in cases])


def measured(arguments, pairs, references):
    """Tables of change_rows() by (mode, threshold), and the estimates of the correlation by what
    they are of: the reference pairs, and for comparison the test pairs themselves."""
    tables, estimates = {}, {}
    pairs_path = Path(arguments.cohort) / "pairs.csv"
    with tempfile.TemporaryDirectory() as folder:
        halves = {"reference": pairs[:arguments.reference_pairs],
                  "test": pairs[arguments.reference_pairs:]}
        for name, some in halves.items():
            write_some_references(Path(folder) / f"{name}.csv", references, some)
        for threshold in THRESHOLDS:
            least = ("--growth-threshold", threshold)
            tables[INDEPENDENT, threshold], _ = change_rows(arguments, pairs_path, *least)
            tables[ESTIMATED, threshold], estimates["reference"] = change_rows(
                arguments, pairs_path, *least, "--references", Path(folder) / "reference.csv")
        _, estimates["test"] = change_rows(arguments, pairs_path, "--references",
                                           Path(folder) / "test.csv")
    tables[BONFERRONI, None], _ = change_rows(arguments, pairs_path, "--correlation", "bonferroni")
    return tables, estimates


# --- What is true ---------------------------------------------------------------------------------

class Pairs:
    """The tested pairs of one region: true volumes, and rows of `mcvol change`."""

    def __init__(self, region, pairs, volumes, tables):
        self.tables = tables
        self.region = region
        some = tables[INDEPENDENT, "0"]
        self.pairs = [pair for pair in pairs
                      if (pair["subject_id"], region, LEVELS[0]) in some]
        both = np.array([[volumes[pair[when], region] for when in ("baseline", "followup")]
                         for pair in self.pairs])
        self.before, self.after = np.where(both > LEAST_ML, both, 0).T
        self.change = self.after - self.before

    def within(self, name):
        return {"all": np.full(len(self.change), True), "stable": self.change == 0,
                "growing": self.change > 0, "shrinking": self.change < 0}[name]

    def happened(self, event, threshold):
        if event == "growth":
            return self.after > self.before * (1 + float(threshold))
        return self.after < self.before * (1 - float(threshold))

    def column(self, mode, threshold, level, name):
        table = self.tables[mode, threshold]
        return np.array([float(table[pair["subject_id"], self.region, level][name])
                         for pair in self.pairs])

    def probability(self, mode, event, threshold):
        return self.column(mode, threshold, LEVELS[0], f"p_{event}")

    def interval(self, mode, level):
        threshold = None if mode == BONFERRONI else "0"
        return [self.column(mode, threshold, level, name) for name in ("lower_ml", "upper_ml")]


# --- Coverage -------------------------------------------------------------------------------------

def print_single_scans(arguments, tested, volumes, regions):
    """What a change is made of: each of the tested scans by itself."""
    command = [arguments.mcvol, "interval", arguments.results, "--quiet"]
    command += [word for level in LEVELS for word in ("--level", level)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        fail(done.stderr.strip())
    known = [row for row in csv.DictReader(done.stdout.splitlines()) if row["status"] == "ok"]
    rows = []
    for region in regions:
        for when in ("baseline", "followup"):
            of = {pair[when] for pair in tested}
            cells = []
            for level in LEVELS:
                some = [(float(row["lower_ml"]), volumes[row["case_id"], region],
                         float(row["upper_ml"])) for row in known if row["case_id"] in of
                        and (row["region"], row["level"]) == (region, level)]
                hit = sum(low <= (ml if ml > LEAST_ML else 0) <= high for low, ml, high in some)
                cells.append(proportion_text(hit, len(some)))
            rows.append((region, when, *cells))
    print_table("### Coverage of the volume, each scan by itself", ("region", "scans", *(
        f"covered at {level} [95 %]" for level in LEVELS)), rows)


def coverage_rows(of_regions):
    """Of every mode, region, class and level. The table is rounded to 0.001 ml, and so is held."""
    rows = []
    for mode in (INDEPENDENT, ESTIMATED, BONFERRONI):
        for one in of_regions:
            for level in LEVELS:
                lower, upper = one.interval(mode, level)
                below, above = lower - one.change, one.change - upper
                covered = np.maximum(below, above) <= 0.0005
                price = 2 / (1 - float(level))
                score = upper - lower + price * (np.maximum(below, 0) + np.maximum(above, 0))
                for name in CLASSES:
                    some = one.within(name)
                    n, hit = int(some.sum()), int(covered[some].sum())
                    if n:
                        rows.append((mode, one.region, name, level, n, hit, *proportion(hit, n),
                                     (upper - lower)[some].mean(), score[some].mean()))
    return rows


def print_coverage(rows):
    cell = {row[:4]: row for row in rows}
    regions = list(dict.fromkeys(row[1] for row in rows))
    modes = list(dict.fromkeys(row[0] for row in rows))
    header = ("region", "mode", *(f"covered at {level} [95 %]" for level in LEVELS),
              "mean width at 0.9, ml", "interval score at 0.9, ml")
    print_table("### Coverage of the change", header, [
        (region, mode, *(proportion_text(cell[mode, region, "all", level][5], cell[mode, region, "all", level][4])
                         for level in LEVELS),
         *(f"{value:.2f}" for value in cell[mode, region, "all", "0.9"][8:]))
        for region in regions for mode in modes])
    print_table("### Coverage at 0.9 by what is true", ("region", "mode", *(
        f"{name} [95 %]" for name in CLASSES[1:])), [
        (region, mode, *(f"{proportion_text(row[5], row[4])} of {row[4]}" if row else "-"
                         for name in CLASSES[1:] for row in [cell.get((mode, region, name, "0.9"))]))
        for region in regions for mode in modes])


# --- Probabilities --------------------------------------------------------------------------------

def reliability_rows(mode, one, event, threshold):
    p, y = one.probability(mode, event, threshold), one.happened(event, threshold)
    rows = []
    for low, high in zip(BINS, BINS[1:]):
        some = (p > low) & (p <= high)
        n, hit = int(some.sum()), int(y[some].sum())
        if n:
            rows.append((mode, one.region, threshold, event, f"({low}, {high}]", n, p[some].mean(),
                         hit, *proportion(hit, n)))
    return rows


def calibration_row(mode, one, event, threshold, changed_only=False):
    """Counts against their expectation, Spiegelhalter's test (Statistics in Medicine 5, 1986), and
    the Brier score against that of always saying the share that it was."""
    some = one.within("all") if not changed_only else ~one.within("stable")
    p = one.probability(mode, event, threshold)[some]
    y = one.happened(event, threshold)[some].astype(float)
    sd = np.sqrt((p * (1 - p)).sum())
    in_the_large = (y.sum() - p.sum()) / sd
    z = ((y - p) * (1 - 2 * p)).sum() / np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    picked = np.random.default_rng(1).integers(0, len(p), (BOOTSTRAPS, len(p)))
    briers = ((y - p) ** 2)[picked].mean(axis=1)
    bases = y[picked].mean(axis=1) * (1 - y[picked].mean(axis=1))
    skills = 1 - briers / np.maximum(bases, 1e-12)
    brier, base = ((y - p) ** 2).mean(), y.mean() * (1 - y.mean())
    return (mode, one.region, threshold, event, "changed" if changed_only else "all", len(p),
            int(y.sum()), p.sum(), in_the_large, 2 * stats.norm.sf(abs(in_the_large)), z,
            2 * stats.norm.sf(abs(z)), brier, base, 1 - brier / base, *np.quantile(
                skills, (0.025, 0.975)))


def p_text(p):
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def print_calibration(rows):
    print_table("### Calibration of P(growth) and P(shrinkage)", (
        "region", "mode", "event", "threshold", "pairs", "happened", "expected", "p of the count",
        "p of Spiegelhalter's test", "Brier score", "of the base rate", "skill [95 %]"), [
        (region, mode, event, threshold, f"{n} {kind}", happened, f"{expected:.1f}", p_text(p1),
         p_text(p2), f"{brier:.4f}", f"{base:.4f}", f"{skill:.2f} [{low:.2f}, {high:.2f}]")
        for mode, region, threshold, event, kind, n, happened, expected, _, p1, _, p2, brier, base,
        skill, low, high in rows])


def print_reliability(rows, of_regions):
    """Both events of all regions in one table: as many bins as there are, hardly anything in some."""
    regions = [one.region for one in of_regions]
    for mode in (INDEPENDENT, ESTIMATED):
        for threshold in THRESHOLDS:
            cells = {(row[1], row[3], row[4]): row for row in rows
                     if row[0] == mode and row[2] == threshold}
            bins = [f"({low}, {high}]" for low, high in zip(BINS, BINS[1:])]
            columns = [(region, event) for event in EVENTS for region in regions]
            print_table(f"### Reliability, {mode}, threshold {threshold}: happened of said "
                        "(mean P)", ("P", *(f"{event}, {region}" for region, event in columns)), [
                (name, *(f"{row[7]} of {row[5]} ({row[6]:.2f})" if row else "-"
                         for column in columns for row in [cells.get((*column, name))]))
                for name in bins])


def print_sure(of_regions):
    """What is said with near certainty: of stable pairs all of it is wrong."""
    rows = []
    for one in of_regions:
        for mode in (INDEPENDENT, ESTIMATED):
            for threshold in THRESHOLDS:
                cells = []
                stable = one.within("stable")
                for event in EVENTS:
                    sure = one.probability(mode, event, threshold) > SURE
                    y = one.happened(event, threshold)
                    cells += [proportion_text(int(sure[stable].sum()), int(stable.sum())),
                              f"{int(y[sure].sum())} of {int(sure.sum())}",
                              proportion_text(int(sure[y].sum()), int(y.sum()))]
                rows.append((one.region, mode, threshold, *cells))
    print_table(f"### Said with P > {SURE}", ("region", "mode", "threshold", *(
        f"{event}: {what}" for event in EVENTS for what in (
            "of the stable pairs [95 %]", "true of those said", "found of those true [95 %]"))), rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mcvol", required=True, help="the program")
    parser.add_argument("--results", required=True, help="result folder of mcvol predict")
    parser.add_argument("--cohort", required=True, help="folder of pairs.csv and references.csv")
    parser.add_argument("--reference-pairs", type=int, default=40,
                        help="so many, the first, estimate the correlation (40)")
    parser.add_argument("--check", type=int, default=0, metavar="N",
                        help="compute the first N tested pairs a second time (0)")
    parser.add_argument("--out", type=Path, help="folder of the tables")
    arguments = parser.parse_args()
    try:
        pairs = read_rows(Path(arguments.cohort) / "pairs.csv")
        references = read_rows(Path(arguments.cohort) / "references.csv")
        volumes = {(row["case_id"], row["region"]): float(row["volume_ml"]) for row in references}
        tables, estimates = measured(arguments, pairs, references)
        tested = pairs[arguments.reference_pairs:]
        regions = list(dict.fromkeys(row["region"] for row in references))
        of_regions = [Pairs(region, tested, volumes, tables) for region in regions]
    except (OSError, KeyError, ValueError) as error:
        fail(str(error))
    print(f"{len(of_regions[0].pairs)} of {len(tested)} test pairs measured")
    print_table("### Correlation of the errors of a patient's two scans", (
        "region", "estimated of the reference pairs", "of the test pairs, for comparison"), [
        (region, estimates["reference"][region], estimates["test"][region]) for region in regions])
    print_single_scans(arguments, tested, volumes, regions)
    coverage = coverage_rows(of_regions)
    print_coverage(coverage)
    keys = [(mode, one, event, threshold) for one in of_regions for mode in (INDEPENDENT, ESTIMATED)
            for event in EVENTS for threshold in THRESHOLDS]
    calibration = []
    for key in keys:
        calibration.append(calibration_row(*key))
        if key[3] == "0":
            calibration.append(calibration_row(*key, changed_only=True))
    print_calibration(calibration)
    reliability = [row for key in keys for row in reliability_rows(*key)]
    print_reliability(reliability, of_regions)
    print_sure(of_regions)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        number = lambda row: [f"{x:.5g}" if isinstance(x, float) else x for x in row]  # noqa: E731
        write_rows(arguments.out / "coverage.csv", (
            "mode", "region", "pairs", "level", "n", "covered", "coverage_lower", "coverage_upper",
            "mean_width_ml", "interval_score_ml"), map(number, coverage))
        write_rows(arguments.out / "calibration.csv", (
            "mode", "region", "threshold", "event", "pairs", "n", "happened", "expected", "z_count",
            "p_count", "z_spiegelhalter", "p_spiegelhalter", "brier", "brier_base_rate", "skill",
            "skill_lower", "skill_upper"), map(number, calibration))
        write_rows(arguments.out / "reliability.csv", (
            "mode", "region", "threshold", "event", "bin", "n", "mean_p", "happened",
            "share_lower", "share_upper"), map(number, reliability))
    if arguments.check and not check(arguments, pairs, volumes, of_regions):
        fail("--check: mcvol change says otherwise than the Monte Carlo")


if __name__ == "__main__":
    main()
