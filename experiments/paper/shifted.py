"""Experiment c: what holds on scans drawn unlike the calibration's; from experiments/coverage."""
from common import ROOT, coverage_text, put_into
from tables import markdown, read_rows

COHORTS = ("test", "shifted_noise", "shifted_contrast", "shifted_anatomy")


def write(_, out):
    lines = []
    for cohort in COHORTS:
        rows = [row for row in read_rows(ROOT / "experiments/coverage" / cohort / "coverage.csv")
                if (row["level"], row["stratum"]) == ("0.9", "all")]
        for region in dict.fromkeys(row["region"] for row in rows):
            of = {row["method"]: row for row in rows if row["region"] == region}
            lines.append((cohort, region, *(coverage_text(int(of[m]["covered"]), int(of[m]["n"]))
                                            for m in ("level_sets", "scaled")),
                          *(f"{float(of[m]['mean_width_ml']):.1f}" for m in ("level_sets", "scaled")),
                          *(f"{float(of[m]['crps_root']):.3f}" for m in ("level_sets", "scaled"))))
    put_into(out / "README.md", "shifted", markdown(
        ("cohort", "region", "coverage: level sets, raw", "calibrated", "mean width, ml: raw",
         "calibrated", "CRPS, ml^(1/3): raw", "calibrated"), lines))
