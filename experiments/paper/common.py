"""What these experiments share: marks in the page, bootstrap, scores."""
import math
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / "experiments"), str(ROOT / "scripts" / "train")]
from tables import fail, proportion_text  # noqa: E402

LEVEL = 0.9
SEED = 0  # of bootstraps and of the chance that ranks absent tumours
BOOTSTRAPS = 2000
LEAST_ML = 0.05  # a volume up to this counts as absent (docs/method.md)
REGIONS = ("whole_tumour", "tumour_core", "enhancing_tumour")
OUTSTANDING = "outstanding"


def put_into(page, name, text):
    """Replaces what stands between the marks of `name` in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    content = page.read_text(encoding="utf-8")
    if content.count(begin) != 1 or content.count(end) != 1:
        fail(f"{page}: expected the lines '{begin.strip()}' and '{end}' once each")
    head, rest = content.split(begin)
    page.write_text(head + begin + text + "\n" + end + rest.split(end)[1], encoding="utf-8")


def coverage_text(covered, n):
    return proportion_text(covered, n, 2)


def number(value, digits):
    if math.isinf(value):
        return "unbounded"
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def interval_text(value, low, high, digits=2):
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def resamples(n):
    """[BOOTSTRAPS, n], the same for all that is compared."""
    return np.random.default_rng(SEED).integers(0, n, (BOOTSTRAPS, n))


def ratio_of_means(values, reference):
    """Of means over the same scans, with its 95 % bootstrap interval."""
    picked = resamples(len(values))
    ratios = values[picked].mean(axis=1) / reference[picked].mean(axis=1)
    return (values.mean() / reference.mean(), *np.quantile(ratios, (0.025, 0.975)))


def interval_score(truth, lower, upper):
    """Gneiting and Raftery (2007), at LEVEL."""
    outside = np.maximum(lower - truth, 0) + np.maximum(truth - upper, 0)
    return upper - lower + 2 / (1 - LEVEL) * outside
