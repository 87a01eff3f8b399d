"""python3 -m unittest discover -s scripts/phantoms/tests   (skips visibly without numpy, scipy,
nibabel)."""
import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
try:
    import nibabel
    import numpy as np
    from scipy import ndimage
except ImportError as error:
    raise unittest.SkipTest(
        f"{error.name} is missing: scripts/phantoms/requirements.txt") from error

import spoil  # noqa: E402
from contrast import CHANNELS  # noqa: E402
from storage import nifti_bytes  # noqa: E402


def options(**given):
    return SimpleNamespace(**{"channels": None, "axis": None, "mm": 4.0, **given})


def scan():
    """Four channels in a ball, each with values of its own."""
    index = np.indices((24, 26, 22))
    inside = sum((i - 11) ** 2 for i in index) < 64
    values = 100 + 10 * index[0] + index[1] + 3 * (index[2] % 5)
    return np.stack([np.where(inside, values + 1000 * n, 0) for n in range(4)]).astype(np.int16)


class Faults(unittest.TestCase):
    def setUp(self):
        self.channels, self.rng = scan(), np.random.default_rng(1)

    def test_swap_exchanges_two_channels_and_nothing_else(self):
        result, what = spoil.swap(self.channels, 2.0, self.rng, options(channels=["t2", "t1"]))
        self.assertEqual(what, "t1 and t2")
        np.testing.assert_array_equal(result, self.channels[[2, 1, 0, 3]])

    def test_shift_moves_one_channel_inside_the_brain(self):
        result, what = spoil.shift(self.channels, 2.0, self.rng,
                                   options(channels=["flair"], axis="x"))
        self.assertRegex(what, r"^flair by -?4 mm along x$")
        np.testing.assert_array_equal(result[:3], self.channels[:3])
        np.testing.assert_array_equal(result[3] > 0, self.channels[3] > 0)
        by = 2 if "-" not in what else -2
        moved = np.roll(self.channels[3], by, axis=0)
        inner = ndimage.binary_erosion(self.channels[3] > 0, iterations=3)
        np.testing.assert_array_equal(result[3][inner], moved[inner])

    def test_flip_and_turn_are_undone_by_doing_them_again(self):
        for fault, axis in ((spoil.flip, "z"), (spoil.turn, "z")):
            once, _ = fault(self.channels, 2.0, self.rng, options(axis=axis))
            self.assertFalse(np.array_equal(once, self.channels))
            again, _ = fault(once, 2.0, self.rng, options(axis=axis))
            np.testing.assert_array_equal(again, self.channels)

    def test_skull_surrounds_the_brain_and_leaves_it(self):
        result, _ = spoil.skull(self.channels, 2.0, self.rng, options())
        brain = np.pad(self.channels[0] > 0, 8)
        for n in range(4):
            np.testing.assert_array_equal(result[n][brain], self.channels[n][self.channels[n] > 0])
        distance = 2.0 * ndimage.distance_transform_edt(~brain)
        head = result[0] > 0
        self.assertTrue(head[distance <= 8].all())
        self.assertFalse(head[distance > 18].any())
        # Fat is bright on t1, bone is dark.
        bone, fat = (distance > 4) & (distance < 6), (distance > 10) & (distance < 11)
        self.assertLess(result[0][bone].mean(), 0.3 * np.median(result[0][brain]))
        self.assertGreater(result[0][fat].mean(), np.median(result[0][brain]))


class Command(unittest.TestCase):
    def test_spoils_a_cohort_and_says_how(self):
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            for case_id in ("a", "b"):
                (root / "cohort" / case_id).mkdir(parents=True)
                for name, image in zip(CHANNELS, scan()):
                    path = root / "cohort" / case_id / f"{case_id}_{name}.nii.gz"
                    path.write_bytes(nifti_bytes(image, 2.0))
            (root / "cohort" / "references.csv").write_text("case_id,region,volume_ml\n")
            result = subprocess.run(
                [sys.executable, FOLDER / "spoil.py", root / "cohort", "--fault", "swap",
                 "--out", root / "out"], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            with open(root / "out" / "faults.csv", newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual([row["case_id"] for row in rows], ["a", "b"])
            for row in rows:
                one, other = row["what"].split(" and ")
                images = [nibabel.load(root / folder / row["case_id"]
                                       / f"{row['case_id']}_{name}.nii.gz").get_fdata()
                          for folder, name in (("cohort", one), ("out", other))]
                np.testing.assert_array_equal(*images)
            self.assertTrue((root / "out" / "references.csv").exists())


if __name__ == "__main__":
    unittest.main()
