"""Whole images by MONAI's sliding_window_inference, with our masks in every window."""
import math

import monai
import numpy as np
import torch
from monai.data.utils import dense_patch_slices
from monai.inferers import sliding_window_inference

import masks
from mc_dropout import run_masked

MONAI_VERSION = monai.__version__.split("+")[0]
NETWORKS = ("monai_unet_instance", "residual_unet")  # dropout of elements, of channels
IMAGE, ROI = (2, 41, 36, 13), (16, 16, 16)
BLENDS = ((0.25, "constant"), (0.5, "gaussian"), (0.0, "gaussian"))
SCOPES = ("native", "channel")
PASSES = (0, 1)
STRIDE = 37  # of the voxels that are kept


def window_starts(image, roi, overlap):
    """First voxel of every window on the image before padding, in the order they are visited."""
    missing = [max(r - n, 0) for n, r in zip(image, roi)]
    padded = [n + m for n, m in zip(image, missing)]
    steps = [r if n == r else max(int(r * (1 - overlap)), 1) for n, r in zip(padded, roi)]
    slices = dense_patch_slices(padded, roi, steps)
    return [tuple(int(part.start) - m // 2 for part, m in zip(window, missing))
            for window in slices]


def crop(image, start, roi):
    """The window that begins at `start`, zero outside the image."""
    window = torch.zeros(1, image.shape[1], *roi)
    lower = [max(0, -s) for s in start]
    upper = [min(r, n - s) for r, n, s in zip(roi, image.shape[2:], start)]
    inside = tuple(slice(low, up) for low, up in zip(lower, upper))
    source = tuple(slice(s + low, s + up) for s, low, up in zip(start, lower, upper))
    window[(..., *inside)] = image[(..., *source)]
    return window


def inferred(network, image, overlap, blend, scope, seed, pass_index):
    starts = iter(window_starts(image.shape[2:], ROI, overlap))

    def predictor(window):
        start = next(starts)
        if not torch.equal(window, crop(image, start, ROI)):
            raise AssertionError(f"MONAI's window is not the one at {start}")
        return run_masked(network, window, masks.Draw(seed, start, pass_index), scope)[0]

    with torch.inference_mode():
        output = sliding_window_inference(image, ROI, 1, predictor, overlap=overlap, mode=blend,
                                          sigma_scale=0.125, padding_mode="constant", cval=0.0)
    if next(starts, None) is not None:
        raise AssertionError("MONAI visited fewer windows than expected")
    if list(output.shape[2:]) != list(image.shape[2:]) or not math.isfinite(output.abs().max()):
        raise AssertionError(f"unexpected output {list(output.shape)}")
    return output[0].flatten(1)[:, ::STRIDE].numpy()


def cases(entries, network_of, seed):
    """Entries of zoo.json and the arrays they name."""
    image = torch.from_numpy(masks.filled((1, *IMAGE)))
    records, arrays = [], {}
    for entry in entries:
        if entry.name not in NETWORKS:
            continue
        network = network_of(entry)
        for overlap, blend in BLENDS:
            for scope in SCOPES:
                key = f"{entry.name}.{scope}.{overlap:g}.{blend}"
                arrays[key] = np.stack([inferred(network, image, overlap, blend, scope, seed, index)
                                        for index in PASSES])
                records.append({
                    "network": entry.name, "file": f"{entry.name}-scripted-eval.pt",
                    "image": list(IMAGE[1:]), "roi": list(ROI), "overlap": overlap, "blend": blend,
                    "scope": scope, "passes": list(PASSES), "stride": STRIDE, "reference": key})
        print(f"{entry.name}: sliding windows done", flush=True)
    return records, arrays
