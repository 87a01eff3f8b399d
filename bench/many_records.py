#!/usr/bin/env python3
"""Memory and time of the commands that read the records of a whole study.

    bench/many_records.py [--cases 1000] [--passes 320] [--runs 1] [--mcvol PROGRAM [--mcvol OTHER]]

Makes result folders of simulated records, three regions each, and measures `interval`, `calibrate`,
`evaluate`, `change`, `report` and `merge` on them: wall and CPU seconds, peak resident memory.
Programs take turns, and what they write has to be the same to the byte; of two, the ratios of the
first to the second are given. Whole processes, warm cache. Needs numpy.
"""

import argparse
import base64
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from measured_process import PROGRAM, measured, ratios, spread

NODES = 257
LOGITS = np.linspace(-16, 16, NODES)
WHOLE_VOXEL = 1 << 16
VOXELS = 200_000
SPACING_MM = 2
#: Of the first region's radius; each is part of the one before.
REGIONS = {"whole": 1.0, "core": 0.7, "enhancing": 0.5}
IDENTITY = {"networks": ["n"], "scope": "channel", "seed": 0}


def balls(half, softness):
    """Histograms of balls whose logit falls with the radius: 0 at `half`, by one every `softness`."""
    edges = np.append(LOGITS[1:] - 1 / 16, np.inf)
    radii = np.clip(half[:, None] - edges * softness, 0, None)
    above = np.minimum(4.18879 * radii**3 * WHOLE_VOXEL, VOXELS * WHOLE_VOXEL).astype(np.int64)
    above[:, -1] = 0
    weights = np.empty((len(half), NODES), np.int64)
    weights[:, 1:] = above[:, :-1] - above[:, 1:]
    weights[:, 0] = VOXELS * WHOLE_VOXEL - above[:, 0]
    return weights, np.minimum(4.18879 * half**3, VOXELS).astype(np.int64)


def packed(weights):
    return base64.b64encode(weights.astype("<i8").tobytes()).decode("ascii")


def region_record(name, half, softness):
    weights, above_half = balls(half, softness)
    mean = weights[:-1].sum(axis=0) // (len(half) - 1)
    mean[0] += VOXELS * WHOLE_VOXEL - mean.sum()
    return {"region": name,
            "above_half": above_half[:-1].tolist(), "histograms": packed(weights[:-1]),
            "mean_above_half": int(above_half[:-1].mean()), "mean_histogram": packed(mean),
            "without_dropout_above_half": above_half[-1:].tolist(),
            "without_dropout_histograms": packed(weights[-1:]),
            "monte_carlo_error": None}  # fmt: skip


def make_results(folder, cases, passes, random):
    """A result folder, references of its cases and pairs of every two of them, beside it."""
    (folder / "cases").mkdir(parents=True)
    identity = IDENTITY | {"passes": passes}
    run_identity = hashlib.sha256(json.dumps(identity, separators=(",", ":"), sort_keys=True)
                                  .encode()).hexdigest()  # fmt: skip
    references, pairs = ["case_id,region,volume_ml"], ["subject_id,baseline,followup"]
    for number in range(cases):
        case_id = f"{folder.name}_{number:05d}"
        size, softness = 2.5 * 6 ** random.random(), 0.1 + 0.5 * random.random()
        regions = []
        for name, share in REGIONS.items():
            seen = size * share * (1 + 0.02 * random.standard_normal(passes + 1))
            seen += softness * random.standard_normal(passes + 1) / 2
            regions.append(region_record(name, np.clip(seen, 0, None), softness))
            radius = max(size * share + 2 * softness * random.standard_normal(), 0)
            volume_ml = 4.18879 * radius**3 * SPACING_MM**3 / 1000
            references.append(f"{case_id},{name},{volume_ml:.4f}")
        if number % 2:
            pairs.append(f"s{number},{folder.name}_{number - 1:05d},{case_id}")
        record = {"format": 3, "case_id": case_id, "status": "ok", "run_identity": run_identity,
                  "model": "b" * 64, "flags": [],
                  "inputs": [{"channel": "t1", "file_name": f"{case_id}.nii.gz",
                              "sha256": hashlib.sha256(case_id.encode()).hexdigest(),
                              "size_bytes": 1, "mtime_ns": 1}],
                  "grid": {"size": [100, 50, 40], "spacing_mm": [SPACING_MM] * 3,
                           "origin_mm": [0, 0, 0],
                           "direction": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
                  "passes": passes, "regions": regions}  # fmt: skip
        (folder / "cases" / f"{case_id}.json").write_text(json.dumps(record), encoding="ascii")
    outputs = {"whole": [1, 2, 3], "core": [2, 3], "enhancing": [3]}
    run = {"format": 1, "state": "complete", "found": cases, "done": cases, "failed": 0,
           "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z", "version": "0",
           "commit": "0", "libraries": {}, "device": "cpu", "identity": identity,
           "levels": ["0.9"], "merged_from": [], "options": {}, "timings_s": {},
           "model_sha256": "b" * 64,
           "model": {"output": {"labels": [0, 1, 2, 3]},
                     "regions": [{"name": name, "outputs": of} for name, of in outputs.items()]}}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run), encoding="ascii")
    for name, lines in (("references.csv", references), ("pairs.csv", pairs)):
        folder.with_name(f"{folder.name}_{name}").write_text("\n".join(lines) + "\n", "ascii")


def commands_of(scratch, out):
    """{name: (arguments, what it writes)}, of the many records and, for a calibration, a few."""
    many, references = scratch / "many", scratch / "many_references.csv"
    with_calibration = ["--calibration", scratch / "calibration.json"]
    return {
        "interval": (["interval", many, "--calibration", "none", "--output", out / "raw.csv"],
                     ["raw.csv"]),
        "interval, calibrated": (["interval", many, *with_calibration, "--output",
                                  out / "volumes.csv"], ["volumes.csv"]),
        "calibrate": (["calibrate", many, "--references", references, "--output",
                       out / "calibration.json"], ["calibration.json"]),
        "evaluate": (["evaluate", many, "--references", references, *with_calibration, "--out",
                      out], ["coverage.csv", "comparison.csv", "intervals.csv"]),
        "change": (["change", many, "--pairs", scratch / "many_pairs.csv", "--references",
                    references, *with_calibration, "--output", out / "change.csv"],
                   ["change.csv"]),
        "report": (["report", many, *with_calibration, "--output", out / "report.html"], []),
        "merge": (["merge", many, "--out", out / "merged"], ["merged/volumes.csv"])}  # fmt: skip


def digest_of(folder, names):
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


def measure(arguments, scratch):
    programs = arguments.mcvol or [PROGRAM]
    print(f"{arguments.cases:,} records, {arguments.passes} passes, {len(REGIONS)} regions\n")
    print("| | program | wall, s | CPU, s | peak memory, MB |\n|---|---|---|---|---|")
    for name in commands_of(scratch, scratch):
        if arguments.only and name not in arguments.only:
            continue
        took = [[] for _ in programs]
        for turn in range(arguments.runs):
            digests = []
            for number, program in enumerate(programs):
                out = scratch / f"{name} {turn} {number}"
                words, written = commands_of(scratch, out)[name]
                out.mkdir()
                threads = [] if name == "merge" else ["--threads", arguments.threads]
                took[number].append(measured([program, *words, *threads, "--quiet"]))
                digests.append(digest_of(out, written))
            if any(digest != digests[0] for digest in digests):
                raise SystemExit(f"{name}: the programs do not write the same")
        for number, runs in enumerate(took):
            columns = [spread([run[key] for run in runs], digits)
                       for key, digits in (("wall_s", 1), ("cpu_s", 1), ("peak_mb", 0))]  # fmt: skip
            print(f"| {name} | {number + 1} | {' | '.join(columns)} |", flush=True)
        if len(programs) > 1:
            columns = [spread(ratios([run[key] for run in took[0]], [run[key] for run in took[1]]))
                       for key in ("wall_s", "cpu_s", "peak_mb")]  # fmt: skip
            print(f"| {name} | 1 over 2 | {' | '.join(columns)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mcvol", action="append", help="program; twice: two that take turns")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=320)
    parser.add_argument("--known", type=int, default=60, help="records of the calibration applied")
    parser.add_argument("--threads", default="2", help="(2)")
    parser.add_argument("--runs", type=int, default=1, help="of each command (1)")
    parser.add_argument("--only", action="append", help="this command; repeatable")
    parser.add_argument("--folder", type=Path, help="keeps the records there and uses them again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="many_records_") as name:
        scratch = Path(name)
        kept = arguments.folder or scratch
        if not (kept / "calibration.json").exists():
            random = np.random.default_rng(1)
            make_results(kept / "few", arguments.known, arguments.passes, random)
            make_results(kept / "many", arguments.cases, arguments.passes, random)
            measured([(arguments.mcvol or [PROGRAM])[-1], "calibrate", kept / "few", "--references",
                      kept / "few_references.csv", "--output", kept / "calibration.json",
                      "--quiet"])  # fmt: skip
        if kept != scratch:
            for path in kept.iterdir():
                (scratch / path.name).symlink_to(path.resolve())
        measure(arguments, scratch)


if __name__ == "__main__":
    main()
