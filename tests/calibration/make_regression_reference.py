#!/usr/bin/env python3
"""Writes regression_reference.json: what numpy gives for random designs by docs/method.md, "Regression".

    make_regression_reference.py > tests/calibration/regression_reference.json

Written from that page, not from the C++: hat matrices are whole, the inverse is numpy's. Ties, rows of
zeros and far outliers are among the designs.
"""
import json
import sys

import numpy as np

VALUES = 18  # that log(|r| + 0.02) is rounded to
LOWEST, STEP = np.log(0.02), 0.25


def rounded(residuals):
    """Which of the values, from 0."""
    logs = np.log(np.minimum(np.abs(residuals), 1.5) + 0.02)
    return np.clip(np.rint((logs - LOWEST) / STEP), 0, VALUES - 1)


def sizes(value):
    """|r| that round to it, from and to."""
    low = 0.0 if value == 0 else np.exp(LOWEST + (value - 0.5) * STEP) - 0.02
    high = np.inf if value == VALUES - 1 else np.exp(LOWEST + (value + 0.5) * STEP) - 0.02
    return low, high


def ridge(columns, penalty):
    penalties = np.diag([0.0] + [penalty] * (columns.shape[1] - 1))
    return np.linalg.inv(columns.T @ columns + penalties)


def critical_values(mean, residuals, scale):
    """Ascending; the first row is the scan in question."""
    b = mean / scale[:, None]
    hat = b @ ridge(b, 3.0) @ b.T
    spread = np.sqrt(np.maximum(1 - np.diag(hat), 1e-12))
    z = residuals / scale
    z[0] = 0
    alpha = (z - hat @ z) / spread
    beta = (np.eye(len(z))[0] - hat[:, 0]) / (spread * scale[0])
    closing = beta[0] - beta[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        c = (alpha[1:] - alpha[0]) / closing
    never = closing <= 1e-12 * beta[0]
    c[never] = np.where(alpha[1:][never] >= alpha[0], np.inf, -np.inf)
    return np.sort(c)


def bounds_of(mean, scale, residuals, ks):
    """[k, 2]: bounds of the first row's residual; of none kept 0."""
    z = scale - scale.mean(axis=0)
    z[:, 1:] /= z[:, 1:].std(axis=0) + 1e-9
    z[:, 0] = 1
    fit = ridge(z, 10.0) @ z.T
    logs = LOWEST + STEP * rounded(residuals)
    bounds = np.array([[np.inf, -np.inf]] * len(ks))
    for value in range(VALUES):
        logs[0] = LOWEST + STEP * value
        log_scale = z @ (fit @ logs)
        fitted = np.exp(np.clip(log_scale - np.median(log_scale), np.log(0.2), 3))
        c = critical_values(mean, residuals.copy(), fitted)
        low, high = sizes(value)
        for first, last in ((low, high), (-high, -low)):
            for row, k in enumerate(ks):
                start, end = max(first, c[k - 1]), min(last, c[len(c) - k])
                if start <= end:
                    bounds[row] = min(bounds[row, 0], start), max(bounds[row, 1], end)
    bounds[bounds[:, 0] > bounds[:, 1]] = 0
    return bounds


def scale_columns(of, missed, passes):
    def small(values):
        return np.log(values + 0.02)

    found, t = of["no_dropout_median"], of["no_dropout_thresholded"]
    columns = [np.ones(len(found)), small(of["no_dropout_upper"]), small(of["no_dropout_lower"]),
               np.log(t + 0.3)]
    if passes:
        mean = of["mean_thresholded"]
        columns += [small(of["passes_upper"]), small(of["passes_lower"]), small(of["sd"]),
                    small(of["thresholded_sd"]), small(np.abs(mean - t)),
                    small(np.abs(of["in_any"] - mean)), small(np.abs(mean - of["in_all"]))]
    else:
        columns.append(small(of["no_dropout_sd"]))
    if missed:
        e = np.exp(-found / 0.3)
        columns += [e, e * np.log(of["core_thresholded"] + 0.3)]
    return np.column_stack(columns)


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


FEATURES = ("no_dropout_median", "no_dropout_sd", "no_dropout_lower", "no_dropout_upper",
            "no_dropout_thresholded", "core_thresholded", "passes_median", "passes_lower",
            "passes_upper", "sd", "thresholded_sd", "in_any", "in_all", "mean_thresholded")
SIZES = ("median", "thresholded", "in_any", "in_all")


def scans_with_bounds(n, passes, rng):
    """Features of n + 1 scans, the first the one in question, and bounds of its V^(1/3)."""
    sizes = np.exp(rng.normal(0.3, 0.8, n + 1))
    features = {name: np.round(sizes * (1 + 0.02 * rng.standard_normal(n + 1)), 6)
                if name.endswith(SIZES) else
                np.round(0.05 * np.exp(rng.standard_normal(n + 1)), 6) for name in FEATURES}
    roots = np.round(np.maximum(0, sizes + features["sd"] * rng.standard_normal(n + 1)), 6)
    roots[rng.random(n + 1) < 0.1] = 0
    offset = features["passes_median" if passes else "no_dropout_median"]
    mean = np.column_stack([np.ones(n + 1), offset])
    found = bounds_of(mean, scale_columns(features, n >= 100, passes), roots - offset, (1, 3, 8))
    bounds = [{"k": k, "lower": offset[0] + low, "upper": offset[0] + high}
              for k, (low, high) in zip((1, 3, 8), found)]
    return {"passes": passes, "roots": roots.tolist(), "bounds": bounds,
            "features": {name: values.tolist() for name, values in features.items()}}


def main():
    rng = np.random.default_rng(20261130)
    designs = []
    for kind in ("normal", "heavy", "missed", "zeros", "ties"):
        for n in (19, 30, 61):
            mean, scale, residuals = design(kind, n, rng)
            ks = sorted({1, 2, 4, n // 4, n // 3})
            bounds = [{"k": k, "lower": low, "upper": high}
                      for k, (low, high) in zip(ks, bounds_of(mean, scale, residuals, ks))]
            designs.append({"kind": kind, "mean": mean.tolist(), "scale": scale.tolist(),
                            "residuals": residuals.tolist(), "bounds": bounds})
    fits = [scans_with_bounds(n, passes, rng) for n in (30, 110) for passes in (True, False)]
    json.dump({"designs": designs, "fits": fits}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
