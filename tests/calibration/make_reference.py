#!/usr/bin/env python3
"""Writes reference.json: what calibration_test compares with, computed with numpy and scipy.

    python tests/calibration/make_reference.py > tests/calibration/reference.json

Nothing of mcvol is used: docs/method.md is implemented a second time. Histograms are made up.
"""
import hashlib
import json
import sys

import numpy as np
from scipy import special, stats

NODES = np.linspace(-16, 16, 257)
VOXEL = 1 << 16
VOXEL_ML = 0.008
LEAST_ML = 0.05


# --- Distribution: docs/method.md, "Conversions" ---------------------------------------------------

def histogram(rng, centre, spread, voxels, background):
    """Voxels with normal logits and a background of p < 1e-3, split linearly in p between nodes."""
    logits = np.concatenate([rng.normal(centre, spread, voxels),
                             special.logit(10 ** rng.uniform(-6, -3, background))])
    logits = np.clip(logits, -15.99, 15.99)
    low = np.minimum(((logits + 16) * 8).astype(int), 255)
    p, p0, p1 = (special.expit(x) for x in (logits, NODES[low], NODES[low + 1]))
    share = np.round((p - p0) / (p1 - p0) * VOXEL).astype(np.int64)
    weights = np.zeros(257, np.int64)
    np.add.at(weights, low, VOXEL - share)
    np.add.at(weights, low + 1, share)
    return weights, int((logits > 0).sum())


class Curve:
    """m(z) of one pass: monotone cubic Hermite pieces over sqrt(rho) z."""

    def __init__(self, weights, rho):
        counts = weights / VOXEL
        probits = special.ndtri_exp(special.log_expit(NODES))
        probits[NODES > 0] = -probits[NODES < 0][::-1]
        width = np.sqrt(1 - rho)
        limit = probits[-1] + 6 * width
        half = int(np.ceil(limit / (width / 4)))
        self.spacing = limit / half
        self.x = np.arange(-half, half + 1) * self.spacing
        self.y = special.ndtr((probits[None] + self.x[:, None]) / width) @ counts * VOXEL_ML
        total = counts.sum() * VOXEL_ML
        self.y[0], self.y[-1] = 0, total
        self.y = np.maximum.accumulate(np.minimum(self.y, total))
        q = special.ndtr(probits / width)
        variance = (q * q[::-1]) @ counts
        slope = np.sqrt(rho) / width * stats.norm.pdf(probits / width) @ counts
        wider = np.sqrt(1 + variance ** 2 / slope ** 2 / (variance + 1))
        self.z_per_x = 1 / (np.sqrt(rho) * wider)
        self.rises = self._rises()

    def _rises(self):
        y, d = self.y, np.diff(self.y)
        rises = np.empty_like(y)
        rises[2:-2] = (8 * (y[3:-1] - y[1:-3]) - (y[4:] - y[:-4])) / 12
        rises[1], rises[-2] = (y[2] - y[0]) / 2, (y[-1] - y[-3]) / 2
        rises[1:-1] = np.clip(rises[1:-1], 0, 3 * np.minimum(d[1:], d[:-1]))
        rises[0] = np.clip(1.5 * d[0] - .5 * d[1], 0, 3 * d[0])
        rises[-1] = np.clip(1.5 * d[-1] - .5 * d[-2], 0, 3 * d[-1])
        return rises

    def volume(self, z):
        x = np.clip(np.asarray(z) / self.z_per_x, self.x[0], self.x[-1])
        j = np.clip(((x - self.x[0]) / self.spacing).astype(int), 0, len(self.x) - 2)
        return self._piece(j, (x - self.x[0]) / self.spacing - j)

    def _piece(self, j, t):
        h00, h10 = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2
        h01, h11 = t * t * (3 - 2 * t), t * t * (t - 1)
        return (h00 * self.y[j] + h10 * self.rises[j] + h01 * self.y[j + 1]
                + h11 * self.rises[j + 1])

    def factor(self, volume):
        """The largest z with m(z) = volume."""
        j = int(np.searchsorted(self.y, volume, side="right")) - 1
        if j < 0:
            return -np.inf
        if j >= len(self.y) - 1:
            return np.inf
        low, high = 0.0, 1.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (low, middle) if self._piece(j, middle) > volume else (middle, high)
        return (self.x[0] + (j + low) * self.spacing) * self.z_per_x


def probit_cdf(curves, volume):
    z = np.array([curve.factor(max(volume, VOXEL_ML / 2)) for curve in curves])
    log_cdf = special.logsumexp(special.log_ndtr(z)) - np.log(len(z))
    log_survival = special.logsumexp(special.log_ndtr(-z)) - np.log(len(z))
    return special.ndtri_exp(log_cdf) if log_cdf < log_survival else -special.ndtri_exp(log_survival)


def crps(points, weights, value):
    pairs = np.abs(points[:, None] - points[None]) * weights[:, None] * weights[None]
    return float((weights * np.abs(points - value)).sum() - pairs.sum() / 2)


def root(volume):
    return float(np.cbrt(volume)) if volume > LEAST_ML else 0.0


def root_points(curves):
    z = np.linspace(-6, 6, 97)
    density = stats.norm.pdf(z)
    volumes = np.array([curve.volume(z) for curve in curves])
    volumes[volumes < VOXEL_ML / 2] = 0
    roots = np.array([root(v) for v in volumes.ravel()])
    return roots, np.tile(density / density.sum(), len(curves)) / len(curves)


def atom_uniform(case_id, region):
    """Philox4x32-10 (Salmon et al. 2011) of the SHA-256 of both."""
    digest = hashlib.sha256(f"{case_id}\n{region}".encode()).digest()
    c = [int.from_bytes(digest[4 * i:4 * i + 4], "big") for i in range(4)]
    key = [0x61746F6D, 0]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ key[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ key[1],
             p0 & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return (c[0] + 0.5) / 2 ** 32


def scaled(points, weights, volume):
    mean = (weights * points).sum()
    sd = np.sqrt((weights * (points - mean) ** 2).sum())
    return (root(volume) - mean) / min(max(sd, 0.05), 1.0)


def scan(rng, centre, spread, voxels):
    histograms = [histogram(rng, centre + rng.normal(0, .4), spread, voxels, 4000) for _ in range(3)]
    made = {"weights": [w.tolist() for w, _ in histograms], "above_half": [h for _, h in histograms],
            "cases": []}
    for rho in (0.05, 0.5, 0.95):
        curves = [Curve(w, rho) for w, _ in histograms]
        points, weights = root_points(curves)
        for volume in (0.0, 0.06, 0.3, 1.0, 5.0, 20.0):
            made["cases"].append({"rho": rho, "volume_ml": volume,
                                  "crps": crps(points, weights, root(volume)),
                                  "scaled": scaled(points, weights, volume),
                                  "probit_at_least": probit_cdf(curves, LEAST_ML),
                                  "probit": probit_cdf(curves, volume)})
    return made


# --- Coverage: scipy --------------------------------------------------------------------------------

def proportions():
    rows = []
    for covered, n in ((0, 10), (10, 10), (7, 10), (90, 100), (271, 300), (1, 1)):
        interval = stats.binomtest(covered, n).proportion_ci(0.95, method="exact")
        rows.append({"covered": covered, "n": n, "lower": interval.low, "upper": interval.high})
    return rows


def promises():
    rows = []
    for n, k in ((19, 1), (50, 2), (200, 10), (300, 15)):
        beta, counts = stats.beta(n + 1 - 2 * k, 2 * k), stats.betabinom(300, n + 1 - 2 * k, 2 * k)
        tail = 0.05 / 3 / 2
        inside = np.arange(301)[(counts.cdf(np.arange(301)) > tail)
                                & (counts.sf(np.arange(301) - 1) > tail)]
        rows.append({"n": n, "k": k, "lower": beta.ppf(.05), "upper": beta.ppf(.95),
                     "count_lower": int(inside[0]), "count_upper": int(inside[-1])})
    return rows


def interval_scores():
    rows = []
    for lower, upper, truth, level in ((1., 4., 2., .9), (1., 4., .5, .9), (1., 4., 6., .8)):
        alpha = 1 - level
        score = upper - lower + 2 / alpha * (max(lower - truth, 0) + max(truth - upper, 0))
        rows.append({"lower": lower, "upper": upper, "truth": truth, "level": str(level),
                     "score": score})
    return rows


def main():
    rng = np.random.default_rng(20261125)
    reference = {"voxel_ml": VOXEL_ML,
                 "scans": [scan(rng, 1.0, 3.0, 1200), scan(rng, -2.0, 1.5, 60)],
                 "proportions": proportions(), "promises": promises(),
                 "interval_scores": interval_scores(),
                 "uniforms": [{"case_id": c, "region": r, "uniform": atom_uniform(c, r)}
                              for c in ("case_01", "BraTS-0002") for r in ("whole_tumour", "core")]}
    json.dump(reference, sys.stdout, indent=None, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
