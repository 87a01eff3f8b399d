#!/usr/bin/env python3
"""Dice of a bundle's network on one scan with a label map, on the label map's own grid.

    scripts/train/evaluate_scan.py --scan DIR --model BUNDLE [--mc-passes T]

DIR: a case folder in BraTS names, with <id>_seg.nii.gz of values 0, 1, 2, 4; any voxel size. As in
mcvol the scan is resampled to the bundle's grid (a Gaussian of variance (target^2 - source^2) /
(8 ln 2) before larger voxels, then linear, from the same outer corner); probabilities go back linearly.
"""
import argparse
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from bundle_network import channel_file, load_networks, mean_probabilities, read_bundle
from normalise import normalised
from records import fail


def read_lps(path):
    image = nibabel.load(path)
    lps = nibabel.orientations.axcodes2ornt("LPS")
    image = image.as_reoriented(nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), lps))
    return np.asarray(image.dataobj, np.float32), np.array(image.header.get_zooms()[:3], float)


def positions(size, source_mm, target_mm):
    """Of the target's voxel centres, in voxels of the source; both begin at the same corner."""
    return [(np.arange(n) + 0.5) * t / s - 0.5 for n, s, t in zip(size, source_mm, target_mm)]


def sampled(image, places, order):
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(image, grid, order=order, mode="nearest")


def to_grid(image, spacing_mm, target_mm):
    """Background stays 0: the mask goes by nearest neighbour."""
    size = np.ceil(np.array(image.shape) * spacing_mm / target_mm - 1e-3).astype(int)
    variance = np.maximum(target_mm**2 - spacing_mm**2, 0) / (8 * np.log(2))
    smooth = ndimage.gaussian_filter(image, np.sqrt(variance) / spacing_mm, mode="nearest")
    places = positions(size, spacing_mm, target_mm)
    inside = sampled((image != 0).astype(np.float32), places, 0) > 0.5
    return sampled(smooth, places, 1) * inside


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scan", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--mc-passes", type=int, default=0, help="dropout passes (none: one without)")
    arguments = parser.parse_args()
    bundle = read_bundle(arguments.model)
    if bundle["grid"]["orientation"] != "LPS" or bundle["grid"].get("axes", "xyz") != "xyz":
        fail(f"{arguments.model}: a grid other than LPS, xyz is not supported by this script")
    target_mm = np.array(bundle["grid"]["spacing_mm"], float)
    case_id = next((path.name.removesuffix("_seg.nii.gz")
                    for path in arguments.scan.glob("*_seg.nii.gz")), None)
    if case_id is None:
        fail(f"{arguments.scan}: no <case_id>_seg.nii.gz")
    folder = arguments.scan
    labels, spacing_mm = read_lps(folder / f"{case_id}_seg.nii.gz")
    channels = [to_grid(*read_lps(channel_file(folder, case_id, channel["suffixes"])), target_mm)
                for channel in bundle["channels"]]
    brain = np.any([channel != 0 for channel in channels], axis=0)
    found = mean_probabilities(load_networks(arguments.model, bundle),
                               (np.stack([normalised(c) for c in channels]), brain), bundle,
                               arguments.mc_passes)
    back = positions(labels.shape, target_mm, spacing_mm)
    values, voxel_ml = bundle["output"]["labels"], float(np.prod(spacing_mm)) / 1000
    print("| region | true ml | found ml | Dice |\n|---|---|---|---|")
    for region in bundle["regions"]:
        mask = sampled(found[region["outputs"]].sum(axis=0), back, 1) > 0.5
        truth = np.isin(labels, [values[output] for output in region["outputs"]])
        dice = 2 * (mask & truth).sum() / max(mask.sum() + truth.sum(), 1)
        print(f"| {region['name']} | {truth.sum() * voxel_ml:.1f} | {mask.sum() * voxel_ml:.1f} | "
              f"{dice:.3f} |")


if __name__ == "__main__":
    main()
