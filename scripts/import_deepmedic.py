#!/usr/bin/env python3
"""Makes an mcvol bundle from the tensors of a DeepMedic glioma checkpoint.

    scripts/import_deepmedic.py --tensors tensors.npz --out DIR [--licence FILE]
                                [--check WINDOW.npz]

DIR then holds network.pt (TorchScript) and model.json (docs/bundle.md). --check first runs the
network on a window whose probabilities are known, without dropout and with given masks, and fails
where they differ by more than 1e-4. The same tensors give the same bytes.
Needs torch and numpy (scripts/requirements-import.txt).
"""
import argparse
import hashlib
import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from torchscript_archive import fix_hash_seed, torchscript_bytes

CHANNELS = [10, 12, 14, 16, 18, 20, 22, 25]  # of the eight layers of a pathway
STRIDES = [1, 3, 5]  # of the three pathways
INPUTS, FC1, FC2, CLASSES = 4, 60, 80, 5
CONCATENATED = len(STRIDES) * CHANNELS[-1]
# BN and PReLU: layers 2 to 8 of the three pathways, then those before FC1, FC2 and the classes.
BN_CHANNELS = CHANNELS[:-1] * len(STRIDES) + [CONCATENATED, FC1, FC2]
KEEP = 0.7
DROPOUT = 0.3  # 1 - KEEP, but exactly the decimal
BN_EPS = 1e-30
TOLERANCE = 1e-4


def fail(message):
    sys.exit(f"import_deepmedic.py: {message}")


def arrays_of(path):
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        fail(f"{path}: not an .npz file of plain arrays ({error})")


class Tensors:
    """The checkpoint's arrays in double precision, by the names Theano gave them."""

    def __init__(self, path):
        self.path = path
        self.arrays = arrays_of(path)

    def get(self, stem, index, shape):
        name = f"net__{stem}" + (f"_{index}" if index else "")
        if name not in self.arrays:
            fail(f"{self.path}: no array '{name}' (expected shape {list(shape)}); "
                 "is this a DeepMedic checkpoint of three pathways?")
        found = self.arrays[name]
        if found.shape != tuple(shape):
            fail(f"{self.path}: {name}: expected shape {list(shape)}, found {list(found.shape)}")
        if found.dtype.kind != "f" or not np.isfinite(found).all():
            fail(f"{self.path}: {name}: expected finite floating-point numbers, found {found.dtype}"
                 + (" with NaN or infinity" if found.dtype.kind == "f" else ""))
        return found.astype(np.float64)

    def convolution(self, index, outputs, inputs, size):
        return self.get("W", index, (outputs, inputs, size, size, size))

    def slopes(self, index):
        return self.get("aPrelu", index, (BN_CHANNELS[index],))

    def batch_norm(self, index):
        """Scale and shift of batch norm `index`: BN(x) = scale * x + shift."""
        channels = BN_CHANNELS[index]
        mean = self.get("muBnsForRollingAverage", index, (60, channels)).mean(axis=0)
        variance = self.get("varBnsForRollingAverage", index, (60, channels)).mean(axis=0)
        if (variance + BN_EPS <= 0).any():
            fail(f"{self.path}: varBnsForRollingAverage {index}: a variance is not positive")
        scale = self.get("gBn", index, (channels,)) / np.sqrt(variance + BN_EPS)
        return scale, self.get("bBn", index, (channels,)) - scale * mean


def parameter(values):
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(values, np.float32)), False)


def convolution(weight, bias=None):
    layer = nn.Conv3d(weight.shape[1], weight.shape[0], weight.shape[2], bias=bias is not None)
    layer.weight = parameter(weight)
    if bias is not None:
        layer.bias = parameter(bias)
    return layer


def prelu(slopes):
    layer = nn.PReLU(len(slopes))
    layer.weight = parameter(slopes)
    return layer


class Affine(nn.Module):
    """Batch norm at inference: one scale and shift a channel."""

    def __init__(self, scale, shift):
        super().__init__()
        self.register_buffer("scale", parameter(scale).data)
        self.register_buffer("shift", parameter(shift).data)
        self.register_buffer("zero", torch.zeros(len(scale)))
        self.register_buffer("one", torch.ones(len(scale)))

    def forward(self, x):
        return torch.batch_norm(x, self.scale, self.shift, self.zero, self.one, False, 0.0, 0.0,
                                False)


def scaled(weight, factors):
    return weight * factors[:, None, None, None, None]


class Block(nn.Module):
    """Two layers, and what the input of the first adds to the output of the second.

    The output of the first reaches nothing but the next batch norm, which is therefore part of its
    weights; the output of the second is used twice, and its batch norm begins the next block.
    """

    def __init__(self, tensors, pathway, pair):
        super().__init__()
        first, second = 2 * pair, 2 * pair + 1  # 0-based layers
        self.inputs = CHANNELS[first - 1]
        norm = pathway * 7 + first
        self.norm = Affine(*tensors.batch_norm(norm - 1))
        self.prelu1 = prelu(tensors.slopes(norm - 1))
        scale, shift = tensors.batch_norm(norm)
        weight = tensors.convolution(pathway * 8 + first, CHANNELS[first], self.inputs, 3)
        self.conv1 = convolution(scaled(weight, scale), shift)
        self.prelu2 = prelu(tensors.slopes(norm))
        self.conv2 = convolution(
            tensors.convolution(pathway * 8 + second, CHANNELS[second], CHANNELS[first], 3))

    def forward(self, x):
        crop = x[:, :, 2:-2, 2:-2, 2:-2]
        x = self.conv2(self.prelu2(self.conv1(self.prelu1(self.norm(x)))))
        return torch.cat([x[:, :self.inputs] + crop, x[:, self.inputs:]], 1)


class Pathway(nn.Module):
    """Eight valid 3x3x3 convolutions: [batch, 4, n, n, n] -> [batch, 25, n-16, n-16, n-16]."""

    def __init__(self, tensors, pathway):
        super().__init__()
        weight = tensors.convolution(pathway * 8, CHANNELS[0], INPUTS, 3)
        # The first layer adds a constant to its input: seen through its weights, a bias.
        bias = np.einsum("oixyz,i->o", weight, tensors.get("b", pathway, (INPUTS,)))
        scale, shift = tensors.batch_norm(pathway * 7)
        self.conv1 = convolution(scaled(weight, scale), bias * scale + shift)
        self.prelu = prelu(tensors.slopes(pathway * 7))
        self.conv2 = convolution(
            tensors.convolution(pathway * 8 + 1, CHANNELS[1], CHANNELS[0], 3))
        self.blocks = nn.Sequential(*(Block(tensors, pathway, pair) for pair in (1, 2, 3)))

    def forward(self, x):
        return self.blocks(self.conv2(self.prelu(self.conv1(x))))


class DeepMedic(nn.Module):
    """[batch, 4, T+80, T+80, T+80] -> logits [batch, 5, T, T, T], for T a multiple of 15.

    DeepMedic's dropout is not inverted (a 0/1 mask in training, times 0.7 at inference), PyTorch's
    is (mask / 0.7, nothing): the 0.7 is in the weights of the convolution after it.
    """

    def __init__(self, tensors):
        super().__init__()
        self.full, self.third, self.fifth = (Pathway(tensors, p) for p in range(3))
        self.repeat_third = nn.Upsample(scale_factor=3, mode="nearest")
        self.repeat_fifth = nn.Upsample(scale_factor=5, mode="nearest")
        self.norm = Affine(*tensors.batch_norm(21))
        self.prelu_fc1 = prelu(tensors.slopes(21))
        scale, shift = tensors.batch_norm(22)
        weight = tensors.convolution(24, FC1, CONCATENATED, 3)
        self.fc1 = convolution(scaled(weight, scale), shift)
        self.prelu_fc2 = prelu(tensors.slopes(22))
        self.dropout_fc2 = nn.Dropout(DROPOUT)
        scale, shift = tensors.batch_norm(23)
        weight = tensors.convolution(25, FC2, FC1, 1)
        self.fc2 = convolution(scaled(weight, scale) * KEEP)
        # What FC2 adds to its output, through the batch norm that follows: needs no dropout.
        self.residual = Affine(scale, shift)
        self.prelu_classes = prelu(tensors.slopes(23))
        self.dropout_classes = nn.Dropout(DROPOUT)
        self.classes = convolution(tensors.convolution(26, CLASSES, FC2, 1) * KEEP,
                                   tensors.get("b", 3, (CLASSES,)))

    def forward(self, x):
        # The tile is at 40 .. 40+T. Negative ends keep the slices free of T.
        full = self.full(x[:, :, 32:-32, 32:-32, 32:-32])
        third = self.third(x[:, :, 16:-16:3, 16:-16:3, 16:-16:3])
        fifth = self.fifth(x[:, :, ::5, ::5, ::5])
        joined = torch.cat([full, self.repeat_third(third), self.repeat_fifth(fifth)], 1)
        x = self.prelu_fc1(self.norm(joined))
        x = self.fc1(torch.nn.functional.pad(x, [1, 1, 1, 1, 1, 1], "replicate"))
        x = self.prelu_fc2(x)
        residual = self.residual(torch.nn.functional.pad(joined, [0, 0, 0, 0, 0, 0, 0, 5]))
        x = self.fc2(self.dropout_fc2(x)) + residual
        return self.classes(self.dropout_classes(self.prelu_classes(x)))


def model_description(network, licence):
    """model.json (docs/bundle.md)."""
    suffixes = {
        "t1": ["t1", "t1n", "T1w", "0000"],
        "t1ce": ["t1ce", "t1c", "ce-gadolinium_T1w", "0001"],
        "t2": ["t2", "t2w", "T2w", "0002"],
        "flair": ["flair", "t2f", "FLAIR", "0003"],
    }
    intensity = {"method": "zscore", "mask": "nonzero", "clip_sd": 3}
    return {
        "format": 1,
        "name": "deepmedic-glioma",
        "networks": [{"file": "network.pt", "sha256": hashlib.sha256(network).hexdigest()}],
        "channels": [{"name": name, "suffixes": words, "intensity": intensity}
                     for name, words in suffixes.items()],
        "requires": ["skull_stripped", "coregistered"],
        "grid": {"orientation": "LPS", "axes": "xyz", "spacing_mm": [1, 1, 1],
                 "interpolation": "linear"},
        "measure": "mask",
        "window": {"input": [125, 125, 125], "output": [45, 45, 45], "overlap": 0, "blend": "none",
                   "padding": "zero", "anchor": "mask_corner", "flexible": False},
        "output": {"channels": CLASSES, "values": "logits", "activation": "softmax",
                   "labels": [0, 1, 2, None, 4]},
        "regions": [{"name": "whole_tumour", "outputs": [1, 2, 4]},
                    {"name": "tumour_core", "outputs": [1, 4]},
                    {"name": "enhancing_tumour", "outputs": [4]}],
        "dropout": {"scope": "channel"},
        "licence": licence,
        "provenance": "DeepMedic (Kamnitsas et al. 2017) trained for pre-operative glioma, as "
                      "distributed with CaPTk and FeTS by the University of Pennsylvania; imported "
                      "by scripts/import_deepmedic.py",
        "warning": "For research only, not for clinical decisions. Trained on skull-stripped, "
                   "co-registered pre-operative glioma scans of 1 mm.",
    }


class FixedMask(nn.Module):
    """A dropout layer in training whose draw is known."""

    def __init__(self, mask):
        super().__init__()
        self.factors = torch.from_numpy(mask.astype(np.float32))[None, :, None, None, None] / KEEP

    def forward(self, x):
        return x * self.factors


def check(module, network, window_file):
    """Compares the bytes to write, and `module` with given masks, with known probabilities."""
    shapes = {"input": (INPUTS, 95, 95, 95), "probabilities": (CLASSES, 15, 15, 15),
              "mask_fc2": (FC1,), "mask_class": (FC2,),
              "probabilities_masked": (CLASSES, 15, 15, 15)}
    window = arrays_of(window_file)
    for name, shape in shapes.items():
        found = list(window[name].shape) if name in window else "no such array"
        if found != list(shape):
            fail(f"{window_file}: {name}: expected shape {list(shape)}, found {found}")
    loaded = torch.jit.load(io.BytesIO(network)).eval()
    module.dropout_fc2 = FixedMask(window["mask_fc2"])
    module.dropout_classes = FixedMask(window["mask_class"])
    x = torch.from_numpy(window["input"].astype(np.float32))[None]
    good = True
    with torch.inference_mode():
        for what, run, expected in (("without dropout", loaded, "probabilities"),
                                    ("with the given masks", module, "probabilities_masked")):
            difference = np.abs(run(x).softmax(1)[0].numpy() - window[expected]).max()
            print(f"{what}: largest difference of a probability {difference:.2e}")
            good = good and bool(difference <= TOLERANCE)
    if not good:
        fail(f"{window_file}: probabilities differ by more than {TOLERANCE:g}: these tensors are "
             "not the network the window was made with; nothing written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tensors", required=True, type=Path, help="the checkpoint's arrays, .npz")
    parser.add_argument("--out", required=True, type=Path, help="folder of the bundle")
    parser.add_argument("--licence", type=Path, help="file to copy into the bundle as LICENSE")
    parser.add_argument("--check", type=Path, help="window with known probabilities, .npz")
    arguments = parser.parse_args()
    for given in (arguments.tensors, arguments.licence, arguments.check):
        if given and not given.is_file():
            fail(f"{given}: no such file")
    module = DeepMedic(Tensors(arguments.tensors)).eval()
    network = torchscript_bytes(module)
    if arguments.check:
        check(module, network, arguments.check)
    licence = "see LICENSE" if arguments.licence else "the licence of the checkpoint it came from"
    description = json.dumps(model_description(network, licence), indent=2) + "\n"
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "network.pt").write_bytes(network)
    (arguments.out / "model.json").write_text(description, encoding="utf-8")
    if arguments.licence:
        shutil.copyfile(arguments.licence, arguments.out / "LICENSE")


if __name__ == "__main__":
    fix_hash_seed()
    main()
