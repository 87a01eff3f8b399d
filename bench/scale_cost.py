#!/usr/bin/env python3
"""What size and number of scans cost `mcvol predict`, with a network that costs next to nothing.

    bench/scale_cost.py sizes [--sizes 0.1,0.5,2,9,60] [--memory 1G]
    bench/scale_cost.py counts [--counts 1,10,100,1000]

sizes: one scan a run, an ellipsoid that fills its box, with its name in millions of voxels; where
the time went and the most memory. counts: many scans of 24^3 voxels, the most resident memory as
the ten scans up to the 100th and up to the last finish, and a second run that finds all done. Whole
processes, warm cache. Needs torch, numpy and nibabel.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import torch

from measured_process import PROGRAM, measured, predict, spread

SIZES = {0.1: (46, 46, 46), 0.5: (80, 80, 80), 2: (128, 128, 128), 9: (240, 240, 155),
         60: (400, 400, 375)}  # fmt: skip
STAGES = ("read", "prepare", "prefix", "suffix", "accumulate", "write")
SMALL = (24, 24, 24)


def make_bundle(folder):
    """Two convolutions with dropout between them, windows of 64^3 that overlap by a quarter."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 4, 3, padding=1), torch.nn.ReLU(),
                                  torch.nn.Dropout(0.2), torch.nn.Conv3d(4, 2, 1))  # fmt: skip
    folder.mkdir()
    torch.jit.script(network).save(str(folder / "network.pt"))
    sha256 = hashlib.sha256((folder / "network.pt").read_bytes()).hexdigest()
    description = {
        "format": 1, "name": "tiny", "networks": [{"file": "network.pt", "sha256": sha256}],
        "channels": [{"name": "flair", "suffixes": ["flair"],
                      "intensity": {"method": "zscore", "mask": "nonzero"}}],
        "grid": {"orientation": "LPS", "axes": "xyz", "spacing_mm": None,
                 "interpolation": "linear"},
        "measure": "mask",
        "window": {"input": [64] * 3, "output": [64] * 3, "overlap": 0.25, "blend": "gaussian",
                   "padding": "zero", "anchor": "mask_corner", "flexible": False},
        "output": {"channels": 2, "values": "logits", "activation": "softmax", "labels": [0, 1]},
        "regions": [{"name": "tumour", "outputs": [1]}],
        "dropout": {"scope": "channel"}}  # fmt: skip
    (folder / "model.json").write_text(json.dumps(description))
    return folder


def write_scan(folder, size, random):
    """Noise within an ellipsoid that touches its box, in a case folder."""
    folder.mkdir(parents=True)
    axes = [((2 * np.arange(n) + 1 - n) / n) ** 2 for n in size]
    inside = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :] <= 1
    image = random.integers(1, 1000, size, dtype=np.int16) * inside
    nibabel.save(nibabel.Nifti1Image(image, np.diag([-1.0, -1.0, 1.0, 1.0])),
                 folder / f"{folder.name}_flair.nii")  # fmt: skip


def table(header, rows):
    print(f"\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def measure_sizes(arguments, folder, options):
    random = np.random.default_rng(1)
    rows = []
    for megavoxels in arguments.sizes:
        scan = folder / f"scan_{megavoxels:g}"
        write_scan(scan, SIZES[megavoxels], random)
        runs = [predict(arguments.mcvol, [scan], arguments.bundle, options)
                for _ in range(arguments.runs + 1)][1:]  # the first reads the files  # fmt: skip
        stages = [spread([run["run"]["timings_s"][stage] for run in runs]) for stage in STAGES]
        rows.append((f"{megavoxels:g}", spread([run["wall_s"] for run in runs]), *stages,
                     spread([run["peak_mb"] for run in runs], 0)))  # fmt: skip
    table(("million voxels", "wall, s", *(f"{stage}, s" for stage in STAGES), "peak memory, MB"),
          rows)  # fmt: skip


def resident_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def run_watched(command, watched):
    """Wall seconds, and {n: most resident MB as the n-th scan and the nine before it finish}."""
    resident = []
    begin = time.perf_counter()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if not line.startswith("case_id,"):
                resident.append(resident_mb(process))
    if process.returncode:
        raise SystemExit(f"mcvol failed with exit code {process.returncode}")
    return (time.perf_counter() - begin,
            {n: max(resident[max(n - 10, 0):n]) for n in watched if n <= len(resident)})


def measure_counts(arguments, folder, options):
    random = np.random.default_rng(1)
    rows = []
    for number, count in enumerate(arguments.counts):
        scans = folder / f"scans_{count}"
        for scan in range(count):
            write_scan(scans / f"case_{scan:05d}", SMALL, random)
        command = [arguments.mcvol, "predict", scans, "--model", arguments.bundle, "--out",
                   folder / f"out_{count}", "--quiet", *options]  # fmt: skip
        if number == 0:
            measured([*command, "--fresh"])  # reads the libraries
            command.append("--fresh")
        wall_s, resident = run_watched([*command, "--print", "csv"], {100, count})
        again_s = [measured([part for part in command if part != "--fresh"])["wall_s"]
                   for _ in range(arguments.runs)]  # fmt: skip
        page_mb = (folder / f"out_{count}" / "report.html").stat().st_size / 2**20
        rows.append((f"{count:,}", f"{wall_s:.2f}", f"{1000 * wall_s / count:.1f}",
                     f"{resident[100]:.0f}" if 100 in resident else "", f"{resident[count]:.0f}",
                     spread(again_s), f"{page_mb:.2f}"))  # fmt: skip
    table(("scans", "wall, s", "ms per scan", "resident at the 100th, MB", "at the last, MB",
           "run that finds all done, s", "report.html, MB"), rows)  # fmt: skip


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("sizes", "counts"))
    parser.add_argument("--mcvol", default=PROGRAM)
    parser.add_argument("--sizes", default=tuple(SIZES), help="of the scans, millions of voxels",
                        type=lambda text: tuple(map(float, text.split(","))))  # fmt: skip
    parser.add_argument("--counts", default=(1, 10, 100, 1000), help="of scans",
                        type=lambda text: tuple(map(int, text.split(","))))  # fmt: skip
    parser.add_argument("--passes", default="20", help="T (20)")
    parser.add_argument("--threads", default="2", help="(2)")
    parser.add_argument("--memory", default="4G", help="as of mcvol (4G)")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement (3)")
    arguments = parser.parse_args()
    if unknown := set(arguments.sizes) - set(SIZES):
        parser.error(f"--sizes: expected some of {', '.join(f'{size:g}' for size in SIZES)}, "
                     f"found {min(unknown):g}")  # fmt: skip
    return arguments


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="scale_cost_") as name:
        folder = Path(name)
        arguments.bundle = make_bundle(folder / "bundle")
        options = ("--device", "cpu", "--calibration", "none", "--passes", arguments.passes,
                   "--threads", arguments.threads, "--memory", arguments.memory)  # fmt: skip
        (measure_sizes if arguments.what == "sizes" else measure_counts)(arguments, folder, options)


if __name__ == "__main__":
    main()
