"""What the scanner does to the signal: blur, slices, motion, bias field, noise, scaling."""
import numpy as np
from scipy import fft

from fields import along_axes, blur, smooth_field, thick_slices_matrix


def with_motion(image, distance, rng):
    """The head moves by `distance` voxels while part of k-space is read: ghosts and blur."""
    axis = int(rng.integers(0, 2))  # of the phase encoding
    lines = np.fft.fftfreq(image.shape[axis]).astype(np.float32)
    moved = np.abs(lines) > rng.uniform(0.05, 0.2)
    moved &= rng.random(len(lines)) < rng.uniform(0.2, 0.6)
    shift = distance * rng.choice([-1, 1])
    factor = np.where(moved, np.exp(-2j * np.pi * lines * shift), 1).astype(np.complex64)
    spectrum = fft.fftn(image) * factor.reshape([-1 if a == axis else 1 for a in range(3)])
    return np.abs(fft.ifftn(spectrum))


def bias_field(shape, sd, rng):
    """Smooth gain around 1."""
    return np.exp(np.float32(sd) * smooth_field(rng, shape, 40))


def rician(image, sigma, rng):
    """Magnitude of `image` plus complex Gaussian noise of SD `sigma` in each part."""
    real = image + sigma * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(image.shape, dtype=np.float32)
    return np.sqrt(real**2 + imaginary**2)


def acquire_channel(image, sigma, settings, rng):
    sd = rng.uniform(*settings.blur_voxels)
    if sd > 0.1:
        image = blur(image, sd)
    if rng.random() < settings.thick_slice_probability:
        axis = int(rng.choice([0, 1, 2], p=[0.2, 0.2, 0.6]))
        low, high = settings.slice_voxels
        matrix = thick_slices_matrix(image.shape[axis], int(rng.integers(low, high + 1)))
        image = along_axes(image, [matrix if a == axis else None for a in range(3)])
    if rng.random() < settings.motion_probability:
        image = with_motion(image, rng.uniform(*settings.motion_voxels), rng)
    image = image * bias_field(image.shape, settings.bias, rng)
    image = np.clip(image, 0, None) ** np.float32(np.exp(rng.normal(0, settings.gamma_sd)))
    return rician(image, np.float32(sigma), rng)


def acquire(image, mask, settings, rng):
    """Stored values of a scan, int16 [4, x, y, z]: 1 or more in the brain, 0 outside."""
    sigma = np.exp(rng.uniform(*np.log(settings.noise)))
    scan = np.zeros(image.shape, dtype=np.int16)
    for channel, values in enumerate(image):
        values = acquire_channel(values, sigma * rng.uniform(0.7, 1.4), settings, rng)
        gain = np.exp(rng.uniform(np.log(300), np.log(1500)))
        scan[channel] = np.where(mask, np.clip(np.rint(gain * values), 1, 32767), 0)
    return scan
