#!/usr/bin/env python3
"""Writes regression_reference.json: what a numpy implementation gives for random designs.

    make_regression_reference.py --reference DIR/levels.py --out tests/calibration/regression_reference.json

DIR/levels.py is an implementation of docs/method.md, "Regression", by others than wrote the C++: its
`interval(mean, scale, residuals, alpha)` gives the bounds of row 0's residual, `designs(features, missed,
passes)` the columns. Nothing of its data is read. Ties, rows of zeros and far outliers are among the
designs.
"""
import argparse
import importlib.util
import json

import numpy as np


def design(kind, n, rng):
    """mean [n + 1, 2], scale [n + 1, q] and residuals [n + 1], rounded so that the file is exact."""
    size, spread = np.exp(rng.standard_normal(n + 1)), rng.standard_normal(n + 1)
    noise = rng.standard_t(2, n + 1) if kind == "heavy" else rng.standard_normal(n + 1)
    residuals = 0.05 * size + 0.2 * np.exp(0.7 * spread) * noise
    columns = [spread, rng.standard_normal(n + 1), np.log(size)]
    if kind == "missed":
        absent = np.exp(-size / 0.3)
        columns += [absent, absent * rng.standard_normal(n + 1)]
    if kind == "zeros":  # nothing there, nothing predicted
        rows = rng.random(n + 1) < 0.3
        residuals[rows], size[rows] = 0, 0
        for column in columns:
            column[rows] = 0
    if kind == "ties":
        residuals, columns = np.round(residuals, 1), [np.round(c, 0) for c in columns]
    one = np.ones(n + 1)
    rounded = [np.round(np.column_stack(c), 6) for c in ([one, size], [one, *columns])]
    return rounded[0], rounded[1], np.round(residuals, 6)


# Names of features in calibration.json, and what the reference calls them.
FEATURES = {"no_dropout_median": "med_d", "no_dropout_sd": "sdd", "no_dropout_lower": "lo_d",
            "no_dropout_upper": "up_d", "no_dropout_thresholded": "thr_d",
            "core_thresholded": "core_thr_d", "sd": "sd", "thresholded_sd": "sdt",
            "mean_upper": "up_m", "mean_thresholded": "thr_m", "mean_expected": "soft"}


def scans_with_bounds(levels, n, passes, rng):
    """Features of n + 1 scans, the first the one in question, and bounds of its V^(1/3)."""
    sizes = np.exp(rng.normal(0.3, 0.8, n + 1))
    features = {name: np.round(sizes * (1 + 0.02 * rng.standard_normal(n + 1)), 6)
                if name.endswith(("median", "thresholded", "expected")) else
                np.round(0.05 * np.exp(rng.standard_normal(n + 1)), 6) for name in FEATURES}
    roots = np.round(np.maximum(0, sizes + features["sd"] * rng.standard_normal(n + 1)), 6)
    roots[rng.random(n + 1) < 0.1] = 0
    columns = {other: features[name] for name, other in FEATURES.items()} | {"m": sizes}
    mean, scale = levels.designs(columns, n >= 100, passes)
    residuals = roots - features["no_dropout_median"]
    bounds = []
    for k in (1, 3, 8):
        low, high = levels.interval(mean, scale, residuals.copy(), 2 * (k + 0.5) / (n + 1))
        offset = features["no_dropout_median"][0]
        bounds.append({"k": k, "lower": offset + low, "upper": offset + high})
    return {"passes": passes, "roots": roots.tolist(), "bounds": bounds,
            "features": {name: values.tolist() for name, values in features.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    spec = importlib.util.spec_from_file_location("levels", options.reference)
    levels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(levels)
    rng = np.random.default_rng(20261130)
    designs = []
    for kind in ("normal", "heavy", "missed", "zeros", "ties"):
        for n in (19, 30, 61):
            mean, scale, residuals = design(kind, n, rng)
            bounds = []
            for k in sorted({1, 2, 4, n // 4, n // 3}):
                alpha = 2 * (k + 0.5) / (n + 1)
                low, high = levels.interval(mean, scale, residuals.copy(), alpha)
                bounds.append({"k": k, "lower": low, "upper": high})
            designs.append({"kind": kind, "mean": mean.tolist(), "scale": scale.tolist(),
                            "residuals": residuals.tolist(), "bounds": bounds})
    fits = [scans_with_bounds(levels, n, passes, rng) for n in (30, 110) for passes in (True, False)]
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump({"designs": designs, "fits": fits}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
