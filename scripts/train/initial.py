"""What `train.py --initial` begins with: a checkpoint of train.py, or the network.pt of a bundle of
export.py."""
import hashlib
import io
import json
import zipfile
from pathlib import Path

import torch

from cohort_folder import origin_of
from provenance import stages_in
from run_folder import Refused, read_hashed_checkpoint


def stage_of(checkpoint, sha256):
    """What the provenance of a run says of the checkpoint it began with."""
    options = checkpoint["options"]
    origin = checkpoint["origin"] if "origin" in checkpoint else origin_of(options["cohort"])
    return {"sha256": sha256, "steps": checkpoint["step"], "seed": options["seed"],
            "origin": origin}


def is_script(data):
    """Whether these bytes are a TorchScript archive."""
    file = io.BytesIO(data)
    return zipfile.is_zipfile(file) and any(name.endswith("/constants.pkl")
                                            for name in zipfile.ZipFile(file).namelist())


def read_bundle_network(path, data):
    """Weights and stages of a bundle's network; model.json beside it says how it was trained."""
    sha256 = hashlib.sha256(data).hexdigest()
    description = path.with_name("model.json")
    try:
        model = json.loads(description.read_text(encoding="utf-8"))
        named = [network["sha256"] for network in model["networks"]]
        stages = stages_in(model["provenance"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{path}: expected the model.json of export.py beside it") from None
    if named != [sha256] or not stages:
        raise Refused(f"{path}: {description.name} beside it is not of this network, or says "
                      "nothing of its training; expected a bundle of export.py")
    stages[-1]["sha256"] = sha256
    return torch.jit.load(io.BytesIO(data), map_location="cpu").state_dict(), stages


def read_initial(path):
    """Averaged weights by name, the stages of training behind them, and the options that make such
    a network ("" of a bundle, which does not say). Raises Refused."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError:
        data = b""  # read_hashed_checkpoint says why
    if is_script(data):
        return *read_bundle_network(path, data), ""
    begun, sha256 = read_hashed_checkpoint(path)
    try:
        options = begun["options"]
        asked = (f" (--network {options['network']} --channels "
                 f"{options['channels'] or 'by default'})")
        return begun["average"], [*begun.get("initial", []), stage_of(begun, sha256)], asked
    except (KeyError, TypeError, AttributeError):
        raise Refused(f"{path}: not a checkpoint of train.py") from None
