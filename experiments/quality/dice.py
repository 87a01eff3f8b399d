#!/usr/bin/env python3
"""How well bad segmentations are told, by calibrations on other scans of the same cohort.

    experiments/quality/dice.py --mcvol build/release/bin/mcvol --results results/development_2 \\
      --references cohorts/development_2 --out experiments/quality

The scans are parted into folds by their place; each is evaluated by a calibration on the others. With
--calibration the scans are evaluated by that instead. Writes dice.csv (every scan with every signal) and
prints what each signal reaches.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tables import fail, markdown, proportion_text, read_rows, run, write_rows  # noqa: E402

LOW_DICE, LARGE_ERROR = 0.7, 0.25
BOOTSTRAPS, SEED = 2000, 30
SIGNALS = ("expected_dice", "dice_lower", "generalised_dice", "entropy_inside", "interval_width",
           "level_set_width", "predicted_volume")
GROWING = ("entropy_inside", "interval_width", "level_set_width")  # with how suspicious a scan is


def part_of(results, cases, into):
    """A result folder of some of the cases, by links."""
    for folder in ("cases", "maps"):
        (into / folder).mkdir(parents=True)
    for case in cases:
        (into / "cases" / f"{case}.json").symlink_to(results / "cases" / f"{case}.json")
        (into / "maps" / case).symlink_to(results / "maps" / case)
    (into / "run.json").write_bytes((results / "run.json").read_bytes())
    return into


def evaluated(arguments, results, calibration, out):
    run(arguments.mcvol, "evaluate", results, "--references", arguments.references, "--calibration",
        calibration, "--out", out, "--quiet")
    return read_rows(out / "segmentations.csv")


def cross_evaluated(arguments, work):
    cases = sorted(path.stem for path in (arguments.results / "cases").glob("*.json"))
    rows = []
    for fold in range(arguments.folds):
        inside = cases[fold::arguments.folds]
        others = part_of(arguments.results, sorted(set(cases) - set(inside)), work / f"fit_{fold}")
        tested = part_of(arguments.results, inside, work / f"test_{fold}")
        calibration = work / f"{fold}.json"
        run(arguments.mcvol, "calibrate", others, "--references", arguments.references, "--output",
            calibration, "--quiet")
        rows += evaluated(arguments, tested, calibration, work / f"out_{fold}")
    return rows


def auroc(suspicion, bad):
    ranks, count = rankdata(suspicion), bad.sum()
    return (ranks[bad].sum() - count * (count + 1) / 2) / (count * (~bad).sum())


def risk_coverage_area(suspicion, risk):
    """The mean over ties' orders: each of a tie has the tie's mean risk."""
    _, of = np.unique(suspicion, return_inverse=True)
    means = np.bincount(of, weights=risk) / np.bincount(of)
    kept = means[np.sort(of)]
    return np.mean(np.cumsum(kept) / np.arange(1, len(kept) + 1))


def range_text(values, draws):
    return f"{values:.3f} [{np.quantile(draws, 0.025):.3f}, {np.quantile(draws, 0.975):.3f}]"


def signals_table(rows, outcome):
    """Rows of a region: AUROC, its difference to the predicted volume's and the areas."""
    if outcome == "dice":
        risk = 1 - np.array([float(row["dice"]) for row in rows])
        bad = risk > 1 - LOW_DICE
    else:
        error = np.array([float(row["relative_error"] or "inf") for row in rows])
        risk, bad = np.minimum(error, 1), error > LARGE_ERROR
    if not 0 < bad.sum() < len(rows):
        return int(bad.sum()), []
    suspicion = {name: np.array([float(row[name] or "inf") * (1 if name in GROWING else -1)
                                 for row in rows]) for name in SIGNALS}
    generator = np.random.default_rng(SEED)
    drawn = [np.random.default_rng(seed).integers(len(rows), size=len(rows))
             for seed in generator.integers(2**32, size=BOOTSTRAPS)]
    drawn = [draw for draw in drawn if 0 < bad[draw].sum() < len(rows)]
    oracle, table = risk_coverage_area(risk, risk), []
    widths = risk_coverage_area(suspicion["interval_width"], risk) - oracle
    volume = np.array([auroc(suspicion["predicted_volume"][draw], bad[draw]) for draw in drawn])
    for name in SIGNALS:
        own = np.array([auroc(suspicion[name][draw], bad[draw]) for draw in drawn])
        area = auroc(suspicion[name], bad)
        excess = risk_coverage_area(suspicion[name], risk) - oracle
        over = area - auroc(suspicion["predicted_volume"], bad)
        table.append([f"`{name}`", range_text(area, own), range_text(over, own - volume),
                      f"{oracle + excess:.4f}", f"{excess:.4f}", f"{excess / widths:.2f}"])
    return int(bad.sum()), table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mcvol", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True,
                        help="result folder, measured with --save segmentation")
    parser.add_argument("--references", type=Path, required=True, help="folder of label maps")
    parser.add_argument("--calibration", type=Path, help="of other scans (default: of the other folds)")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.results = arguments.results.resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rows = (evaluated(arguments, arguments.results, arguments.calibration, work / "out")
                if arguments.calibration else cross_evaluated(arguments, work))
    if not rows or not all(row["dice"] and row["dice_lower"] for row in rows):
        fail(f"{arguments.results}: expected segmentations of every case, label maps of them, and a "
             "calibration on 19 of them or more")
    rows.sort(key=lambda row: (row["region"], row["case_id"]))
    write_rows(arguments.out / "dice.csv", list(rows[0]), [list(row.values()) for row in rows])
    for region in sorted({row["region"] for row in rows}):
        of_region = [row for row in rows if row["region"] == region]
        held = sum(float(row["dice"]) >= float(row["dice_lower"]) for row in of_region)
        print(f"### {region}\n\n`dice_lower` holds for {held} of {len(of_region)}: "
              f"{proportion_text(held, len(of_region), 3)}.\n")
        for outcome, name in (("dice", f"Dice below {LOW_DICE}"),
                              ("error", f"volume off by more than {LARGE_ERROR:.0%}")):
            count, table = signals_table(of_region, outcome)
            print(markdown([f"{name}: {count} of {len(of_region)}", "AUROC", "over predicted volume",
                            "AURC", "over the oracle's", "over that of the width"], table), "\n")


if __name__ == "__main__":
    main()
