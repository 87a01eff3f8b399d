"""Tests of scripts/import_deepmedic.py; needs torch and numpy (scripts/requirements-import.txt).

    .venv/bin/python tests/scripts/import_deepmedic_test.py
"""
import hashlib
import json
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

SCRIPT = Path(__file__).parents[2] / "scripts" / "import_deepmedic.py"
LAYERS = [10, 12, 14, 16, 18, 20, 22, 25]
BN_CHANNELS = LAYERS[:-1] * 3 + [75, 60, 80]


def name(stem, index):
    return f"net__{stem}_{index}" if index else f"net__{stem}"


def random_tensors(seed):
    """A checkpoint of the right shapes whose activations neither vanish nor explode."""
    rng = np.random.default_rng(seed)
    shapes = [(out, inp, 3) for _ in range(3) for inp, out in zip([4] + LAYERS, LAYERS)]
    shapes += [(60, 75, 3), (80, 60, 1), (5, 80, 1)]
    arrays = {}
    for index, (outputs, inputs, size) in enumerate(shapes):
        sd = np.sqrt(2 / (inputs * size ** 3))
        arrays[name("W", index)] = rng.normal(0, sd, (outputs, inputs, size, size, size))
    for index, count in enumerate((4, 4, 4, 5)):
        arrays[name("b", index)] = rng.normal(0, 1, count)
    for index, channels in enumerate(BN_CHANNELS):
        arrays[name("gBn", index)] = rng.uniform(0.5, 1.5, channels)
        arrays[name("bBn", index)] = rng.normal(0, 0.5, channels)
        arrays[name("aPrelu", index)] = rng.uniform(-0.1, 0.4, channels)
        arrays[name("muBnsForRollingAverage", index)] = rng.normal(0, 0.5, (60, channels))
        arrays[name("varBnsForRollingAverage", index)] = rng.uniform(0.5, 1.5, (60, channels))
    return {key: value.astype(np.float32) for key, value in arrays.items()}


class PlainDeepMedic:
    """The network step by step as published, in double precision: nothing folded or reordered."""

    def __init__(self, arrays):
        self.arrays = {key: torch.from_numpy(value).double() for key, value in arrays.items()}

    def get(self, stem, index):
        return self.arrays[name(stem, index)]

    def activate(self, x, index):
        mean = self.get("muBnsForRollingAverage", index).mean(0)
        variance = self.get("varBnsForRollingAverage", index).mean(0)
        x = F.batch_norm(x, mean, variance, self.get("gBn", index), self.get("bBn", index),
                         eps=1e-30)
        return F.prelu(x, self.get("aPrelu", index))

    def pathway(self, x, p):
        inputs = []
        for layer in range(8):
            inputs.append(x)
            if layer == 0:
                x = x + self.get("b", p)[None, :, None, None, None]
            else:
                x = self.activate(x, p * 7 + layer - 1)
            x = F.conv3d(x, self.get("W", p * 8 + layer))
            if layer in (3, 5, 7):
                before = inputs[layer - 1][:, :, 2:-2, 2:-2, 2:-2]
                x[:, :before.shape[1]] += before
        return x

    def probabilities(self, x, factor_fc2, factor_class):
        tile = x.shape[2] - 80
        parts = []
        for p, (start, stride) in enumerate(((32, 1), (16, 3), (0, 5))):
            picks = start + stride * torch.arange(tile // stride + 16)
            part = x[:, :, picks][:, :, :, picks][:, :, :, :, picks]
            part = self.pathway(part, p)
            for axis in (2, 3, 4):
                part = part.repeat_interleave(stride, axis)
            parts.append(part)
        joined = torch.cat(parts, 1)
        x = F.pad(self.activate(joined, 21), [1] * 6, "replicate")
        x = F.conv3d(x, self.get("W", 24))
        x = F.conv3d(self.activate(x, 22) * factor_fc2, self.get("W", 25))
        x[:, :75] += joined
        x = F.conv3d(self.activate(x, 23) * factor_class, self.get("W", 26), self.get("b", 3))
        return x.softmax(1)


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True,
                          text=True, check=False)


class ImportDeepMedic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.base = Path(cls.folder.name)
        cls.arrays = random_tensors(seed=1)
        np.savez(cls.base / "tensors.npz", **cls.arrays)
        rng = np.random.default_rng(2)
        x = rng.normal(0, 1, (4, 95, 95, 95)).astype(np.float16)
        masks = [(rng.random(n) < 0.7).astype(np.uint8) for n in (60, 80)]
        factors = [torch.from_numpy(m).double()[None, :, None, None, None] for m in masks]
        plain = PlainDeepMedic(cls.arrays)
        batch = torch.from_numpy(x.astype(np.float64))[None]
        cls.window = {
            "input": x, "mask_fc2": masks[0], "mask_class": masks[1],
            "probabilities": plain.probabilities(batch, 0.7, 0.7)[0].numpy(),
            "probabilities_masked": plain.probabilities(batch, *factors)[0].numpy()}
        np.savez(cls.base / "window.npz", **cls.window)
        cls.done = run("--tensors", cls.base / "tensors.npz", "--out", cls.base / "bundle",
                       "--check", cls.base / "window.npz")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_probabilities_are_those_of_a_plain_implementation(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        differences = [float(line.split()[-1]) for line in self.done.stdout.splitlines()]
        self.assertEqual(len(differences), 2)
        self.assertLess(max(differences), 1e-5)

    def test_check_fails_for_another_network(self):
        np.savez(self.base / "other.npz", **random_tensors(seed=3))
        done = run("--tensors", self.base / "other.npz", "--out", self.base / "other",
                   "--check", self.base / "window.npz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("probabilities differ by more than 0.0001", done.stderr)
        self.assertFalse((self.base / "other").exists())

    def test_dropout_of_the_written_file_is_alive_in_training(self):
        network = torch.jit.load(self.base / "bundle" / "network.pt")
        x = torch.from_numpy(self.window["input"].astype(np.float32))[None]
        with torch.inference_mode():
            self.assertTrue(torch.equal(network.eval()(x), network(x)))
            self.assertFalse(torch.equal(network.train()(x), network(x)))

    def test_same_tensors_give_the_same_bytes(self):
        again = run("--tensors", self.base / "tensors.npz", "--out", self.base / "again")
        self.assertEqual(again.returncode, 0, again.stderr)
        for file in ("network.pt", "model.json"):
            self.assertEqual((self.base / "bundle" / file).read_bytes(),
                             (self.base / "again" / file).read_bytes())

    def test_model_json_has_the_digest_and_the_archive_no_source_paths(self):
        network = self.base / "bundle" / "network.pt"
        model = json.loads((self.base / "bundle" / "model.json").read_text())
        self.assertEqual(model["networks"][0]["sha256"],
                         hashlib.sha256(network.read_bytes()).hexdigest())
        names = zipfile.ZipFile(network).namelist()
        self.assertFalse([name for name in names if name.endswith(".debug_pkl")])
        self.assertNotIn(str(SCRIPT.parent).encode(), network.read_bytes())

    def test_wrong_tensors_are_named(self):
        broken = {"missing": {k: v for k, v in self.arrays.items() if k != "net__W_24"},
                  "shape": self.arrays | {"net__W_24": np.zeros((60, 75, 1, 1, 1), np.float32)},
                  "nan": self.arrays | {"net__gBn_3": np.full(16, np.nan, np.float32)}}
        expected = {"missing": "no array 'net__W_24'",
                    "shape": "net__W_24: expected shape [60, 75, 3, 3, 3], "
                             "found [60, 75, 1, 1, 1]",
                    "nan": "net__gBn_3: expected finite"}
        for kind, arrays in broken.items():
            np.savez(self.base / f"{kind}.npz", **arrays)
            done = run("--tensors", self.base / f"{kind}.npz", "--out", self.base / kind)
            self.assertEqual(done.returncode, 1)
            self.assertIn(expected[kind], done.stderr)
            self.assertFalse((self.base / kind).exists())

    def test_a_file_of_another_kind_is_named(self):
        whole = (self.base / "tensors.npz").read_bytes()
        for kind, content in (("text", b"not an archive"), ("empty", b""), ("cut", whole[:5000])):
            (self.base / f"{kind}.npz").write_bytes(content)
            done = run("--tensors", self.base / f"{kind}.npz", "--out", self.base / kind)
            self.assertEqual(done.returncode, 1)
            self.assertIn("not an .npz file", done.stderr)
            self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
