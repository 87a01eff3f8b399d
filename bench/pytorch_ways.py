"""The ways of PyTorch that bench/cpu_cost.py measures, each at its best, and what limits them."""
import copy
import math
import statistics
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

import mc_loops

BATCHES = (1, 2, 4)
LEAST_PASSES = 3
# Matrix products [m, k] x [k, n]: square ones, and 3x3x3 convolutions of a few channels.
PRODUCTS = [(1024,) * 3, (2048,) * 3, (4096,) * 3, (65536, 27 * 64, 64), (131072, 27 * 32, 32),
            (262144, 27 * 16, 16)]


def run_loop(loop, network, passes, batch, precision):
    """Seconds, and what was kept."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, precision == "bf16"):
        begin = time.perf_counter()
        kept = loop.run(network, passes, batch)
        return time.perf_counter() - begin, kept


class Way:
    """The fastest of the forms and batch sizes given, tried on one window (MONAI: one pass)."""

    def __init__(self, loop, networks, precision, batches):
        self.loop, self.precision, self.samples, self.volumes = loop, precision, [], []
        trial = copy.copy(loop)
        self.windowed = isinstance(loop, mc_loops.PlainLoop)
        if self.windowed:
            trial.windows = loop.windows[len(loop.windows) // 2:][:1]
        self.tried, best = {}, math.inf
        for form, make in networks.items():
            for batch in batches:
                network = mc_loops.set_dropout(make())
                taken = self.try_out(trial, network, batch, form)
                self.tried[f"{form}, {batch}"] = taken
                if taken < best:
                    best, self.form, self.batch, self.network = taken, form, batch, network
        group = self.batch if self.windowed else 1
        self.passes = -(-LEAST_PASSES // group) * group
        kept = run_loop(trial, self.network, 2, self.batch, precision)[1]
        if (kept.sums[0] == kept.sums[1]).all():
            sys.exit(f"{self.form}: two passes are the same; its dropout is off")

    def try_out(self, trial, network, batch, form):
        """Seconds a pass. Scripts are optimised while they run for the first times."""
        passes = batch if self.windowed else 1
        for _ in range(3 if form == "script" else 1):
            run_loop(trial, network, passes, batch, self.precision)
        return min(run_loop(trial, network, passes, batch, self.precision)[0]
                   for _ in range(2)) / passes

    def measure(self, passes_wanted, passes=None):
        """Seconds for `passes_wanted` passes, scaled from a few."""
        passes = passes or self.passes
        seconds, kept = run_loop(self.loop, self.network, passes, self.batch, self.precision)
        self.volumes.append(kept.sums.mean(0).tolist())
        return seconds * passes_wanted / passes

    def facts(self):
        return {"form": self.form, "batch": self.batch, "passes": self.passes,
                "seconds": self.samples, "tried_s_per_pass": self.tried,
                "volumes_voxels": self.volumes}


def gemm_rate(precision):
    """GFLOP/s of the best matrix product."""
    rates = []
    for m, k, n in PRODUCTS:
        a, b = (torch.randn(shape, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
                for shape in ((m, k), (k, n)))
        with torch.inference_mode():
            torch.mm(a, b)
            for _ in range(3):
                begin = time.perf_counter()
                torch.mm(a, b)
                rates.append(2 * m * k * n / (time.perf_counter() - begin) / 1e9)
    return max(rates)


def gflop(inspected, windows, passes):
    """Of `passes` passes: whole ones, and with what precedes the first dropout once per window."""
    work = inspected["work"]
    once, each, share = work["gflop_once_per_window"], work["gflop_per_pass"], 1
    if work["suffix_on_measured_voxels_only"]:
        share = (statistics.mean(len(window.tile) for window in windows)
                 / math.prod(inspected["window"]["output"]))
    return len(windows) * passes * (once + each), len(windows) * (once + passes * each * share)


def counted_gflop(network, window):
    """Of one window by PyTorch's own counter."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        mc_loops.set_dropout(network)(window.image)
    return counter.get_total_flops() / 1e9
