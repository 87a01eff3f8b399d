"""The network of a bundle, run in Python as mcvol runs it (docs/bundle.md): what evaluate_cohort.py
compares with label maps, since mcvol saves none."""
import hashlib
import zlib

import nibabel
import numpy as np
import torch

import records
from normalise import CLIP_SD, normalised
from records import fail
from scans import window_slices

INTENSITY = {"method": "zscore", "mask": "nonzero", "clip_sd": CLIP_SD}
SPACING_TOLERANCE_MM = 1e-3
# What reading a scan that is none raises, and measuring one that cannot be.
UNREADABLE = (OSError, ValueError, EOFError, zlib.error, nibabel.filebasedimages.ImageFileError,
              nibabel.spatialimages.HeaderDataError)


def one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def read_bundle(folder):
    """model.json, refused where it asks for what is not done here."""
    path = folder / "model.json"
    bundle = records.read_json(path)
    try:
        window, output = bundle["window"], bundle["output"]
        unsupported = [what for what, is_so in {
            "input and output of the window differ": window["input"] != window["output"],
            "a flexible window": window.get("flexible", False),
            "blend none": window.get("blend", "none") == "none",
            "padding other than zero": window.get("padding", "zero") != "zero",
            "an anchor other than mask_corner": window.get("anchor") not in (None, "mask_corner"),
            "outputs that are no logits": output["values"] != "logits",
            "an activation other than softmax": output["activation"] != "softmax",
            "measure all": bundle.get("measure", "mask") != "mask",
            "spacing_mm null": bundle["grid"]["spacing_mm"] is None,
            f"an intensity other than {INTENSITY}": any(
                {"mask": "nonzero", **channel["intensity"]} != INTENSITY
                for channel in bundle["channels"])}.items() if is_so]
    except (KeyError, TypeError) as error:
        fail(f"{path}: not a model description ({error!r})")
    if unsupported:
        fail(f"{path}: not supported by this script: {', '.join(unsupported)}")
    return bundle


def load_networks(folder, bundle):
    networks = []
    for entry in bundle["networks"]:
        path = folder / entry["file"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            fail(f"{path}: not the file of model.json (sha256 differs)")
        networks.append(torch.jit.load(str(path), map_location="cpu").eval())
    return networks


def set_dropout(network, on):
    """Switches the dropout layers alone: batch norms would change too."""
    layers = [module for module in network.modules() if "Dropout" in
              getattr(module, "original_name", type(module).__name__)]
    if not layers:
        fail("the network has no dropout layers that can be switched; export it scripted")
    for layer in layers:
        layer.train(on)


def read_image(path, bundle):
    """On the axes of the bundle's grid, not yet in the order of the network's dimensions."""
    image = nibabel.load(path)
    wanted = nibabel.orientations.axcodes2ornt(bundle["grid"]["orientation"])
    image = image.as_reoriented(nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), wanted))
    spacing = image.header.get_zooms()[:3]
    if not np.allclose(spacing, bundle["grid"]["spacing_mm"], rtol=0, atol=SPACING_TOLERANCE_MM):
        fail(f"{path}: voxels of {spacing} mm, expected the bundle's "
             f"{bundle['grid']['spacing_mm']}; this script does not resample")
    axes = ["xyz".index(axis) for axis in bundle["grid"].get("axes", "xyz")]
    return np.asarray(image.dataobj, np.float32).transpose(axes)


def channel_file(folder, case_id, suffixes):
    for suffix in suffixes:
        for separator in "_-":
            path = folder / f"{case_id}{separator}{suffix}.nii.gz"
            if path.is_file():
                return path
    fail(f"{folder}: no {case_id}_{suffixes[0]}.nii.gz")


def read_scan(cohort, case_id, bundle):
    """Normalised channels [channel, …], brain and label map, all on one grid."""
    channels = [read_image(channel_file(cohort / case_id, case_id, channel["suffixes"]), bundle)
                for channel in bundle["channels"]]
    brain = np.any([channel != 0 for channel in channels], axis=0)
    labels = read_image(channel_file(cohort / case_id, case_id, ["seg"]), bundle)
    return np.stack([normalised(channel) for channel in channels]), brain, labels


def probabilities(network, channels, brain, size):
    """[output, …], 0 outside the brain, from one window centred on the brain."""
    inside, target = window_slices(brain, size)
    image = np.zeros((1, len(channels), *size), np.float32)
    image[(0, slice(None), *target)] = channels[(slice(None), *inside)]
    with torch.inference_mode():
        found = torch.softmax(network(torch.from_numpy(image)), 1)[0].numpy()
    whole = np.zeros((len(found), *brain.shape), np.float32)
    whole[(slice(None), *inside)] = found[(slice(None), *target)]
    return whole * brain


def mean_probabilities(networks, scan, bundle, passes=0):
    """[output, …]: the mean over the networks without dropout or, for passes > 0, over passes
    with it, which the networks take turns at. `scan`: normalised channels and brain."""
    size = bundle["window"]["output"]
    if not passes:
        return sum(probabilities(network, *scan, size) for network in networks) / len(networks)
    for network in networks:
        set_dropout(network, True)
    turns = (networks[turn % len(networks)] for turn in range(passes))
    mean = sum(probabilities(network, *scan, size) for network in turns) / passes
    for network in networks:
        set_dropout(network, False)
    return mean


def region_masks(mean, bundle):
    """Voxels whose probability of the region exceeds 0.5."""
    return {region["name"]: mean[region["outputs"]].sum(axis=0) > 0.5
            for region in bundle["regions"]}


def overlap_of(mask, truth, voxel_ml):
    """Dice is NaN where the region is in neither."""
    both, union = int((mask & truth).sum()), int(mask.sum()) + int(truth.sum())
    return {"ml": float(mask.sum()) * voxel_ml, "dice": 2 * both / union if union else np.nan,
            "overlaps": both > 0}


def segmentations(networks, scan, bundle, passes):
    """Region masks without dropout and, for passes > 0, of the mean over passes."""
    kinds = {"one pass": 0, **({"mean of passes": passes} if passes else {})}
    return {kind: region_masks(mean_probabilities(networks, scan, bundle, count), bundle)
            for kind, count in kinds.items()}
