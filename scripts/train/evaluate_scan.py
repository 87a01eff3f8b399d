#!/usr/bin/env python3
"""Dice of a bundle's network on one scan with a label map, on the label map's own grid.

    scripts/train/evaluate_scan.py --scan DIR --model BUNDLE [--mc-passes T] [--label-map 3=4]

DIR: a case folder in BraTS names, with <id>_seg.nii.gz (or <id>-seg.nii.gz) on the grid of the
channels, of any voxel size. As in mcvol the scan is resampled to the bundle's grid (a Gaussian of
variance (target^2 - source^2) / (8 ln 2) before larger voxels, then linear, from the same outer
corner); probabilities go back linearly.
"""
import argparse
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from bundle_network import (SPACING_TOLERANCE_MM, UNREADABLE, channel_file, load_networks,
                            mean_probabilities, one_line, overlap_of, read_bundle)
from normalise import normalised
from records import fail


def read_lps(path):
    """Values [x, y, z] and the size of a voxel in mm."""
    try:
        image = nibabel.load(path)
        if len(image.shape) != 3:
            fail(f"{path}: an image of {len(image.shape)} dimensions, expected 3")
        lps = nibabel.orientations.axcodes2ornt("LPS")
        image = image.as_reoriented(nibabel.orientations.ornt_transform(
            nibabel.io_orientation(image.affine), lps))
        return np.asarray(image.dataobj, np.float32), np.array(image.header.get_zooms()[:3], float)
    except UNREADABLE as error:
        fail(f"{path}: {one_line(error)}")


def find_label_map(folder):
    found = sorted([*folder.glob("*_seg.nii.gz"), *folder.glob("*-seg.nii.gz")])
    if len(found) != 1:
        fail(f"{folder}: {len(found)} files <case_id>_seg.nii.gz or -seg.nii.gz, expected one")
    return found[0]


def read_labels(path, values, label_map):
    """A label map with no other than the bundle's `values`, and the size of a voxel in mm."""
    found, spacing_mm = read_lps(path)
    labels = found.copy()
    for old, new in label_map:
        labels[found == old] = new
    values = [value for value in values if value is not None]  # of an unused output
    unknown = [f"{value:g}" for value in np.unique(labels) if value not in values]
    if unknown:
        hint = "; BraTS 2023 has 3 for enhancing tumour: --label-map 3=4" if "3" in unknown else ""
        fail(f"{path}: label {', '.join(unknown[:5])}, expected those of the bundle "
             f"({', '.join(map(str, values))}); --label-map OLD=NEW replaces one{hint}")
    return labels, spacing_mm


def read_channels(folder, case_id, bundle, labels_grid):
    """Values and voxel size of each channel, all on the grid of the label map: its size in voxels
    and in mm."""
    scan = []
    for channel in bundle["channels"]:
        path = channel_file(folder, case_id, channel["suffixes"])
        values, spacing_mm = read_lps(path)
        size, expected_mm = labels_grid
        if values.shape != size or not np.allclose(spacing_mm, expected_mm, rtol=0,
                                                   atol=SPACING_TOLERANCE_MM):
            fail(f"{path}: {text_of_grid(values.shape, spacing_mm)}, expected the label map's "
                 f"{text_of_grid(*labels_grid)}; resample one of them")
        scan.append((values, spacing_mm))
    return scan


def text_of_grid(size, spacing_mm):
    return (f"{'x'.join(map(str, size))} voxels of "
            f"{'x'.join(f'{length:g}' for length in spacing_mm.round(4))} mm")


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


def print_overlaps(found, labels, spacing_mm, bundle):
    """`found`: [output, ...], probabilities on the bundle's grid."""
    target_mm = np.array(bundle["grid"]["spacing_mm"], float)
    back = positions(labels.shape, target_mm, spacing_mm)
    values, voxel_ml = bundle["output"]["labels"], float(np.prod(spacing_mm)) / 1000
    print("| region | true ml | found ml | Dice |\n|---|---|---|---|")
    for region in bundle["regions"]:
        mask = sampled(found[region["outputs"]].sum(axis=0), back, 1) > 0.5
        truth = np.isin(labels, [values[output] for output in region["outputs"]])
        overlap = overlap_of(mask, truth, voxel_ml)
        dice = "" if np.isnan(overlap["dice"]) else f"{overlap['dice']:.3f}"
        print(f"| {region['name']} | {truth.sum() * voxel_ml:.1f} | {overlap['ml']:.1f} | {dice} |")


def evaluate(arguments):
    bundle = read_bundle(arguments.model)
    if bundle["grid"]["orientation"] != "LPS" or bundle["grid"].get("axes", "xyz") != "xyz":
        fail(f"{arguments.model}: a grid other than LPS, xyz is not supported by this script")
    target_mm = np.array(bundle["grid"]["spacing_mm"], float)
    path = find_label_map(arguments.scan)
    labels, spacing_mm = read_labels(path, bundle["output"]["labels"], arguments.label_map)
    scan = read_channels(arguments.scan, path.name[:-len("_seg.nii.gz")], bundle,
                         (labels.shape, spacing_mm))
    channels = [to_grid(*channel, target_mm) for channel in scan]
    brain = np.any([channel != 0 for channel in channels], axis=0)
    found = mean_probabilities(load_networks(arguments.model, bundle),
                               (np.stack([normalised(c) for c in channels]), brain), bundle,
                               arguments.mc_passes)
    print_overlaps(found, labels, spacing_mm, bundle)


def replacement(text):
    old, new = text.split("=")
    return int(old), int(new)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scan", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--mc-passes", type=int, default=0,
                        help="dropout passes (none: one without)")
    parser.add_argument("--label-map", type=replacement, action="append", default=[],
                        metavar="OLD=NEW", help="a value of the label map that stands for another; "
                        "can be given several times")
    arguments = parser.parse_args()
    try:
        evaluate(arguments)
    except UNREADABLE as error:
        fail(f"{arguments.scan}: {one_line(error)}")


if __name__ == "__main__":
    main()
