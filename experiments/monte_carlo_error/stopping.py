#!/usr/bin/env python3
"""How good estimates of the Monte Carlo error are, and where `--passes auto` stops by them.

    experiments/monte_carlo_error/stopping.py

Passes are logistic distributions of a volume (SD 1), shifted by normal draws, or lose the tumour: a
volume of LOST, without a spread. A bound is where their mean reaches 5 or 95 %. Estimates of its
standard error: the jackknife; Woodruff's interval (JASA 47, 1952), with d the standard error of the
mean of F_t at the bound half of Q(p + d) - Q(p - d); the larger of both. Prints two tables.
"""
import argparse

import numpy as np

LEVEL = 0.9
PROBABILITIES = (1 - LEVEL) / 2, (1 + LEVEL) / 2
LOOKS = (20, 40, 80, 160, 320)
# SD of the shifts, against an SD of 1 of each pass, and the share of passes that lose the tumour.
SCENES = ((0.1, 0), (0.3, 0), (1, 0), (3, 0), (10, 0), (0.3, 0.02), (0.3, 0.08), (0.3, 0.15))
LOST, STEP = -20, 1e-9
ESTIMATES = "jackknife", "Woodruff", "larger"
STEPS = 1200
SCALE = np.sqrt(3) / np.pi  # of a logistic distribution of SD 1


def logistic_cdf(x):
    return 0.5 * (1 + np.tanh(x / (2 * SCALE)))


def inverse(grid, rising, at):
    """Where each row of `rising` reaches `at`, by linear interpolation, clipped to the grid."""
    after = np.clip((rising < at[:, None]).sum(1), 1, len(grid) - 1)
    rows = np.arange(len(rising))
    low, high = rising[rows, after - 1], rising[rows, after]
    share = np.clip((at - low) / np.maximum(high - low, 1e-300), 0, 1)
    return grid[after - 1] + share * (grid[after] - grid[after - 1])


def look(grid, of_passes):
    """[2] bounds, and by estimate their standard errors, of F_t [T, grid]."""
    count = len(of_passes)
    total = of_passes.sum(0)
    bounds, errors = [], {name: [] for name in ESTIMATES}
    for probability in PROBABILITIES:
        bound = inverse(grid, total[None] / count, np.array([probability]))[0]
        if abs(bound - LOST) <= STEP:
            bound = LOST
        bounds.append(bound)
        without = (total - of_passes) / (count - 1)
        left_out = inverse(grid, without, np.full(count, probability))
        errors["jackknife"].append(
            np.sqrt((count - 1) / count * ((left_out - left_out.mean())**2).sum()))
        at_bound = np.array([np.interp(bound, grid, row) for row in of_passes])
        distance = at_bound.std(ddof=1) / np.sqrt(count)
        ends = np.clip([probability - distance, probability + distance], probability / 10,
                       1 - (1 - probability) / 10)
        low, high = inverse(grid, np.repeat(total[None] / count, 2, 0), ends)
        errors["Woodruff"].append((high - low) / 2)
        errors["larger"].append(max(errors["jackknife"][-1], errors["Woodruff"][-1]))
    return np.array(bounds), {name: np.array(found) for name, found in errors.items()}


def repetitions(spread, lost, count, seed):
    """Bounds and errors of `count` scans at each look, and the bounds of endless passes."""
    generator = np.random.default_rng(seed)
    reach = 12 * SCALE + 5 * spread
    grid = np.linspace(LOST if lost else -reach, reach, STEPS)
    if lost:  # a step, in place of a slope over the first of the cells
        grid = np.concatenate([[LOST - STEP], grid])

    def drawn(passes):
        cdfs = logistic_cdf(grid - generator.normal(0, spread, passes)[:, None])
        cdfs[generator.random(passes) < lost] = grid >= LOST
        return cdfs

    endless = np.mean([drawn(1000).mean(0) for _ in range(50)], axis=0)
    truth = inverse(grid, np.repeat(endless[None], 2, 0), np.array(PROBABILITIES))
    bounds = np.empty((count, len(LOOKS), 2))
    errors = {name: np.empty((count, len(LOOKS), 2)) for name in ESTIMATES}
    for repetition in range(count):
        of_passes = drawn(LOOKS[-1])
        for index, passes in enumerate(LOOKS):
            bounds[repetition, index], found = look(grid, of_passes[:passes])
            for name, values in found.items():
                errors[name][repetition, index] = values
    return truth, bounds, errors


def stops(small_enough, in_a_row):
    """The look at which each scan stops: the first that ends a row of looks that are good enough."""
    ends = small_enough.copy()
    for back in range(1, in_a_row):
        ends[:, back:] &= small_enough[:, :-back]
        ends[:, :back] = False
    ends[:, -1] = True
    return ends.argmax(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=1000)
    arguments = parser.parse_args()
    estimates, rules = [], []
    for spread, lost in SCENES:
        truth, bounds, errors = repetitions(spread, lost, arguments.scans, 1)
        scene = f"{spread:g}" + (f", {lost:.0%} lost" if lost else "")
        scatter = bounds.std(0, ddof=1)  # [look, bound]
        width = truth[1] - truth[0]
        for index, passes in enumerate(LOOKS):
            cells = []
            for found in errors.values():
                if scatter[index].min() <= STEP:
                    cells += ["none", "none"]
                    continue
                ratio = found[:, index] / scatter[index]
                cells += [f"{np.sqrt((ratio**2).mean()):.2f}",
                          " to ".join(f"{value:.2f}" for value in np.quantile(ratio, (0.1, 0.9)))]
            estimates.append((scene, passes, f"{scatter[index].mean() / width:.3f}", *cells))
        widths = bounds[..., 1] - bounds[..., 0]
        for tolerance in (0.05, 0.1):
            for name, found in errors.items():
                enough = (found <= tolerance * widths[..., None]).all(2)
                for in_a_row in (1, 2):
                    stop = stops(enough, in_a_row)
                    scans = np.arange(len(stop))
                    off = (bounds[scans, stop] - truth) / width
                    said = found[scans, stop] / width
                    rules.append((
                        scene, f"{tolerance:g}", name, in_a_row,
                        f"{np.array(LOOKS)[stop].mean():.0f}",
                        f"{np.sqrt((off**2).mean()):.3f}", f"{np.sqrt((said**2).mean()):.3f}",
                        f"{(np.abs(off) > 2 * tolerance).mean():.3f}"))
    print("| SD of shifts | passes | scatter / width | " + " | ".join(
        f"{name} / scatter, RMS | of 80 %" for name in ESTIMATES) + " |\n|" + "---|" * 9)
    for row in estimates:
        print("| " + " | ".join(map(str, row)) + " |")
    print("\n| SD of shifts | tolerance | estimate | looks in a row | mean passes | error / width, RMS "
          "| recorded | off by more than two tolerances |\n|" + "---|" * 8)
    for row in rules:
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
