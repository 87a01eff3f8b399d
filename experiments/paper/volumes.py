"""Volumes of passes and distributions of volumes from case records (docs/method.md)."""
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_ndtr, ndtr, ndtri, ndtri_exp

from common import LEAST_ML, REGIONS, SEED
from tables import fail
import compare_dropout
import records

P = expit(records.NODE_LOGITS)
Z = np.linspace(-6, 6, 97)
Z_WEIGHTS = np.exp(-Z**2 / 2) / np.exp(-Z**2 / 2).sum()
SD_RANGE = (0.05, 1)  # ml^(1/3), of `scaled`
WIDE = np.concatenate([-np.geomspace(200, 8, 20), np.linspace(-7.5, 7.5, 61),
                       np.geomspace(8, 200, 20)])
# Conversion: rho of the copula, or None for one value a pass.
CONVERSIONS = {"threshold": None, "soft": None, "bernoulli": 0, "copula 0.05": 0.05,
               "copula 0.2": 0.2, "copula 0.5": 0.5, "copula 0.9": 0.9, "level_set": 1}


def read_cases(workplace, run):
    """Records of the run's scans in the order of its cohort, and true volumes by region."""
    found = records.read_case_records(workplace.results / run.name)[0]
    truth = records.read_references(workplace.references(run.cohort))
    cases = workplace.case_ids(run)
    missing = [case for case in cases if case not in found]
    if missing:
        fail(f"{workplace.results / run.name}: no record of {missing[0]}")
    return [found[case] for case in cases], {
        region: np.array([truth[case, region].volume_ml for case in cases]) for region in REGIONS}


def thresholded_ml(case, region):
    """[passes]"""
    return case.regions[region].above_half * case.voxel_ml


def summed_ml(case, region):
    """[passes]"""
    return case.regions[region].passes @ P / records.VOXEL_WEIGHT * case.voxel_ml


PASS_VOLUMES = {"threshold": thresholded_ml, "soft": summed_ml}


def independent_curves(weights):
    """z and V in voxels, [passes, knots] each, of voxels drawn one by one."""
    mean, variance = weights @ P, weights @ (P * (1 - P))
    volumes = mean[:, None] - 0.5 + np.sqrt(variance)[:, None] * WIDE
    volumes = np.clip(np.where(volumes < 0.5, 0, volumes), 0, weights.sum(axis=1)[:, None])
    return np.broadcast_to(WIDE, volumes.shape), volumes


@dataclass
class Predicted:
    """A conversion's distributions for all scans of a region. Roots are of ml."""
    truth: np.ndarray  # [scan], V^(1/3), 0 for absent
    ranks: np.ndarray  # probit of where the truth lies; -inf and inf outside all passes
    quantile: list  # of each scan: probit -> root
    mean: np.ndarray  # of V^(1/3)
    sd: np.ndarray


def absent_as_zero(truth_ml):
    return np.where(truth_ml <= LEAST_ML, 0, truth_ml)


def predict_from_passes(cases, region, conversion, truth_ml, chance):
    """One value a pass: percentiles of the passes, linear between them."""
    volumes = np.array([PASS_VOLUMES[conversion](case, region) for case in cases])
    volumes[volumes <= LEAST_ML] = 0
    truth = absent_as_zero(truth_ml)[:, None]
    below, up_to = (volumes < truth).mean(axis=1), (volumes <= truth).mean(axis=1)
    roots = np.cbrt(volumes)
    ranks = ndtri(below + chance * (up_to - below))
    quantile = [lambda probit, one=one: np.quantile(one, ndtr(probit)) for one in roots]
    sd = np.clip(roots.std(axis=1), *SD_RANGE)
    return Predicted(np.cbrt(truth[:, 0]), ranks, quantile, roots.mean(axis=1), sd)


def predict_from_curves(cases, region, rho, truth_ml, chance):
    histograms = [case.regions[region] for case in cases]
    if rho == 0:
        curves = [independent_curves(one.passes / records.VOXEL_WEIGHT) for one in histograms]
    else:
        curves = list(zip(*records.curves_of(histograms, rho)))
    truth = absent_as_zero(truth_ml)
    ranks, quantile, mean, sd = np.empty(len(cases)), [], np.empty(len(cases)), np.empty(len(cases))
    for n, (case, (z, volumes)) in enumerate(zip(cases, curves)):
        roots, probits = compare_dropout.distribution(z, volumes, case.voxel_ml, truth[n])
        at = probits[np.abs(roots - np.cbrt(truth[n])).argmin()]
        ranks[n] = at if truth[n] > 0 else ndtri_exp(log_ndtr(at) + np.log(chance[n]))
        quantile.append(lambda probit, x=roots, p=probits: np.interp(probit, p, x))
        values = np.stack([np.interp(Z, knots, v) for knots, v in zip(z, volumes)]) * case.voxel_ml
        values = np.cbrt(absent_as_zero(values))
        mean[n] = (values @ Z_WEIGHTS).mean()
        sd[n] = np.sqrt(((values - mean[n]) ** 2 @ Z_WEIGHTS).mean())
    return Predicted(np.cbrt(truth), ranks, quantile, mean, np.clip(sd, *SD_RANGE))


def predicted(cases, truth_ml, region, conversion):
    chance = 1 - np.random.default_rng(SEED).random(len(cases))  # above 0
    rho = CONVERSIONS[conversion]
    if rho is None:
        return predict_from_passes(cases, region, conversion, truth_ml, chance)
    return predict_from_curves(cases, region, rho, truth_ml, chance)
