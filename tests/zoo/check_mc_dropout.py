#!/usr/bin/env python3
"""Whether the engine's passes are distributed as PyTorch's own Monte Carlo dropout.

    tests/zoo/check_mc_dropout.py [--program PATH] [--passes N] [--networks NAME ...]

README.md has the tests and what they gave. Exits with 1 where the engine is not
PyTorch, or where a wrong engine would not be told from it.
Needs torch, MONAI and numpy of requirements.txt.
"""
import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.modules.dropout import _DropoutNd as Dropout

from make_zoo import ENTRIES, ZooError, fail, input_of, network_of

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).resolve().parent / "fixtures"
NETWORKS = ("monai_unet_instance", "residual_unet", "transformer")
FALSE_ALARM_RATE = 1e-3  # of the whole check, did it draw new seeds
DRAWS = 99_999  # of signs; the least p-value is 1 / (DRAWS + 1)
ENGINE_SEED, TORCH_SEED, SIGN_SEED = 20240229, 20181126, 7
WRONG_RATE = 1.5  # times the right one: a wrong engine
LEAST_SPREAD = 1e-4  # deviation of a logit over the largest: less is rounding


@dataclass
class Result:
    """Of one quantity, logits or probabilities, [mean, variance] each."""
    quantity: str
    comparisons: int
    worst_z: list
    bound: float
    p_squares: list  # of the mean over voxels of z^2
    p_shift: list  # of the mean over voxels of z, the class that is farthest off
    p_sums: float | None  # Kolmogorov-Smirnov, probabilities only
    level: float

    def rejects(self):
        p_values = [*self.p_squares, *self.p_shift, 1 if self.p_sums is None else self.p_sums]
        return max(self.worst_z) > self.bound or min(p_values) < self.level


def zoo_record(name):
    networks = json.loads((FIXTURES / "zoo.json").read_text(encoding="utf-8"))["networks"]
    record = next((network for network in networks if network["name"] == name), None)
    if record is None or "refused" in record:
        fail(f"{name}: no network of zoo.json that can be sampled")
    return record


def torch_passes(entry, passes, rate_factor=1.0):
    """MC dropout as PyTorch's users do it: [passes, channels, voxels]."""
    network = network_of(entry)
    dropouts = [module for module in network.modules() if isinstance(module, Dropout)]
    if not dropouts:
        fail(f"{entry.name}: no dropout module that train() would turn on")
    network.eval()
    for dropout in dropouts:
        dropout.train()
        dropout.p = min(dropout.p * rate_factor, 1.0)
    x = input_of(entry)
    torch.manual_seed(TORCH_SEED)
    with torch.inference_mode():
        return np.stack([network(x.clone())[0].flatten(1).numpy() for _ in range(passes)])


def engine_passes(program, entry, record, passes, scope):
    """As torch_passes, of the first export that there is."""
    file = next(form["file"] for form in record["forms"] if "file" in form)
    with tempfile.TemporaryDirectory() as folder:
        window, output = Path(folder, "window.raw"), Path(folder, "passes.raw")
        input_of(entry).numpy().tofile(window)
        command = [program, FIXTURES / file, window, output, *entry.input, passes, ENGINE_SEED,
                   scope]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        except OSError as error:
            fail(f"{program}: {error.strerror}; build the target zoo_run_passes")
        if done.returncode != 0:
            fail(done.stderr.strip() or f"{program}: exit code {done.returncode}")
        found, expected = np.fromfile(output, np.float32), (passes, *record["output"])
    if found.size != math.prod(expected):
        fail(f"{record['name']}: expected {expected} values of the engine, found {found.size}")
    return found.reshape(passes, expected[1], -1)


def probabilities_of(logits, activation):
    """float64 [passes, channels, voxels]."""
    logits = torch.from_numpy(logits).double()
    return (logits.softmax(1) if activation == "softmax" else logits.sigmoid()).numpy()


def random_signs(count):
    """[1 + DRAWS, count] of -1 and 1, the first row all 1."""
    generator = torch.Generator().manual_seed(SIGN_SEED)
    signs = torch.randint(0, 2, (1 + DRAWS, count), generator=generator, dtype=torch.int8) * 2 - 1
    signs[0] = 1
    return signs


def p_value(signs, statistic):
    """Share of all draws of signs, that of the data among them, whose statistic is as large."""
    values = torch.cat([statistic(block.float()) for block in signs.split(1_000)])
    return float((values >= values[0] * (1 - 1e-6)).double().mean())


def shares_of_z(differences):
    """Summed over the pairs of passes they give z: float32 [passes, …]."""
    return (differences / np.sqrt(np.square(differences).sum(0))).astype(np.float32)


def squares_test(signs, shares):
    flat = torch.from_numpy(shares).flatten(1)
    gram = flat @ flat.T / flat.shape[1]
    return p_value(signs, lambda block: ((block @ gram) * block).sum(1))


def shift_test(signs, shares):
    shifts = torch.from_numpy(shares_of_z(shares.mean(2, dtype=np.float64)))
    return p_value(signs, lambda block: (block @ shifts).abs().amax(1))


def sums_test(signs, engine, reference):
    """Two-sample Kolmogorov-Smirnov on the sums over voxels, the class that is farthest off."""
    sums = np.concatenate([engine, reference]).sum(2)
    sums = torch.from_numpy(np.round(sums / sums.max(), 6))  # equal masks: equal but for rounding
    values, order = sums.sort(0)
    last_of_ties = torch.cat([values[1:] != values[:-1], torch.ones_like(values[:1]) > 0])

    def distance(block):
        labels = torch.cat([block, -block], 1)
        gaps = [labels[:, order[:, c]].cumsum(1)[:, last_of_ties[:, c]].abs().amax(1)
                for c in range(order.shape[1])]
        return torch.stack(gaps).amax(0)

    return p_value(signs, distance)


def compared(quantity, engine, reference, signs, level):
    """Float64 [passes, channels, voxels] of both: pass i of the one paired with i of the other."""
    centre = (engine.mean(0) + reference.mean(0)) / 2
    differences = (engine - reference, np.square(engine - centre) - np.square(reference - centre))
    shares = [shares_of_z(values) for values in differences]
    places = shares[0][0].size
    sums = sums_test(signs, engine, reference) if quantity == "probabilities" else None
    return Result(quantity=quantity, comparisons=2 * places,
                  worst_z=[float(np.abs(values.sum(0)).max()) for values in shares],
                  bound=math.sqrt(2 * math.log(2 * places / level)),
                  p_squares=[squares_test(signs, values) for values in shares],
                  p_shift=[shift_test(signs, values) for values in shares],
                  p_sums=sums, level=level)


def results_of(record, engine, reference, signs, level):
    spread = np.sqrt((engine.var(0) + reference.var(0)) / 2).min() / np.abs(reference).max()
    if spread < LEAST_SPREAD:
        fail(f"{record['name']}: an output hardly varies (deviation {spread:g} of the largest)")
    results = []
    if record["values"] == "logits":
        results.append(compared("logits", engine.astype(np.float64), reference.astype(np.float64),
                                signs, level))
        engine, reference = (probabilities_of(values, record["activation"])
                             for values in (engine, reference))
    results.append(compared("probabilities", engine.astype(np.float64),
                            reference.astype(np.float64), signs, level))
    return results


def wrong_scope(record):
    """A scope under which the passes of one window have another distribution, if there is one."""
    if any(layer["kind"].startswith("feature") for layer in record["dropout"]):
        return "element"
    return "channel" if "channel" in record["scopes"] else None


def cases(name, program, passes):
    """(what is compared, whether they should agree, zoo.json's record, both's passes)."""
    record = zoo_record(name)
    entry = next(entry for entry in ENTRIES if entry.name == name)
    reference = torch_passes(entry, passes)
    native = engine_passes(program, entry, record, passes, "native")
    yield "native", True, record, native, reference
    yield (f"rates × {WRONG_RATE:g}", False, record, native,
           torch_passes(entry, passes, WRONG_RATE))
    scope = wrong_scope(record)
    if scope:
        yield (f"scope {scope}", False, record,
               engine_passes(program, entry, record, passes, scope), reference)


HEAD = ("network", "compared", "of", "comparisons", "z mean", "z variance", "bound", "p z² mean",
        "p z² variance", "p shift mean", "p shift variance", "p sums", "")


def row(name, case, result, verdict):
    def p_text(p):
        return f"{p:.5f}" if p < 0.001 else f"{p:.3f}"
    return (name, case, result.quantity, f"{result.comparisons:,}",
            *(f"{z:.2f}" for z in result.worst_z), f"{result.bound:.2f}",
            *map(p_text, result.p_squares + result.p_shift),
            "" if result.p_sums is None else p_text(result.p_sums), verdict)


def print_row(cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def check(arguments):
    """Whether everything came out as it should; prints the table."""
    # Of each network's two quantities: worst |z| and two statistics for mean and variance each;
    # one for the sums.
    level = FALSE_ALARM_RATE / len(arguments.networks) / 13
    if level <= 1 / (DRAWS + 1):
        fail(f"--networks: {len(arguments.networks)} are too many for {DRAWS} draws of signs; "
             "check a few at a time")
    signs = random_signs(arguments.passes)
    print(f"{arguments.passes} passes each; PyTorch {torch.__version__}; rejected where |z| is "
          f"beyond its bound or p below {level:.1e}\n")
    print_row(HEAD)
    print_row(["---"] * len(HEAD))
    good = True
    for name in arguments.networks:
        for case, agree, record, engine, reference in cases(name, arguments.program,
                                                            arguments.passes):
            results = results_of(record, engine, reference, signs, level)
            rejected = any(result.rejects() for result in results)
            good &= rejected != agree
            for result in results:
                print_row(row(name, case, result, "differs" if result.rejects() else "agrees"))
    return good


def pass_count(text):
    if not 100 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("expected 100 to 100000")
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/bin/zoo_run_passes")
    parser.add_argument("--passes", type=pass_count, default=500)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME")
    torch.set_num_threads(1)
    if not check(parser.parse_args()):
        fail("a native row differs, or a wrong engine agrees in logits and probabilities")


if __name__ == "__main__":
    try:
        main()
    except ZooError as error:
        sys.exit(f"check_mc_dropout.py: {error}")
