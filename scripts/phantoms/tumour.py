"""Tumours of known volume: reaction-diffusion gives the shape, a level set of it the exact volume.

Growth is the Fisher-Kolmogorov equation du/dt = div(D grad u) + rho u (1 - u), u the density of
tumour cells, D larger in white than in grey matter and 0 where there is none (Swanson et al., Cell
Proliferation 33, 2000; Clatz et al., IEEE TMI 24, 2005).
"""
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from fields import coarsen, refine, smooth_field

LEAST_TISSUE = 0.45  # of a voxel, where cells can live
LARGEST_STEP = 0.155  # D dt in voxels^2; explicit Euler is stable below 1/6
MOST_STEPS = 250
OVERGROWTH = 1.3  # grown volume over the one wanted, so that its border lies inside the front
STEPS_PER_VOXEL = 2.5  # about what the front takes
REGIONS = ("whole_tumour", "tumour_core", "enhancing_tumour")


@dataclass(frozen=True)
class Tumour:
    """Fractions of each voxel [x, y, z] and the volumes counted on the fine grid."""

    oedema: np.ndarray
    enhancing: np.ndarray
    necrosis: np.ndarray
    volumes_ml: dict
    edge: np.ndarray  # 0 deep inside the whole tumour to 1 at its outer border
    centre: np.ndarray  # voxels
    radius: float  # voxels, of a sphere of that volume

    @property
    def whole(self):
        return self.oedema + self.enhancing + self.necrosis


def no_tumour(shape):
    nothing = np.zeros(shape, dtype=np.float32)
    return Tumour(nothing, nothing, nothing, dict.fromkeys(REGIONS, 0.0), nothing, None, 0.0)


def random_seeds(head, settings, rng):
    """Voxels the growth starts from, and the step at which each does. One of them, or a few within
    about 4 cm in the multifocal."""
    tissue = head.white + head.grey
    depth = ndimage.distance_transform_edt(head.mask)
    allowed = np.where((tissue > 0.8) & (depth >= 3), head.white + 0.3 * head.grey, 0)
    low = np.flatnonzero(head.mask.any(axis=(0, 1)))[0]
    brainstem = int(low + 0.3 * head.mask.any(axis=(0, 1)).sum())
    allowed[:, :, :brainstem] *= 0.1

    def draw(weights):
        chances = np.cumsum(weights.ravel(), dtype=np.float64)
        return np.unravel_index(np.searchsorted(chances, rng.random() * chances[-1]), tissue.shape)

    seeds, starts = [draw(allowed)], [0]
    if rng.random() < settings.multifocal_probability:
        offsets = np.indices(tissue.shape, sparse=True)
        distance = np.sqrt(sum((o - c) ** 2 for o, c in zip(offsets, seeds[0])))
        near = np.where((distance * settings.spacing_mm > 15)
                        & (distance * settings.spacing_mm < 40), allowed, 0)
        for _ in range(rng.integers(1, 3) if near.any() else 0):
            seeds.append(draw(near))
            starts.append(int(rng.integers(5, 30)))
    return seeds, starts


def face_diffusivity(diffusivity, axis):
    """Between neighbours along `axis`: the mean, and no flow into voxels without tissue."""
    low = np.moveaxis(diffusivity, axis, 0)[:-1]
    high = np.moveaxis(diffusivity, axis, 0)[1:]
    return np.moveaxis(np.where((low > 0) & (high > 0), (low + high) / 2, 0), 0, axis)


def active_box(density, margin):
    """Slices around all voxels with cells, `margin` voxels wider."""
    box = []
    for axis, size in enumerate(density.shape):
        others = tuple(a for a in range(3) if a != axis)
        found = np.flatnonzero((density > 1e-5).any(axis=others))
        box.append(slice(max(found[0] - margin, 0), min(found[-1] + margin + 1, size)))
    return tuple(box)


def step(density, faces, growth):
    """One explicit Euler step, in place."""
    change = growth * density * (1 - density)
    for axis, face in enumerate(faces):
        flow = face * np.diff(density, axis=axis)
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        change[tuple(low)] += flow
        change[tuple(high)] -= flow
    density += change


def grow(head, target_voxels, settings, rng):
    """Arrival time of the tumour [x, y, z], in steps: the smaller, the earlier; where it has not
    come to, the last step. And the number of voxels reached."""
    tissue = head.white + head.grey
    ratio = rng.uniform(*settings.white_to_grey_diffusivity)
    mean = LARGEST_STEP * (head.white + head.grey / ratio) / np.maximum(tissue, 1e-6)
    diffusivity = np.where(tissue >= LEAST_TISSUE, mean, 0).astype(np.float32)
    growth = np.float32(rng.uniform(*settings.growth_per_step))
    faces = [face_diffusivity(diffusivity, axis) for axis in range(3)]
    density = np.zeros(tissue.shape, dtype=np.float32)
    presence = np.zeros(tissue.shape, dtype=np.float32)  # density summed over steps
    seeds, starts = random_seeds(head, settings, rng)
    for count in range(MOST_STEPS):
        for seed, start in zip(seeds, starts):
            if start == count:
                density[seed] = 1
        if count % 4 == 0:
            box = active_box(density, 5)
            inner = [tuple(slice(s.start, s.stop - (a == axis)) for a, s in enumerate(box))
                     for axis in range(3)]
            views = density[box], [face[i] for face, i in zip(faces, inner)]
            reached = np.count_nonzero(views[0] > 0.5)
            if reached >= OVERGROWTH * target_voxels:
                break
        step(*views, growth)
        presence[box] += views[0]
    return count - presence, reached


def beyond_the_front(arrival):
    """The arrival time, going on to rise where nothing has arrived."""
    outside = arrival > arrival.max() - 0.5
    distance = ndimage.distance_transform_edt(outside).astype(np.float32)
    return arrival + np.float32(STEPS_PER_VOXEL) * distance


def repeated(image, factor):
    """Each voxel `factor` times along each axis."""
    for axis in range(3):
        image = np.repeat(image, factor, axis)
    return image


def level_set(field, allowed, count):
    """The `count` voxels of `allowed` with the smallest `field`, as a boolean array."""
    inside = np.zeros(field.shape, dtype=bool)
    if count > 0:
        places = np.flatnonzero(allowed)
        chosen = np.argpartition(field.ravel()[places], count - 1)[:count]
        inside.ravel()[places[chosen]] = True
    return inside


def scaled(values, inside):
    """`values` from 0 to 1 over the voxels of `inside`."""
    low, high = values[inside].min(), values[inside].max()
    return (values - low) / max(high - low, 1e-6)


def fine_core(arrival, whole, settings, factor, size, rng):
    """Core and necrosis on the fine grid: inner level sets of arrival time, depth and noise that is
    smooth over `size` fine voxels."""
    shape = arrival.shape
    depth = ndimage.distance_transform_edt(coarsen(whole, factor) > 0.25).astype(np.float32)
    weight = rng.uniform(0.2, 0.8)
    field = weight * scaled(arrival, whole) - (1 - weight) * scaled(refine(depth, factor), whole)
    field += rng.uniform(0.05, 0.15) * smooth_field(rng, shape, size)
    low, high = settings.core_fraction
    core = level_set(field, whole, round((low + (high - low) * rng.beta(1.5, 2)) * whole.sum()))
    kind = rng.random()
    fraction = 0 if kind < 0.2 else rng.uniform(0.8, 1) if kind < 0.3 else rng.uniform(0.1, 0.75)
    if core.any():
        field = scaled(field, core) + rng.uniform(0.02, 0.15) * smooth_field(rng, shape, size)
    return core, level_set(field, core, round(fraction * core.sum()))


def padded_box(inside, margin, shape):
    return tuple(slice(max(s.start - margin, 0), min(s.stop + margin, n))
                 for s, n in zip(ndimage.find_objects(inside.astype(np.uint8))[0], shape))


def reflected(volume_ml, low_ml, high_ml):
    """On the logarithmic scale, at an end of the range that it lies beyond."""
    return volume_ml * min(1, (high_ml / volume_ml) ** 2) * max(1, (low_ml / volume_ml) ** 2)


def random_tumour(head, settings, rng, factor=1.0, later=False):
    """A tumour whose whole volume is drawn from `settings.tumour_ml` and met to a fine voxel, or
    less where the brain has no room for it.

    At another time its volume is `factor` times that (reflected into `settings.tumour_ml`, so that
    tumours of both times are as large as any): `later` is the tumour then. The same `rng` gives
    the same growth and noise at both times, and the smaller lies within the larger."""
    if rng.random() < settings.absent_probability:
        return no_tumour(head.mask.shape)
    voxel_ml = settings.spacing_mm**3 / 1000
    drawn_ml = np.exp(rng.uniform(*np.log(settings.tumour_ml)))
    times_ml = drawn_ml, reflected(drawn_ml * factor, *settings.tumour_ml)
    share = times_ml[later] / max(times_ml)
    target = max(times_ml) / voxel_ml
    arrival, reached = grow(head, target, settings, rng)
    target = max(min(target, reached / OVERGROWTH), 1)
    radius = (3 * target / (4 * np.pi)) ** (1 / 3)
    border_sd = 0.2 + rng.uniform(*settings.irregularity) * radius  # voxels
    # So far out noise finds no voxel any more.
    box = padded_box(arrival < arrival.max() - 0.5, int(np.ceil(5 * border_sd)) + 1, arrival.shape)

    fine = settings.fine
    fine_ml = voxel_ml / fine**3
    arrival = refine(beyond_the_front(arrival[box]), fine)
    allowed = refine((head.white + head.grey)[box], fine) > LEAST_TISSUE
    allowed &= repeated(head.mask[box], fine)
    rough = smooth_field(rng, arrival.shape, max(fine * radius / 2, 2 * fine))
    field = arrival + np.float32(STEPS_PER_VOXEL * border_sd) * rough
    largest = min(max(round(target * fine**3), 1), np.count_nonzero(allowed))
    whole = level_set(field, allowed, max(round(share * largest), 1))
    radius *= share ** (1 / 3)
    size = max(int(largest ** (1 / 3) / 3), 3)
    core, necrosis = fine_core(arrival, whole, settings, fine, size, rng)
    edge = np.clip((field - field[whole].max()) / (5 * max(radius / 4, 1)) + 1, 0, 1) * whole

    def on_grid(inside):
        image = np.zeros(head.mask.shape, dtype=np.float32)
        image[box] = coarsen(inside, fine)
        return image

    volumes = (whole.sum() * fine_ml, core.sum() * fine_ml, (core.sum() - necrosis.sum()) * fine_ml)
    fractions = on_grid(whole & ~core), on_grid(core & ~necrosis), on_grid(necrosis)
    centre = np.array([np.average(np.arange(n), weights=sum(fractions).sum(axis=tuple(
        a for a in range(3) if a != axis))) for axis, n in enumerate(head.mask.shape)])
    volumes_ml = dict(zip(REGIONS, map(float, volumes)))
    return Tumour(*fractions, volumes_ml, on_grid(edge), centre, radius)


def label_map(tumour):
    """BraTS labels, uint8: 0 background, 1 necrosis, 2 oedema, 4 enhancing. A voxel is tumour, and
    its core core, where at least half of it is."""
    labels = np.where(tumour.whole >= 0.5, 2, 0).astype(np.uint8)
    core = tumour.enhancing + tumour.necrosis >= 0.5
    labels[core] = np.where(tumour.enhancing >= tumour.necrosis, 4, 1)[core]
    return labels
