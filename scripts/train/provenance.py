"""What the provenance of a bundle says of the training, written and read back."""
import re

STAGE = re.compile(r"(\d+) steps with seed (\d+)(?: on cohort '([^']*)' of seed (\d+))?")


def text_of(stage):
    origin = stage["origin"]
    where = f" on cohort '{origin['name']}' of seed {origin['seed']}" if origin else ""
    return f"{stage['steps']} steps with seed {stage['seed']}{where}"


def text_of_stages(stages):
    """Of stages in their order, each with `steps`, `seed` and `origin` (None, or the `name` and
    `seed` of the cohort)."""
    return ", then ".join(text_of(stage) for stage in stages)


def stages_in(text):
    """The stages that text_of_stages() wrote into `text`; empty where there are none."""
    return [{"steps": int(steps), "seed": int(seed),
             "origin": {"name": name, "seed": int(cohort)} if cohort else None}
            for steps, seed, name, cohort in STAGE.findall(text)]
