"""Tests of initial.py and provenance.py, with the toys of test_train.py."""
import hashlib
import json
import tempfile
import unittest
from pathlib import Path

import test_train
from test_train import MISSING, trained, write_cohort

if not MISSING:
    import torch

    import export
    import provenance
    import train
    from run_folder import Refused, read_checkpoint


class Provenance(unittest.TestCase):
    @unittest.skipIf(MISSING, MISSING)
    def test_of_several_stages_is_read_back_as_it_was_written(self):
        stages = [{"steps": 7000, "seed": 1, "origin": {"name": "train", "seed": 8001}},
                  {"steps": 20, "seed": 0, "origin": None},
                  {"steps": 3, "seed": 2, "origin": {"name": "more, of it", "seed": 0}}]
        text = f"trained for 7023 steps ({provenance.text_of_stages(stages)}) by train.py"
        self.assertEqual(provenance.stages_in(text), stages)
        self.assertEqual(provenance.stages_in("trained for 7023 steps on something"), [])


@unittest.skipIf(MISSING, MISSING)
class Bundles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        write_cohort(self.root / "cohort", 2)
        (self.root / "cohort" / "cohort.json").write_text(
            json.dumps({"name": "toys", "seed": 8, "format": "npz"}))
        trained(self.root, "first", steps=2)
        self.bundle = self.root / "bundle"
        self.network = self.bundle / "network.pt"
        export.export(self.root / "first" / "checkpoint.pt", self.bundle, "toy")

    def tearDown(self):
        self.folder.cleanup()

    def begun(self, *more):
        options = test_train.parsed(self.root, "--steps", "3", "--out", str(self.root / "run"),
                                    "--initial", str(self.network), *more)
        (self.root / "run").mkdir(exist_ok=True)
        return train.Training(options)

    def test_a_run_begins_with_the_weights_and_the_trace_of_a_bundle(self):
        training = self.begun()
        first = read_checkpoint(self.root / "first" / "checkpoint.pt")
        for name, value in first["average"].items():
            for weights in (training.network.state_dict(), training.average):
                self.assertTrue(torch.equal(weights[name], value), name)
        training.run()
        checkpoint = read_checkpoint(self.root / "run" / "checkpoint.pt")
        stages = "2 steps with seed 5 on cohort 'toys' of seed 8"
        self.assertEqual(checkpoint["initial"][0]["sha256"],
                         hashlib.sha256(self.network.read_bytes()).hexdigest())
        self.assertIn(f"for 5 steps on simulated brain tumour scans ({stages}, then 3 steps",
                      export.provenance_of(checkpoint, 0.1))

    def test_a_bundle_of_another_network_is_refused(self):
        with self.assertRaisesRegex(Refused, "^[^\n]*another network's weights[^\n]*$"):
            self.begun("--channels", "4,8,8")

    def test_a_network_without_the_model_json_it_was_exported_with_is_refused(self):
        description = self.bundle / "model.json"
        model = json.loads(description.read_text())
        for change in ({"provenance": "of a colleague"}, {"networks": [{"sha256": "0" * 64}]}):
            description.write_text(json.dumps({**model, **change}))
            with self.assertRaisesRegex(Refused, "model.json"):
                self.begun()
        description.unlink()
        with self.assertRaisesRegex(Refused, "expected the model.json of export.py"):
            self.begun()


if __name__ == "__main__":
    unittest.main()
