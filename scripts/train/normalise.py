"""What mcvol does to a channel under {"method": "zscore", "mask": "nonzero", "clip_sd": 3}.

Float32 images, moments in double precision, as in src/image/intensity.cpp.
"""
import numpy as np

CLIP_SD = 3


def moments(values):
    """Mean and SD (divisor n) of a float32 array."""
    mean = values.mean(dtype=np.float64)
    return mean, np.sqrt(np.square(values - mean, dtype=np.float64).mean())


def normalised(channel):
    """z-scores of the voxels that are not 0; the others stay 0. Raises ValueError."""
    channel = np.asarray(channel, np.float32)
    inside = channel != 0
    values = channel[inside]
    if values.size == 0:
        raise ValueError("every voxel is 0, nothing to normalise")
    mean, sd = moments(values)
    clipped = np.clip(values.astype(np.float64), mean - CLIP_SD * sd, mean + CLIP_SD * sd)
    values = clipped.astype(np.float32)
    mean, sd = moments(values)
    if not sd > 1e-9 * abs(mean):
        raise ValueError("every voxel has the same intensity, nothing to normalise by (SD 0)")
    result = np.zeros_like(channel)
    result[inside] = (values - mean) / sd
    return result
