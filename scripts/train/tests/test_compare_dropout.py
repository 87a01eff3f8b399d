"""Scores, calibration and verdicts of compare_dropout.py."""
import contextlib
import csv
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
try:
    import numpy as np
    from scipy.special import ndtr, ndtri
    from scipy.stats import norm

    import compare_dropout as compare
    import records
    from synthetic_records import blob_logits, curves_of, record_json, write_record
except ImportError as error:
    raise unittest.SkipTest(f"{error.name} is missing") from error

VOXEL_ML = 0.008


class Crps(unittest.TestCase):
    def test_of_a_normal_distribution_is_the_closed_form(self):
        mean, sd = 3.0, 0.2
        for truth in (2.1, 2.9, 3.0, 3.5):
            roots = np.sort(np.append(mean + sd * np.linspace(-8, 8, 400), truth))
            z = (truth - mean) / sd
            exact = sd * (z * (2 * ndtr(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
            found = compare.crps(roots[None], ndtr((roots[None] - mean) / sd), np.array([truth]))
            self.assertAlmostEqual(found[0] / exact, 1, delta=1e-3)

    def test_of_volumes_is_that_of_an_ensemble_drawn_from_them(self):
        rng = np.random.default_rng(1)
        passes = [blob_logits(v, 0.3, 20000) for v in (20, 500, 700)]
        for rho in (0.1, 0.6, 1.0):
            z, volumes = curves_of(passes, rho)
            draws = rng.standard_normal((3, 20000))
            drawn = np.concatenate([np.interp(d, x, v) for d, x, v in zip(draws, z, volumes)])
            drawn_ml = drawn * VOXEL_ML
            drawn_ml[drawn_ml <= compare.LEAST_ML] = 0
            ensemble = np.sort(np.cbrt(drawn_ml))
            n = ensemble.size
            half_spread = ((2 * np.arange(n) - n + 1) * ensemble).sum() / n ** 2
            for truth_ml in (0.0, 0.3, 4.0, 30.0):
                roots, probits = compare.distribution(z, volumes, VOXEL_ML, truth_ml)
                self.assertTrue((np.diff(roots) >= 0).all() and (np.diff(probits) >= 0).all())
                truth = np.cbrt(truth_ml)
                found = compare.crps(roots[None], ndtr(probits)[None], np.array([truth]))[0]
                expected = np.abs(ensemble - truth).mean() - half_spread
                # Four standard errors of the ensemble's mean.
                self.assertAlmostEqual(found, expected, delta=4 * ensemble.std() / np.sqrt(n),
                                       msg=f"rho {rho}, truth {truth_ml}")

    def test_more_nodes_change_nothing(self):
        curves = curves_of([blob_logits(v, 0.1, 20000) for v in (900, 1000, 1500)], 0.3)
        found = []
        for count in (compare.ROOT_NODES, 8 * compare.ROOT_NODES):
            with mock.patch.object(compare, "ROOT_NODES", count):
                roots, probits = compare.distribution(*curves, VOXEL_ML, 9.0)
            found.append(compare.crps(roots[None], ndtr(probits)[None], np.array([np.cbrt(9.0)])))
        self.assertAlmostEqual(found[0][0] / found[1][0], 1, delta=2e-3)


class Recalibration(unittest.TestCase):
    def test_ranks_become_uniform(self):
        rng = np.random.default_rng(2)
        training, held = (0.7 + 2.5 * rng.standard_normal(n) for n in (4000, 20000))
        found = compare.recalibrated(held, training)
        self.assertAlmostEqual(found.mean(), 0, delta=0.05)
        self.assertAlmostEqual(found.std(), 1, delta=0.05)

    def test_order_statistics_become_k_of_n_plus_1_and_order_is_kept(self):
        training = np.array([3.0, -40.0, 0.5])
        np.testing.assert_allclose(ndtr(compare.recalibrated(np.sort(training), training)),
                                   [0.25, 0.5, 0.75])
        far = compare.recalibrated(np.linspace(-100, 100, 500), training)
        self.assertTrue((np.diff(far) > 0).all())

    def test_atoms_are_spread_evenly(self):
        truth = np.zeros(3)
        probits = np.full((1, 3, 1, 2), ndtri(0.8))
        found = compare.Predictions(truth, np.zeros_like(probits), probits).ranks(
            np.array([0.25, 0.5, 1.0]))
        np.testing.assert_allclose(ndtr(found[0, :, 0]), [0.2, 0.4, 0.8])


class Verdict(unittest.TestCase):
    """`sharp` and `sharp_too` see a cohort equally well, `blurred` worse, `biased` as `blurred` but
    for an error that calibration mends."""

    CASES = 100
    PASSES = 5

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = Path(cls.folder.name)
        rng = np.random.default_rng(3)
        truths = np.exp(rng.uniform(np.log(0.5), np.log(60), cls.CASES))
        truths[rng.random(cls.CASES) < 0.05] = 0
        with open(root / "references.csv", "w", encoding="utf-8") as file:
            file.write("case_id,region,volume_ml\n")
            file.writelines(f"c{n:03},core,{v}\n" for n, v in enumerate(truths))
        for name, noise, factor in (("sharp", 0.15, 1), ("sharp_too", 0.15, 1),
                                    ("blurred", 0.4, 1), ("biased", 0.15, 0.5)):
            for n, truth in enumerate(truths):
                seen = max(truth, 0.02) * factor * np.exp(noise * rng.standard_normal())
                passes = seen * np.exp(noise / 2 * rng.standard_normal(cls.PASSES)) / VOXEL_ML
                logits = [blob_logits(v, noise / 2, 12000) for v in passes]
                write_record(root / name, record_json(f"c{n:03}", {"core": logits}))

    def run_main(self, *names):
        root = Path(self.folder.name)
        arguments = ["compare_dropout.py", "--references", str(root / "references.csv"),
                     "--out", str(root / "out"), "--repeats", "3",
                     "--results", *(f"{name}={root / name}" for name in names)]
        output = io.StringIO()
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(output):
            compare.main()
        rows = [[cell.strip() for cell in line.split("|")[1:-1]]
                for line in output.getvalue().split("### core")[1].split("###")[0].splitlines()
                if line.startswith("| ") and not line.startswith("| result")]
        return {row[0]: row[1:] for row in rows}

    def test_the_better_is_found_and_equals_are_tied(self):
        rows = self.run_main("blurred", "sharp", "sharp_too")
        self.assertEqual(sorted(row[2] for row in rows.values()), ["best", "tied", "worse"])
        self.assertEqual(rows["blurred"][2], "worse")
        self.assertGreater(float(rows["blurred"][0]), 1.5 * float(rows["sharp"][0]))
        for row in rows.values():
            self.assertAlmostEqual(float(row[5]), 0.9, delta=0.06)

    def test_calibration_mends_a_bias(self):
        rows = self.run_main("sharp", "biased")
        self.assertIn(rows["biased"][2], ("best", "tied"))
        self.assertGreater(float(rows["biased"][3]), 2 * float(rows["biased"][0]))

    def test_a_result_is_tied_with_itself(self):
        with mock.patch.object(compare, "named_results", lambda _: {
                name: records.read_case_records(Path(self.folder.name, "sharp"))[0]
                for name in ("a", "b")}):
            rows = self.run_main("sharp", "sharp")
        self.assertEqual([row[2] for row in rows.values()], ["best", "tied"])

    def test_every_case_has_a_row_per_result(self):
        self.run_main("sharp", "blurred")
        with open(Path(self.folder.name, "out", "compare_dropout.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 2 * self.CASES)
        for row in rows:
            self.assertLessEqual(float(row["lower_ml"]), float(row["upper_ml"]))


if __name__ == "__main__":
    unittest.main()
