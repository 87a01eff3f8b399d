#!/usr/bin/env python3
"""Compares dropout rates and scopes by the volumes they predict, after calibration.

    scripts/train/compare_dropout.py --references COHORT/references.csv
        --results native-0.1=RESULT channel-0.1=RESULT ... [--out DIR]

Each RESULT is a folder of `mcvol predict` over the same simulated scans. The score is the CRPS of
V^(1/3) (Gneiting and Raftery 2007), in ml^(1/3), of calibrated distributions on scans that were
not used to calibrate: in each fold of a cross-validation the training scans choose rho, the
correlation of the copula between voxels (docs/method.md), by their mean CRPS and give the map from
predicted to empirical quantiles. The 95 % intervals of the differences are over scans, one at a
time: of four results that are equally good, some one is called worse in a fifth of cohorts. Tables
go to stdout as Markdown; --out takes a row per case, region and result. Needs numpy and scipy.
"""
import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

import records
from records import fail

RHOS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
# Where the quantiles of each pass are taken from which the nodes of a distribution are chosen.
LATENT = np.concatenate([-np.geomspace(40, 5.5, 12), np.arange(-5, 5.01, 0.25),
                         np.geomspace(5.5, 40, 12)])
ROOT_NODES = 400
LEAST_ML = 0.05  # a volume below this, or below a voxel, counts as no tumour
ROUNDING = 1e-9  # of V^(1/3)
LEVEL = 0.9
BOOTSTRAPS = 10000
ALL = "all regions"


# --- Distribution, score and calibration --------------------------------------------------------

def distribution(z, volumes, voxel_ml, truth_ml):
    """Nodes of V^(1/3), among them the true one, and probit(F) there, [ROOT_NODES] each.

    Volumes up to max(a voxel, LEAST_ML) are one atom at 0, which is the first node.
    """
    least_ml = max(voxel_ml, LEAST_ML)
    pool = np.sort(np.concatenate([np.interp(LATENT, x, v) for x, v in zip(z, volumes)]))
    picked = pool[np.linspace(0, pool.size - 1, ROOT_NODES - 4).astype(int)] * voxel_ml
    ends = [least_ml, truth_ml, max(volumes[:, -1].max() * voxel_ml, truth_ml) + voxel_ml]
    nodes_ml = np.sort(np.maximum(np.concatenate([picked, ends]), least_ml))
    probits = records.mixture_probits(z, volumes, nodes_ml / voxel_ml)
    return np.append(0, np.cbrt(nodes_ml)), np.append(probits[0], probits)


def crps(roots, cdf, truth):
    """Integral of (F(x) - 1{x >= truth})^2; F linear between nodes, one of which is the truth."""
    below = roots[..., 1:] <= truth[..., None] + ROUNDING
    left = np.where(below, cdf[..., :-1], 1 - cdf[..., :-1])
    right = np.where(below, cdf[..., 1:], 1 - cdf[..., 1:])
    return (np.diff(roots) * (left * left + left * right + right * right)).sum(axis=-1) / 3


def recalibrated(probits, training):
    """The conformal predictive distribution: the k-th of n training ranks becomes k / (n + 1).

    Linear on the probit scale in between, parallel to the prediction beyond.
    """
    ranks = np.sort(training)
    levels = ndtri(np.arange(1, ranks.size + 1) / (ranks.size + 1))
    beyond = np.minimum(probits - ranks[0], 0) + np.maximum(probits - ranks[-1], 0)
    return np.interp(probits, ranks, levels) + beyond


def quantiles(roots, probits, probability):
    """Of each row, as V^(1/3)."""
    target = ndtri(probability)
    return np.array([np.interp(target, p, x) for p, x in zip(probits, roots)])


@dataclass
class Predictions:
    """Of all results for one region; arrays [result, case, rho, …]."""
    truth: np.ndarray  # [case], V^(1/3), 0 for no tumour
    roots: np.ndarray
    probits: np.ndarray

    def raw_crps(self):
        return crps(self.roots, ndtr(self.probits), self.truth[None, :, None])

    def ranks(self, uniforms):
        """probit of the PIT values, spread over the atom where there is no tumour."""
        at = np.abs(self.roots - self.truth[:, None, None]).argmin(axis=-1)[..., None]
        probit = np.take_along_axis(self.probits, at, axis=-1)[..., 0]
        spread = ndtri_exp(log_ndtr(probit) + np.log(uniforms)[:, None])
        return np.clip(np.where(self.truth[:, None] > 0, probit, spread), -records.MAX_PROBIT,
                       records.MAX_PROBIT)


def predictions_of(results, cases, references, region):
    truth_ml = np.array([references[case, region].volume_ml for case in cases])
    voxel_ml = np.array([results[0][case].voxel_ml for case in cases])
    truth_ml[truth_ml <= np.maximum(voxel_ml, LEAST_ML)] = 0
    shape = len(results), len(cases), len(RHOS), ROOT_NODES
    made = Predictions(np.cbrt(truth_ml), np.empty(shape), np.empty(shape))
    for r, result in enumerate(results):
        histograms = [result[case].regions[region] for case in cases]
        for g, rho in enumerate(RHOS):
            z, volumes = records.curves_of(histograms, rho)
            for c in range(len(cases)):
                made.roots[r, c, g], made.probits[r, c, g] = distribution(
                    z[c], volumes[c], voxel_ml[c], truth_ml[c])
    return made


@dataclass
class Scores:
    """Of held-out cases in one region, means over repeats; arrays [result, case]."""
    crps: np.ndarray
    raw_crps: np.ndarray  # with the rho chosen, before calibration
    lower_ml: np.ndarray
    upper_ml: np.ndarray
    covered: np.ndarray
    rhos: np.ndarray  # [result, fold of any repeat]


def cross_validated(predictions, folds, uniforms):
    """`folds` [repeat, case]: the fold in which a case is held out; `uniforms` [repeat, case]."""
    raw = predictions.raw_crps()
    results, cases = raw.shape[:2]
    sums, rhos = np.zeros((5, results, cases)), [[] for _ in range(results)]
    for fold_of, uniform in zip(folds, uniforms):
        ranks = predictions.ranks(uniform)
        for fold in np.unique(fold_of):
            held, training = fold_of == fold, fold_of != fold
            for r in range(results):
                g = raw[r, training].mean(axis=0).argmin()
                rhos[r].append(RHOS[g])
                roots = predictions.roots[r, held, g]
                probits = recalibrated(predictions.probits[r, held, g], ranks[r, training, g])
                truth = predictions.truth[held]
                lower = quantiles(roots, probits, (1 - LEVEL) / 2)
                upper = quantiles(roots, probits, (1 + LEVEL) / 2)
                covered = (lower - ROUNDING <= truth) & (truth <= upper + ROUNDING)
                sums[:, r, held] += (crps(roots, ndtr(probits), truth), raw[r, held, g],
                                     lower ** 3, upper ** 3, covered)
    return Scores(*(sums / len(folds)), np.array(rhos))


def balanced_folds(rng, cases, folds, repeats):
    balanced = np.arange(cases) % folds
    return np.stack([rng.permutation(balanced) for _ in range(repeats)])


def paired_differences(scores, rng):
    """Mean difference to the best result with its 95 % bootstrap interval over cases.

    `scores` [result, case]; gives the best's number and [result] arrays mean, lower, upper.
    """
    best = int(scores.mean(axis=1).argmin())
    differences = scores - scores[best]
    cases = scores.shape[1]
    shares = rng.multinomial(cases, np.full(cases, 1 / cases), size=BOOTSTRAPS) / cases
    lower, upper = np.percentile(shares @ differences.T, [2.5, 97.5], axis=0)
    return best, differences.mean(axis=1), lower, upper


# --- Report --------------------------------------------------------------------------------------

def verdict(result, best, lower, upper):
    if result == best:
        return "best"
    return "tied" if lower <= 0 <= upper else "worse"


def print_table(names, region, crps_values, columns, rng):
    """`columns`: heading to [text per result]."""
    best, mean, lower, upper = paired_differences(crps_values, rng)
    headings = ["result", "CRPS", "difference to the best [95 %]", "", *columns]
    print(f"\n### {region}\n\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for r in np.argsort(crps_values.mean(axis=1), kind="stable"):
        difference = "" if r == best else f"{mean[r]:.4f} [{lower[r]:.4f}, {upper[r]:.4f}]"
        cells = [names[r], f"{crps_values[r].mean():.4f}", difference,
                 verdict(r, best, lower[r], upper[r]), *(column[r] for column in columns.values())]
        print(f"| {' | '.join(cells)} |")


def region_columns(scores):
    rhos = [f"{np.median(r):g} ({r.min():g} to {r.max():g})" for r in scores.rhos]
    widths = scores.upper_ml - scores.lower_ml
    root_widths = np.cbrt(scores.upper_ml) - np.cbrt(scores.lower_ml)
    return {"before calibration": [f"{x:.4f}" for x in scores.raw_crps.mean(axis=1)],
            "rho, median (range over folds)": rhos,
            "90 % coverage": [f"{x:.3f}" for x in scores.covered.mean(axis=1)],
            "mean width, ml": [f"{x:.1f}" for x in widths.mean(axis=1)],
            "ml^(1/3)": [f"{x:.3f}" for x in root_widths.mean(axis=1)]}


def write_cases(path, names, cases, references, scores):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case_id", "region", "volume_ml", "result", "crps", "crps_uncalibrated",
                         "lower_ml", "upper_ml", "covered"])
        for region, of_region in scores.items():
            for c, case in enumerate(cases):
                for r, name in enumerate(names):
                    values = (getattr(of_region, key)[r, c] for key in
                              ("crps", "raw_crps", "lower_ml", "upper_ml", "covered"))
                    writer.writerow([case, region, f"{references[case, region].volume_ml:.3f}",
                                     name, *(f"{value:.5f}" for value in values)])


def cases_in_all(results, references, regions):
    common = set.intersection(*(set(result) for result in results))
    known = {case for case, _ in references}
    cases = sorted(case for case in common
                   if all((case, region) in references for region in regions))
    left_out = sorted(known.union(*results) - set(cases))
    if left_out:
        print(f"left out, not measured in every result or without a reference: {len(left_out)} "
              f"cases ({', '.join(left_out[:5])}{', …' if len(left_out) > 5 else ''})",
              file=sys.stderr)
    return cases


def named_results(texts):
    named = {}
    for text in texts:
        name, separator, folder = text.partition("=")
        if not (separator and name and Path(folder).is_dir()):
            fail(f"--results {text}: expected NAME=FOLDER of a result folder")
        if name in named:
            fail(f"--results: the name {name} is there twice")
        named[name] = records.read_case_records(folder)[0]
    return named


def require_comparable(named):
    passes = {name: {r.passes for r in result.values()} for name, result in named.items()}
    if len(set.union(*passes.values())) > 1:
        fail(f"results of differing numbers of passes cannot be compared: {passes}")
    regions = [tuple(record.regions) for result in named.values() for record in result.values()]
    if len(set(regions)) != 1:
        fail("the results do not measure the same regions")
    if len({round(r.voxel_ml, 9) for result in named.values() for r in result.values()}) > 1:
        fail("the results were measured on voxels of differing size")
    return regions[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--references", required=True, type=Path, help="CSV of true volumes")
    parser.add_argument("--results", required=True, nargs="+", metavar="NAME=RESULT")
    parser.add_argument("--out", type=Path, help="folder for compare_dropout.csv, a row per case")
    parser.add_argument("--seed", type=int, default=0, help="of folds, atoms and bootstrap")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=10, help="of the cross-validation")
    arguments = parser.parse_args()
    references = records.read_references(arguments.references)
    named = named_results(arguments.results)
    regions = require_comparable(named)
    names, results = list(named), list(named.values())
    cases = cases_in_all(results, references, regions)
    if arguments.folds < 2 or arguments.repeats < 1 or len(cases) < 4 * arguments.folds:
        fail(f"{len(cases)} cases in {arguments.folds} folds: expected at least four a fold")
    rng = np.random.default_rng(arguments.seed)
    folds = balanced_folds(rng, len(cases), arguments.folds, arguments.repeats)
    uniforms = 1 - rng.random((len(regions), *folds.shape))  # above 0
    scores = {region: cross_validated(predictions_of(results, cases, references, region), folds,
                                      uniform)
              for region, uniform in zip(regions, uniforms)}
    print(f"{len(cases)} cases, {arguments.folds} folds, {arguments.repeats} repeats; "
          "CRPS of V^(1/3) in ml^(1/3) after calibration, cross-validated")
    for region in regions:
        print_table(names, region, scores[region].crps, region_columns(scores[region]), rng)
    print_table(names, ALL, np.mean([s.crps for s in scores.values()], axis=0), {}, rng)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_cases(arguments.out / "compare_dropout.csv", names, cases, references, scores)


if __name__ == "__main__":
    main()
