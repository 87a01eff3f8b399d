"""Experiment d: the same scans at five levels of noise, with the bundled calibration."""
import matplotlib
import numpy as np

from common import (LEAST_ML, LEVEL, OUTSTANDING, REGIONS, coverage_text, interval_text, number,
                    put_into, ratio_of_means)
from tables import markdown, proportion, read_rows, write_rows
import dice
from figures import save
from plan import NOISE

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

HEADER = ("noise", "region", "n", "dice_median", "error_root_mean", "relative_error_median",
          "width_root_mean", "relative_width_median", "covered", "coverage_lower", "coverage_upper",
          "raw_width_root_mean", "raw_covered", "flagged", "error_ratio", "error_ratio_lower",
          "error_ratio_upper", "width_ratio", "width_ratio_lower", "width_ratio_upper")


def intervals_of(workplace, run):
    """Rows of intervals.csv by (region, method), in the order of the scans."""
    folder = workplace.results / "evaluations" / run.name
    workplace.call(workplace.mcvol, "evaluate", workplace.results / run.name, "--references",
                   workplace.references(run.cohort), "--calibration",
                   workplace.model / "calibration.json", "--level", LEVEL, "--out", folder,
                   "--quiet")
    found = {}
    for row in read_rows(folder / "intervals.csv"):
        found.setdefault((row["region"], row["method"]), []).append(row)
    return {key: sorted(rows, key=lambda row: row["case_id"]) for key, rows in found.items()}


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def measures(rows, raw, overlaps, complete):
    truth, volume = column(rows, "reference_ml"), column(rows, "volume_ml")
    lower, upper = column(rows, "lower_ml"), column(rows, "upper_ml")
    there = truth > LEAST_ML
    return {"n": len(rows), "error": np.abs(np.cbrt(volume) - np.cbrt(truth)),
            "relative_error": np.median(np.abs(volume - truth)[there] / truth[there]),
            "width": np.cbrt(upper) - np.cbrt(lower),
            "relative_width": np.median((upper - lower)[volume > 0] / volume[volume > 0]),
            "covered": int(column(rows, "covered").sum()), "flagged": int(column(rows, "flagged").sum()),
            "raw_width": np.cbrt(column(raw, "upper_ml")) - np.cbrt(column(raw, "lower_ml")),
            "raw_covered": int(column(raw, "covered").sum()),
            "dice": np.nanmedian(overlaps) if complete else np.nan}


def measured(workplace):
    """{(noise, region): measures} of the levels that are complete."""
    found = {}
    for level, run in NOISE.items():
        if not workplace.is_complete(run):
            continue
        intervals = intervals_of(workplace, run)
        overlaps = dice.read(workplace, "truth", run)
        for region in REGIONS:
            rows = intervals[region, "scaled"]
            of = [overlaps.get((row["case_id"], region), np.nan) for row in rows]
            found[level, region] = measures(rows, intervals[region, "level_sets"], of,
                                            dice.is_complete(workplace, "truth", run))
    return found


def draw(found, levels, out):
    figure, axes = pyplot.subplots(1, 3, figsize=(10, 3.5), layout="constrained")
    x = [float(level) for level in levels]
    styles = dict(zip(REGIONS, (("black", "-", "o"), ("black", "--", "s"), ("0.5", "-", "^"))))
    for region, (colour, style, mark) in styles.items():
        of = [found[level, region] for level in levels]
        options = {"color": colour, "linestyle": style, "marker": mark, "markersize": 4,
                   "label": region.replace("_", " ")}
        axes[0].plot(x, [one["error"].mean() for one in of], **options)
        axes[1].plot(x, [one["width"].mean() for one in of], **options)
        shares = np.array([one["covered"] / one["n"] for one in of])
        ends = np.array([proportion(one["covered"], one["n"]) for one in of]).T
        shift = {"whole_tumour": 0.96, "tumour_core": 1, "enhancing_tumour": 1.04}[region]
        axes[2].errorbar(np.array(x) * shift, shares, [shares - ends[0], ends[1] - shares],
                         capsize=2, linewidth=1, **options)
    axes[2].axhline(LEVEL, color="0.8", linewidth=0.8)
    for axis, title in zip(axes, ("mean error of V^(1/3), ml^(1/3)", "mean width, ml^(1/3)",
                                  "coverage of 90 % intervals")):
        axis.axvspan(0.005, 0.06, color="0.93", zorder=0)
        axis.set(xscale="log", title=title, xlabel="noise (grey: as in training)")
        axis.set_xticks(x, levels)
        axis.minorticks_off()
    axes[0].legend(fontsize=8, frameon=False)
    axes[0].set_ylim(bottom=0)
    axes[1].set_ylim(bottom=0)
    save(figure, out / "noise.svg")


def write(workplace, out):
    found = measured(workplace)
    levels = [level for level in NOISE if (level, REGIONS[0]) in found]
    cells, lines = [], []
    for region in REGIONS:
        for level in levels:
            one, first = found[level, region], found.get(("0.01", region))
            ratios = [ratio_of_means(one[key], first[key]) if first else (np.nan,) * 3
                      for key in ("error", "width")]
            low, high = proportion(one["covered"], one["n"])
            values = (one["dice"], one["error"].mean(), one["relative_error"], one["width"].mean(),
                      one["relative_width"], one["covered"], low, high, one["raw_width"].mean(),
                      one["raw_covered"], one["flagged"], *ratios[0], *ratios[1])
            cells.append((level, region, one["n"], *(f"{value:.4g}" for value in values)))
            lines.append((region, level, number(one["dice"], 2), f"{one['error'].mean():.3f}",
                          f"{100 * one['relative_error']:.0f} %", interval_text(*ratios[0]),
                          f"{one['width'].mean():.2f}", interval_text(*ratios[1]),
                          coverage_text(one["covered"], one["n"]),
                          f"{one['raw_covered'] / one['n']:.2f}", f"{one['flagged']} of {one['n']}"))
    lines += [("all", level, OUTSTANDING, *[""] * 8) for level in NOISE if level not in levels]
    write_rows(out / "noise.csv", HEADER, cells)
    put_into(out / "README.md", "noise", markdown(
        ("region", "noise", "Dice, median", "error of V^(1/3), mean", "relative error, median",
         "error to that at 0.01", "width of V^(1/3), mean", "width to that at 0.01",
         "coverage [95 %]", "raw level sets", "flagged"), lines))
    if levels:
        draw(found, levels, out)
