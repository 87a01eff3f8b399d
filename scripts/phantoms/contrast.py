"""Signal of each tissue in t1, t1ce, t2 and flair, drawn afresh for each scan as SynthSeg does
(Billot et al., Medical Image Analysis 86, 2023), around means that look like glioma scans."""
import numpy as np

from fields import blur, smooth_field

CHANNELS = ("t1", "t1ce", "t2", "flair")
WHITE, GREY, CSF, OEDEMA, ENHANCING, NECROSIS = range(6)
# [channel, class], white matter in t1 = 1.
MEANS = np.array([[1.00, 0.76, 0.32, 0.70, 0.72, 0.48],
                  [1.00, 0.76, 0.32, 0.70, 1.45, 0.48],
                  [0.45, 0.62, 1.15, 0.88, 0.74, 0.95],
                  [0.58, 0.68, 0.20, 1.10, 0.92, 0.66]])
SDS = np.array([[0.06, 0.05, 0.08, 0.08, 0.10, 0.10],
                [0.06, 0.05, 0.08, 0.08, 0.22, 0.10],
                [0.06, 0.06, 0.15, 0.12, 0.12, 0.15],
                [0.06, 0.06, 0.08, 0.15, 0.15, 0.18]])


def class_means(settings, rng):
    """[4, 6]: one draw for a scan. Some scans are typical, some far from it."""
    spread = settings.contrast * rng.choice([0.7, 1.0, 1.6])
    means = MEANS + spread * SDS * rng.standard_normal(MEANS.shape)
    # Without contrast agent uptake, t1ce is t1.
    shared = (WHITE, GREY, CSF, OEDEMA)
    means[1, shared] = means[0, shared] + 0.03 * spread * rng.standard_normal(len(shared))
    return np.clip(means, 0.05, None).astype(np.float32)


def vessels(head, rng):
    """Thin bright curves near CSF and grey matter: where two smooth fields are both 0."""
    shape = head.mask.shape
    first, second = smooth_field(rng, shape, 7), smooth_field(rng, shape, 7)
    near = np.clip(3 * blur(head.csf, 1.0), 0, 1)
    return np.exp(-(first**2 + second**2) / (2 * rng.uniform(0.06, 0.14) ** 2)) * near


def dura(head, rng):
    """Patches of the brain's border, where skull stripping left some enhancing dura."""
    inner = blur(head.mask.astype(np.float32), 1.0)
    shell = np.clip(2 - 2 * inner, 0, 1) * head.mask
    return shell * (smooth_field(rng, head.mask.shape, 12) > rng.uniform(0.7, 2.0))


def hyperintensities(head, rng):
    """White matter bright in flair and t2: caps around the ventricles, and small foci."""
    around = np.clip(blur(head.csf, 1.5) - 0.12, 0, 0.4) / 0.4 * blur(head.white, 1.0)
    foci = np.clip(4 * (smooth_field(rng, head.mask.shape, 4) - rng.uniform(2.9, 3.8)), 0, 1)
    return np.clip(rng.uniform(0, 1) * around + rng.uniform(0.3, 1) * foci, 0, 1) * head.white



def signal(head, tumour, settings, rng):
    """Noise-free signal of the four channels, float32 [4, x, y, z]: the mean of what a voxel holds,
    by its fractions (partial volume)."""
    means = class_means(settings, rng)
    # At its outer border oedema fades into what it grew into.
    fading = rng.uniform(*settings.infiltration) * tumour.edge * tumour.oedema
    oedema = tumour.oedema - fading
    # The tumour takes the place of tissue first, of CSF only where there is too little tissue.
    csf = np.minimum(head.csf, 1 - tumour.whole)
    tissue = (1 - tumour.whole - csf + fading) * head.mask
    total = head.white + head.grey
    share = np.where(total > 0.02, head.white / np.maximum(total, 0.02), 0.5)
    fractions = (tissue * share, tissue * (1 - share), csf * head.mask, oedema, tumour.enhancing,
                 tumour.necrosis)
    amounts = np.concatenate([rng.uniform(*settings.texture, 3),
                              rng.uniform(*settings.oedema_texture, 1),
                              rng.uniform(*settings.core_texture, 2)])
    textures = [1 + np.float32(amount) * smooth_field(rng, head.mask.shape, rng.uniform(2.5, 6))
                for amount in amounts]
    parts = [fraction * texture for fraction, texture in zip(fractions, textures)]
    image = np.tensordot(means, np.stack(parts), axes=1)

    strength = settings.distractors
    if rng.random() < 0.8:
        outside = 1 - tumour.enhancing - tumour.necrosis
        image[1] += strength * rng.uniform(0.2, 0.8) * vessels(head, rng) * outside
    if rng.random() < 0.5:
        image[1] += strength * rng.uniform(0.2, 0.8) * dura(head, rng)
    if rng.random() < 0.5:
        bright = strength * hyperintensities(head, rng) * (1 - tumour.whole)
        image[3] += rng.uniform(0.1, 0.45) * bright
        image[2] += rng.uniform(0.05, 0.3) * bright
    return image
