"""Smooth random fields and separable filters on voxel grids.

Everything here is a product of small matrices with one axis after the other: fast, and on one kind
of processor the same each time (others round otherwise).
"""
import numpy as np


def generator(seed, index, stage):
    """An independent stream of random numbers for each (cohort seed, scan, stage)."""
    key = np.array([seed, (index << 8) | stage], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def along_axes(image, matrices):
    """Applies matrices[a] [n_out, n_in] along each of the three axes of `image`; None: as it is."""
    for axis, matrix in enumerate(matrices):
        if matrix is not None:
            image = np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(image)


def b_spline_matrix(size, spacing, phase):
    """Cubic B-splines [size, knots], knots `spacing` voxels apart, shifted by `phase` in [0, 1)."""
    knots = int(np.ceil(size / spacing)) + 4
    distance = np.abs(np.arange(size)[:, None] / spacing + 1 + phase - np.arange(knots)[None, :])
    inner = 2 / 3 - distance**2 + distance**3 / 2
    outer = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, inner, outer).astype(np.float32)


# Mean over phases of the sum of squared cubic B-spline weights along one axis, times spacing.
B_SPLINE_POWER = 151 / 315


def smooth_field(rng, shape, spacing):
    """A stationary Gaussian field of mean 0 and SD 1 (on average over voxels), smooth over about
    `spacing` voxels: cubic B-splines with independent normal coefficients."""
    matrices = [b_spline_matrix(size, spacing, rng.random()) for size in shape]
    coefficients = rng.standard_normal([m.shape[1] for m in matrices], dtype=np.float32)
    return along_axes(coefficients, matrices) / np.float32(B_SPLINE_POWER**1.5)


def gaussian_matrix(size, sd):
    """A Gaussian filter of SD `sd` voxels [size, size]; rows sum to 1 (edges are renormalised)."""
    offsets = np.arange(size)[:, None] - np.arange(size)[None, :]
    weights = np.exp(-0.5 * (offsets / sd) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def blur(image, sd):
    """Gaussian filter of `sd` voxels (one number, or one an axis); 0 leaves an axis alone."""
    sds = np.broadcast_to(sd, 3)
    return along_axes(image, [gaussian_matrix(n, s) if s > 0 else None
                              for n, s in zip(image.shape, sds)])


def linear_matrix(positions, size):
    """Linear interpolation [len(positions), size] at voxel positions, held at the ends."""
    clipped = np.clip(positions, 0, size - 1)
    low = np.minimum(clipped.astype(int), max(size - 2, 0))
    weight = clipped - low
    matrix = np.zeros((len(positions), size), dtype=np.float32)
    rows = np.arange(len(positions))
    matrix[rows, low] += 1 - weight
    matrix[rows, np.minimum(low + 1, size - 1)] += weight
    return matrix


def refine(image, factor):
    """Linear interpolation onto voxels `factor` times finer that fill the same box."""
    return along_axes(image, [
        linear_matrix((np.arange(size * factor) + 0.5) / factor - 0.5, size)
        for size in image.shape])


def coarsen(image, factor):
    """Mean over blocks of factor^3 voxels, float32."""
    x, y, z = (size // factor for size in image.shape)
    blocks = image.reshape(x, factor, y, factor, z, factor)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def thick_slices_matrix(size, thickness):
    """What slices of `thickness` voxels and linear interpolation between them make of one axis."""
    slices = -(-size // thickness)
    average = np.zeros((slices, size), dtype=np.float32)
    for index in range(slices):
        average[index, index * thickness:(index + 1) * thickness] = 1
    average /= average.sum(axis=1, keepdims=True)
    centres = (np.arange(size) + 0.5) / thickness - 0.5
    return linear_matrix(centres, slices) @ average
