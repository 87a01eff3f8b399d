"""Tests of scripts/train; those that need torch and numpy skip without them.

    .venv/bin/python -m unittest discover scripts/train/tests
"""
import contextlib
import hashlib
import io
import json
import math
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

FOLDER = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FOLDER))
try:
    import numpy as np
    import torch

    import cohort_folder
    import losses
    import networks
    import scans
    import train
    import train_options
    from normalise import normalised
    from run_folder import Refused, read_checkpoint
    MISSING = None
except ModuleNotFoundError as error:
    MISSING = f"{error}; see scripts/train/requirements.txt"

SHAPE = (14, 16, 12)
WINDOW = "16,16,16"


def toy_scan(seed):
    """A brain of noise with a bright ball in it, off the middle of its image."""
    rng = np.random.default_rng(seed)
    channels = rng.integers(500, 700, (4, *SHAPE)).astype(np.int16)
    labels = np.zeros(SHAPE, np.uint8)
    x = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"))
    distance = np.sqrt(np.square(x - rng.uniform(5, 8, 3)[:, None, None, None]).sum(0))
    for radius, label in ((4, 2), (3, 4), (1.5, 1)):
        labels[distance < radius] = label
    channels += (200 * labels).astype(np.int16)
    for edge in (np.s_[:, :2], np.s_[:, :, -3:], np.s_[:, :, :, :1]):
        channels[edge] = 0
    labels[~channels.any(0)] = 0
    return channels, labels


def write_cohort(folder, count, first=0):
    folder.mkdir(exist_ok=True)
    for n in range(first, first + count):
        channels, labels = toy_scan(n)
        np.savez(folder / f"toy{n}.npz", channels=channels, labels=labels)


def command(root, *more):
    return ["--cohort", str(root / "cohort"), "--validation", str(root / "cohort"),
            "--channels", "4,8", "--window", WINDOW, "--precision", "fp32", "--threads", "1",
            "--device", "cpu", "--seed", "5", *more]


def parsed(root, *more):
    return train_options.parse("", command(root, *more))


def trained(root, name, *stops, steps=9, more=()):
    """Runs until each of `stops` and then to the end; returns the checkpoint."""
    with contextlib.redirect_stderr(io.StringIO()):
        for stop in (*stops, None):
            options = parsed(root, "--steps", str(steps), "--out", str(root / name), *more)
            (root / name).mkdir(exist_ok=True)
            train.Training(options).run(stop)
    return read_checkpoint(root / name / "checkpoint.pt")


@unittest.skipIf(MISSING, MISSING)
class Normalisation(unittest.TestCase):
    def test_is_a_z_score_after_clipping_at_three_sd(self):
        rng = np.random.default_rng(1)
        channel = rng.integers(1, 200, (9, 8, 7)).astype(np.int16)
        channel[0, 0, 0] = 20000  # far beyond three SD, before and after
        channel[rng.random(channel.shape) < 0.4] = 0
        inside = [float(v) for v in channel.ravel() if v != 0]

        def mean_and_sd(values):
            mean = math.fsum(values) / len(values)
            return mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))

        mean, sd = mean_and_sd(inside)
        low, high = mean - 3 * sd, mean + 3 * sd
        again, sd_again = mean_and_sd([min(max(v, low), high) for v in inside])
        expected = [0.0 if v == 0 else (min(max(float(v), low), high) - again) / sd_again
                    for v in channel.ravel()]
        np.testing.assert_allclose(normalised(channel).ravel(), expected, rtol=1e-5, atol=1e-6)

    def test_a_constant_or_empty_channel_is_refused(self):
        for value in (0, 7):
            with self.assertRaises(ValueError):
                normalised(np.full((3, 3, 3), value, np.int16))


@unittest.skipIf(MISSING, MISSING)
class Windows(unittest.TestCase):
    def test_are_centred_on_the_brain_as_in_mcvol(self):
        measured = np.zeros((30, 9, 10), bool)
        measured[20:27, 0:9, 4:9] = True
        # Along x: begin - (16 - 7) div 2 = 16, cut at the image's end, 14 voxels.
        inside, target = scans.window_slices(measured, (16, 9, 8))
        self.assertEqual(inside, (slice(16, 30), slice(0, 9), slice(3, 10)))
        self.assertEqual(target, (slice(0, 14), slice(0, 9), slice(0, 7)))

    def test_a_brain_that_is_larger_is_left_out(self):
        with self.assertRaisesRegex(ValueError, "9 voxels along axis 1"):
            scans.window_slices(np.ones((8, 9, 8), bool), (8, 8, 8))

    def test_hold_the_scan_with_what_is_not_measured_marked(self):
        with tempfile.TemporaryDirectory() as folder:
            write_cohort(Path(folder), 1)
            image, truth = scans.read_scan(Path(folder) / "toy0.npz", (16, 16, 16))
        channels, labels = toy_scan(0)
        brain = channels[:, 2:, :-3, 1:]
        np.testing.assert_array_equal(image[:, 2:14, 1:14, 2:13] != 0, brain != 0)
        self.assertEqual(np.count_nonzero(image), np.count_nonzero(normalised(channels[0])) * 4)
        np.testing.assert_array_equal(np.array([0, 1, 2, 4])[truth[2:14, 1:14, 2:13]],
                                      labels[2:, :-3, 1:])
        self.assertEqual((truth == 255).sum(), 16 ** 3 - 12 * 13 * 11)


@unittest.skipIf(MISSING, MISSING)
class Augmentation(unittest.TestCase):
    def test_changes_no_volume_and_no_background(self):
        with tempfile.TemporaryDirectory() as folder:
            write_cohort(Path(folder), 1)
            image, truth = scans.read_scan(Path(folder) / "toy0.npz", (16, 16, 16))
        for seed in range(6):
            changed, labels = scans.augmented(image, truth, np.random.default_rng(seed))
            np.testing.assert_array_equal(np.bincount(labels.ravel()), np.bincount(truth.ravel()))
            np.testing.assert_array_equal(changed[0] != 0, labels != 255)


@unittest.skipIf(MISSING, MISSING)
class Losses(unittest.TestCase):
    def brain(self, outputs):
        truth = torch.full((1, 10, 10, 10), 255, dtype=torch.uint8)
        truth[:, 1:9] = 0
        truth[:, 2:4, 2:4, 2:4] = outputs
        return truth

    def test_vanish_for_a_confident_right_answer(self):
        truth = self.brain(3)
        logits = 40 * torch.nn.functional.one_hot(truth.long() % 255, 4).movedim(-1, 1).float()
        for loss in losses.losses(logits, truth):
            self.assertLess(loss.item(), 1e-5)

    def test_soft_dice_is_the_formula_of_each_region_over_the_brain(self):
        truth = self.brain(1)  # whole tumour and core: 8 voxels of 800; nothing enhances
        _, dice_loss = losses.losses(torch.zeros(1, 4, 10, 10, 10), truth)
        present = [1 - (2 * 8 * p + 10) / (800 * p + 8 + 10) for p in (0.75, 0.5)]
        absent = 1 - 10 / (800 * 0.25 + 10)
        self.assertAlmostEqual(dice_loss.item(), (sum(present) + absent) / 3, places=5)

    def test_scores_are_over_scans_that_have_the_region(self):
        counts = [[[600, 700, 650], [0, 5, 0], [3, 6, 6]], [[50, 50, 100], [0, 0, 0], [0, 0, 2]]]
        found = losses.scores(counts)
        self.assertAlmostEqual(found["whole_tumour_dice_5ml"], 1200 / 1350)
        self.assertAlmostEqual(found["whole_tumour_dice"], (1200 / 1350 + 100 / 150) / 2)
        self.assertAlmostEqual(found["enhancing_tumour_error"], 0.5)
        self.assertTrue(math.isnan(found["tumour_core_dice"]))


@unittest.skipIf(MISSING, MISSING)
class Runs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        write_cohort(self.root / "cohort", 4)

    def tearDown(self):
        self.folder.cleanup()

    def test_resumed_gives_the_weights_of_one_that_was_not_interrupted(self):
        whole, parts = trained(self.root, "whole"), trained(self.root, "parts", 3, 4)
        self.assertEqual(whole["step"], 9)
        for kind in ("network", "average"):
            for name, value in whole[kind].items():
                self.assertTrue(torch.equal(value, parts[kind][name]), f"{kind} {name}")
        logs = [(self.root / run / "log.csv").read_text().splitlines()
                for run in ("whole", "parts")]
        self.assertEqual(*([row.split(",")[3:] for row in log] for log in logs))

    def test_another_seed_gives_other_weights(self):
        first = trained(self.root, "first")
        options = parsed(self.root, "--steps", "9", "--seed", "6", "--out", "-")
        with contextlib.redirect_stderr(io.StringIO()):
            options.out = str(self.root)
            train.Training(options).run()
        second = read_checkpoint(self.root / "checkpoint.pt")
        self.assertFalse(torch.equal(first["network"]["head.weight"],
                                     second["network"]["head.weight"]))

    def test_scans_that_arrive_later_are_seen_from_the_next_epoch_on(self):
        seen = []
        stream = scans.Stream(self.root / "cohort", (16, 16, 16), 0, warn=self.fail)
        for n in range(10):
            if n == 1:
                write_cohort(self.root / "cohort", 2, first=4)
                (self.root / "cohort" / ".toy9.npz").write_bytes(b"half")
            state = stream.batch(1)[2]
            seen.append(state["order"][state["position"] - 1])
        self.assertEqual(sorted(seen[:4]), [f"toy{n}" for n in range(4)])
        self.assertEqual(sorted(seen[4:]), [f"toy{n}" for n in range(6)])

    def test_a_broken_scan_is_left_out_with_a_warning(self):
        (self.root / "cohort" / "toy1.npz").write_bytes(b"not a scan")
        warnings = []
        stream = scans.Stream(self.root / "cohort", (16, 16, 16), 0, warn=warnings.append)
        for _ in range(3):
            stream.batch(1)
        self.assertEqual(stream.state["epoch"], 1)
        self.assertEqual(["toy1.npz: left out" in text for text in warnings], [True])

    def test_another_option_is_refused_by_name(self):
        trained(self.root, "run")
        options = parsed(self.root, "--steps", "9", "--dropout", "0.3",
                         "--out", str(self.root / "run"))
        with self.assertRaisesRegex(Refused, "--dropout 0.1, found 0.3"):
            train.Training(options)

    def test_a_signal_leaves_a_checkpoint_to_go_on_from(self):
        out = self.root / "run"
        with subprocess.Popen([sys.executable, FOLDER / "train.py",
                               *command(self.root, "--minutes", "5", "--out", str(out))],
                              stderr=subprocess.PIPE, text=True) as run:
            for line in run.stderr:
                if "step 20" in line:
                    break
            run.send_signal(signal.SIGTERM)
            self.assertIn("to go on", run.stderr.read())
        self.assertEqual(run.returncode, 143)
        self.assertGreaterEqual(read_checkpoint(out / "checkpoint.pt")["step"], 20)

    def test_begun_with_another_run_keeps_its_trace(self):
        (self.root / "cohort" / "cohort.json").write_text(
            json.dumps({"name": "toys", "seed": 8, "format": "npz"}))
        trained(self.root, "first", steps=2)
        first = self.root / "first" / "checkpoint.pt"
        trained(self.root, "second", 1, steps=3, more=["--initial", str(first)])
        second = self.root / "second" / "checkpoint.pt"
        third = trained(self.root, "run", steps=4, more=["--initial", str(second)])
        self.assertEqual([(stage["sha256"], stage["steps"]) for stage in third["initial"]],
                         [(hashlib.sha256(path.read_bytes()).hexdigest(), steps)
                          for path, steps in ((first, 2), (second, 3))])
        model = json.loads((self.export() / "model.json").read_text())
        stages = ", then ".join(f"{steps} steps with seed 5 on cohort 'toys' of seed 8"
                                for steps in (2, 3, 4))
        self.assertIn(f"trained for 9 steps on simulated brain tumour scans ({stages})",
                      model["provenance"])
        self.assertNotIn(str(self.root), json.dumps(model))

    def test_weights_of_another_network_are_refused(self):
        trained(self.root, "first", steps=1)
        options = parsed(self.root, "--steps", "2", "--out", str(self.root / "run"),
                         "--initial", str(self.root / "first" / "checkpoint.pt"),
                         "--channels", "4,8,8")
        with self.assertRaisesRegex(Refused, "^[^\n]*another network's weights[^\n]*$"):
            train.Training(options)

    def test_a_folder_that_gets_no_scans_is_refused_and_no_other(self):
        (self.root / "cases" / "case_1").mkdir(parents=True)
        (self.root / "nifti").mkdir()
        (self.root / "nifti" / "cohort.json").write_text('{"format": "nifti"}')
        for name, words in (("none", "no such folder"), ("cases", "but case_1"),
                            ("nifti", "format 'nifti'")):
            folder = self.root / name
            for check in (cohort_folder.wait_for_scans, cohort_folder.require_scans):
                waits = check is cohort_folder.wait_for_scans
                with self.assertRaisesRegex(Refused, f"--x .*{words if waits else ''}.*npz"):
                    check("--x", folder, *([self.fail] if waits else []))
        (self.root / "empty").mkdir()
        (self.root / "npz").mkdir()
        (self.root / "npz" / "cohort.json").write_text('{"format": "npz"}')
        for name in ("empty", "npz"):
            said = []
            with mock.patch.object(cohort_folder.time, "sleep",
                                   lambda _, name=name: write_cohort(self.root / name, 1)):
                cohort_folder.wait_for_scans("--x", self.root / name, said.append)
            self.assertEqual(len(said), 1)

    def test_windows_and_channels_of_no_network_are_usage_errors(self):
        for words, more in (("multiples of 8", ["--channels", "1,1,1,1", "--window", "18,18,18"]),
                            ("single voxel", ["--channels", "1,1,1,1,1"]),
                            ("two levels", ["--channels", "4"]),
                            ("fewer channels", ["--network", "highres3dnet", "--channels", "8,4"])):
            errors = io.StringIO()
            with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit) as ended:
                parsed(self.root, "--steps", "1", "--out", "-", *more)
            self.assertEqual(ended.exception.code, 2)
            self.assertIn(words, errors.getvalue())

    def export(self, *more):
        out = self.root / f"bundle{len(list(self.root.glob('bundle*')))}"
        subprocess.run([sys.executable, FOLDER / "export.py", "--checkpoint",
                        self.root / "run" / "checkpoint.pt", "--out", out, *more],
                       check=True, stderr=subprocess.PIPE)
        return out

    def test_export_has_the_averaged_weights_and_the_same_bytes_each_time(self):
        checkpoint = trained(self.root, "run")
        first, second = self.export(), self.export()
        for name in ("network.pt", "model.json"):
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes())
        data = (first / "network.pt").read_bytes()
        self.assertNotIn(b"debug_pkl", data)
        self.assertNotIn(str(FOLDER).encode(), data)
        model = json.loads((first / "model.json").read_text())
        self.assertEqual(model["networks"][0]["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual(model["window"]["input"], [16, 16, 16])
        network = networks.make_network("unet", 0.1, [4, 8]).eval()
        network.load_state_dict(checkpoint["average"])
        image = torch.randn(2, 4, 16, 16, 16)
        with torch.inference_mode():
            found = torch.jit.load(first / "network.pt").eval()(image)
            self.assertLess((found - network(image)).abs().max().item(), 1e-5)

    def test_export_sets_the_rate_asked_for(self):
        trained(self.root, "run")
        rates = {module.p for module in
                 torch.jit.load(self.export("--dropout", "0.35") / "network.pt").modules()
                 if module.original_name == "Dropout3d"}
        self.assertEqual(rates, {0.35})


@unittest.skipIf(MISSING, MISSING)
class Networks(unittest.TestCase):
    def test_have_dropout_after_each_convolution_and_keep_the_size(self):
        for name, channels, dropouts in (("unet", [4, 8, 8], 10), ("highres3dnet", [4, 8], 13)):
            network = networks.make_network(name, 0.1, channels)
            self.assertEqual(network(torch.zeros(1, 4, 8, 8, 8)).shape, (1, 4, 8, 8, 8))
            found = [m for m in network.modules() if isinstance(m, torch.nn.Dropout3d)]
            self.assertEqual(len(found), dropouts)

    def test_one_scan_is_normalised_as_several_are(self):
        norm = networks.InstanceNorm(3)
        image = torch.randn(2, 3, 5, 6, 7) * 4 + 1
        together = norm(image)
        for n in range(2):
            torch.testing.assert_close(norm(image[n:n + 1]), together[n:n + 1])

    def test_of_the_bundle_stays_below_ten_megabytes(self):
        parameters = sum(p.numel() for p in networks.make_network("unet", 0.1).parameters())
        self.assertLess(4 * parameters, 9.9e6)


if __name__ == "__main__":
    unittest.main()
