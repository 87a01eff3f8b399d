#!/usr/bin/env python3
"""Spoils the scans of a cohort, as they come spoilt in practice.

    scripts/phantoms/spoil.py COHORT --fault swap --out DIR

Every scan of COHORT (of make_phantoms.py) is copied with one fault: `swap`, two channels under each
other's name; `shift`, a channel moved against the others and cut out by the common mask; `flip`, an
axis that runs the other way; `turn`, two axes exchanged; `skull`, a scan that was never stripped.
What is not given on the command line is drawn for each scan; DIR/faults.csv says what it was.
"""
import argparse
import csv
import shutil
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from contrast import CHANNELS
from fields import smooth_field
from storage import nifti_bytes, write_atomically

FAULTS = ("swap", "shift", "flip", "turn", "skull")
AXES = "xyz"
# [layer, channel]: signal of CSF around the brain, skull, and scalp (mostly fat), over the median of
# the brain; and where each ends, in mm from the brain.
LAYERS = np.array([[0.35, 0.35, 1.9, 0.35], [0.12, 0.12, 0.10, 0.10], [1.50, 1.55, 1.10, 1.00]])
LAYER_ENDS_MM = (2.0, 8.0, 14.0)
MARGIN_MM = 16


def swap(channels, _spacing_mm, rng, arguments):
    names = arguments.channels or [CHANNELS[n] for n in rng.permutation(len(CHANNELS))[:2]]
    one, other = (CHANNELS.index(name) for name in names)
    result = channels.copy()
    result[[one, other]] = channels[[other, one]]
    return result, " and ".join(sorted(names))


def shift(channels, spacing_mm, rng, arguments):
    """The brain's border stays: what moves in is the nearest of the channel's own brain."""
    name = arguments.channels[0] if arguments.channels else CHANNELS[rng.integers(len(CHANNELS))]
    axis = AXES.index(arguments.axis) if arguments.axis else int(rng.integers(3))
    voxels = max(1, round(arguments.mm / spacing_mm)) * int(rng.choice([-1, 1]))
    number, result = CHANNELS.index(name), channels.copy()
    mask = channels[number] > 0
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    filled = channels[number][tuple(nearest)]
    moved = ndimage.shift(filled, [voxels if a == axis else 0 for a in range(3)], order=0,
                          mode="nearest")
    result[number] = np.where(mask, moved, 0)
    return result, f"{name} by {voxels * spacing_mm:g} mm along {AXES[axis]}"


def flip(channels, _spacing_mm, rng, arguments):
    axis = AXES.index(arguments.axis) if arguments.axis else int(rng.choice([1, 2]))
    return np.flip(channels, 1 + axis), AXES[axis]


def turn(channels, _spacing_mm, rng, arguments):
    kept = AXES.index(arguments.axis) if arguments.axis else int(rng.integers(3))
    one, other = (a for a in range(3) if a != kept)
    return np.swapaxes(channels, 1 + one, 1 + other), f"{AXES[one]} and {AXES[other]}"


def skull(channels, spacing_mm, rng, _arguments):
    """CSF, skull and scalp in shells around the brain, 0 beyond: air that was taken away."""
    margin = int(np.ceil(MARGIN_MM / spacing_mm))
    padded = np.pad(channels, [(0, 0)] + 3 * [(margin, margin)])
    brain = padded.any(axis=0)
    distance_mm = spacing_mm * ndimage.distance_transform_edt(~brain)
    # No head has the same thickness everywhere.
    distance_mm = distance_mm * (1 + 0.12 * np.clip(smooth_field(rng, brain.shape, 12), -2, 2))
    layer = np.digitize(distance_mm, LAYER_ENDS_MM, right=True)
    result = padded.copy()
    for number, channel in enumerate(channels):
        level = np.median(channel[channel > 0])
        texture = 1 + 0.1 * smooth_field(rng, brain.shape, 5)
        noise = 0.03 * rng.standard_normal(brain.shape, dtype=np.float32)
        head = np.append(LAYERS[:, number], 0)[layer] * texture + noise
        head = np.clip(np.rint(level * head), 1, 32767)
        result[number] = np.where(brain | (layer == len(LAYER_ENDS_MM)), padded[number], head)
    return result, ""


def spoil(source, case_id, out, arguments):
    images = [nibabel.load(source / f"{case_id}_{name}.nii.gz") for name in CHANNELS]
    channels = np.stack([np.asanyarray(image.dataobj) for image in images])
    spacing_mm = float(images[0].header.get_zooms()[0])
    # Of the case and not its number: the same for --only and without it.
    rng = np.random.default_rng([arguments.seed, zlib.crc32(case_id.encode())])
    result, what = globals()[arguments.fault](channels, spacing_mm, rng, arguments)
    case = out / case_id
    case.mkdir(parents=True, exist_ok=True)
    for name, image in zip(CHANNELS, result):
        write_atomically(case / f"{case_id}_{name}.nii.gz",
                         nifti_bytes(np.ascontiguousarray(image), spacing_mm))
    return what


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--fault", choices=FAULTS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--channels", nargs="+", choices=CHANNELS, help="two of swap, one of shift")
    parser.add_argument("--axis", choices=list(AXES), help="of shift and flip; what turn keeps")
    parser.add_argument("--mm", type=float, default=4.0, help="of shift")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="N", help="the first N scans")
    arguments = parser.parse_args()
    expected = {"swap": 2, "shift": 1}.get(arguments.fault, 0)
    if arguments.channels and len(set(arguments.channels)) != expected:
        parser.error(f"--channels: {arguments.fault} takes {expected}")
    cases = sorted(path.name for path in arguments.cohort.iterdir() if path.is_dir())
    if not cases:
        sys.exit(f"spoil.py: {arguments.cohort}: no scans, expected a cohort of make_phantoms.py")
    rows = []
    for case_id in cases[:arguments.only]:
        rows.append((case_id, arguments.fault,
                     spoil(arguments.cohort / case_id, case_id, arguments.out, arguments)))
    with open(arguments.out / "faults.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("case_id", "fault", "what"), *rows])
    shutil.copy(arguments.cohort / "references.csv", arguments.out / "references.csv")


if __name__ == "__main__":
    main()
