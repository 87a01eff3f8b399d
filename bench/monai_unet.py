"""A MONAI UNet as a bundle, and scans for it: what the comparisons with MONAI run on."""
import hashlib
import json

import nibabel
import numpy as np
import torch
from monai.networks.nets import UNet

CHANNELS = ("t1", "t1ce", "t2", "flair")
REGIONS = {"whole_tumour": [1, 2, 3], "tumour_core": [1, 3], "enhancing_tumour": [3]}


def make_network():
    """16-32-64-128, two residual units, dropout of elements (0.2) in every layer; in train mode.
    The same weights at every call."""
    torch.manual_seed(1)
    return UNet(spatial_dims=3, in_channels=4, out_channels=4, channels=(16, 32, 64, 128),
                strides=(2, 2, 2), num_res_units=2, dropout=0.2).train()


def make_bundle(network, window, folder):
    """`window`: voxels along each axis."""
    folder.mkdir()
    device = next(network.parameters()).device
    example = torch.zeros((1, 4, *window), device=device)
    with torch.no_grad():
        traced = torch.jit.trace(network, example, check_trace=False)
    traced.to("cpu").save(str(folder / "network.pt"))
    network.to(device)
    sha256 = hashlib.sha256((folder / "network.pt").read_bytes()).hexdigest()
    window = list(window)
    description = {
        "format": 1, "name": "monai-unet", "networks": [{"file": "network.pt", "sha256": sha256}],
        "channels": [{"name": name, "suffixes": [name],
                      "intensity": {"method": "zscore", "mask": "nonzero"}} for name in CHANNELS],
        "grid": {"orientation": "LPS", "axes": "xyz", "spacing_mm": [1, 1, 1],
                 "interpolation": "linear"},
        "measure": "mask",
        "window": {"input": window, "output": window, "overlap": 0.25, "blend": "gaussian",
                   "padding": "zero", "anchor": "mask_corner", "flexible": False},
        "output": {"channels": 4, "values": "logits", "activation": "softmax",
                   "labels": [0, 1, 2, 4]},
        "regions": [{"name": name, "outputs": outputs} for name, outputs in REGIONS.items()],
        "dropout": {"scope": "native"}}
    (folder / "model.json").write_text(json.dumps(description))


def make_scans(size, folder, count, brain=None):
    """Noise of 1 mm voxels; `brain`: diameters of an ellipsoid outside of which it is 0."""
    random = np.random.default_rng(1)
    inside = 1
    if brain:
        axes = [(2 * np.arange(n) + 1 - n) / diameter for n, diameter in zip(size, brain)]
        inside = sum(np.square(axis) for axis in np.meshgrid(*axes, indexing="ij")) <= 1
    for scan in range(count):
        case = folder / f"case_{scan}"
        case.mkdir(parents=True)
        for channel in CHANNELS:
            image = random.integers(1, 1000, size, dtype=np.int16) * inside
            nibabel.save(nibabel.Nifti1Image(image.astype(np.int16), np.diag([-1.0, -1.0, 1.0, 1.0])),
                         case / f"{case.name}_{channel}.nii")
