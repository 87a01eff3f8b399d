#!/usr/bin/env python3
"""What `mcvol calibrate` and `mcvol interval` cost, against reading the records alone.

    bench/calibration_cost.py RESULT --references FILE [--cases 1000] [--known 200] [--runs 5]

Copies records of RESULT under other names until there are as many as asked for, then takes turns:
`interval` without a calibration (reading and raw intervals), `interval` with one, and `calibrate`
on `--known` scans. Whole processes, warm cache. Needs Python's standard library only.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measured_process import PROGRAM, ratios, spread


def copy_records(results, count, folder):
    """A result folder of `count` records; {name of the copy: name of the original}."""
    (folder / "cases").mkdir(parents=True)
    shutil.copy(results / "run.json", folder / "run.json")
    originals = sorted((results / "cases").glob("*.json"))
    names = {}
    for number in range(count):
        original = originals[number % len(originals)]
        text = original.read_text(encoding="utf-8")
        name = f"copy_{number:05d}"
        known, named = f'"case_id": "{original.stem}"', f'"case_id": "{name}"'
        (folder / "cases" / f"{name}.json").write_text(text.replace(known, named, 1), "utf-8")
        names[name] = original.stem
    return names


def write_references(path, references, names):
    """The originals' volumes under the copies' names."""
    with open(references, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("case_id", "region", "volume_ml"))
        for name, original in names.items():
            writer.writerows((name, row["region"], row["volume_ml"])
                             for row in rows if row["case_id"] == original)  # fmt: skip


def seconds_of(command):
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"mcvol failed: {' '.join(map(str, command))}")
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--references", required=True)
    parser.add_argument("--program", default=str(PROGRAM))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--known", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="calibration_cost_") as scratch:
        many, known = Path(scratch, "many"), Path(scratch, "known")
        copy_records(arguments.results, arguments.cases, many)
        write_references(Path(scratch, "references.csv"), arguments.references,
                         copy_records(arguments.results, arguments.known, known))  # fmt: skip
        calibration = Path(scratch, "calibration.json")
        program, quiet = arguments.program, "--quiet"
        calibrate = [program, "calibrate", known, "--references", Path(scratch, "references.csv"),
                     "--output", calibration, quiet]  # fmt: skip
        raw = [program, "interval", many, "--calibration", "none", quiet]
        calibrated = [program, "interval", many, "--calibration", calibration, quiet]
        for command in (calibrate, raw, calibrated):  # warms the cache
            seconds_of(command)
        candidates = {len(fit) for region in json.loads(calibration.read_text())["regions"]
                      for stratum in region["strata"] for fit in [stratum["fits"]["conformal"]]}
        times = {"calibrate": [], "interval, raw": [], "interval, calibrated": []}
        for _ in range(arguments.runs):
            times["calibrate"].append(seconds_of(calibrate))
            times["interval, raw"].append(seconds_of(raw))
            times["interval, calibrated"].append(seconds_of(calibrated))
    print(f"{arguments.cases} records, {arguments.known} references, candidates of rho kept: "
          f"{min(candidates)} to {max(candidates)}")  # fmt: skip
    for name, values in times.items():
        print(f"seconds, {name}: {spread(values)}")
    pairs = ratios(times["interval, calibrated"], times["interval, raw"])
    print(f"ratio of pairs, calibrated over raw: {spread(pairs)}")


if __name__ == "__main__":
    main()
