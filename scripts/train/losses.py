"""What is minimised, and how well a network does."""
import math

import numpy as np
import torch

from networks import REGIONS
from scans import VOXEL_ML

SMOOTH_VOXELS = 10.0
LARGE_ML = 5.0
NOT_MEASURED = 255
SCORES = ("dice", "dice_5ml", "error", "error_5ml", "bias_5ml")


def losses(logits, truth):
    """Mean cross entropy over the brain, and 1 - soft Dice, the mean of regions and scans.

    Soft Dice is (2 sum(p g) + s) / (sum(p) + sum(g) + s). With s of about the smallest lesion, a
    region that is absent costs s / (sum(p) + s) less than 1: little, once hardly anything is found.
    """
    logs = torch.log_softmax(logits.float(), 1)
    measured = truth != NOT_MEASURED
    outputs = torch.where(measured, truth, 0).long()
    picked = logs.gather(1, outputs[:, None])[:, 0]
    cross_entropy = -(picked * measured).sum() / measured.sum()
    probabilities = logs.exp() * measured[:, None]
    dice_loss = logits.new_zeros((), dtype=torch.float32)
    for members in REGIONS.values():
        p = probabilities[:, members].sum(1)
        g = sum((outputs == member) for member in members).float()
        overlap, total = (p * g).flatten(1).sum(1), (p + g).flatten(1).sum(1)
        dice = (2 * overlap + SMOOTH_VOXELS) / (total + SMOOTH_VOXELS)
        dice_loss = dice_loss + (1 - dice).mean() / len(REGIONS)
    return cross_entropy, dice_loss


def region_counts(logits, truth):
    """For each region (overlap, found, true) in voxels; found where it is more likely than not."""
    probabilities = torch.softmax(logits.float(), 1)
    counts = []
    for members in REGIONS.values():
        found = (probabilities[:, members].sum(1) > 0.5) & (truth != NOT_MEASURED)
        true = sum((truth == member) for member in members).bool()
        counts.append([int((found & true).sum()), int(found.sum()), int(true.sum())])
    return counts


def median(values):
    return float(np.median(values)) if len(values) else math.nan


def scores(counts):
    """Medians over the scans in which a region is present, all of them or from 5 ml: Dice, relative
    error of the volume |found / true - 1|, and its bias found / true - 1.

    `counts`: [scans, regions, 3] from region_counts().
    """
    counts = np.asarray(counts, float).reshape(-1, len(REGIONS), 3)
    result = {}
    for n, region in enumerate(REGIONS):
        overlap, found, true = counts[counts[:, n, 2] > 0, n].T
        large = true * VOXEL_ML >= LARGE_ML
        dice, bias = 2 * overlap / (found + true), found / true - 1
        values = (dice, dice[large], abs(bias), abs(bias[large]), bias[large])
        result.update({f"{region}_{name}": median(v) for name, v in zip(SCORES, values)})
    return result
