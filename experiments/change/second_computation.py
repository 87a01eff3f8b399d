"""Changes computed a second time, from the records and the calibration file (docs/method.md), by Monte
Carlo: what evaluate_change.py --check holds those of mcvol against."""
import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from promises import ESTIMATED, INDEPENDENT, LEAST_ML, LEVELS, THRESHOLDS
import records
from tables import fail

DRAWS = 1_000_000


class ScaledScan:
    """The method `scaled` of one region of one scan."""

    def __init__(self, record, region, fit):
        z, voxels = (curves[0] for curves in records.curves_of([record.regions[region]], fit["rho"]))
        at = np.linspace(-6, 6, 97)
        weights = stats.norm.pdf(at) / stats.norm.pdf(at).sum() / len(z)
        volumes = record.voxel_ml * np.array([np.interp(at, *curve) for curve in zip(z, voxels)])
        roots = np.where(volumes > LEAST_ML, np.cbrt(volumes), 0)
        self.mean = (weights * roots).sum()
        self.sd = np.clip(np.sqrt((weights * (roots - self.mean) ** 2).sum()), 0.05, 1)
        self.scores = np.array(fit["scores"])

    def drawn_ml(self, x):
        """Volumes at normal variables x; the quantiles i / (n + 1) are where the scores are."""
        points = np.maximum(self.mean + self.sd * self.scores, 0) ** 3
        points = np.where(points > LEAST_ML, points, 0)
        n = len(points)
        return np.interp(stats.norm.cdf(x) * (n + 1), np.arange(1, n + 1), points)

    def normal_score(self, volume_ml):
        score = ((np.cbrt(volume_ml) if volume_ml > LEAST_ML else 0) - self.mean) / self.sd
        rank = np.searchsorted(self.scores, score) + 1
        return stats.norm.ppf((rank - 0.5) / (len(self.scores) + 1))


class SecondComputation:
    """Of one region, from the records and the calibration file."""

    def __init__(self, arguments, region):
        self.results, self.region = Path(arguments.results), region
        calibration = json.loads((self.results / "calibration.json").read_text(encoding="utf-8"))
        strata = next(one for one in calibration["regions"] if one["region"] == region)["strata"]
        if calibration["method"] != "scaled" or len(strata) > 1:
            fail("--check: expected a calibration by the method scaled, without strata")
        fits = strata[0]["fits"]  # "studentised" in calibrations of format 1
        self.fit = min(fits.get("scaled") or fits["studentised"], key=lambda fit: fit["loss_sum"])

    def scans_of(self, pair):
        return [ScaledScan(records.read_case_record(self.results / "cases" / f"{pair[when]}.json"),
                            self.region, self.fit) for when in ("baseline", "followup")]

    def correlation(self, pairs, volumes):
        scores = [[scan.normal_score(volumes[pair[when], self.region])
                   for scan, when in zip(self.scans_of(pair), ("baseline", "followup"))]
                  for pair in pairs]
        return np.corrcoef(np.transpose(scores))[0, 1]


def differences(one, pair, scans, mode, r, rng):
    """From what mcvol says of a pair: of probabilities, and of the probability below each bound of
    an interval from what it should be."""
    first, other = rng.standard_normal((2, DRAWS))
    before = scans[0].drawn_ml(first)
    after = scans[1].drawn_ml(r * first + np.sqrt(1 - r * r) * other)
    key, least = (pair["subject_id"], one.region), 1 / (len(scans[0].scores) + 1)
    found = {"P(growth)": 0.0, "P(shrinkage)": 0.0, "bounds": 0.0}
    for threshold in THRESHOLDS:
        row = one.tables[mode, threshold][(*key, LEVELS[0])]
        for name, event in (("growth", after > before * (1 + float(threshold))),
                            ("shrinkage", after < before * (1 - float(threshold)))):
            held = np.clip(event.mean(), least, 1 - least)
            found[f"P({name})"] = max(found[f"P({name})"], abs(held - float(row[f"p_{name}"])))
    for level in LEVELS:
        row = one.tables[mode, "0"][(*key, level)]
        for name, tail in (("lower_ml", (1 - float(level)) / 2), ("upper_ml", (1 + float(level)) / 2)):
            # The table has three decimals, and an absent tumour is an atom.
            low = (after - before < float(row[name]) - 0.0005).mean()
            high = (after - before <= float(row[name]) + 0.0005).mean()
            found["bounds"] = max(found["bounds"], low - tail, tail - high)
    return found


def check(arguments, pairs, volumes, of_regions):
    rng = np.random.default_rng(0)
    worst = {}

    def take(name, difference):
        worst[name] = max(worst.get(name, 0.0), difference)

    for one in of_regions:
        second = SecondComputation(arguments, one.region)
        known = [pair for pair in pairs[:arguments.reference_pairs]
                 if (pair["subject_id"], one.region, LEVELS[0]) in one.tables[INDEPENDENT, "0"]]
        correlation = second.correlation(known, volumes)
        said = next(row["correlation"] for key, row in one.tables[ESTIMATED, "0"].items()
                    if key[1] == one.region)
        take("correlation", abs(correlation - float(said)))
        for pair in one.pairs[:arguments.check]:
            scans = second.scans_of(pair)
            for mode, r in ((INDEPENDENT, 0.0), (ESTIMATED, correlation)):
                for name, difference in differences(one, pair, scans, mode, r, rng).items():
                    take(name, difference)
    # Half a step of mcvol's 256 points and five standard errors of the draws.
    tolerance = 1 / 512 + 5 * 0.5 / np.sqrt(DRAWS)
    for name, difference in worst.items():
        print(f"check, {name}: largest difference {difference:.4f}, tolerance {tolerance:.4f}",
              file=sys.stderr)
    return max(worst.values()) <= tolerance
