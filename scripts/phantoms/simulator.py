"""One simulated scan: a head, a tumour of known volumes in it, and what a scanner makes of them."""
from dataclasses import dataclass

import numpy as np

import acquisition
import anatomy
import contrast
import tumour as tumours
from fields import generator

# Raised whenever the same seed gives another scan.
VERSION = 2

# Stages have streams of their own: another noise level keeps the heads and tumours of a cohort.
HEAD, TUMOUR, MASS_EFFECT, CONTRAST, ACQUISITION, RATER, COURSE = range(7)
VISITS = ("baseline", "followup")
LATER = 16  # on top of a stage: its stream at the follow-up

# Of the whole tumour's volume from baseline to follow-up.
STABLE_PROBABILITY = 0.2  # factor 1
FACTOR = (0.5, 2.0)  # else log-uniform


@dataclass(frozen=True)
class Phantom:
    """channels int16 [4, x, y, z] (t1, t1ce, t2, flair; 0 outside the brain), labels uint8
    [x, y, z] (BraTS values), volumes in ml per region: true, of the label map, and a rater's."""

    channels: np.ndarray
    labels: np.ndarray
    true_ml: dict
    label_ml: dict
    rater_ml: dict
    tumour: tumours.Tumour


def label_volumes(labels, voxel_ml):
    """By region of BraTS label values."""
    values = ((1, 2, 4), (1, 4), (4,))
    return {region: float(np.isin(labels, group).sum() * voxel_ml)
            for region, group in zip(tumours.REGIONS, values)}


def rater_volumes(true_ml, sd_mm, rng):
    """Volumes whose border lies N(0, sd_mm) further out, as of spheres, never below 0."""
    noisy = {}
    for region, volume_ml in true_ml.items():
        shift_mm = rng.normal(0, sd_mm) if sd_mm > 0 else 0.0
        radius_mm = (3 * volume_ml * 1000 / (4 * np.pi)) ** (1 / 3)
        noisy[region] = volume_ml * max(1 + shift_mm / radius_mm, 0) ** 3 if volume_ml else 0.0
    return noisy


def course_of(rng):
    """The follow-up's whole tumour over the baseline's."""
    stable, factor = rng.random() < STABLE_PROBABILITY, np.exp(rng.uniform(*np.log(FACTOR)))
    return 1.0 if stable else float(factor)


def simulate(template, settings, seed, index, visit=None):
    """Scan `index` of the cohort `seed`: the same for the same arguments, in any order. With a
    `visit`, of VISITS, that scan of patient `index`: head, tumour, mass effect and
    position are the patient's, contrast and acquisition the visit's."""
    later = visit == VISITS[1]

    def stream(stage):
        return generator(seed, index, stage)

    def visit_stream(stage):
        return stream(stage + LATER if later else stage)

    factor = 1.0 if visit is None else course_of(stream(COURSE))
    head = anatomy.random_head(template, settings, stream(HEAD))
    tumour = tumours.random_tumour(head, settings, stream(TUMOUR), factor, later)
    rng = stream(MASS_EFFECT)
    if tumour.radius > 0 and rng.random() < settings.mass_effect_probability:
        strength = tumour.radius * rng.uniform(*settings.mass_effect)
        head = anatomy.push_aside(head, tumour.centre, tumour.radius, strength)
    image = contrast.signal(head, tumour, settings, visit_stream(CONTRAST))
    channels = acquisition.acquire(image, head.mask, settings, visit_stream(ACQUISITION))
    labels = tumours.label_map(tumour)
    return Phantom(channels, labels, tumour.volumes_ml,
                   label_volumes(labels, settings.spacing_mm**3 / 1000),
                   rater_volumes(tumour.volumes_ml, settings.rater_sd_mm, visit_stream(RATER)),
                   tumour)
