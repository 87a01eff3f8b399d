"""evaluate_cohort.py on small scans: its tables, and its network against mcvol's.

What needs mcvol is skipped where build/release/bin/mcvol (or $MCVOL) is not there.
"""
import contextlib
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path
from unittest import mock

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
try:
    import nibabel
    import numpy as np
    import torch
    from scipy.ndimage import gaussian_filter
    from scipy.special import ndtr
    from torch import nn

    import evaluate_cohort as evaluate
    import records
except ModuleNotFoundError as error:
    raise unittest.SkipTest(f"{error}; see scripts/train/requirements.txt") from error

MCVOL = Path(os.environ.get("MCVOL",
                            Path(__file__).parents[3] / "build" / "release" / "bin" / "mcvol"))
WINDOW = [24, 20, 28]
SIZE = (26, 20, 24)
REGIONS = {"whole_tumour": [1, 2, 3], "tumour_core": [1, 3], "enhancing_tumour": [3]}
LABELS = [0, 1, 2, 4]
CASES = 6


class Network(nn.Module):
    """Gives the class whose channel is bright. Strides, so that the place of the window matters."""

    def __init__(self, dropout):
        super().__init__()
        self.first = nn.Conv3d(4, 4, 1, bias=False)
        self.first.weight.data = torch.eye(4)[:, :, None, None, None]
        self.dropout = nn.Dropout3d(dropout)
        self.pool = nn.AvgPool3d(2)
        self.classes = nn.Conv3d(4, 4, 1)
        weight = torch.zeros(4, 4)
        weight[1, 2], weight[2, 3], weight[3, 1] = 3, 3, 3  # necrosis t2, oedema flair, enhancing
        self.classes.weight.data = weight[:, :, None, None, None]
        self.classes.bias.data = torch.tensor([0, -4.0, -4.0, -3.8])

    def forward(self, x):
        x = self.dropout(self.first(x))
        x = 0.7 * x + 0.3 * nn.functional.interpolate(self.pool(x), scale_factor=2.0)
        return self.classes(x)


def write_bundle(folder, dropout):
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Network(dropout).eval()), folder / "network.pt")
    digest = hashlib.sha256((folder / "network.pt").read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps({
        "format": 1, "name": "small", "networks": [{"file": "network.pt", "sha256": digest}],
        "channels": [{"name": name, "suffixes": [name],
                      "intensity": {"method": "zscore", "mask": "nonzero", "clip_sd": 3}}
                     for name in ("t1", "t1ce", "t2", "flair")],
        "grid": {"orientation": "LPS", "axes": "xyz", "spacing_mm": [2, 2, 2]},
        "window": {"input": WINDOW, "output": WINDOW, "overlap": 0.25, "blend": "gaussian"},
        "output": {"channels": 4, "values": "logits", "activation": "softmax", "labels": LABELS},
        "regions": [{"name": name, "outputs": outputs} for name, outputs in REGIONS.items()]}))


def write_case(folder, case_id, radius, seed, affine):
    """A ball of tumour in a brain, and its label map."""
    rng = np.random.default_rng(seed)
    grid = np.indices(SIZE).transpose(1, 2, 3, 0)
    middle = np.array(SIZE) / 2
    brain = (((grid - middle) / (middle - (3, 1, 2))) ** 2).sum(axis=-1) < 1
    distance = np.linalg.norm(grid - middle + rng.uniform(-2, 2, 3), axis=-1)
    distance += gaussian_filter(rng.normal(0, 3, SIZE), 1)
    labels = np.zeros(SIZE, np.uint8)
    for label, share in ((2, 1), (4, 0.7), (1, 0.4)):
        labels[brain & (distance < radius * share)] = label
    bright = {"t1": 0, "t1ce": 4, "t2": 1, "flair": 2}
    (folder / case_id).mkdir(parents=True)
    for name, label in bright.items():
        image = 100 + 100 * (labels == label) + rng.normal(0, 15, SIZE)
        image = np.where(brain, image, 0).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(image, affine),
                     folder / case_id / f"{case_id}_{name}.nii.gz")
    nibabel.save(nibabel.Nifti1Image(labels, affine),
                 folder / case_id / f"{case_id}_seg.nii.gz")
    return labels


def write_cohort(folder):
    rows = ["case_id,region,volume_ml,label_volume_ml"]
    for n in range(CASES):
        # Stored as LPS or, the same arrays, as RAS: another scan, turned when it is read.
        affine = np.diag([-2.0, -2, 2, 1] if n % 2 else [2.0, 2, 2, 1])
        labels = write_case(folder, f"c{n}", 2 + n if n else -99, n, affine)
        for region, outputs in REGIONS.items():
            ml = np.isin(labels, [LABELS[output] for output in outputs]).sum() * 0.008
            rows.append(f"c{n},{region},{ml * 1.1:.4f},{ml:.4f}")
    (folder / "references.csv").write_text("\n".join(rows) + "\n")


def row(true_ml, segmented_ml, dice=0.5, overlaps=True, label_ml=1.0):
    return {"case_id": "c", "reference": records.Reference(true_ml, label_ml),
            "segmented_ml": segmented_ml, "raw_volume_ml": segmented_ml, "raw_lower_ml": 0.0,
            "raw_upper_ml": 9.0,
            "overlap": {"one pass": {"ml": segmented_ml, "dice": dice, "overlaps": overlaps}}}


def printed(function, *arguments):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        function(*arguments)
    return [[cell.strip() for cell in line.split("|")[1:-1]]
            for line in output.getvalue().splitlines() if line.startswith("| ")][1:]


class Tables(unittest.TestCase):
    def test_errors_are_those_worked_out_by_hand(self):
        line = evaluate.volume_line([row(8, 1), row(1, 8), row(27, 27), row(0, 1)],
                                    "segmented_ml")
        # Errors -7, 7, 0, 1; of the roots -1, 1, 0, 1; relative 7/8, 7, 0.
        self.assertEqual(line[:6], [4, "0.25", "0.50", "5.74", "0.250", "0.957"])
        self.assertEqual(line[6:], ["4.00", "7.00", "0.875", "5.775"])

    def test_missed_regions_fall_into_their_bins(self):
        rows = {"core": [row(0, 0), row(0.5, 0, overlaps=False, label_ml=0), row(1, 3),
                         row(5, 0, overlaps=False), row(30, 20, overlaps=False)]}
        found = {cells[1]: cells[2:] for cells in printed(evaluate.print_missed, rows)}
        self.assertEqual(found["0 to 1"], ["1", "1", "1", "1"])
        self.assertEqual(found["1 to 2"], ["1", "0", "0", "0"])
        self.assertEqual(found["5 to 20"], ["1", "0", "1", "1"])
        self.assertEqual(found["20 to 100"], ["1", "0", "0", "1"])

    def test_false_positives_and_empty_dice_are_counted_apart(self):
        rows = {"core": [row(0, 0, np.nan, False), row(0, 2, 0.0, False), row(6, 6, 0.8)]}
        absent = printed(evaluate.print_absent, rows)
        self.assertEqual(absent[0][2:], ["2", "1", "2.00", "2.00"])
        dice = printed(evaluate.print_dice, rows)
        self.assertEqual(dice[0][3:], ["2", "0.400", "0.400", "0.080", "1"])
        self.assertEqual(dice[1][3:], ["1", "0.800", "0.800", "0.800", "0"])

    def test_no_time_a_scan_is_made_of_the_last_start_alone(self):
        run = {"done": 40, "found": 40, "device": "cpu", "options": {"threads": 2},
               "identity": {"passes": 20, "scope": "channel", "precision": "fp32"},
               "timings_s": {"total": 12.0, "network": 10.5}, "merged_from": []}
        for merged, words in (([], "the last start that measured scans took"),
                              (["a"], "last starts of the merged runs")):
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                evaluate.print_run({**run, "merged_from": merged}, ["c7"])
            self.assertIn(words, output.getvalue())
            self.assertIn("took 12.0 s, of it 10.5 s the network", output.getvalue())
            self.assertNotIn("a scan", output.getvalue())

    def test_no_voxel_in_either_is_no_dice(self):
        empty, full = np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)
        self.assertTrue(np.isnan(evaluate.overlap_of(empty, empty, 1)["dice"]))
        self.assertEqual(evaluate.overlap_of(full, empty, 1)["dice"], 0)
        self.assertEqual(evaluate.overlap_of(full, full, 0.5),
                         {"ml": 4.0, "dice": 1.0, "overlaps": True})


@unittest.skipUnless(MCVOL.is_file(), f"no {MCVOL}")
class AgainstMcvol(unittest.TestCase):
    """`kept`: dropout so rare that no pass drops anything, so that one pass is every pass."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name)
        write_cohort(cls.root / "cohort")
        for name, dropout in (("kept", 1e-9), ("dropped", 0.2)):
            write_bundle(cls.root / name, dropout)
            subprocess.run([MCVOL, "predict", cls.root / "cohort", "--model", cls.root / name,
                            "--out", cls.root / f"{name}-result", "--passes", "8", "--threads",
                            "1", "--calibration", "none", "--quiet"], check=True)

    def run_main(self, model, *more, result=None):
        arguments = ["evaluate_cohort.py", "--cohort", self.root / "cohort", "--results",
                     self.root / (result or f"{model}-result"), "--model", self.root / model,
                     "--out", self.root / "out", "--threads", "1", *more]
        output = io.StringIO()
        with mock.patch.object(sys, "argv", [str(a) for a in arguments]), \
                contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
            evaluate.main()
        with open(self.root / "out" / "evaluate_cohort.csv", newline="") as file:
            return output.getvalue(), list(csv.DictReader(file))

    def test_the_same_voxels_are_segmented(self):
        output, rows = self.run_main("kept", "--mc-passes", "2")
        self.assertEqual(len(rows), CASES * len(REGIONS))
        self.assertGreater(sum(float(row["segmented_ml"]) > 0.1 for row in rows), 9)
        for found in rows:
            for kind in ("one_pass", "mean_of_passes"):
                self.assertAlmostEqual(float(found[f"ml_{kind}"]), float(found["segmented_ml"]),
                                       delta=0.0006, msg=str(found))
        large = [float(row["dice_one_pass"]) for row in rows if row["case_id"] == "c5"]
        self.assertGreater(min(large), 0.8)
        absent = {row["dice_one_pass"] for row in rows if row["case_id"] == "c0"}
        self.assertLessEqual(absent, {"", "0.0000"})
        self.assertIn("6 scans of 6, 0 failed; 8 passes, scope channel", output)

    def test_the_mean_of_passes_is_near_that_of_other_masks(self):
        _, rows = self.run_main("dropped", "--mc-passes", "40")
        segmented, one, mean = (np.array([float(row[key]) for row in rows]) for key in
                                ("segmented_ml", "ml_one_pass", "ml_mean_of_passes"))
        self.assertFalse(np.array_equal(one, mean))
        self.assertLess(np.abs(mean - segmented).mean(), 0.2 * segmented.mean())

    def test_results_of_another_network_are_refused(self):
        with self.assertRaisesRegex(SystemExit, "not measured with the networks"):
            self.run_main("kept", result="dropped-result")

    def test_level_sets_of_the_records_are_the_raw_columns(self):
        found, failed = records.read_case_records(self.root / "dropped-result")
        self.assertEqual((len(found), failed), (CASES, []))
        volumes, _ = records.read_volumes(self.root / "dropped-result", 0.9)
        compared = 0
        for (case_id, region), volume in volumes.items():
            record = found[case_id]
            z, curve = records.curves_of([record.regions[region]], 1.0)
            self.assertAlmostEqual(record.regions[region].mean_above_half * record.voxel_ml,
                                   volume["segmented_ml"], delta=0.0006)
            for key, probability in (("raw_lower_ml", 0.05), ("raw_volume_ml", 0.5),
                                     ("raw_upper_ml", 0.95)):
                if volume[key] > 0.1:
                    # Linear between nodes here, cubic in mcvol.
                    at = volume[key] / record.voxel_ml * np.array([0.99, 1.01])
                    low, high = ndtr(records.mixture_probits(z[0], curve[0], at))
                    self.assertLess(low, probability)
                    self.assertGreater(high, probability)
                    compared += 1
        self.assertGreater(compared, 20)


if __name__ == "__main__":
    unittest.main()
