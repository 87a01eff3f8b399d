#!/usr/bin/env python3
"""Makes bundles of one trained U-Net that differ in which of its dropout layers are active.

    scripts/train/place_dropout.py --model models/glioma-phantom --layers decoder --out BUNDLE

The weights are those of --model, a bundle of export.py; nothing is trained. The network is built anew
and filled with them, since TorchScript holds rates as constants of its code; that it is the same
network is proved by its bytes: with all layers active it must give the file of --model.
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import networks
from run_folder import Refused, write_atomically
from torchscript_archive import fix_hash_seed, torchscript_bytes

DESCRIPTION = {"decoder": "dropout on the way up only", "last": "dropout in the last layer only"}


def channels_of(weights):
    """Of the levels of a U-Net, from the shapes of its weights."""
    channels, level = [], "levels"
    while f"{level}.down.0.0.weight" in weights:
        channels.append(len(weights[f"{level}.down.0.0.weight"]))
        level += ".below"
    if not channels or f"{level}.0.0.weight" not in weights:
        raise Refused("not the U-Net of scripts/train/networks.py")
    return [*channels, len(weights[f"{level}.0.0.weight"])]


def network_of(path, rate):
    """The U-Net of a TorchScript file, as a module whose rates can be changed."""
    expected = path.read_bytes()
    try:
        weights = torch.jit.load(str(path), map_location="cpu").state_dict()
    except RuntimeError as error:
        raise Refused(f"{path}: not a TorchScript file ({str(error).splitlines()[0]})") from None
    network = networks.make_network("unet", rate, channels_of(weights)).eval()
    network.load_state_dict(weights)
    if torchscript_bytes(network) != expected:
        raise Refused(f"{path}: the U-Net of its weights at rate {rate:g} gives another file; "
                      "expected a bundle of export.py, its rate and the torch of requirements.txt")
    return network


def place_dropout(model, out, layers, rate):
    description = json.loads((model / "model.json").read_text(encoding="utf-8"))
    if len(description["networks"]) != 1:
        raise Refused(f"{model}: {len(description['networks'])} networks, expected one")
    network = network_of(model / description["networks"][0]["file"], rate)
    active = networks.keep_dropout(network, layers)
    data = torchscript_bytes(network)
    description["name"] = f"{description['name']}-{layers}"
    description["networks"] = [{"file": "network.pt", "sha256": hashlib.sha256(data).hexdigest()}]
    description["provenance"] += f"; {DESCRIPTION[layers]}, by scripts/train/place_dropout.py"
    text = json.dumps(description, indent=2) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "network.pt", lambda file: file.write(data))
    write_atomically(out / "model.json", lambda file: file.write(text.encode()))
    print(f"{out}: {active} active dropout layers", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, help="a bundle of export.py")
    parser.add_argument("--layers", required=True, choices=tuple(DESCRIPTION),
                        help="the layers that stay active")
    parser.add_argument("--rate", type=float, default=0.1, help="of the dropout of --model (0.1)")
    parser.add_argument("--out", required=True, type=Path, help="folder of the new bundle")
    arguments = parser.parse_args()
    try:
        place_dropout(arguments.model, arguments.out, arguments.layers, arguments.rate)
    except (Refused, OSError, ValueError, KeyError) as error:
        sys.exit(f"place_dropout.py: {error}")


if __name__ == "__main__":
    fix_hash_seed()
    main()
