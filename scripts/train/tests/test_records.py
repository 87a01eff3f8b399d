"""Records as mcvol writes them, and its distributions of volumes against explicit voxels."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
try:
    import numpy as np
    from scipy.special import expit, ndtr, ndtri

    import records
    from synthetic_records import LOGITS, blob_logits, curves_of, record_json, write_record
except ImportError as error:
    raise unittest.SkipTest(f"{error.name} is missing") from error


def voxels(seed, count=3000, background=60000):
    """Logits of a lesion with a soft edge in a background of small probabilities."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(1, 3, count), rng.normal(-9, 1, background)])


class ReadRecords(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.passes = [voxels(1, 50, 500), voxels(2, 50, 500)]

    def test_counts_and_sums_are_those_of_the_voxels(self):
        write_record(self.folder, record_json("a", {"core": self.passes}, (1.0, 2.0, 3.0)))
        found, failed = records.read_case_records(self.folder)
        record = found["a"]
        self.assertEqual(failed, [])
        self.assertEqual((record.passes, record.voxel_ml), (2, 0.006))
        region = record.regions["core"]
        self.assertEqual(region.passes.shape, (2, records.NODES))
        for weights, above_half, logits in zip(region.passes, region.above_half, self.passes):
            self.assertEqual(weights.sum(), 550 * records.VOXEL_WEIGHT)
            self.assertEqual(above_half, (logits > 0).sum())
            self.assertAlmostEqual(weights @ expit(LOGITS) / records.VOXEL_WEIGHT,
                                   expit(logits).sum(), delta=550 / records.VOXEL_WEIGHT)

    def test_a_failed_case_is_named_and_not_read(self):
        write_record(self.folder, record_json("a", {"core": self.passes}))
        write_record(self.folder, {"format": 1, "case_id": "b", "status": "failed"})
        found, failed = records.read_case_records(self.folder)
        self.assertEqual((list(found), failed), (["a"], ["b"]))

    def assert_refused(self, change, message):
        record = record_json("a", {"core": self.passes})
        change(record)
        write_record(self.folder, record)
        with self.assertRaisesRegex(SystemExit, message):
            records.read_case_records(self.folder)

    def test_damaged_records_are_refused(self):
        core = lambda record: record["regions"][0]  # noqa: E731
        self.assert_refused(lambda r: core(r).update(histograms="x"), "base64")
        self.assert_refused(lambda r: core(r).update(histograms="AAAAAAAAAAA="), "found 1")
        self.assert_refused(lambda r: core(r).update(above_half=[1]), "expected 2 counts")
        self.assert_refused(lambda r: r.update(format=5), "newer")
        self.assert_refused(lambda r: r.pop("grid"), "grid")

    def test_records_of_two_runs_are_refused(self):
        write_record(self.folder, record_json("a", {"core": self.passes}))
        other = record_json("b", {"core": self.passes})
        other["run_identity"] = "f" * 64
        write_record(self.folder, other)
        with self.assertRaisesRegex(SystemExit, "2 runs"):
            records.read_case_records(self.folder)

    def test_references_must_be_volumes(self):
        path = self.folder / "references.csv"
        path.write_text("case_id,region,volume_ml,label_volume_ml\na,core,1.5,\n")
        reference = records.read_references(path)["a", "core"]
        self.assertEqual(reference.volume_ml, 1.5)
        self.assertTrue(np.isnan(reference.label_volume_ml))
        for wrong in ("-1", "nan", "", "x"):
            path.write_text(f"case_id,region,volume_ml\na,core,{wrong}\n")
            with self.assertRaisesRegex(SystemExit, "expected a volume"):
                records.read_references(path)

    def test_a_level_that_was_not_measured_is_refused(self):
        Path(self.folder, "volumes.csv").write_text(
            "case_id,region,level,raw_volume_ml,raw_lower_ml,raw_upper_ml,segmented_ml,status\n"
            "a,core,0.9,2,1,3,2.5,ok\nb,,,,,,,failed\n")
        volumes, failed = records.read_volumes(self.folder, 0.9)
        self.assertEqual((volumes["a", "core"]["raw_upper_ml"], failed), (3, ["b"]))
        with self.assertRaisesRegex(SystemExit, "levels there: 0.9"):
            records.read_volumes(self.folder, 0.95)


class Conversions(unittest.TestCase):
    def test_copula_volume_given_z_is_the_sum_over_voxels(self):
        logits = voxels(3)
        for rho in (0.05, 0.5, 0.95):
            z, volumes = curves_of([logits], rho)
            for at in (-2, -0.5, 0, 1, 2.5):
                exact = ndtr((ndtri(expit(logits)) + np.sqrt(rho) * at) / np.sqrt(1 - rho)).sum()
                # The axis is widened by the scatter of voxels: little here.
                found = np.interp(at, z[0], volumes[0])
                self.assertAlmostEqual(found / exact, 1, delta=3e-3, msg=f"rho {rho}, z {at}")

    def test_copula_distribution_is_that_of_drawn_voxels(self):
        rng = np.random.default_rng(4)
        passes = [voxels(5, 200, 3000), voxels(6, 400, 3000)]
        for rho in (0.05, 0.3, 0.9):
            drawn = []
            for logits in passes:
                probit = ndtri(expit(logits))
                for z in rng.standard_normal(4000):
                    q = ndtr((probit + np.sqrt(rho) * z) / np.sqrt(1 - rho))
                    drawn.append((rng.random(q.size) < q).sum())
            at = np.quantile(drawn, [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
            empirical = [(np.array(drawn) < v + 0.5).mean() for v in np.floor(at)]
            curves = curves_of(passes, rho)
            found = ndtr(records.mixture_probits(*curves, np.floor(at) + 0.5))
            # Three standard errors of 8000 draws are 0.017; the normal approximation has the rest.
            np.testing.assert_allclose(found, empirical, atol=0.02, err_msg=f"rho {rho}")

    def test_level_sets_are_the_voxels_above_each_threshold(self):
        logits = [voxels(7), blob_logits(800, 0.2, 60000)]
        z, volumes = curves_of(logits, 1.0)
        for of_pass, pass_z, pass_volumes in zip(logits, z, volumes):
            for t in (0.02, 0.1, 0.5, 0.9, 0.99):
                exact = (of_pass > np.log(t / (1 - t))).sum()
                found = np.interp(ndtri(1 - t), pass_z, pass_volumes)
                self.assertAlmostEqual(found / exact, 1, delta=0.01, msg=f"t {t}")

    def test_level_sets_of_a_blob_are_log_logistic(self):
        curves = curves_of([blob_logits(5000, 0.1, 100000)], 1.0)
        at = 5000 * np.exp(0.1 * np.array([-5, -2, 0, 1, 4.0]))
        np.testing.assert_allclose(ndtr(records.mixture_probits(*curves, at)),
                                   expit([-5, -2, 0, 1, 4.0]), rtol=0.01)

    def test_far_tails_do_not_tie(self):
        curves = curves_of([blob_logits(2000, 0.05, 50000)] * 3, 0.1)
        probits = records.mixture_probits(*curves, np.geomspace(100, 20000, 40))
        self.assertTrue((np.diff(probits) > 0).all())
        self.assertLess(probits[0], -15)
        self.assertGreater(probits[-1], 15)

    def test_the_mixture_is_the_mean_over_passes(self):
        passes = [blob_logits(v, 0.2, 20000) for v in (500, 1000, 3000)]
        at = np.array([300.0, 1000, 2500])
        single = [ndtr(records.mixture_probits(*curves_of([p], 0.5), at))
                  for p in passes]
        mixture = ndtr(records.mixture_probits(*curves_of(passes, 0.5), at))
        np.testing.assert_allclose(mixture, np.mean(single, axis=0), rtol=1e-9)


if __name__ == "__main__":
    unittest.main()
