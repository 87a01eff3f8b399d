"""Overlap of segmentations with label maps, and of passes with one another: the network run in Python,
since mcvol saves no label maps."""
import csv
import sys

import numpy as np
import torch

from common import REGIONS
from tables import read_rows
import bundle_network

PASSES, SEED = 20, 0


def network_of(workplace):
    bundle = bundle_network.read_bundle(workplace.model)
    return bundle, bundle_network.load_networks(workplace.model, bundle)[0]


def truth_masks(labels, bundle):
    values = bundle["output"]["labels"]
    return {region["name"]: np.isin(labels, [values[output] for output in region["outputs"]])
            for region in bundle["regions"]}


def without_dropout(network, bundle, scan):
    """Dice with the label map by region; NaN where both are empty."""
    channels, brain, labels = scan
    found = bundle_network.region_masks(bundle_network.mean_probabilities(
        [network], (channels, brain), bundle), bundle)
    return {region: bundle_network.overlap_of(found[region], truth, 1)["dice"]
            for region, truth in truth_masks(labels, bundle).items()}


def pairwise(masks):
    """Mean Dice over pairs of passes; two empty ones agree. `masks` [pass, voxel]."""
    flat = masks.astype(np.float32)
    both, sizes = flat @ flat.T, flat.sum(axis=1)
    total = sizes[:, None] + sizes
    dice = np.where(total > 0, 2 * both / np.maximum(total, 1), 1)
    return dice[np.triu_indices(len(masks), 1)].mean()


def between_passes(network, bundle, scan):
    channels, brain, _ = scan
    torch.manual_seed(SEED)  # the same draws for every scan, as in mcvol
    bundle_network.set_dropout(network, True)
    passes = [bundle_network.region_masks(bundle_network.probabilities(
        network, channels, brain, bundle["window"]["output"]), bundle) for _ in range(PASSES)]
    bundle_network.set_dropout(network, False)
    return {region: pairwise(np.stack([one[region][brain] for one in passes]))
            for region in REGIONS}


def path_of(workplace, kind, run):
    return workplace.results / "dice" / f"{kind}-{run.cohort}-{run.count or 'all'}.csv"


def read(workplace, kind, run):
    """{(case_id, region): Dice}, of what has been measured."""
    path = path_of(workplace, kind, run)
    rows = read_rows(path) if path.is_file() else []
    return {(row["case_id"], row["region"]): float(row["dice"]) for row in rows}


def is_complete(workplace, kind, run):
    known = read(workplace, kind, run)
    return all((case, REGIONS[-1]) in known for case in workplace.case_ids(run))


def measure(workplace, kind, run):
    """Adds the scans that are missing."""
    known = read(workplace, kind, run)
    missing = [case for case in workplace.case_ids(run) if (case, REGIONS[-1]) not in known]
    if not missing:
        return
    bundle, network = network_of(workplace)
    path = path_of(workplace, kind, run)
    path.parent.mkdir(exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if not known:
            writer.writerow(("case_id", "region", "dice"))
        for number, case in enumerate(missing, 1):
            scan = bundle_network.read_scan(workplace.cohorts / run.cohort, case, bundle)
            found = KINDS[kind](network, bundle, scan)
            writer.writerows((case, region, f"{found[region]:.6f}") for region in REGIONS)
            stream.flush()
            print(f"{path.name}: {number}/{len(missing)} {case}", file=sys.stderr)


KINDS = {"truth": without_dropout, "passes": between_passes}
