"""Experiment e: which measure of uncertainty finds the scans that are measured badly."""
import matplotlib
import numpy as np
from scipy.special import xlogy

from common import BOOTSTRAPS, LEAST_ML, OUTSTANDING, REGIONS, SEED, interval_text, put_into
from tables import markdown, write_rows
import dice
from figures import save
from noise import column, intervals_of
from plan import FIRST, FIRST_OF_TEST, NOISE, TEST
import records
from volumes import P, read_cases, thresholded_ml

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

LEAST_DICE, LARGEST_ERROR = 0.7, 0.25
OUTCOMES = ("Dice < 0.7", "error > 25 %")
ENTROPY = -(xlogy(P, P) + xlogy(P[::-1], P[::-1])) / np.log(2)
MEASURES = {"calibrated width": ("black", "-"), "level-set width": ("black", "--"),
            "CV over passes": ("black", ":"), "entropy, brain": ("0.6", "-."),
            "entropy, inside": ("0.6", "-"), "Dice between passes": ("0.6", ":"),
            "predicted volume": ("0.6", "--")}
HEADER = ("scans", "region", "outcome", "measure", "n", "bad", "auroc", "auroc_lower", "auroc_upper",
          "to_volume", "to_volume_lower", "to_volume_upper", "risk_coverage_area", "bad_of_best_80",
          "bad_of_best_50")


def over(top, bottom):
    """What nothing was measured of is the most suspicious."""
    return np.divide(top, bottom, out=np.full(len(top), np.inf), where=bottom > 0)


def measures_of(cases, region, rows, raw, overlap):
    """Measure: suspicion of each scan, the larger the worse."""
    volume = column(rows, "volume_ml")
    passes = np.array([thresholded_ml(case, region) for case in cases])
    means = np.array([case.regions[region].mean for case in cases]) / records.VOXEL_WEIGHT
    inside = P > 0.5
    found = {"calibrated width": over(column(rows, "upper_ml") - column(rows, "lower_ml"), volume),
             "level-set width": over(column(raw, "upper_ml") - column(raw, "lower_ml"),
                                     column(raw, "volume_ml")),
             "CV over passes": over(passes.std(axis=1, ddof=1), passes.mean(axis=1)),
             "entropy, brain": means @ ENTROPY / means.sum(axis=1),
             "entropy, inside": over(means[:, inside] @ ENTROPY[inside],
                                     means[:, inside].sum(axis=1)),
             "predicted volume": -volume}
    if overlap is not None:
        found["Dice between passes"] = -overlap
    return found


def shares_by_head(heads):
    """[BOOTSTRAPS, scan]: how often each scan is drawn when heads are drawn."""
    distinct, of = np.unique(heads, return_inverse=True)
    drawn = np.random.default_rng(SEED).multinomial(
        len(distinct), np.full(len(distinct), 1 / len(distinct)), size=BOOTSTRAPS)
    return drawn[:, of]


def auroc(suspicion, bad, shares):
    """And its bootstrap values, NaN where a resample has no bad or no good scan."""
    worse = np.greater.outer(suspicion[bad], suspicion[~bad]) + 0.5 * np.equal.outer(
        suspicion[bad], suspicion[~bad])
    of_bad, of_good = shares[:, bad].astype(float), shares[:, ~bad].astype(float)
    pairs = of_bad.sum(axis=1) * of_good.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return worse.mean(), ((of_bad @ worse) * of_good).sum(axis=1) / pairs


def risk_curve(suspicion, bad):
    """Share of bad scans among the k least suspicious, k = 1 … n."""
    order = np.argsort(suspicion, kind="stable")
    return np.cumsum(bad[order]) / np.arange(1, len(bad) + 1)


def rows_of(name, region, outcome, found, bad, heads):
    shares = shares_by_head(heads)
    volume, volume_draws = auroc(found["predicted volume"], bad, shares)
    for measure, suspicion in found.items():
        value, draws = auroc(suspicion, bad, shares)
        curve = risk_curve(suspicion, bad)
        ends = np.nanquantile(draws, (0.025, 0.975))
        difference = np.nanquantile(draws - volume_draws, (0.025, 0.975))
        yield {"scans": name, "region": region, "outcome": outcome, "measure": measure,
               "n": len(bad), "bad": int(bad.sum()), "auroc": value, "auroc_lower": ends[0],
               "auroc_upper": ends[1], "to_volume": value - volume,
               "to_volume_lower": difference[0], "to_volume_upper": difference[1],
               "risk_coverage_area": curve.mean(),
               "bad_of_best_80": curve[round(0.8 * len(bad)) - 1],
               "bad_of_best_50": curve[round(0.5 * len(bad)) - 1]}


class Missing(Exception):
    """Of what has not been measured."""


def overlap_of(workplace, kind, run):
    if not dice.is_complete(workplace, kind, run):
        raise Missing
    return dice.read(workplace, kind, run)


class Scans:
    """What is known of the scans of some runs."""

    def __init__(self, workplace, runs, count=None, passes=False):
        self.cases, self.heads, self.rows, self.overlaps, self.between = [], [], [], {}, {}
        for run in runs:
            cases = read_cases(workplace, run)[0][:count]
            self.cases += cases
            self.heads += [case.case_id[-4:] for case in cases]
            self.rows.append(intervals_of(workplace, run))
            self.overlaps.update(overlap_of(workplace, "truth", run))
        if passes:
            self.between = overlap_of(workplace, "passes", FIRST_OF_TEST)

    def of(self, region):
        """Measures, {outcome: bad} and heads, of the scans that count."""
        ids = [case.case_id for case in self.cases]
        by_id = {method: {row["case_id"]: row for rows in self.rows for row in rows[region, method]}
                 for method in ("scaled", "level_sets")}
        scaled, raw = ([by_id[method][one] for one in ids] for method in by_id)
        truth = column(scaled, "reference_ml")
        overlap = np.array([self.overlaps[one, region] for one in ids])
        between = np.array([self.between[one, region] for one in ids]) if self.between else None
        found = measures_of(self.cases, region, scaled, raw, between)
        counts = (truth > LEAST_ML) & ~np.isnan(overlap)
        error = np.abs(column(scaled, "volume_ml") - truth)[counts] / truth[counts]
        bad = dict(zip(OUTCOMES, (overlap[counts] < LEAST_DICE, error > LARGEST_ERROR)))
        return ({name: values[counts] for name, values in found.items()}, bad,
                np.array(self.heads)[counts])


def draw(scans, out):
    figure, axes = pyplot.subplots(2, 3, figsize=(10, 6), sharex=True, layout="constrained")
    for column_of, region in enumerate(REGIONS):
        found, outcomes, _ = scans.of(region)
        for row, (outcome, bad) in enumerate(outcomes.items()):
            axis = axes[row][column_of]
            for measure, suspicion in found.items():
                colour, style = MEASURES[measure]
                curve = risk_curve(suspicion, bad)
                begin = len(bad) // 10
                axis.plot(np.arange(1, len(bad) + 1)[begin:] / len(bad), curve[begin:], style,
                          color=colour, label=measure, linewidth=1.3)
            axis.set_ylim(bottom=0)
            axis.set_title(f"{region.replace('_', ' ')}: {outcome}")
    for axis in axes[1]:
        axis.set_xlabel("share of scans kept, least suspicious first")
    for axis in axes[:, 0]:
        axis.set_ylabel("of these, bad")
    axes[0][0].legend(fontsize=8, frameon=False)
    save(figure, out / "quality.svg")


def shown(name, rows):
    """AUROC, a column for each region and outcome; bold where it beats the predicted volume."""
    pairs = list(dict.fromkeys((row["region"], row["outcome"]) for row in rows))
    header, lines = [f"AUROC [95 %], {name}"], {}
    for region, outcome in pairs:
        of = [row for row in rows if (row["region"], row["outcome"]) == (region, outcome)]
        header.append(f"{region}, {outcome} ({of[0]['bad']} of {of[0]['n']})")
        for row in of:
            cell = interval_text(row["auroc"], row["auroc_lower"], row["auroc_upper"])
            better = row["to_volume_lower"] > 0
            lines.setdefault(row["measure"], []).append(f"**{cell}**" if better else cell)
    return markdown(header, [(measure, *cells) for measure, cells in lines.items()])


def groups(workplace):
    """Name of a group of scans, its runs, and the arguments of Scans."""
    yield "test", [TEST], {}
    yield f"first {FIRST} of test", [TEST], {"count": FIRST, "passes": True}
    levels = [level for level, run in NOISE.items() if workplace.is_complete(run)]
    name = "noise, all levels" if len(levels) == len(NOISE) else f"noise {' '.join(levels)}"
    yield name, [NOISE[level] for level in levels], {}


def write(workplace, out):
    rows, missing = [], []
    for name, runs, options in groups(workplace):
        try:
            if not runs or not all(workplace.is_complete(run) for run in runs):
                raise Missing
            scans = Scans(workplace, runs, **options)
        except Missing:
            missing.append(name)
            continue
        if name == "test":
            draw(scans, out)
        for region in REGIONS:
            found, outcomes, heads = scans.of(region)
            for outcome, bad in outcomes.items():
                rows += rows_of(name, region, outcome, found, bad, heads)
    write_rows(out / "quality.csv", HEADER, [
        [row[key] if key in HEADER[:6] else f"{row[key]:.4g}" for key in HEADER] for row in rows])
    text = []
    for name in dict.fromkeys(row["scans"] for row in rows):
        text.append(shown(name, [row for row in rows if row["scans"] == name]))
    text += [f"{name}: {OUTSTANDING}." for name in missing]
    put_into(out / "README.md", "quality", "\n\n".join(text))
