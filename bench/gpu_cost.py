#!/usr/bin/env python3
"""What Monte Carlo dropout costs on a GPU: mcvol against MONAI and a plain PyTorch loop.

    bench/gpu_cost.py --mcvol build/release/bin/mcvol [--passes 20] [--size 128]

A MONAI UNet (16-32-64-128, two residual units, dropout 0.2 in every layer, 4 channels) on a scan of
SIZE^3 voxels, which is one window. MONAI: sliding_window_inference under autocast, once per pass.
Plain: the network itself, in a batch of passes. Both add up per-pass volumes and the mean on the
GPU. mcvol: `predict` on five and on one scan, so that loading it cancels out. Prints a Markdown
table with medians of REPEATS. Needs torch, monai and nibabel, and a GPU.
"""
import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from monai.inferers import sliding_window_inference

from measured_process import predict
from monai_unet import REGIONS, make_bundle, make_network, make_scans

SCANS = 5
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Volumes:
    """What a user would add up: per-pass volumes and the mean probability."""

    def __init__(self):
        self.volumes, self.mean = [], 0

    def add(self, logits):
        probabilities = torch.softmax(logits.float(), 1)
        for outputs in REGIONS.values():
            region = probabilities[:, outputs].sum(1)
            self.volumes.append(((region > 0.5).sum((1, 2, 3)), region.sum((1, 2, 3))))
        self.mean = self.mean + probabilities.sum(0)


def monai_s(network, image, passes, precision):
    size = image.shape[-1]
    kept = Volumes()
    with torch.autocast("cuda", TYPES[precision], enabled=precision != "fp32"):
        for _ in range(passes):
            kept.add(sliding_window_inference(image, (size,) * 3, 1, network, overlap=0.25,
                                              mode="gaussian"))


def plain_s(network, image, passes, precision, batch):
    kept = Volumes()
    with torch.autocast("cuda", TYPES[precision], enabled=precision != "fp32"):
        for first in range(0, passes, batch):
            rows = min(batch, passes - first)
            kept.add(network(image.expand(rows, -1, -1, -1, -1).contiguous()))


def seconds(work, repeats):
    taken = []
    for repeat in range(repeats + 1):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        with torch.inference_mode():
            work()
        torch.cuda.synchronize()
        if repeat > 0:
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def network_s(arguments, bundle, scans, scope, precision, count):
    options = ("--scope", scope, "--precision", precision, "--passes", arguments.passes,
               "--device", "cuda")
    cases = [scans / f"case_{n}" for n in range(count)]
    return predict(arguments.mcvol, cases, bundle, options)["run"]["timings_s"]["network"]


def mcvol_s(arguments, bundle, scans, scope, precision):
    taken = []
    for _ in range(arguments.repeats):
        all_s, one_s = (network_s(arguments, bundle, scans, scope, precision, n)
                        for n in (SCANS, 1))
        taken.append((all_s - one_s) / (SCANS - 1))
    return statistics.median(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mcvol", required=True)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu_cost.py: no GPU that PyTorch can use")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    network = make_network().cuda()
    image = torch.randn((1, 4) + (arguments.size,) * 3, device="cuda")
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, {arguments.passes} passes, "
          f"{arguments.size}^3 voxels\n\n| precision | way | s per scan | of MONAI's |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_bundle(network, (arguments.size,) * 3, folder / "bundle")
        make_scans((arguments.size,) * 3, folder / "scans", SCANS)
        for precision in TYPES:
            own = seconds(lambda: monai_s(network, image, arguments.passes, precision),
                          arguments.repeats)
            rows = [("MONAI", own)]
            for batch in (1, 2, 4):
                rows.append((f"plain, batch {batch}", seconds(
                    lambda: plain_s(network, image, arguments.passes, precision, batch),
                    arguments.repeats)))
            for scope in ("native", "channel"):
                rows.append((f"mcvol, {scope} masks", mcvol_s(
                    arguments, folder / "bundle", folder / "scans", scope, precision)))
            for way, taken in rows:
                print(f"| {precision} | {way} | {taken:.4f} | {taken / own:.3f} |", flush=True)


if __name__ == "__main__":
    main()
