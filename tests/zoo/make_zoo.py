#!/usr/bin/env python3
"""Makes the networks and reference outputs of tests/zoo/fixtures (README.md).

    tests/zoo/make_zoo.py [--out DIR] [--only NAME ...]

Needs torch, MONAI and numpy of requirements.txt. On one machine the same
versions give the same bytes.
"""
import argparse
import io
import json
import multiprocessing
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

import masks
import monai_networks
import networks
import refused_networks
import sliding_windows
from entry import randomise
from export import PathFound, exported, short_error
from mc_dropout import run_masked

SEED = 20240231
PASSES = (0, 3)
WINDOW = (3, -4, 5)
KEPT_VALUES = 300
MAX_BYTES = 8_000_000
ALIASED = ("another network: where it reads the input of a dropout again, a trace in eval mode "
           "reads the dropped values")
ENTRIES = monai_networks.ENTRIES + networks.ENTRIES + refused_networks.ENTRIES
TOLERANCE = 1e-4  # of the output's scale, between eager PyTorch and TorchScript


class ZooError(Exception):
    """One line: what is wrong with the zoo."""


def fail(message):
    raise ZooError(message)


def network_of(entry):
    torch.manual_seed(0)
    return randomise(entry.build(), entry.name, entry.compact).eval()


def input_of(entry):
    return torch.from_numpy(masks.filled((1, *entry.input)))


def lost_in_traces(network, x):
    """Whether a trace in eval mode is another network: see MaskedDropout.aliased."""
    draw = masks.Draw(SEED, WINDOW)
    true, traced = (run_masked(network, x, draw, aliased=aliased)[0] for aliased in (False, True))
    return float((true - traced).abs().max()) > TOLERANCE * float(true.abs().max())


def write_forms(entry, network, out):
    """Files of all forms PyTorch can export, as zoo.json lists them."""
    x = input_of(entry)
    forms, written = [], {}
    aliased = not entry.refused and lost_in_traces(network, x)
    for form, mode in entry.forms:
        record = {"form": form, "mode": mode}
        forms.append(record)
        if aliased and (form, mode) == ("traced", "eval"):
            record["error"] = ALIASED
            continue
        try:
            data = exported(network, form, mode, (x,) * entry.inputs)
        except PathFound as error:
            fail(error)
        except Exception as error:
            record["error"] = short_error(error)
            continue
        finally:
            network.eval()
        same = next((file for file, other in written.items() if other == data), None)
        record["file"] = same or f"{entry.name}-{form}-{mode}.pt"
        if not same:
            written[record["file"]] = data
            (out / record["file"]).write_bytes(data)
    return forms, written


def odd_stride(count):
    stride = max(1, round(count / KEPT_VALUES))
    return stride if stride % 2 else stride + 1


def check_files(entry, network, x, written):
    """Loaded again in eval mode, every file gives what eager PyTorch gives."""
    if entry.always_on:
        return
    with torch.inference_mode():
        expected = network(x.clone())
        for file, data in written.items():
            if file.endswith("traced-train.pt"):  # a trace keeps its training mode
                continue
            found = torch.jit.load(io.BytesIO(data)).eval()(x.clone())
            difference = float((found - expected).abs().max())
            if not difference <= TOLERANCE * float(expected.abs().max()):
                fail(f"{file}: differs from eager PyTorch by {difference:g}")


def references(entry, network, x):
    """Arrays by scope, and what zoo.json says of them."""
    output, layers = run_masked(network, x)
    scale = float(output.abs().max())
    count = output.numel()
    stride = odd_stride(count)

    def kept(tensor):
        return tensor.reshape(-1)[::stride].numpy().copy()

    scopes = ["native", "element"]
    if entry.channels_first and all(len(shape) == 5 for _, _, shape in layers):
        scopes.append("channel")
    arrays = {"identity": kept(output)}
    for scope in scopes:
        passes = [run_masked(network, x, masks.Draw(SEED, WINDOW, index), scope)
                  for index in PASSES]
        for masked, found in passes:
            change = float((masked - output).abs().max())
            if found != layers or not torch.isfinite(masked).all() or change < 0.01 * scale:
                fail(f"{entry.name}: scope {scope} changes the output by {change:g} of {scale:g}")
        arrays[scope] = np.stack([kept(masked) for masked, _ in passes])
        if np.array_equal(*arrays[scope]):
            fail(f"{entry.name}: scope {scope}: passes {PASSES} drew the same masks")
    if not layers or scale < 0.1 or arrays["identity"].std() < 0.01 * scale:
        fail(f"{entry.name}: an output of scale {scale:g} and {len(layers)} layers tests nothing")
    return arrays, {
        "output": list(output.shape[1:]), "values": entry.values, "activation": entry.activation,
        "dropout": [{"kind": kind, "rate": rate} for kind, rate, _ in layers],
        "scopes": scopes, "stride": stride,
        "references": {scope: f"{entry.name}.{scope}" for scope in arrays}}


def describe(out, name):
    """What zoo.json says of a network, and its arrays; writes its files."""
    entry = next(entry for entry in ENTRIES if entry.name == name)
    torch.set_num_threads(1)
    network = network_of(entry)
    x = input_of(entry)
    forms, written = write_forms(entry, network, out)
    record = {"name": entry.name, "describes": entry.describes, "family": entry.family,
              "input": list(entry.input)}
    arrays = {}
    if entry.refused:
        record["refused"] = entry.refused
    else:
        check_files(entry, network, x, written)
        found, more = references(entry, network, x)
        arrays = {f"{entry.name}.{scope}": array for scope, array in found.items()}
        record.update(more)
    record["forms"] = forms
    sizes = [len(data) // 1024 for data in written.values()]
    print(f"{entry.name}: {sizes} KiB", *(f"{f['form']}-{f['mode']}: {f['error']}"
                                          for f in forms if "error" in f), sep="\n  ", flush=True)
    return record, arrays


def to_json(record):
    """Indented, but the forms and layers of a network each on their line."""
    def line(value):
        return json.dumps(value, ensure_ascii=False)
    networks_text = ",\n".join(
        "    {" + ",\n     ".join(
            f"{line(key)}: " + ("[\n      " + ",\n      ".join(map(line, value)) + "]"
                                if key == "forms" else line(value))
            for key, value in network.items()) + "}"
        for network in record["networks"])
    sliding = ",\n".join("    " + line(case) for case in record["sliding_windows"])
    head = ",\n".join(f"  {line(key)}: {line(value)}" for key, value in record.items()
                      if key not in ("networks", "sliding_windows"))
    text = (f'{{\n{head},\n  "networks": [\n{networks_text}\n  ],\n'
            f'  "sliding_windows": [\n{sliding}\n  ]\n}}\n')
    if json.loads(text) != record:
        fail("zoo.json would not be read as it is meant")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "fixtures")
    parser.add_argument("--only", nargs="+", help="these networks only; no sliding windows")
    arguments = parser.parse_args()
    masks.check_known_answers()
    torch.set_num_threads(1)
    names = [entry.name for entry in ENTRIES if not arguments.only or entry.name in arguments.only]
    out = arguments.out.with_name(arguments.out.name + ".new")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # A process for each network: TorchScript numbers the classes of a process, and these numbers
    # should not change with the networks before.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        described = pool.map(partial(describe, out), names, chunksize=1)
    records = [record for record, _ in described]
    arrays = {key: array for _, found in described for key, array in found.items()}
    cases, images = [], {}
    if not arguments.only:
        cases, images = sliding_windows.cases(ENTRIES, network_of, SEED)
    np.savez_compressed(out / "references.npz", **arrays)
    np.savez_compressed(out / "sliding_windows.npz", **images)
    made_with = {"torch": torch.__version__.split("+")[0], "monai": sliding_windows.MONAI_VERSION}
    (out / "zoo.json").write_text(to_json(
        {"format": 1, "made_with": made_with, "seed": SEED, "passes": list(PASSES),
         "window": list(WINDOW), "networks": records, "sliding_windows": cases}), encoding="utf-8")
    total = sum(file.stat().st_size for file in out.iterdir())
    files = len(list(out.glob("*.pt")))
    print(f"{len(records)} networks, {files} TorchScript files, {total / 1e6:.2f} MB")
    if total > MAX_BYTES:
        fail(f"{out}: {total} bytes, expected at most {MAX_BYTES}")
    shutil.rmtree(arguments.out, ignore_errors=True)
    out.rename(arguments.out)


if __name__ == "__main__":
    # TorchScript writes a module's constants in the order of a set of strings, which Python draws
    # anew for every process unless this is set when it starts.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    try:
        main()
    except ZooError as error:
        sys.exit(f"make_zoo.py: {error}")
