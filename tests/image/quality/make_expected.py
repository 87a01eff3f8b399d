"""Prints what image_quality() of the scan in image_quality_test.cpp is by numpy: the numbers in that test.

    python3 tests/image/quality/make_expected.py
"""

import itertools

import numpy as np

SIZE, SPACING_MM = (14, 12, 10), (1.0, 1.5, 3.0)
BINS = 32


def scan():
    """Channels [i, j, k] and brain, of whole numbers so that every language has the same."""
    i, j, k = np.meshgrid(*(np.arange(n) for n in SIZE), indexing="ij")
    brain = 4 * (i - 6) ** 2 + 3 * np.maximum(i - 6, 0) ** 2 + 5 * (j - 5) ** 2 < 40 + 11 * k + (j > 5) * 30
    brain &= ((i + 2 * j) % 11 > 0) & (k > 0)
    first = (7 * i + 13 * j + 29 * k + 3 * i * j + i * j * k % 11) % 31 / 8 + k / 2
    second = first * 0.75 + (5 * i + 3 * j * j + 17 * k + i * k) % 23 / 4
    third = (11 * i + j * k * 7 + 3 * i * i) % 29 / 16 - i / 4
    return [first, second, third], brain


def pearson(a, b):
    return np.corrcoef(a, b)[0, 1]


def shifted(array, shift, fill):
    """array[v + shift] at v."""
    result = np.full(array.shape, fill, dtype=array.dtype)
    to = [slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, array.shape)]
    of = [slice(max(0, s), n - max(0, -s)) for s, n in zip(shift, array.shape)]
    result[tuple(to)] = array[tuple(of)]
    return result


def steps(axis, by):
    shift = [0, 0, 0]
    shift[axis] = by
    return shift


def noise(channel, brain):
    inside, difference = brain.copy(), np.zeros(SIZE)
    for shift in itertools.product((-1, 0, 1), repeat=3):
        weight = np.prod([-2 if s == 0 else 1 for s in shift])
        inside &= shifted(brain, shift, False)
        difference += weight * shifted(channel, shift, 0.0)
    values = np.sort(np.abs(difference[inside]))
    return values[(len(values) - 1) // 2] / (0.6744897501960817 * 6**1.5) / channel[brain].std()


def information(first, other, brain, shift):
    both = brain & shifted(brain, shift, False)
    a, b = first[both], shifted(other, shift, 0.0)[both]
    edges = [np.linspace(*np.quantile(c[brain], [0.01, 0.99]), BINS + 1) for c in (first, other)]
    clipped = [np.clip(v, e[0], e[-1]) for v, e in zip((a, b), edges)]
    joint = np.histogram2d(*clipped, bins=edges)[0] / len(a)
    expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return (joint[joint > 0] * np.log(joint[joint > 0] / expected[joint > 0])).sum()


def mirrored(array, axis, twice_centre, fill):
    result = np.full(array.shape, fill, dtype=array.dtype)
    for index in range(SIZE[axis]):
        if 0 <= twice_centre - index < SIZE[axis]:
            at = [slice(None)] * 3
            at[axis] = index
            of = list(at)
            of[axis] = twice_centre - index
            result[tuple(at)] = array[tuple(of)]
    return result


def tail_asymmetry(one, other, brain, reach):
    difference = one - other
    inside, around = brain.copy(), np.zeros(SIZE)
    for axis in range(3):
        for sign in (-1, 1):
            inside &= shifted(brain, steps(axis, sign * reach[axis]), False)
            around += shifted(difference, steps(axis, sign * reach[axis]), 0.0)
    low, middle, high = np.quantile((difference - around / 6)[inside], [0.0005, 0.5, 0.9995])
    return (high + low - 2 * middle) / (high - low)


def main():
    channels, brain = scan()
    index = np.meshgrid(*(np.arange(n) for n in SIZE), indexing="ij")
    show = lambda name, values: print(name, [float(f"{v:.12g}") for v in np.ravel(values)])
    show("brain_ml", brain.sum() * np.prod(SPACING_MM) / 1000)
    standardised = [(i[brain] - i[brain].mean()) / i[brain].std() for i in index]
    show("coordinate_correlation", [pearson(standardised[a], standardised[b]) for a, b in ((0, 1), (0, 2), (1, 2))])
    mean = sum((c - c[brain].mean()) / c[brain].std() for c in channels) / len(channels)
    for axis in range(3):
        x = index[axis][brain]
        z = standardised[axis]
        centre = int(np.floor(2 * x.mean() + 0.5))
        both = brain & mirrored(brain, axis, centre, False)
        show(f"axis {axis}: spread, coskewness, overlap, correlation", [
            x.std() * SPACING_MM[axis], *[(z * standardised[b]**2).mean() for b in range(3)],
            both.sum() / brain.sum(),
            pearson(mean[both], mirrored(mean, axis, centre, 0.0)[both])])
    shifts = [[int(np.ceil(mm / s)) for s in SPACING_MM] for mm in (2, 4)]
    print("shifts", shifts)
    for n, channel in enumerate(channels):
        inside = channel[brain]
        show(f"channel {n}: quantiles", np.quantile(inside, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]))
        show("noise", noise(channel, brain))
        sharpness = []
        for axis in range(3):
            both = brain & shifted(brain, steps(axis, 1), False)
            sharpness.append(np.abs(shifted(channel, steps(axis, 1), 0.0) - channel)[both].mean() / inside.std())
        show("sharpness", sharpness)
        show("axis_correlation", [pearson(inside, index[axis][brain]) for axis in range(3)])
        show("correlations", [pearson(channels[m][brain], inside) for m in range(n)])
        show("difference_asymmetry", [tail_asymmetry(channel, channels[m], brain, shifts[-1]) for m in range(n)])
        if n == 0:
            continue
        show("unshifted", information(channels[0], channel, brain, (0, 0, 0)))
        show("shifted", [information(channels[0], channel, brain, steps(axis, sign * by[axis]))
                         for by in shifts for axis in range(3) for sign in (-1, 1)])


if __name__ == "__main__":
    main()
