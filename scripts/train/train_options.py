"""The command line of train.py."""
import argparse
import math
import re

import networks


def size(text):
    values = tuple(int(value) for value in text.split(","))
    if min(values) < 1:
        raise ValueError
    return list(values)


def positive(text):
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value


def rate_below_one(text):
    value = float(text)
    if not 0 <= value < 1:
        raise ValueError
    return value


def natural(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def device_name(text):
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise ValueError
    return text


def parse(description, arguments=None):
    """Options, or a usage error on stderr and exit code 2."""
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--cohort", required=True, help="folder of scans to train on (.npz); may still grow")
    add("--validation", help="folder of scans to score")
    add("--out", required=True, help="run folder; a run in it goes on")
    add("--network", choices=networks.NAMES, default="unet")
    add("--channels", type=size, help="of the network's levels, comma-separated")
    add("--dropout", type=rate_below_one, default=0.1, help="rate of every dropout layer (0.1)")
    add("--steps", type=natural, help="end after so many steps")
    add("--minutes", type=positive, help="end after so many minutes, over all resumes")
    add("--batch", type=natural, default=1, help="scans a step (1)")
    add("--learning-rate", type=positive, default=2e-3, help="the highest (2e-3)")
    add("--seed", type=int, default=0)
    add("--window", type=size, default=[80, 96, 80], help="voxels shown (80,96,80)")
    add("--precision", choices=("bf16", "fp32"), default="bf16")
    add("--initial",
        help="checkpoint or network.pt of a bundle of export.py, whose weights a new run begins "
             "with; unused when it goes on")
    add("--threads", type=natural, help="default: PyTorch's")
    add("--device", type=device_name, default="auto", help="auto, cpu or cuda[:N]")
    add("--checkpoint-minutes", type=positive, default=3.0)
    add("--validation-minutes", type=positive, default=10.0)
    options = parser.parse_args(arguments)
    if not options.steps and not options.minutes:
        parser.error("expected --steps, --minutes or both")
    if len(options.window) != 3:
        parser.error("--window: expected three numbers")
    complaint = networks.complaint(options.network, options.channels, options.window)
    if complaint:
        parser.error(complaint)
    if options.seed < 0:
        parser.error("--seed: expected 0 or more")
    return options
