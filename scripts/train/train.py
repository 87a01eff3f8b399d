#!/usr/bin/env python3
"""Trains a network with dropout in its layers on simulated brain tumour scans.

    scripts/train/train.py --cohort DIR --validation DIR --out RUN --minutes 180

Stopped, by a signal or the machine, it goes on from RUN/checkpoint.pt when the same command is run
again. RUN/log.csv has the losses and the scores on the validation scans. scripts/train/README.md
says what the options do; scripts/train/export.py makes a bundle of the checkpoint.
"""
import math
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import losses
import networks
import scans
import train_options
from cohort_folder import origin_of, require_scans, wait_for_scans
from initial import read_initial
from run_folder import (CHECKPOINT, Log, Refused, compare_options, read_checkpoint,
                        write_atomically)

WARM_UP_STEPS = 50
WEIGHT_DECAY = 1e-4
LARGEST_GRADIENT = 1.0
CROSS_ENTROPY_WEIGHT = 2.0
AVERAGE_DECAY = 0.998
LOG_STEPS = 20
# What a run may be continued with other values of.
FREE = ("out", "validation", "initial", "threads", "device", "checkpoint_minutes",
        "validation_minutes")


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def choose_device(name):
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= found:
            raise Refused(f"--device {name}: PyTorch finds {found} GPUs; use another, or cpu")
    return device


def seed_of_step(seed, step):
    """For what PyTorch draws in a step: the weights at the start (step -1) and dropout."""
    words = np.random.SeedSequence([seed, 2, step + 1]).generate_state(2, np.uint32)
    return int(words[0]) << 31 ^ int(words[1])


class Training:
    """One run: `run()` from the checkpoint, or the beginning, to the end or a signal."""

    def __init__(self, options):
        self.options = options
        self.fixed = {name: value for name, value in vars(options).items() if name not in FREE}
        self.fixed["cohort"] = str(Path(options.cohort).resolve())
        self.checkpoint = Path(options.out) / CHECKPOINT
        self.device = choose_device(options.device)
        if options.threads:
            torch.set_num_threads(options.threads)
        self.signal = None
        self.began = time.monotonic()
        saved = read_checkpoint(self.checkpoint) if self.checkpoint.exists() else None
        if saved:
            compare_options(self.checkpoint, saved["options"], self.fixed)
        self.initial = saved.get("initial", []) if saved else []  # stages before this run
        self.origin = saved["origin"] if saved and "origin" in saved else origin_of(options.cohort)
        self.make_network(saved)
        self.step = saved["step"] if saved else 0
        self.seconds_before = saved["seconds"] if saved else 0.0
        self.recent = saved["recent"] if saved else []
        self.validated = saved["validated"] if saved else 0  # at this step
        self.stream = scans.Stream(options.cohort, options.window, options.seed,
                                   saved["stream"] if saved else None, say)
        self.stream_state = self.stream.state
        columns = ["seconds", "learning_rate", "loss", "cross_entropy", "dice_loss",
                   "validation_scans"]
        columns += [f"{region}_{name}" for region in networks.REGIONS for name in losses.SCORES]
        self.log = Log(options.out, columns, self.step)
        if saved:
            say(f"goes on at step {self.step}, after {self.seconds_before / 60:.1f} minutes")

    def make_network(self, saved):
        options = self.options
        torch.manual_seed(seed_of_step(options.seed, -1))
        network = networks.make_network(options.network, options.dropout, options.channels)
        if not saved and options.initial:
            self.begin_with(network)
        self.network = network.to(self.device, memory_format=torch.channels_last_3d).train()
        self.average = {name: value.detach().clone()
                        for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=0.0,
                                           weight_decay=WEIGHT_DECAY)
        if saved:
            self.network.load_state_dict(saved["network"])
            for name, value in saved["average"].items():
                self.average[name].copy_(value)
            self.optimiser.load_state_dict(saved["optimiser"])

    def begin_with(self, network):
        path = self.options.initial
        weights, self.initial, asked = read_initial(path)
        try:
            network.load_state_dict(weights)
        except (RuntimeError, KeyError):
            raise Refused(f"{path}: another network's weights{asked}; use the same here") from None
        say(f"begins with the weights of {path}, after "
            f"{sum(stage['steps'] for stage in self.initial)} steps")

    def seconds(self):
        return self.seconds_before + time.monotonic() - self.began

    def progress(self):
        """0 to 1: of the steps or of the minutes, whichever is further on."""
        options = self.options
        parts = [self.step / options.steps] if options.steps else []
        parts += [self.seconds() / (60 * options.minutes)] if options.minutes else []
        return min(1.0, max(parts))

    def learning_rate(self):
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        return self.options.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self.progress()))

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16,
                              enabled=self.options.precision == "bf16")

    def to_device(self, images):
        return images.to(self.device, memory_format=torch.channels_last_3d, non_blocking=True)

    def train_step(self, images, truths):
        rate = self.learning_rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(seed_of_step(self.options.seed, self.step))
        with self.autocast():
            logits = self.network(self.to_device(images))
        cross_entropy, dice_loss = losses.losses(logits, truths.to(self.device))
        loss = CROSS_ENTROPY_WEIGHT * cross_entropy + dice_loss
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.update_average()
            self.recent.append([loss.item(), cross_entropy.item(), dice_loss.item()])
        else:
            say(f"step {self.step}: a gradient that is no number; nothing learned from it")
        self.step += 1
        return rate

    def update_average(self):
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)

    def log_losses(self, rate):
        if not self.recent:
            return
        loss, cross_entropy, dice_loss = np.mean(self.recent, axis=0).tolist()
        self.log.add({"step": self.step, "seconds": self.seconds(), "learning_rate": rate,
                      "loss": loss, "cross_entropy": cross_entropy, "dice_loss": dice_loss})
        say(f"step {self.step} ({100 * self.progress():.1f} %, {self.seconds() / 60:.1f} min, "
            f"epoch {self.stream_state['epoch']}, {len(self.stream_state['order'])} scans): "
            f"loss {loss:.3f}, cross entropy {cross_entropy:.4f}, Dice loss {dice_loss:.3f}")
        self.recent = []

    def validate(self):
        """Scores of the averaged weights without dropout."""
        if not self.options.validation:
            return
        network = networks.make_network(self.options.network, 0.0, self.options.channels)
        network.load_state_dict(self.average)
        network = network.to(self.device, memory_format=torch.channels_last_3d).eval()
        counts = []
        for case in scans.cohort_ids(self.options.validation):
            path = Path(self.options.validation) / f"{case}.npz"
            try:
                image, truth = scans.read_scan(path, self.options.window)
            except scans.UNREADABLE as error:
                say(f"{path}: left out: {error}")
                continue
            with torch.inference_mode(), self.autocast():
                logits = network(self.to_device(torch.from_numpy(image)[None]))
            truth = torch.from_numpy(truth)[None].to(self.device)
            counts.append(losses.region_counts(logits, truth))
            if self.signal:
                return
        self.validated = self.step
        if not counts:
            return
        scores = losses.scores(counts)
        self.log.add({"step": self.step, "seconds": self.seconds(),
                      "validation_scans": len(counts), **scores})
        text = ", ".join("{} {dice:.3f} / {dice_5ml:.3f} ({error:.2f} / {error_5ml:.2f})".format(
            region, **{name: scores[f"{region}_{name}"] for name in losses.SCORES})
            for region in networks.REGIONS)
        say(f"step {self.step}, {len(counts)} validation scans, Dice all / from 5 ml (volume "
            f"error): {text}")

    def save(self):
        state = {"options": self.fixed, "step": self.step, "seconds": self.seconds(),
                 "stream": self.stream_state, "recent": self.recent,
                 "validated": self.validated, "network": self.network.state_dict(),
                 "average": self.average, "optimiser": self.optimiser.state_dict(),
                 "origin": self.origin, "initial": self.initial, "torch": str(torch.__version__)}
        write_atomically(self.checkpoint, lambda file: torch.save(state, file))

    def run(self, stop_after=None):
        """Returns the signal that ended it, or None. `stop_after`: at this step, for the tests."""
        with ThreadPoolExecutor(1) as ahead:
            fetch = ahead.submit(self.stream.batch, self.options.batch)
            saved_at = validated_at = time.monotonic()
            rate = 0.0
            while self.progress() < 1 and not self.signal and self.step != stop_after:
                images, truths, state = fetch.result()
                fetch = ahead.submit(self.stream.batch, self.options.batch)
                rate = self.train_step(images, truths)
                self.stream_state = state
                if self.step % LOG_STEPS == 0:
                    self.log_losses(rate)
                if time.monotonic() - saved_at > 60 * self.options.checkpoint_minutes:
                    self.save()
                    saved_at = time.monotonic()
                if time.monotonic() - validated_at > 60 * self.options.validation_minutes:
                    self.validate()
                    validated_at = time.monotonic()
            fetch.cancel()
        if self.progress() >= 1:
            self.log_losses(rate)
            if self.validated != self.step:
                self.save()
                self.validate()
        self.save()
        return self.signal

    def stop(self, number, _frame):
        self.signal = number


def main():
    options = train_options.parse(__doc__.splitlines()[0])
    try:
        if options.validation:
            require_scans("--validation", options.validation)
        wait_for_scans("--cohort", options.cohort, say)
        os.makedirs(options.out, exist_ok=True)
        training = Training(options)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, training.stop)
        ended_by = training.run()
    except (Refused, OSError) as error:
        sys.exit(f"train.py: {error}")
    except KeyboardInterrupt:  # until Training has taken the signals over
        say("stopped before the first step")
        sys.exit(128 + signal.SIGINT)
    if ended_by:
        say(f"stopped at step {training.step}; run the same command again to go on")
        sys.exit(128 + ended_by)
    say(f"finished after {training.step} steps and {training.seconds() / 60:.1f} minutes")


if __name__ == "__main__":
    main()
