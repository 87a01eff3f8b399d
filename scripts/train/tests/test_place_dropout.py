"""Tests of place_dropout.py; skipped without torch.

    .venv/bin/python -m unittest discover scripts/train/tests
"""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FOLDER))
try:
    import torch

    import networks
    MISSING = None
except ModuleNotFoundError as error:
    MISSING = f"{error}; see scripts/train/requirements.txt"

MODEL = FOLDER.parents[1] / "models" / "glioma-phantom"
WINDOW = (1, 4, 16, 16, 16)


def run(*arguments):
    return subprocess.run([sys.executable, FOLDER / "place_dropout.py", *map(str, arguments)],
                          capture_output=True, text=True, check=False)


@unittest.skipIf(MISSING, MISSING)
class Placement(unittest.TestCase):
    def active(self, layers):
        network = networks.make_network("unet", 0.1, [2, 3, 4])
        count = networks.keep_dropout(network, layers)
        names = [name for name, module in network.named_modules()
                 if isinstance(module, torch.nn.Dropout3d) and module.p > 0]
        self.assertEqual(count, len(names))
        return names

    def test_the_way_up_keeps_two_layers_a_level(self):
        self.assertEqual(self.active("decoder"),
                         ["levels.below.joined.2", "levels.below.joined.3.3", "levels.joined.2",
                          "levels.joined.3.3"])

    def test_the_last_layer_is_the_one_before_the_head(self):
        self.assertEqual(self.active("last"), ["levels.joined.3.3"])


@unittest.skipIf(MISSING, MISSING)
class Bundle(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def draws_of(self, path):
        """Logits of two draws and without dropout."""
        network = torch.jit.load(str(path)).eval()
        image = torch.randn(WINDOW, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            without = network(image)
            for module in network.modules():
                if module.original_name == "Dropout3d":
                    module.train()
            torch.manual_seed(1)
            return network(image), network(image), without

    def test_the_bundled_network_keeps_its_weights_and_drops_in_the_last_layer_only(self):
        out = self.folder / "last"
        done = run("--model", MODEL, "--layers", "last", "--out", out)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        first, second, without = self.draws_of(out / "network.pt")
        original = torch.jit.load(str(MODEL / "network.pt")).eval()
        image = torch.randn(WINDOW, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            self.assertTrue(torch.equal(original(image), without))
        self.assertFalse(torch.equal(first, second))
        self.assertEqual(json.loads((out / "model.json").read_text())["name"],
                         "glioma-phantom-last")

    def test_a_rate_that_the_network_does_not_have_is_refused(self):
        done = run("--model", MODEL, "--layers", "last", "--rate", "0.2", "--out",
                   self.folder / "last")
        self.assertEqual(done.returncode, 1)
        self.assertIn("gives another file", done.stderr)
        self.assertFalse((self.folder / "last").exists())

    def test_a_file_that_is_no_network_is_refused(self):
        model = self.folder / "model"
        shutil.copytree(MODEL, model)
        (model / "network.pt").write_bytes(b"none")
        done = run("--model", model, "--layers", "last", "--out", self.folder / "last")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a TorchScript file", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
