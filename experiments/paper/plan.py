"""What is measured: cohorts, bundles, and the runs of mcvol predict, each of which can go on where it
was cut off."""
import json
import subprocess
import sys
from dataclasses import dataclass

from common import ROOT
from tables import fail, read_rows

FIRST = 60  # scans of a cohort that the costly conditions are measured on
NOISE_LEVELS = ("0.01", "0.03", "0.06", "0.12", "0.24")


@dataclass(frozen=True)
class Run:
    """A run of mcvol predict."""
    cohort: str
    layers: str = "all"  # place_dropout.py
    scope: str = "channel"
    count: int | None = FIRST  # None: all scans

    @property
    def name(self):
        if (self.layers, self.scope) == ("all", "channel"):
            return self.cohort
        return f"{self.cohort}-{self.layers}-{self.scope}"


CALIBRATION, TEST = Run("calibration", count=None), Run("test", count=None)
NOISE = {level: Run(f"noise_{level}") for level in NOISE_LEVELS}
PLACEMENTS = [TEST, Run("test", "all", "element"), Run("test", "all", "native"),
              Run("test", "decoder"), Run("test", "decoder", "element"),
              Run("test", "last"), Run("test", "last", "element")]
SCOPES = {scope: (Run("calibration", "all", scope), Run("test", "all", scope))
          for scope in ("element", "native")}
RUNS = [CALIBRATION, TEST, Run("test", "last"), Run("test", "last", "element"), NOISE["0.24"],
        NOISE["0.01"], SCOPES["element"][1], NOISE["0.12"], NOISE["0.06"], Run("test", "decoder"),
        SCOPES["element"][0], Run("test", "decoder", "element"), NOISE["0.03"], SCOPES["native"][1],
        SCOPES["native"][0]]
FIRST_OF_TEST = Run("test")
DICE = [*(("truth", run) for run in (TEST, *NOISE.values())), ("passes", FIRST_OF_TEST)]


class Workplace:
    """Folders of cohorts and results, and the program."""

    def __init__(self, arguments):
        self.mcvol, self.model, self.threads = arguments.mcvol, arguments.model, arguments.threads
        self.cohorts, self.results = arguments.cohorts, arguments.results

    def references(self, cohort):
        return self.cohorts / cohort / "references.csv"

    def case_ids(self, run):
        """The scans of a run, in the order of the cohort."""
        ids = list(dict.fromkeys(row["case_id"] for row in read_rows(self.references(run.cohort))))
        return ids[:run.count]

    def is_complete(self, run):
        try:
            state = json.loads((self.results / run.name / "run.json").read_text(encoding="utf-8"))
            return (state["state"], state["failed"]) == ("complete", 0) and (
                state["done"] >= len(self.case_ids(run)))
        except (OSError, ValueError, KeyError):
            return False

    def call(self, *command):
        done = subprocess.run([str(word) for word in command], check=False)
        if done.returncode:
            fail(f"{' '.join(str(word) for word in command[:3])} … ended with exit code "
                 f"{done.returncode}; the same command goes on from here")

    def make_cohort(self, name):
        known = json.loads((ROOT / "scripts/phantoms/cohorts.json").read_text(encoding="utf-8"))
        count = known[name]["count"]
        path = self.references(name)
        if not path.is_file() or len({row["case_id"] for row in read_rows(path)}) < count:
            self.call(sys.executable, ROOT / "scripts/phantoms/make_phantoms.py", "--cohort", name,
                      "--out", self.cohorts / name)

    def bundle(self, layers):
        if layers == "all":
            return self.model
        folder = self.results / "models" / layers
        if not (folder / "model.json").is_file():
            self.call(sys.executable, ROOT / "scripts/train/place_dropout.py", "--model", self.model,
                      "--layers", layers, "--out", folder)
        return folder

    def measure(self, run):
        self.make_cohort(run.cohort)
        if self.is_complete(run):
            return
        scans = [self.cohorts / run.cohort / case for case in self.case_ids(run)]
        self.call(self.mcvol, "predict", *scans, "--model", self.bundle(run.layers), "--scope",
                  run.scope, "--calibration", "none", "--out", self.results / run.name,
                  *(["--threads", self.threads] if self.threads else []))
