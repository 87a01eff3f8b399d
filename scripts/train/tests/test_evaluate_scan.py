"""evaluate_scan.py on a small scan: its table, and what it refuses."""
import contextlib
import gzip
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
try:
    import nibabel
    import numpy as np

    import evaluate_scan
    import test_evaluate_cohort as small
except ModuleNotFoundError as error:
    raise unittest.SkipTest(f"{error}; see scripts/train/requirements.txt") from error

AFFINE = np.diag([-2.0, -2, 2, 1])


class Scan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        small.write_bundle(self.root / "model", 0.1)
        self.labels = small.write_case(self.root, "c", 6, 1, AFFINE)
        self.label_map = self.root / "c" / "c_seg.nii.gz"

    def write_labels(self, labels, affine=AFFINE):
        nibabel.save(nibabel.Nifti1Image(labels, affine), self.label_map)

    def table(self, *more):
        arguments = ["evaluate_scan.py", "--scan", str(self.root / "c"), "--model",
                     str(self.root / "model"), *more]
        output = io.StringIO()
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(output):
            evaluate_scan.main()
        rows = [line.split("|")[1:-1] for line in output.getvalue().splitlines()[2:]]
        return {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}

    def refused(self, words):
        with self.assertRaisesRegex(SystemExit, f"^[^\n]*{words}[^\n]*$"):
            self.table()

    def test_volumes_and_dice_by_region(self):
        found = self.table()
        for region, outputs in small.REGIONS.items():
            ml = np.isin(self.labels, [small.LABELS[output] for output in outputs]).sum() * 0.008
            self.assertEqual(found[region][0], f"{ml:.1f}")
            self.assertGreater(float(found[region][2]), 0.8)

    def test_names_and_labels_of_brats_2023(self):
        expected = self.table()
        self.write_labels(np.where(self.labels == 4, 3, self.labels).astype(np.uint8))
        self.refused("c_seg.nii.gz: label 3, .*--label-map 3=4")
        for path in (self.root / "c").iterdir():
            path.rename(path.with_name(path.name.replace("_", "-")))
        self.assertEqual(self.table("--label-map", "3=4"), expected)

    def test_a_region_in_neither_has_no_dice(self):
        self.write_labels(np.where(self.labels == 2, self.labels, 0).astype(np.uint8))
        with mock.patch.object(evaluate_scan, "mean_probabilities",
                               lambda _, scan, *__: np.zeros((4, *scan[1].shape), np.float32)):
            found = self.table()
        self.assertEqual(found["whole_tumour"][1:], ["0.0", "0.000"])
        self.assertEqual(found["tumour_core"], ["0.0", "0.0", ""])

    def test_labels_on_another_grid_are_refused(self):
        self.write_labels(self.labels[1:])
        self.refused("26x20x24 voxels of 2x2x2 mm, expected the label map's 25x20x24")
        self.write_labels(self.labels, np.diag([-2.0, -2, 2.5, 1]))
        self.refused("expected the label map's 26x20x24 voxels of 2x2x2.5 mm")

    def test_files_that_cannot_be_read_are_refused_in_one_line(self):
        whole = self.label_map.read_bytes()
        for data in (b"", b"no image", whole[:len(whole) // 2], gzip.compress(b"no image")):
            self.label_map.write_bytes(data)
            self.refused("c_seg.nii.gz: ")
        self.write_labels(np.stack([self.labels] * 2, axis=3))
        self.refused("4 dimensions")


if __name__ == "__main__":
    unittest.main()
