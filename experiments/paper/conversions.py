"""Experiments b and f: coverage, width and interval score by conversion, scope and method."""
import math

import matplotlib
import numpy as np
from scipy.special import ndtr, ndtri

from common import (LEAST_ML, LEVEL, OUTSTANDING, REGIONS, coverage_text, interval_score,
                    interval_text, number, put_into, ratio_of_means)
from tables import markdown, proportion, read_rows, write_rows
from figures import save
from plan import CALIBRATION, FIRST, SCOPES, TEST
import records
from volumes import CONVERSIONS, predicted, read_cases

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

FAR = 1e9
METHODS = ("raw", "quantile", "conformal", "scaled")
OWN_METHODS = ("scaled", "conformal", "quantile", "size_only", "no_dropout", "level_sets")
HEADER = ("scope", "n_calibration", "n_test", "region", "conversion", "method", "covered", "coverage",
          "coverage_lower", "coverage_upper", "mean_width_ml", "mean_width_root",
          "interval_score_ml", "interval_score_root")


def at_probit(predictions, lower, upper):
    """Intervals from quantiles of each scan's distribution; outside all passes: 0 and no bound."""
    low = np.array([0 if lower == -math.inf else of(lower) for of in predictions.quantile])
    high = np.array([math.inf if upper == math.inf else of(upper) for of in predictions.quantile])
    return low, high


def empirical_quantiles(ranks, tail):
    """Infinite where they lie between or at truths outside all passes."""
    found = np.quantile(np.clip(ranks, -FAR, FAR), (tail, 1 - tail))
    return np.where(np.abs(found) > records.MAX_PROBIT, np.sign(found) * math.inf, found)


def bounds(calibration, test, method):
    """Lower and upper roots for the test scans."""
    tail = (1 - LEVEL) / 2
    n = len(calibration.truth)
    k = math.floor((n + 1) * tail + 1e-9)
    if method == "raw":
        return at_probit(test, ndtri(tail), ndtri(1 - tail))
    if method == "quantile":
        return at_probit(test, *empirical_quantiles(calibration.ranks, tail))
    if method == "conformal":
        ranks = np.sort(calibration.ranks)
        return at_probit(test, ranks[k - 1], ranks[n - k])
    scores = np.sort((calibration.truth - calibration.mean) / calibration.sd)
    return test.mean + scores[k - 1] * test.sd, test.mean + scores[n - k] * test.sd


def scored(test, lower, upper):
    least = np.cbrt(LEAST_ML)
    lower = np.where(lower <= least, 0, lower)
    upper = np.maximum(upper, least)
    truth = test.truth
    covered = int(((lower <= truth + 1e-9) & (truth <= upper + 1e-9)).sum())
    return {"n_test": len(truth), "covered": covered, "mean_width_ml": (upper**3 - lower**3).mean(),
            "mean_width_root": (upper - lower).mean(),
            "interval_score_ml": interval_score(truth**3, lower**3, upper**3).mean(),
            "interval_score_root": interval_score(truth, lower, upper).mean()}


def pairs_of(workplace):
    """(scope, calibration run, test run, scans of each)."""
    yield "channel", CALIBRATION, TEST, None
    yield "channel", CALIBRATION, TEST, FIRST
    for scope, (calibration, test) in SCOPES.items():
        yield scope, calibration, test, FIRST


def python_rows(scope, cases, truths, count, ranks):
    for region in REGIONS:
        for conversion in CONVERSIONS:
            calibration, test = (predicted(of[:count], truth[region][:count], region, conversion)
                                 for of, truth in zip(cases, truths))
            if count is None:
                ranks[region, conversion] = calibration.ranks, test.ranks
            for method in METHODS:
                yield {"scope": scope, "n_calibration": len(calibration.truth), "region": region,
                       "conversion": conversion, "method": method,
                       **scored(test, *bounds(calibration, test, method))}


def own_rows(workplace, scope, runs, count):
    """What mcvol calibrate and mcvol evaluate say; rho is theirs to choose."""
    name = f"{scope}-{count or 'all'}"
    folder = workplace.results / "evaluations" / name
    folder.mkdir(parents=True, exist_ok=True)
    for run, path in zip(runs, ("calibration.csv", "test.csv")):
        chosen = set(workplace.case_ids(run)[:count])
        write_rows(folder / path, ("case_id", "region", "volume_ml"),
                   [(row["case_id"], row["region"], row["volume_ml"])
                    for row in read_rows(workplace.references(run.cohort))
                    if row["case_id"] in chosen])
    calibration, test = (workplace.results / run.name for run in runs)
    workplace.call(workplace.mcvol, "calibrate", calibration, "--references",
                   folder / "calibration.csv", "--simulated", "--output",
                   folder / "calibration.json", "--quiet")
    workplace.call(workplace.mcvol, "evaluate", test, "--references", folder / "test.csv",
                   "--calibration", folder / "calibration.json", "--level", LEVEL, "--out",
                   folder, "--quiet")
    n_calibration = len(workplace.case_ids(runs[0])[:count])
    for row in read_rows(folder / "coverage.csv"):
        if row["stratum"] == "all":
            yield {"scope": scope, "n_calibration": n_calibration, "region": row["region"],
                   "conversion": "mcvol", "method": row["method"], "n_test": int(row["n"]),
                   "covered": int(row["covered"]),
                   **{key: float(row[key]) for key in HEADER[-4:]}}


def draw_reliability(ranks, out):
    nominal = np.linspace(0.025, 0.975, 39)
    styles = {"threshold": ("0.55", "-", "passes, thresholded"), "bernoulli": ("0.55", ":", "voxels "
              "drawn one by one"), "copula 0.5": ("black", "-.", "copula, rho 0.5"),
              "level_set": ("black", ":", "level sets")}
    figure, axes = pyplot.subplots(1, 3, figsize=(10, 3.7), sharey=True, layout="constrained")
    for axis, region in zip(axes, REGIONS):
        axis.axline((0, 0), slope=1, color="0.8", linewidth=0.8)
        for conversion, (colour, style, label) in styles.items():
            below = ndtr(ranks[region, conversion][1])
            axis.plot(nominal, [(below <= q).mean() for q in nominal], style, color=colour,
                      label=label, linewidth=1.3)
        calibration, test = (ndtr(one) for one in ranks[region, "level_set"])
        axis.plot(nominal, [(test <= np.quantile(calibration, q)).mean() for q in nominal], "-",
                  color="black", label="level sets, calibrated", linewidth=1.6)
        axis.set(title=region.replace("_", " "), xlabel="nominal quantile", xlim=(0, 1), ylim=(0, 1))
    axes[0].set_ylabel("share of true volumes below it")
    axes[0].legend(fontsize=8, frameon=False)
    save(figure, out / "reliability.svg")


def cells_of(row):
    low, high = proportion(row["covered"], row["n_test"])
    return [row[name] for name in HEADER[:7]] + [
        f"{value:.4g}" for value in (row["covered"] / row["n_test"], low, high,
                                     *(row[name] for name in HEADER[-4:]))]


def shown_calibration(rows):
    """b: raw and calibrated, conversion by conversion, on 300 scans."""
    large = [row for row in rows if row["scope"] == "channel" and row["n_calibration"] > FIRST]
    for region in REGIONS:
        for conversion in CONVERSIONS:
            of = {row["method"]: row for row in large
                  if (row["region"], row["conversion"]) == (region, conversion)}
            yield (region, conversion,
                   *(coverage_text(of[m]["covered"], of[m]["n_test"]) for m in METHODS),
                   *(number(of[m]["mean_width_ml"], 1) for m in METHODS))


def shown_methods(rows, conversions):
    """f: interval score of V^(1/3) and coverage, a column a scope."""
    scopes = list(dict.fromkeys((row["scope"], row["n_calibration"]) for row in rows))
    header = ["region", "conversion", "method", *(f"{s}, {n} + {n}" for s, n in scopes)]
    lines = []
    for region in REGIONS:
        for conversion in conversions:
            for method in (OWN_METHODS if conversion == "mcvol" else ("raw", "scaled")):
                cells = []
                for scope, n in scopes:
                    row = next(r for r in rows if (r["scope"], r["n_calibration"], r["region"],
                               r["conversion"], r["method"]) == (scope, n, region, conversion, method))
                    cells.append(f"{number(row['interval_score_root'], 2)} "
                                 f"({row['covered'] / row['n_test']:.2f}; "
                                 f"{number(row['mean_width_ml'], 1)} ml)")
                lines.append((region, conversion, method, *cells))
    return header, lines


def scores_of(workplace, name):
    """Interval scores of V^(1/3) of the scans by (region, method)."""
    found = {}
    rows = read_rows(workplace.results / "evaluations" / name / "intervals.csv")
    for row in sorted(rows, key=lambda row: row["case_id"]):
        found.setdefault((row["region"], row["method"]), []).append(
            float(row["interval_score_root"]))
    return {key: np.array(values) for key, values in found.items()}


def shown_scopes(workplace):
    """Ratios of mean interval scores on the same scans: masks per element over other things."""
    element, channel, native = (scores_of(workplace, f"{scope}-{FIRST}")
                                for scope in ("element", "channel", "native"))
    lines = []
    for region in REGIONS:
        for method in OWN_METHODS[:3]:
            of = element[region, method]
            others = (channel[region, method], native[region, method],
                      element[region, "no_dropout"], element[region, "size_only"])
            lines.append((region, method, *(interval_text(*ratio_of_means(of, one))
                                            for one in others)))
    return markdown(("region", "method", "element to channel [95 %]", "to native", "to no_dropout",
                     "to size_only"), lines)


def write(workplace, out):
    rows, ranks, missing, read = [], {}, [], {}
    for scope, calibration, test, count in pairs_of(workplace):
        if not all(workplace.is_complete(run) for run in (calibration, test)):
            missing.append(scope)
            continue
        if scope not in read:
            read[scope] = list(zip(*(read_cases(workplace, run) for run in (calibration, test))))
        cases, truths = read[scope]
        rows += python_rows(scope, cases, truths, count, ranks)
        rows += own_rows(workplace, scope, (calibration, test), count)
    write_rows(out / "conversions.csv", HEADER, [cells_of(row) for row in rows])
    draw_reliability(ranks, out)
    put_into(out / "README.md", "calibration", markdown(
        ("region", "conversion", *(f"coverage: {m} [95 %]" for m in METHODS),
         *(f"mean width, ml: {m}" for m in METHODS)), shown_calibration(rows)))
    put_into(out / "README.md", "scopes",
             OUTSTANDING if missing else shown_scopes(workplace))
    note = "".join(f"\n\nScope `{scope}`: {OUTSTANDING}." for scope in missing)
    put_into(out / "README.md", "methods",
             markdown(*shown_methods(rows, ("mcvol", "level_set", "copula 0.2", "threshold"))) + note)
