"""What a simulated scan may vary in. Every range is an option of make_phantoms.py."""
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Settings:
    """Ranges are [low, high] of a uniform draw unless said otherwise; `_probability` is per scan
    or, where noted, per channel."""

    # Grid: network input. Fractions of tissue and tumour live on voxels `fine` times smaller.
    # Lengths below are in voxels, so another spacing is another simulator.
    shape: tuple = (80, 96, 80)
    spacing_mm: float = 2.0
    fine: int = 3

    # Anatomy
    rotation_sd_degrees: float = 5.0
    scale: tuple = (0.86, 0.99)
    axis_scale: tuple = (0.96, 1.04)
    flip_probability: float = 0.5
    coarse_warp_sd_voxels: tuple = (0.5, 2.0)  # B-spline knots every 20 voxels
    fine_warp_sd_voxels: tuple = (0.1, 0.7)  # every 8
    eroded_mask_probability: float = 0.35

    # Tumour
    tumour_ml: tuple = (0.5, 250.0)  # log-uniform
    absent_probability: float = 0.03
    multifocal_probability: float = 0.1
    white_to_grey_diffusivity: tuple = (4.0, 12.0)
    growth_per_step: tuple = (0.15, 0.35)
    irregularity: tuple = (0.03, 0.14)  # SD of the border as a fraction of the radius
    core_fraction: tuple = (0.04, 0.95)  # Beta(1.5, 2) between them
    mass_effect_probability: float = 0.6
    mass_effect: tuple = (0.05, 0.3)  # largest displacement, of the radius
    infiltration: tuple = (0.0, 0.7)  # loss of oedema contrast at its outer border

    # Contrast
    contrast: float = 1.0  # scales the spread of every class mean
    texture: tuple = (0.01, 0.05)  # SD within white matter, grey matter and CSF
    oedema_texture: tuple = (0.02, 0.12)
    core_texture: tuple = (0.02, 0.2)
    distractors: float = 1.0  # scales vessels, dura and white matter hyperintensities

    # Acquisition
    bias: float = 0.1  # SD of the log bias field
    noise: tuple = (0.005, 0.06)  # Rician sigma, of white matter's mean in t1; log-uniform
    gamma_sd: float = 0.12
    blur_voxels: tuple = (0.0, 0.6)
    thick_slice_probability: float = 0.2  # per channel
    slice_voxels: tuple = (2, 3)  # thickness of those, whole voxels
    motion_probability: float = 0.05  # per channel
    motion_voxels: tuple = (0.3, 1.5)  # how far the head moved

    # References
    rater_sd_mm: float = 0.0  # shift of the border a rater draws, per scan and region

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_probability") and not 0 <= value <= 1:
                raise ValueError(f"{field.name}: {value}, expected 0 to 1")
            numbers = value if isinstance(value, tuple) else (value,)
            if any(number < 0 for number in numbers):
                raise ValueError(f"{field.name}: {value}, expected no negative number")
            if isinstance(value, tuple) and field.name != "shape" and not value[0] <= value[1]:
                raise ValueError(f"{field.name}: {value}, expected the lower end first")
        if self.tumour_ml[0] <= 0 or self.noise[0] <= 0 or self.fine < 1 or self.spacing_mm <= 0:
            raise ValueError("tumour_ml, noise, fine and spacing_mm must be above 0")
