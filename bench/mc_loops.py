"""Monte Carlo dropout as it is written in PyTorch: the windows of mcvol's plan, a pass after the
other or a few in a batch, and what is measured of each. bench/cpu_cost.py measures it.
"""
import base64
import itertools
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from torch import nn

from measured_process import ROOT

sys.path += [str(ROOT / "scripts"), str(ROOT / "scripts/train")]

from normalise import normalised  # noqa: E402  (of scripts/train)


@dataclass
class Scan:
    image: torch.Tensor  # [1, channels, x, y, z], normalised, 0 outside the brain
    measured: torch.Tensor  # bool [x, y, z]
    voxel_ml: float

    def box(self):
        """First voxel of what is measured and the one after the last, along each dimension."""
        found = self.measured.nonzero()
        return found.min(0).values.tolist(), (found.max(0).values + 1).tolist()


def read_channels(folder, bundle):
    """Images of a case folder on the axes of the bundle's grid."""
    wanted = nibabel.orientations.axcodes2ornt(bundle["grid"]["orientation"])
    images = []
    for channel in bundle["channels"]:
        found = [path for suffix in channel["suffixes"]
                 for path in folder.glob(f"*[_-]{suffix}.nii*")]
        if not found:
            sys.exit(f"{folder}: no file of channel {channel['name']}")
        image = nibabel.load(found[0])
        images.append(image.as_reoriented(nibabel.orientations.ornt_transform(
            nibabel.io_orientation(image.affine), wanted)))
        if not np.allclose(image.header.get_zooms()[:3], bundle["grid"]["spacing_mm"], atol=1e-3):
            sys.exit(f"{found[0]}: not of the bundle's spacing, and this script does not resample")
    return images


def read_scan(folder, bundle):
    if bundle["grid"]["axes"] != "xyz" or bundle.get("measure", "mask") != "mask" or any(
            channel["intensity"]["method"] != "zscore" for channel in bundle["channels"]):
        sys.exit(f"{bundle['name']}: only bundles of axes xyz, measure mask and zscore are run here")
    images = read_channels(folder, bundle)
    values = [np.asarray(image.dataobj, np.float32) for image in images]
    measured = torch.from_numpy(np.any([channel != 0 for channel in values], axis=0))
    voxel_ml = float(np.prod(images[0].header.get_zooms()[:3])) / 1000
    return Scan(torch.from_numpy(np.stack([normalised(v) for v in values]))[None], measured, voxel_ml)


def write_cube(folder, bundle, centre, size, out):
    """The cube of `size` voxels around a voxel, or what of it lies in the scan, as a case folder."""
    out.mkdir(parents=True)
    for channel, image in zip(bundle["channels"], read_channels(folder, bundle)):
        begin = [max(0, min(c - size // 2, n - size)) for c, n in zip(centre, image.shape)]
        part = image.slicer[tuple(slice(b, b + size) for b in begin)]
        nibabel.save(part, out / f"{out.name}_{channel['suffixes'][0]}.nii.gz")


# --- Windows (docs/bundle.md, "Layout") -----------------------------------------------------------

def window_starts(scan, window):
    """First output voxels [x, y, z] of the windows that hold a measured voxel."""
    starts = []
    for begin, end, output in zip(*scan.box(), window["output"]):
        step = max(1, int(output * (1 - window["overlap"])))
        if window["blend"] == "none":
            starts.append(range(begin, end, output))
        elif end - begin <= output:
            starts.append([begin - (output - (end - begin)) // 2])
        else:
            inner = itertools.takewhile(lambda s: s + output < end, itertools.count(begin, step))
            starts.append([*inner, end - output])
    return [start for start in itertools.product(*starts)
            if part_of(scan.measured, start, window["output"])[1].any()]


def part_of(image, start, size):
    """Where a window that may stick out overlaps the last three dimensions of an image: the part of
    the window, and of the image."""
    begin = [max(0, s) for s in start]
    end = [min(n, s + length) for n, s, length in zip(image.shape[-3:], start, size)]
    inside = tuple(slice(b - s, e - s) for b, e, s in zip(begin, end, start))
    return inside, image[(..., *(slice(b, e) for b, e in zip(begin, end)))]


@dataclass
class Window:
    image: torch.Tensor  # [1, channels, …], the network's input
    tile: torch.Tensor  # offsets of measured voxels in its output
    voxels: torch.Tensor  # their numbers in the list of all measured voxels


def make_windows(scan, window):
    numbers = torch.full(scan.measured.shape, -1)
    numbers[scan.measured] = torch.arange(int(scan.measured.sum()))
    windows = []
    for start in window_starts(scan, window):
        margin = [(i - o) // 2 for i, o in zip(window["input"], window["output"])]
        image = torch.zeros((1, scan.image.shape[1], *window["input"]))
        inside, part = part_of(scan.image, [s - m for s, m in zip(start, margin)], window["input"])
        image[(..., *inside)] = part
        tile = torch.full(window["output"], -1)
        inside, part = part_of(numbers, start, window["output"])
        tile[inside] = part
        tile = tile.flatten()
        offsets = (tile >= 0).nonzero()[:, 0]
        windows.append(Window(image, offsets, tile[offsets]))
    return windows


# --- Passes ---------------------------------------------------------------------------------------

class Volumes:
    """Volumes of each pass and region, thresholded and summed, and the mean probability."""

    def __init__(self, bundle, passes, voxels):
        self.regions = [region["outputs"] for region in bundle["regions"]]
        self.above_half = torch.zeros((passes, len(self.regions)), dtype=torch.int64)
        self.sums = torch.zeros((passes, len(self.regions)), dtype=torch.float64)
        self.mean = torch.zeros((bundle["output"]["channels"], voxels))
        self.passes = passes

    def add(self, logits, first, voxels=slice(None)):
        """`logits`: [rows, outputs, voxels] of passes from `first` on."""
        probabilities = torch.softmax(logits.float(), 1)
        rows = slice(first, first + len(logits))
        for number, outputs in enumerate(self.regions):
            region = probabilities[:, outputs].sum(1)
            self.above_half[rows, number] += (region > 0.5).sum(1)
            self.sums[rows, number] += region.sum(1)
        self.mean[:, voxels] += probabilities.sum(0) / self.passes


def recorded_sums(region):
    """Of a record's region: the summed probability of each pass, in voxels."""
    counts = np.frombuffer(base64.b64decode(region["histograms"]), "<i8").reshape(-1, 257)
    return torch.from_numpy(counts / 65536) @ torch.linspace(-16, 16, 257, dtype=float).sigmoid()


class PlainLoop:
    """`batch` passes over each window at a time."""

    def __init__(self, scan, bundle):
        self.bundle, self.windows = bundle, make_windows(scan, bundle["window"])
        self.voxels = int(scan.measured.sum())
        self.weights = None
        if len(self.windows) > 1 and bundle["window"]["blend"] != "none":
            from monai.data.utils import compute_importance_map
            self.weights = compute_importance_map(
                bundle["window"]["output"], bundle["window"]["blend"]).flatten()
            self.norm = torch.zeros(self.voxels)
            for window in self.windows:
                self.norm[window.voxels] += self.weights[window.tile]

    def run(self, network, passes, batch):
        kept = Volumes(self.bundle, passes, self.voxels)
        for first in range(0, passes, batch):
            rows = min(batch, passes - first)
            blended = 0
            if self.weights is not None:
                blended = torch.zeros((rows, len(kept.mean), self.voxels))
            for window in self.windows:
                output = network(window.image.expand(rows, -1, -1, -1, -1).contiguous())
                output = output.flatten(2)[:, :, window.tile]
                if self.weights is None:
                    kept.add(output, first, window.voxels)
                else:
                    blended.index_add_(2, window.voxels, output * self.weights[window.tile])
            if self.weights is not None:
                kept.add(blended / self.norm, first)
        return kept


class MonaiLoop:
    """sliding_window_inference over the box of what is measured, once per pass; `batch` windows at
    a time."""

    def __init__(self, scan, bundle):
        self.bundle = bundle
        box = tuple(slice(b, e) for b, e in zip(*scan.box()))
        self.image = scan.image[(..., *box)].contiguous()
        self.measured = scan.measured[box].flatten().nonzero()[:, 0]

    def run(self, network, passes, batch):
        from monai.inferers import sliding_window_inference
        window = self.bundle["window"]
        kept = Volumes(self.bundle, passes, len(self.measured))
        for number in range(passes):
            output = sliding_window_inference(self.image, window["input"], batch, network,
                                              overlap=window["overlap"], mode=window["blend"])
            kept.add(output.flatten(2)[:, :, self.measured], number)
        return kept


# --- Networks -------------------------------------------------------------------------------------

def set_dropout(network, on=True):
    """The rest in eval mode."""
    network.eval()
    layers = [module for module in network.modules()
              if "Dropout" in getattr(module, "original_name", type(module).__name__)]
    for layer in layers:
        layer.train(on)
    return network


def elementwise(network):
    """Dropout of elements where it is of channels."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout3d):
                setattr(module, name, nn.Dropout(child.p))
    return network


def eager_network(bundle_folder, rate):
    """The Python module of a bundle made by one of the scripts here."""
    bundle = json.loads((bundle_folder / "model.json").read_text(encoding="utf-8"))
    weights = scripted_network(bundle_folder).state_dict()
    if "classes.weight" in weights:
        import import_deepmedic

        class Blank(import_deepmedic.Tensors):
            def __init__(self):
                pass

            def get(self, stem, index, shape):
                return np.ones(shape)

        network = import_deepmedic.DeepMedic(Blank())
    elif "levels.down.0.0.weight" in weights:
        import networks
        from place_dropout import channels_of
        network = networks.make_network("unet", rate, channels_of(weights))
    else:
        sys.exit(f"{bundle['name']}: neither import_deepmedic.py's network nor train.py's U-Net")
    network.load_state_dict(weights)
    return network


def scripted_network(bundle_folder):
    return torch.jit.load(str(Path(bundle_folder) / "network.pt"), map_location="cpu")
