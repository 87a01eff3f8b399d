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
import sys
from pathlib import Path

import numpy as np
import torch

import records
from bundle_network import (UNREADABLE, load_networks, one_line, overlap_of, read_bundle, read_scan,
                            segmentations)
from records import fail

LARGE_ML = 5
BINS_ML = {"0 to 1": (0, 1), "1 to 2": (1, 2), "2 to 5": (2, 5), "5 to 20": (5, 20),
           "20 to 100": (20, 100), "> 100": (100, np.inf)}
ESTIMATES = {"segmented_ml": "segmented", "raw_volume_ml": "raw median"}


# --- One row per case and region -----------------------------------------------------------------

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
        except UNREADABLE as error:
            fail(f"{arguments.cohort / case}: {one_line(error)}")
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
    """No seconds a scan: timings_s are of the last start, `done` counts earlier ones' scans too."""
    options, seconds = run["identity"], run["timings_s"]
    starts = "the last start that measured scans"
    if run["merged_from"]:
        starts = "the last starts of the merged runs, added up,"
    print(f"\n{run['done']} scans of {run['found']}, {len(failed)} failed"
          f"{': ' + ', '.join(failed) if failed else ''}; {options['passes']} passes, scope "
          f"{options['scope']}, {options['precision']}, {run['device']}, "
          f"{run['options'].get('threads', '?')} threads; {starts} took "
          f"{seconds['total']:.1f} s, of it {seconds['network']:.1f} s the network")


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
