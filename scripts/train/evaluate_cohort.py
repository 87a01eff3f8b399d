#!/usr/bin/env python3
"""How well a bundle measures a held-out simulated cohort: the tables of its README.

    scripts/train/evaluate_cohort.py --cohort DIR --results RESULT --model BUNDLE [--out DIR]
                                     [--mc-passes T]

DIR holds <id>/<id>_{t1,t1ce,t2,flair,seg}.nii.gz and references.csv (case_id, region, volume_ml,
label_volume_ml), RESULT what `mcvol predict DIR --model BUNDLE` made of it. Volumes come from
RESULT. Since mcvol saves no label maps, Dice is of the bundle's network run here: once without
dropout, and with --mc-passes of the mean probability over so many passes with channel dropout.
Tables go to stdout as Markdown; --out takes evaluate_cohort.csv, a row per case and region, and,
where matplotlib is installed, evaluate_cohort.png. Needs torch, numpy and nibabel.
"""
import argparse
import csv
import hashlib
import sys
from pathlib import Path

import nibabel
import numpy as np
import torch

import records
from normalise import CLIP_SD, normalised
from records import fail
from scans import window_slices

LARGE_ML = 5
BINS_ML = {"0 to 1": (0, 1), "1 to 2": (1, 2), "2 to 5": (2, 5), "5 to 20": (5, 20),
           "20 to 100": (20, 100), "> 100": (100, np.inf)}
INTENSITY = {"method": "zscore", "mask": "nonzero", "clip_sd": CLIP_SD}
SPACING_TOLERANCE_MM = 1e-3
ESTIMATES = {"segmented_ml": "segmented", "raw_volume_ml": "raw median"}


# --- The network, as mcvol runs it (docs/bundle.md) ----------------------------------------------

def read_bundle(folder):
    """model.json, refused where it asks for what is not done here."""
    path = folder / "model.json"
    bundle = records.read_json(path)
    try:
        window, output = bundle["window"], bundle["output"]
        unsupported = [what for what, is_so in {
            "input and output of the window differ": window["input"] != window["output"],
            "a flexible window": window.get("flexible", False),
            "blend none": window.get("blend", "none") == "none",
            "padding other than zero": window.get("padding", "zero") != "zero",
            "an anchor other than mask_corner": window.get("anchor") not in (None, "mask_corner"),
            "outputs that are no logits": output["values"] != "logits",
            "an activation other than softmax": output["activation"] != "softmax",
            "measure all": bundle.get("measure", "mask") != "mask",
            "spacing_mm null": bundle["grid"]["spacing_mm"] is None,
            f"an intensity other than {INTENSITY}": any(
                {"mask": "nonzero", **channel["intensity"]} != INTENSITY
                for channel in bundle["channels"])}.items() if is_so]
    except (KeyError, TypeError) as error:
        fail(f"{path}: not a model description ({error!r})")
    if unsupported:
        fail(f"{path}: not supported by this script: {', '.join(unsupported)}")
    return bundle


def load_networks(folder, bundle):
    networks = []
    for entry in bundle["networks"]:
        path = folder / entry["file"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            fail(f"{path}: not the file of model.json (sha256 differs)")
        networks.append(torch.jit.load(str(path), map_location="cpu").eval())
    return networks


def set_dropout(network, on):
    """Switches the dropout layers alone: batch norms would change too."""
    layers = [module for module in network.modules() if "Dropout" in
              getattr(module, "original_name", type(module).__name__)]
    if not layers:
        fail("the network has no dropout layers that can be switched; export it scripted")
    for layer in layers:
        layer.train(on)


def read_image(path, bundle):
    """On the axes of the bundle's grid, not yet in the order of the network's dimensions."""
    image = nibabel.load(path)
    wanted = nibabel.orientations.axcodes2ornt(bundle["grid"]["orientation"])
    image = image.as_reoriented(nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), wanted))
    spacing = image.header.get_zooms()[:3]
    if not np.allclose(spacing, bundle["grid"]["spacing_mm"], rtol=0, atol=SPACING_TOLERANCE_MM):
        fail(f"{path}: voxels of {spacing} mm, expected the bundle's "
             f"{bundle['grid']['spacing_mm']}; this script does not resample")
    axes = ["xyz".index(axis) for axis in bundle["grid"].get("axes", "xyz")]
    return np.asarray(image.dataobj, np.float32).transpose(axes)


def channel_file(cohort, case_id, suffixes):
    for suffix in suffixes:
        path = cohort / case_id / f"{case_id}_{suffix}.nii.gz"
        if path.is_file():
            return path
    fail(f"{cohort / case_id}: no {case_id}_{suffixes[0]}.nii.gz")


def read_scan(cohort, case_id, bundle):
    """Normalised channels [channel, …], brain and label map, all on one grid."""
    channels = [read_image(channel_file(cohort, case_id, channel["suffixes"]), bundle)
                for channel in bundle["channels"]]
    brain = np.any([channel != 0 for channel in channels], axis=0)
    labels = read_image(channel_file(cohort, case_id, ["seg"]), bundle)
    return np.stack([normalised(channel) for channel in channels]), brain, labels


def probabilities(network, channels, brain, size):
    """[output, …], 0 outside the brain, from one window centred on the brain."""
    inside, target = window_slices(brain, size)
    image = np.zeros((1, len(channels), *size), np.float32)
    image[(0, slice(None), *target)] = channels[(slice(None), *inside)]
    with torch.inference_mode():
        found = torch.softmax(network(torch.from_numpy(image)), 1)[0].numpy()
    whole = np.zeros((len(found), *brain.shape), np.float32)
    whole[(slice(None), *inside)] = found[(slice(None), *target)]
    return whole * brain


def region_masks(networks, scan, bundle):
    """Voxels whose mean probability over the networks, one run of each, exceeds 0.5."""
    size = bundle["window"]["output"]
    mean = sum(probabilities(network, *scan, size) for network in networks) / len(networks)
    return {region["name"]: mean[region["outputs"]].sum(axis=0) > 0.5
            for region in bundle["regions"]}


def segmentations(networks, scan, bundle, passes):
    """Region masks without dropout and, for passes > 0, of the mean over passes."""
    found = {"one pass": region_masks(networks, scan, bundle)}
    if passes:
        for network in networks:
            set_dropout(network, True)
        turns = [networks[turn % len(networks)] for turn in range(passes)]
        found["mean of passes"] = region_masks(turns, scan, bundle)
        for network in networks:
            set_dropout(network, False)
    return found


# --- One row per case and region -----------------------------------------------------------------

def overlap_of(mask, truth, voxel_ml):
    both, union = int((mask & truth).sum()), int(mask.sum()) + int(truth.sum())
    return {"ml": float(mask.sum()) * voxel_ml, "dice": 2 * both / union if union else np.nan,
            "overlaps": both > 0}


def overlaps(networks, cohort, case_id, bundle, passes):
    """Overlap by region and kind of segmentation, for one case."""
    channels, brain, labels = read_scan(cohort, case_id, bundle)
    voxel_ml = float(np.prod(bundle["grid"]["spacing_mm"])) / 1000
    values = bundle["output"]["labels"]
    truths = {region["name"]: np.isin(labels, [values[output] for output in region["outputs"]])
              for region in bundle["regions"]}
    found = {kind: {region: overlap_of(masks[region], truth, voxel_ml)
                    for region, truth in truths.items()}
             for kind, masks in segmentations(networks, (channels, brain), bundle,
                                              passes).items()}
    return {region: {kind: found[kind][region] for kind in found} for region in truths}


def evaluated(arguments, bundle, references, volumes):
    """Rows, by region as in the bundle: case_id, reference, volumes and overlap."""
    networks = load_networks(arguments.model, bundle)
    rows = {region["name"]: [] for region in bundle["regions"]}
    cases = sorted({case for case, _ in volumes})
    for n, case in enumerate(cases):
        if sys.stderr.isatty():
            print(f"\r{n}/{len(cases)} {case}  ", end="", file=sys.stderr, flush=True)
        torch.manual_seed(arguments.seed)  # the same masks for every scan, as in mcvol
        try:
            found = overlaps(networks, arguments.cohort, case, bundle, arguments.mc_passes)
        except (ValueError, OSError) as error:
            fail(f"{arguments.cohort / case}: {error}")
        for region, of_region in rows.items():
            if (case, region) not in references:
                fail(f"{arguments.cohort / 'references.csv'}: no row {case}, {region}")
            of_region.append({"case_id": case, "reference": references[case, region],
                              **volumes[case, region], "overlap": found[region]})
    return rows


def kinds_of(rows):
    return list(next(iter(rows.values()))[0]["overlap"])


def write_cases(path, rows):
    kinds = kinds_of(rows)
    columns = ["segmented_ml", "raw_volume_ml", "raw_lower_ml", "raw_upper_ml"]
    headings = [f"{key}_{kind.replace(' ', '_')}" for kind in kinds for key in ("dice", "ml")]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case_id", "region", "volume_ml", "label_volume_ml", *columns, *headings])
        for region, of_region in rows.items():
            for row in of_region:
                values = [row["reference"].volume_ml, row["reference"].label_volume_ml,
                          *(row[column] for column in columns),
                          *(row["overlap"][kind][key] for kind in kinds for key in ("dice", "ml"))]
                writer.writerow([row["case_id"], region,
                                 *("" if np.isnan(v) else f"{v:.4f}" for v in values)])


# --- Tables --------------------------------------------------------------------------------------

def print_table(title, headings, lines):
    print(f"\n### {title}\n\n| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for line in lines:
        print(f"| {' | '.join(str(cell) for cell in line)} |")


def text(value, digits):
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def percentile(values, percent):
    return np.percentile(values, percent) if len(values) else np.nan


def column(rows, key):
    return np.array([row[key] for row in rows], float)


def true_ml(rows):
    return np.array([row["reference"].volume_ml for row in rows], float)


def sizes(rows):
    """All rows, and those of large true volume."""
    return {"all": rows,
            f">= {LARGE_ML} ml": [r for r in rows if r["reference"].volume_ml >= LARGE_ML]}


def volume_line(rows, key):
    truth, found = true_ml(rows), column(rows, key)
    error, root_error = found - truth, np.cbrt(found) - np.cbrt(truth)
    relative = np.abs(error[truth > 0]) / truth[truth > 0]
    several = len(rows) > 1
    return [len(rows), text(error.mean(), 2), text(np.median(error), 2),
            text(error.std(ddof=1) if several else np.nan, 2), text(root_error.mean(), 3),
            text(root_error.std(ddof=1) if several else np.nan, 3),
            *(text(percentile(np.abs(error), q), 2) for q in (50, 90)),
            *(text(percentile(relative, q), 3) for q in (50, 90))]


def print_volumes(rows):
    lines = [[region, size, name, *volume_line(chosen, key)]
             for region, of_region in rows.items() for size, chosen in sizes(of_region).items()
             for key, name in ESTIMATES.items() if chosen]
    print_table("Volume", ["region", "true volume", "estimate", "n", "bias, mean ml", "median ml",
                           "SD ml", "bias of V^(1/3)", "SD", "absolute error, median ml",
                           "90 % ml", "relative, median", "90 %"], lines)


def print_absent(rows):
    lines = []
    for region, of_region in rows.items():
        absent = [row for row in of_region if row["reference"].volume_ml == 0]
        for key, name in ESTIMATES.items():
            found = column(absent, key)
            found = found[found > 0]
            lines.append([region, name, len(absent), len(found),
                          text(percentile(found, 50), 2), text(percentile(found, 100), 2)])
    print_table("False positives on scans without the region",
                ["region", "estimate", "n", "above 0 ml", "of these: median ml", "largest ml"],
                lines)


def print_missed(rows):
    lines = []
    for region, of_region in rows.items():
        for name, (low, high) in BINS_ML.items():
            chosen = [row for row, v in zip(of_region, true_ml(of_region)) if 0 < v and
                      low <= v < high]
            lines.append([region, name, len(chosen),
                          sum(row["reference"].label_volume_ml == 0 for row in chosen),
                          sum(row["segmented_ml"] == 0 for row in chosen),
                          *(sum(not row["overlap"][kind]["overlaps"] for row in chosen)
                            for kind in kinds_of(rows))])
    print_table("Missed: regions that are there", [
        "region", "true ml", "n", "of them not in the label map", "segmented 0 ml",
        *(f"no voxel in common, {kind}" for kind in kinds_of(rows))], lines)


def print_dice(rows):
    lines = []
    for region, of_region in rows.items():
        for size, chosen in sizes(of_region).items():
            for kind in kinds_of(rows):
                dice = np.array([row["overlap"][kind]["dice"] for row in chosen])
                counted = dice[~np.isnan(dice)]
                lines.append([region, size, kind, len(counted), text(percentile(counted, 50), 3),
                              text(counted.mean() if len(counted) else np.nan, 3),
                              text(percentile(counted, 10), 3), int(np.isnan(dice).sum())])
    print_table("Dice", ["region", "true volume", "segmentation", "n", "median", "mean", "10 %",
                         "absent in both, not counted"], lines)


def print_agreement(rows):
    """What is segmented here against mcvol's segmented_ml, which is of the mean over its passes."""
    lines = []
    for region, of_region in rows.items():
        theirs = column(of_region, "segmented_ml")
        for kind in kinds_of(rows):
            off = np.abs([row["overlap"][kind]["ml"] for row in of_region] - theirs)
            share = off[theirs > 0] / theirs[theirs > 0]
            lines.append([region, kind, text(np.median(off), 3), text(off.max(), 3),
                          text(percentile(share, 50), 4), text(percentile(share, 90), 4)])
    print_table("Check: this script's segmented volume against mcvol's segmented_ml",
                ["region", "segmentation", "difference, median ml", "largest ml",
                 "relative, median", "90 %"], lines)


def print_run(run, failed):
    seconds, done = run["timings_s"], max(run["done"], 1)
    options = run["identity"]
    print(f"\n{run['done']} scans of {run['found']}, {len(failed)} failed"
          f"{': ' + ', '.join(failed) if failed else ''}; {options['passes']} passes, scope "
          f"{options['scope']}, {options['precision']}, {run['device']}, "
          f"{run['options'].get('threads', '?')} threads: {seconds['total'] / done:.2f} s a scan, "
          f"of it {seconds['network'] / done:.2f} s the network (of the last start of the run)")


def plot(path, rows):
    try:
        import matplotlib
    except ImportError:
        print(f"no {path.name}: matplotlib is not installed", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, len(rows), figsize=(4.5 * len(rows), 4.5), squeeze=False)
    for axis, (region, of_region) in zip(axes[0], rows.items()):
        truth, found, lower, upper = np.cbrt([
            true_ml(of_region),
            *(column(of_region, f"raw_{key}_ml") for key in ("volume", "lower", "upper"))])
        axis.vlines(truth, lower, upper, color="0.75", linewidth=0.8)
        axis.plot(truth, found, ".", markersize=4)
        top = max(truth.max(), found.max()) * 1.05 + 0.1
        axis.axline((0, 0), slope=1, color="0.4", linewidth=0.8)
        ticks = [tick for tick in (0, 1, 5, 20, 50, 100, 200, 400) if np.cbrt(tick) <= top]
        axis.set_xticks(np.cbrt(ticks), ticks)
        axis.set_yticks(np.cbrt(ticks), ticks)
        ends = (-0.03 * top, top)
        axis.set(title=region, xlabel="true volume, ml", xlim=ends, ylim=ends)
    axes[0][0].set_ylabel("raw median and interval, ml")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True, type=Path)
    parser.add_argument("--results", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--out", type=Path, help="folder for the rows per case and the figure")
    parser.add_argument("--mc-passes", type=int, default=0, help="dropout passes run here for Dice")
    parser.add_argument("--level", type=float, default=0.9, help="of the raw intervals")
    parser.add_argument("--threads", type=int, help="of PyTorch")
    parser.add_argument("--seed", type=int, default=0, help="of the dropout passes run here")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    bundle = read_bundle(arguments.model)
    references = records.read_references(arguments.cohort / "references.csv")
    volumes, failed = records.read_volumes(arguments.results, arguments.level)
    run = records.read_json(arguments.results / "run.json")
    if run["identity"]["networks"] != [entry["sha256"] for entry in bundle["networks"]]:
        fail(f"{arguments.results} was not measured with the networks of {arguments.model}")
    rows = evaluated(arguments, bundle, references, volumes)
    print_run(run, failed)
    print_volumes(rows)
    print_absent(rows)
    print_missed(rows)
    print_dice(rows)
    print_agreement(rows)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_cases(arguments.out / "evaluate_cohort.csv", rows)
        plot(arguments.out / "evaluate_cohort.png", rows)


if __name__ == "__main__":
    main()
