#!/usr/bin/env python3
"""Two networks on the same scans, one pass without dropout each: Dice, errors of the volume, and
gross misses, whose V^(1/3) is off by more than 0.5 ml^(1/3).

    python experiments/network/compare.py experiments/network/development_2.csv
"""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tables import markdown, read_rows  # noqa: E402

VOXEL_ML = 0.008
GROSS = 0.5  # ml^(1/3)
BOOTSTRAPS = 10000


def interval(values, rng):
    """Of their mean, bootstrap over scans."""
    means = values[rng.integers(0, len(values), (BOOTSTRAPS, len(values)))].mean(axis=1)
    return "{:+.4f} [{:+.4f}, {:+.4f}]".format(values.mean(), *np.quantile(means, (0.025, 0.975)))


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def dice(rows, which):
    """NaN where neither the network nor the reference has anything."""
    total = column(rows, f"found_{which}") + column(rows, "label_voxels")
    with np.errstate(invalid="ignore"):
        return 2 * column(rows, f"overlap_{which}") / total


def root_error(rows, which):
    return np.cbrt(VOXEL_ML * column(rows, f"found_{which}")) - np.cbrt(column(rows, "true_ml"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("table", type=Path)
    rows = read_rows(parser.parse_args().table)
    rng, lines = np.random.default_rng(1), []
    for region in dict.fromkeys(row["region"] for row in rows):
        of_region = [row for row in rows if row["region"] == region]
        before, after = (dice(of_region, which) for which in ("before", "after"))
        both = np.isfinite(before) & np.isfinite(after)
        errors = [root_error(of_region, which) for which in ("before", "after")]
        gross = [abs(error) > GROSS for error in errors]
        lines.append([
            region, f"{np.median(before[both]):.3f}, {np.median(after[both]):.3f}",
            f"{before[both].mean():.3f}, {after[both].mean():.3f}",
            interval(after[both] - before[both], rng),
            ", ".join(f"{np.sqrt((error ** 2).mean()):.3f}" for error in errors),
            ", ".join(f"{error.mean():+.3f}" for error in errors),
            ", ".join(str(mask.sum()) for mask in gross),
            f"{(gross[0] & ~gross[1]).sum()}, {(gross[1] & ~gross[0]).sum()}"])
    print(markdown(["region", "Dice, median, before and after", "mean", "difference [95 %]",
                    "RMS error of V^(1/3)", "bias", "gross misses", "mended, new"], lines))


if __name__ == "__main__":
    main()
