"""Scans as the network gets them, and the order in which training sees them.

A cohort is a folder of <id>.npz with `channels`, int16 [4, x, y, z] (t1, t1ce, t2, flair,
background 0), and `labels`, uint8 [x, y, z] (0, 1, 2, 4), on the grid of the bundle: LPS, 2 mm. It
may grow while it is read: files must appear whole, under names that begin with a dot or lack .npz
before.
"""
import zipfile
from pathlib import Path

import numpy as np
import torch

from networks import INPUTS, LABELS
from normalise import normalised

VOXEL_ML = 0.008  # 2 mm
# Of the normalised channels, which have SD 1; nothing here changes a volume.
GAIN_SD, SHIFT_SD, NOISE_SD = 0.05, 0.05, 0.1
OUTPUT_OF_LABEL = np.full(256, 255, np.uint8)
OUTPUT_OF_LABEL[LABELS] = np.arange(len(LABELS))
# What an error means for the run: this scan is left out.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def cohort_ids(folder):
    return sorted(path.stem for path in Path(folder).glob("*.npz")
                  if not path.name.startswith(".") and not path.stem.endswith(".tmp"))


def window_slices(measured, window):
    """(from the scan, into the window) along each axis, where mcvol puts its one window: centred on
    the box around what is measured. The scan outside the box is shown too, as far as the window
    goes."""
    inside, target = [], []
    for axis, size in enumerate(window):
        others = tuple(a for a in range(3) if a != axis)
        found = np.flatnonzero(measured.any(axis=others))
        begin, end = int(found[0]), int(found[-1]) + 1
        if end - begin > size:
            raise ValueError(f"a brain of {end - begin} voxels along axis {axis}, expected at most "
                             f"the {size} of the window")
        start = begin - (size - (end - begin)) // 2
        first, last = max(start, 0), min(start + size, measured.shape[axis])
        inside.append(slice(first, last))
        target.append(slice(first - start, last - start))
    return tuple(inside), tuple(target)


def read_scan(path, window):
    """Normalised channels float32 [4, *window] and outputs uint8 [*window]: 0 to 3, and 255 where
    nothing is measured. Raises one of UNREADABLE."""
    with np.load(path, allow_pickle=False) as archive:
        channels, labels = archive["channels"], archive["labels"]
    if channels.ndim != 4 or channels.shape != (INPUTS, *labels.shape):
        raise ValueError(f"channels {list(channels.shape)} and labels {list(labels.shape)}, "
                         f"expected [{INPUTS}, x, y, z] and [x, y, z]")
    measured = channels.any(axis=0)
    if not measured.any():
        raise ValueError("every voxel is 0")
    outputs = OUTPUT_OF_LABEL[labels]
    if (outputs == 255).any():
        raise ValueError(f"labels {np.unique(labels).tolist()}, expected {LABELS}")
    outputs[~measured] = 255
    inside, target = window_slices(measured, window)
    image = np.zeros((INPUTS, *window), np.float32)
    for n, channel in enumerate(channels):
        image[(n, *target)] = normalised(channel)[inside]
    truth = np.full(window, 255, np.uint8)
    truth[target] = outputs[inside]
    return image, truth


def augmented(image, truth, rng):
    """Mirrored left to right or not, and a gain, a shift and noise a channel, in the brain."""
    if rng.random() < 0.5:
        image, truth = image[:, ::-1], truth[::-1]
    result = np.empty(image.shape, np.float32)
    for n, channel in enumerate(image):
        gain = np.float32(np.exp(rng.normal(0, GAIN_SD)))
        shift = np.float32(rng.normal(0, SHIFT_SD))
        noise = rng.standard_normal(channel.shape, np.float32)
        noise *= np.float32(rng.uniform(0, NOISE_SD))
        result[n] = np.where(channel != 0, channel * gain + shift + noise, 0)
    return result, np.ascontiguousarray(truth)


class Stream:
    """The samples of training, one after the other.

    Each epoch is a permutation of the scans found in the folder when it began. `state` is all that
    is needed to go on; what is drawn for a sample depends on the seed and its number only.
    """

    def __init__(self, folder, window, seed, state=None, warn=print):
        self.folder = Path(folder)
        self.window = window
        self.seed = seed
        self.warn = warn
        self.state = state or {"sample": 0, "epoch": 0, "position": 0, "order": []}

    def begin_epoch(self, state):
        ids = cohort_ids(self.folder)
        if not ids:
            raise FileNotFoundError(f"{self.folder}: no scans (*.npz)")
        rng = np.random.default_rng([self.seed, 0, state["epoch"]])
        order = [ids[n] for n in rng.permutation(len(ids))]
        return {**state, "epoch": state["epoch"] + 1, "position": 0, "order": order}

    def next(self):
        """(image [4, ...], outputs [...], state after it). Does not change the stream."""
        state = self.state
        failures = 0
        while True:
            if state["position"] >= len(state["order"]):
                state = self.begin_epoch(state)
            path = self.folder / (state["order"][state["position"]] + ".npz")
            state = {**state, "position": state["position"] + 1}
            try:
                image, truth = read_scan(path, self.window)
                break
            except UNREADABLE as error:
                failures += 1
                self.warn(f"{path}: left out: {error}")
                if failures >= 2 * len(state["order"]):
                    raise FileNotFoundError(f"{self.folder}: no readable scan") from error
        rng = np.random.default_rng([self.seed, 1, state["sample"]])
        image, truth = augmented(image, truth, rng)
        return image, truth, {**state, "sample": state["sample"] + 1}

    def batch(self, size):
        """Tensors [size, 4, ...] and [size, ...] and the state after them; moves the stream on."""
        images, truths = [], []
        for _ in range(size):
            image, truth, self.state = self.next()
            images.append(torch.from_numpy(image))
            truths.append(torch.from_numpy(truth))
        return torch.stack(images), torch.stack(truths), self.state
