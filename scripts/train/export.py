#!/usr/bin/env python3
"""Makes an mcvol bundle from a checkpoint of train.py.

    scripts/train/export.py --checkpoint RUN/checkpoint.pt --out models/glioma-phantom

The bundle has the averaged weights. The same checkpoint gives the same network.pt, byte for byte.
"""
import argparse
import hashlib
import io
import json
import sys
from pathlib import Path

import torch

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import networks
from normalise import CLIP_SD
from provenance import text_of_stages
from run_folder import Refused, read_checkpoint, write_atomically
from torchscript_archive import fix_hash_seed, torchscript_bytes

LARGEST_DIFFERENCE = 1e-4  # of a logit: TorchScript fuses, and instance norm adds up otherwise


def network_of(checkpoint, dropout=None):
    """The network of a checkpoint that was read, in eval mode."""
    options = checkpoint["options"]
    network = networks.make_network(options["network"],
                                    options["dropout"] if dropout is None else dropout,
                                    options["channels"])
    network.load_state_dict(checkpoint["average"])
    return network.eval()


def provenance_of(checkpoint, dropout):
    options = checkpoint["options"]
    kind = {"unet": "U-Net", "highres3dnet": "HighRes3DNet"}[options["network"]]
    trained = f"dropout {options['dropout']:g}"
    if dropout != options["dropout"]:
        trained += f", used at {dropout:g}"
    stages = [*checkpoint.get("initial", []),
              {"steps": checkpoint["step"], "seed": options["seed"],
               "origin": checkpoint.get("origin")}]
    return (f"{kind} ({trained}) trained for {sum(stage['steps'] for stage in stages)} steps on "
            f"simulated brain tumour scans ({text_of_stages(stages)}) "
            "by scripts/train/train.py of mcvol; exported by scripts/train/export.py")


def model_description(network, checkpoint, name, dropout):
    """model.json (docs/bundle.md)."""
    suffixes = {
        "t1": ["t1", "t1n", "T1w", "0000"],
        "t1ce": ["t1ce", "t1c", "ce-gadolinium_T1w", "0001"],
        "t2": ["t2", "t2w", "T2w", "0002"],
        "flair": ["flair", "t2f", "FLAIR", "0003"],
    }
    intensity = {"method": "zscore", "mask": "nonzero", "clip_sd": CLIP_SD}
    options = checkpoint["options"]
    return {
        "format": 1,
        "name": name,
        "networks": [{"file": "network.pt", "sha256": hashlib.sha256(network).hexdigest()}],
        "channels": [{"name": channel, "suffixes": words, "intensity": intensity}
                     for channel, words in suffixes.items()],
        "requires": ["skull_stripped", "coregistered"],
        "grid": {"orientation": "LPS", "axes": "xyz", "spacing_mm": [2, 2, 2],
                 "interpolation": "linear"},
        "measure": "mask",
        "window": {"input": options["window"], "output": options["window"], "overlap": 0.25,
                   "blend": "gaussian", "padding": "zero", "anchor": "mask_corner",
                   "flexible": False},
        "output": {"channels": networks.OUTPUTS, "values": "logits", "activation": "softmax",
                   "labels": networks.LABELS},
        "regions": [{"name": region, "outputs": outputs}
                    for region, outputs in networks.REGIONS.items()],
        "dropout": {"scope": "element"},
        "licence": "Apache-2.0",
        "provenance": provenance_of(checkpoint, dropout),
        "warning": "Trained on simulated scans only; not for clinical use.",
    }


def verify(data, network, window):
    """The bytes to be written give what `network` gives."""
    loaded = torch.jit.load(io.BytesIO(data)).eval()
    image = torch.randn((1, networks.INPUTS, *window), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, found = network(image), loaded(image)
    difference = (found - expected).abs().max().item()
    if not difference <= LARGEST_DIFFERENCE:
        raise Refused(f"the exported network differs from the checkpoint's by {difference:.2e}, "
                      f"expected at most {LARGEST_DIFFERENCE:g}; nothing written")
    return difference


def export(checkpoint_path, out, name, dropout=None):
    checkpoint = read_checkpoint(checkpoint_path)
    if dropout is None:
        dropout = checkpoint["options"]["dropout"]
    network = network_of(checkpoint, dropout)
    data = torchscript_bytes(network)
    difference = verify(data, network, checkpoint["options"]["window"])
    description = json.dumps(model_description(data, checkpoint, name, dropout), indent=2) + "\n"
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "network.pt", lambda file: file.write(data))
    write_atomically(out / "model.json", lambda file: file.write(description.encode()))
    print(f"{out}: step {checkpoint['step']}, dropout {dropout:g}, {len(data)} bytes, largest "
          f"difference of a logit {difference:.1e}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, type=Path, help="RUN/checkpoint.pt")
    parser.add_argument("--out", required=True, type=Path, help="folder of the bundle")
    parser.add_argument("--dropout", type=float, help="rate of the dropout (the training's)")
    parser.add_argument("--name", default="glioma-phantom", help="of the model (glioma-phantom)")
    arguments = parser.parse_args()
    if arguments.dropout is not None and not 0 < arguments.dropout < 1:
        parser.error("--dropout: expected a rate above 0 and below 1")
    try:
        export(arguments.checkpoint, arguments.out, arguments.name, arguments.dropout)
    except (Refused, OSError) as error:
        sys.exit(f"export.py: {error}")


if __name__ == "__main__":
    fix_hash_seed()
    main()
