#!/usr/bin/env python3
"""Compares interval methods, strata and measurements of one cohort, each scan's intervals made
without it.

    experiments/interval_method/cross_validate.py --mcvol BIN --results [NAME=]RESULT [...]
        --references COHORT/references.csv [--strata 3 --strata 10 ...] [--calibrate-on N] [--out DIR]

Each fold's scans are evaluated (`mcvol evaluate`) under a calibration made on the others (`mcvol
calibrate`); a scan's score is its mean over the repeats, each of which cuts the folds afresh. With
--calibrate-on N a repeat draws N scans to calibrate on and evaluates all others. Several result
folders, of other scopes, rates or passes, are named: candidates are then "method, NAME".
Interval scores (Gneiting and Raftery 2007) are those of V^(1/3), in ml^(1/3), and in ml. The ratios
and their 95 % intervals are of means over the same scans (bootstrap over scans). Strata with too few
references in a fold are left out, and said. Tables go to stdout as Markdown; --out takes the
scores of every scan. Needs numpy.
"""
import argparse
import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
from tables import fail, read_rows, write_references  # noqa: E402

LEVEL = "0.9"
BOOTSTRAPS = 10000
ALL = "all regions"
MEASURES = ("interval_score_root", "interval_score_ml", "width_root", "width_ml", "covered")


def run(command):
    """stderr of a failed command, else none; 3 is success with something left out."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode not in (0, 3) else None


def evaluate_fold(arguments, results, rows, known, fold, strata, scratch):
    """Rows of intervals.csv for the fold's scans, calibrated on those known, or a reason."""
    write_references(scratch / "train.csv", rows, known)
    write_references(scratch / "fold.csv", rows, fold)
    calibration = scratch / "calibration.json"
    reason = run([arguments.mcvol, "calibrate", results, "--references",
                  scratch / "train.csv", "--output", calibration, "--quiet", "--level", LEVEL]
                 + (["--strata", strata] if strata else []))
    if reason is None:
        reason = run([arguments.mcvol, "evaluate", results, "--references",
                      scratch / "fold.csv", "--calibration", calibration, "--level", LEVEL,
                      "--out", scratch / "evaluation", "--quiet"])
    if reason is not None:
        return None, reason
    return read_rows(scratch / "evaluation" / "intervals.csv"), None


def splits_of(arguments, cases, repeat):
    """Pairs of scans to calibrate on and to evaluate; the same for every result folder."""
    order = [cases[n] for n in
             np.random.default_rng(arguments.seed + repeat).permutation(len(cases))]
    if arguments.calibrate_on:
        return [(set(order[:arguments.calibrate_on]), set(order[arguments.calibrate_on:]))]
    return [(set(order) - set(part), set(part)) for part in np.array_split(order, arguments.folds)]


def cross_validate(arguments, results, rows, strata):
    """{(region, case_id): {method: [measure]}}, means over the repeats that evaluate the scan."""
    cases = sorted({row["case_id"] for row in rows})
    sums = defaultdict(lambda: defaultdict(lambda: np.zeros(len(MEASURES))))
    counts = defaultdict(int)  # by region, case and method
    for repeat in range(arguments.repeats):
        for known, fold in splits_of(arguments, cases, repeat):
            with tempfile.TemporaryDirectory() as folder:
                found, reason = evaluate_fold(arguments, results, rows, known, fold, strata,
                                              Path(folder))
            if reason is not None:
                print(f"{results}, strata {strata or 'none'}, left out: {reason.splitlines()[-1]}",
                      file=sys.stderr)
                return None
            for row in found:
                lower, upper = float(row["lower_ml"]), float(row["upper_ml"])
                values = (float(row["interval_score_root"]), float(row["interval_score_ml"]),
                          np.cbrt(upper) - np.cbrt(lower), upper - lower, float(row["covered"]))
                sums[row["region"], row["case_id"]][row["method"]] += np.array(values)
                counts[row["region"], row["case_id"], row["method"]] += 1
        print(f"{results}, strata {strata or 'none'}: repeat {repeat + 1}/{arguments.repeats}",
              file=sys.stderr)
    return {key: {method: total / counts[(*key, method)] for method, total in methods.items()}
            for key, methods in sums.items()}


def candidates_of(arguments, rows):
    """{candidate: {(region, case_id): [measure]}}; methods without calibration once only."""
    tables = {}
    for label, results in arguments.results.items():
        for strata in ["", *arguments.strata]:
            scored = cross_validate(arguments, results, rows, strata)
            for key, methods in (scored or {}).items():
                for method, values in methods.items():
                    if strata and method == "level_sets":
                        continue
                    name = (method + (f", {label}" if label else "")
                            + (f", strata at {strata} ml" if strata else ""))
                    tables.setdefault(name, {})[key] = values
    return tables


def matrix_of(table, cases, regions):
    """[case, measure], the mean over `regions`."""
    return np.array([np.mean([table[region, case] for region in regions], axis=0)
                     for case in cases])


def cases_of_all(tables, regions):
    """Those that every candidate scored in all the regions."""
    cases = sorted({case for table in tables.values() for _, case in table})
    common = [case for case in cases if all((region, case) in table for table in tables.values()
                                            for region in regions)]
    if len(common) < len(cases):
        print(f"{', '.join(regions)}: {len(cases) - len(common)} of {len(cases)} cases left out "
              "that some candidate has no score of", file=sys.stderr)
    if not common:
        fail(f"{', '.join(regions)}: no case that all candidates have a score of")
    return common


def named_results(words):
    """{label: folder}; a folder without a name has the label ""."""
    named = {}
    for word in words:
        label, _, folder = word.partition("=") if not Path(word).exists() else ("", "", word)
        if not folder:
            label, folder = "", label
        if label in named:
            fail(f"--results: two folders called '{label}'; name each, as in channel=DIR")
        named[label] = folder
    return named


def ratio_text(values, reference, rng):
    """Of means, with its bootstrap interval."""
    picked = rng.integers(0, len(values), (BOOTSTRAPS, len(values)))
    ratios = values[picked].mean(axis=1) / reference[picked].mean(axis=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return f"{values.mean() / reference.mean():.3f} [{low:.3f}, {high:.3f}]"


def print_tables(tables, reference_name):
    some = next(iter(tables.values()))
    regions = list(dict.fromkeys(region for region, _ in some))
    for title, chosen in [*((region, [region]) for region in regions), (ALL, regions)]:
        cases = cases_of_all(tables, chosen)
        reference = matrix_of(tables[reference_name], cases, chosen)
        print(f"\n## {title}\n\n| candidate | score, ml^(1/3) | to `{reference_name}` [95 %] "
              f"| score, ml | to `{reference_name}` [95 %] | mean width, ml^(1/3) | ml | covered |\n"
              "|---|---|---|---|---|---|---|---|")
        matrices = {name: matrix_of(table, cases, chosen) for name, table in tables.items()}
        for name, values in sorted(matrices.items(), key=lambda item: item[1][:, 0].mean()):
            rng = np.random.default_rng(1)  # the same resamples for all
            ratios = [ratio_text(values[:, k], reference[:, k], rng) for k in (0, 1)]
            mean = values.mean(axis=0)
            print(f"| {name} | {mean[0]:.3f} | {ratios[0]} | {mean[1]:.2f} | {ratios[1]} "
                  f"| {mean[2]:.3f} | {mean[3]:.2f} | {mean[4]:.3f} |")


def write_scores(path, tables):
    """Interval scores of V^(1/3): a row per region and scan, a column per candidate."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("region", "case_id", *tables))
        for key in sorted(next(iter(tables.values()))):
            writer.writerow((*key, *(f"{table[key][0]:.4g}" if key in table else ""
                                     for table in tables.values())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mcvol", required=True, help="the program")
    parser.add_argument("--results", required=True, nargs="+", metavar="[NAME=]DIR",
                        help="result folders of mcvol predict, of the same scans")
    parser.add_argument("--references", required=True, help="its references.csv")
    parser.add_argument("--strata", action="append", default=[],
                        help="edges in ml to try, as mcvol calibrate takes them; repeatable")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--calibrate-on", type=int, metavar="N",
                        help="draw N scans in place of folds")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compare-with", default="conformal", metavar="CANDIDATE")
    parser.add_argument("--out", type=Path, help="folder of cross_validate.csv")
    arguments = parser.parse_args()
    arguments.results = named_results(arguments.results)
    try:
        rows = read_rows(arguments.references)
        tables = candidates_of(arguments, rows)
    except (OSError, KeyError) as error:
        fail(str(error))
    if arguments.compare_with not in tables:
        fail(f"--compare-with {arguments.compare_with}: expected one of "
             f"{', '.join(tables) or 'none: nothing could be evaluated'}")
    cut = (f"calibrated on {arguments.calibrate_on}" if arguments.calibrate_on
           else f"{arguments.folds} folds")
    print(f"{len({row['case_id'] for row in rows})} cases, {cut}, {arguments.repeats} repeats, "
          f"level {LEVEL}")
    print_tables(tables, arguments.compare_with)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_scores(arguments.out / "cross_validate.csv", tables)


if __name__ == "__main__":
    main()
