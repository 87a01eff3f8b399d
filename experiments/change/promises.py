"""What is held against what is true: levels, thresholds, ways to tell the dependence. And where the
modules of other folders are."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / "experiments"), str(ROOT / "scripts" / "train")]

LEVELS = ("0.5", "0.8", "0.9")
THRESHOLDS = ("0", "0.25", "0.4")
INDEPENDENT, ESTIMATED, BONFERRONI = "correlation 0", "estimated", "bonferroni"
LEAST_ML = 0.05  # up to it a volume counts as absent (docs/method.md)
