#!/usr/bin/env python3
"""Draws scans of a cohort: the axial slice with most tumour of each, channels and label map.

    scripts/phantoms/draw_phantoms.py examples/scans --out examples/scans.png [--count 8]

Needs matplotlib besides scripts/phantoms/requirements.txt.
"""
import argparse
import sys
from pathlib import Path

import matplotlib
import nibabel
import numpy as np

from contrast import CHANNELS
from storage import read_references

matplotlib.use("Agg")
from matplotlib import colors, pyplot  # noqa: E402

LABEL_COLOURS = {1: "#4477aa", 2: "#66ccee", 4: "#ee6677"}


def read(case, name):
    return np.asanyarray(nibabel.load(case / f"{case.name}_{name}.nii.gz").dataobj)


def draw_case(axes, case, volume_ml):
    labels = read(case, "seg")
    count = np.count_nonzero(labels, axis=(0, 1))
    plane = int(count.argmax()) if count.any() else labels.shape[2] // 2
    for axis, name in zip(axes, (*CHANNELS, "seg")):
        image = read(case, name if name != "seg" else "flair")[:, :, plane].T
        axis.imshow(image, cmap="gray", vmin=0, vmax=np.percentile(image, 99.7))
        axis.set_axis_off()
        axis.set_title(name if name != "seg" else "labels", fontsize=9)
    shown = np.zeros((*labels.shape[1::-1], 4))
    for value, colour in LABEL_COLOURS.items():
        shown[labels[:, :, plane].T == value] = colors.to_rgba(colour, 0.75)
    axes[-1].imshow(shown)
    axes[0].set_title(f"{case.name}, {volume_ml:.1f} ml: t1", fontsize=9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="PNG file")
    parser.add_argument("--count", type=int, default=8, help="at most so many scans (8)")
    arguments = parser.parse_args()
    references = read_references(arguments.cohort)
    cases = sorted(path for path in arguments.cohort.iterdir()
                   if path.is_dir() and path.name in references)[:arguments.count]
    if not cases:
        sys.exit(f"draw_phantoms.py: {arguments.cohort}: no case folder that references.csv names")
    figure, axes = pyplot.subplots(len(cases), 5, figsize=(10, 2.7 * len(cases)), squeeze=False,
                                 layout="constrained")
    for row, case in zip(axes, cases):
        draw_case(row, case, float(references[case.name][0][2]))
    figure.savefig(arguments.out, dpi=90)


if __name__ == "__main__":
    main()
