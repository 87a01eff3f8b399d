"""Experiment a: how far the volumes of passes vary, and whether their percentiles cover."""
import numpy as np

from common import LEAST_ML, LEVEL, OUTSTANDING, REGIONS, coverage_text, put_into
from tables import markdown, proportion, write_rows
from plan import FIRST, PLACEMENTS
from volumes import PASS_VOLUMES, read_cases

HEADER = ("layers", "scope", "region", "volume", "n", "present", "sd_over_volume",
          "range_over_volume", "error_over_volume", "sd_over_error", "range_over_error",
          "truth_in_range", "truth_in_range_share", "covered", "coverage", "coverage_lower", "coverage_upper")


def measures(volumes, truth):
    """`volumes` [scan, pass], `truth` [scan], ml."""
    mean, sd = volumes.mean(axis=1), volumes.std(axis=1, ddof=1)
    spread, error = np.ptp(volumes, axis=1), np.abs(volumes.mean(axis=1) - truth)
    there = (truth > LEAST_ML) & (volumes.max(axis=1) > 0)
    of = lambda top, bottom: np.median(top[there] / bottom[there])  # noqa: E731
    lower, upper = np.quantile(volumes, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=1)
    absent = truth <= LEAST_ML
    covered = np.where(absent, lower <= LEAST_ML, (lower <= truth) & (truth <= upper))
    in_range = np.where(absent, volumes.min(axis=1) <= LEAST_ML,
                        (volumes.min(axis=1) <= truth) & (truth <= volumes.max(axis=1)))
    return {"n": len(truth), "present": int(there.sum()), "sd_over_volume": of(sd, mean),
            "range_over_volume": of(spread, mean), "error_over_volume": of(error, mean),
            "sd_over_error": of(sd, error), "range_over_error": of(spread, error),
            "truth_in_range": int(in_range.sum()), "truth_in_range_share": in_range.mean(),
            "covered": int(covered.sum())}


def rows_of(workplace, run):
    cases, truths = read_cases(workplace, run)
    for region in REGIONS:
        for kind, volumes_of in PASS_VOLUMES.items():
            volumes = np.array([volumes_of(case, region) for case in cases[:FIRST]])
            found = measures(volumes, truths[region][:FIRST])
            yield {"layers": run.layers, "scope": run.scope, "region": region, "volume": kind,
                   **found}


def write(workplace, out):
    rows, missing = [], []
    for run in PLACEMENTS:
        if workplace.is_complete(run):
            rows += rows_of(workplace, run)
        else:
            missing.append(run)
    cells = []
    for row in rows:
        share = row["covered"] / row["n"], *proportion(row["covered"], row["n"])
        cells.append([row[name] if name in ("layers", "scope", "region", "volume") else
                      f"{row[name]:.4g}" for name in HEADER[:-3]] + [f"{s:.4f}" for s in share])
    write_rows(out / "passes.csv", HEADER, cells)
    shown = [(row["layers"], row["scope"], row["region"], row["volume"],
              *(f"{100 * row[name]:.1f} %" for name in ("sd_over_volume", "range_over_volume",
                                                         "error_over_volume")),
              f"{row['sd_over_error']:.2f}", coverage_text(row["truth_in_range"], row["n"]),
              coverage_text(row["covered"], row["n"])) for row in rows]
    shown += [(run.layers, run.scope, OUTSTANDING, *[""] * 7) for run in missing]
    put_into(out / "README.md", "passes", markdown(
        ("layers", "scope", "region", "volume of a pass", "SD / volume", "range / volume",
         "error / volume", "SD / error", "truth between least and largest pass [95 %]",
         "between the 5th and 95th percentile"), shown))
