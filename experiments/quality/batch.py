#!/usr/bin/env python3
"""How the p-value of a whole batch is distributed: over batches drawn like the calibration's scans, and
over batches of other cohorts.

    experiments/quality/batch.py --mcvol BIN --calibration CALIBRATION.json --pool RESULT [RESULT ...]
        [--batches RESULT ...] [--size 40] [--draws 200] --out FILE.csv

In each draw the scans of the pool are parted anew: some are the batch, as many as CALIBRATION knows are
the calibration's scans (their image quality metrics take the place of its own), and the page of
`mcvol report` says p. The pool's p-values should be uniform: Kolmogorov and Smirnov's test says whether they are, which tests the
program: scans of one pool are exchangeable. Batches of other cohorts (--batches) are held against the calibration as it
is; draws of one cohort overlap, so that their shares have no interval. FILE.csv has a row a draw. Needs numpy and scipy.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import kstest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tables import fail, markdown, proportion_text, write_rows  # noqa: E402

P_VALUE = re.compile(r"([0-9]+) scans and the [0-9]+ of the calibration[^(]*\(p = ([0-9.]+)\)")


def cases_of(results):
    """Paths of the measured cases' records."""
    return [path for folder in results for path in sorted((folder / "cases").glob("*.json"))]


def quality_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["image_quality"]


def p_value_of(arguments, run, calibration, batch):
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "cases").mkdir()
        (work / "run.json").write_bytes(run.read_bytes())
        for path in batch:  # ids differ between cohorts
            (work / "cases" / path.name).symlink_to(path.resolve())
        (work / "calibration_of_draw.json").write_text(json.dumps(calibration), encoding="utf-8")
        done = subprocess.run([arguments.mcvol, "report", work, "--calibration",
                               work / "calibration_of_draw.json", "--output", work / "page.html",
                               "--no-thumbnails", "--quiet"],
                              capture_output=True, text=True, check=False)
        page = work / "page.html"
        found = P_VALUE.search(page.read_text(encoding="utf-8")) if page.exists() else None
    if found is None:
        fail(f"mcvol report: no p-value of the batch; {done.stderr.strip()}")
    if int(found.group(1)) != len(batch):
        fail(f"mcvol report compared {found.group(1)} scans, expected {len(batch)}")
    return float(found.group(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mcvol", required=True, help="the program")
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--pool", type=Path, nargs="+", required=True)
    parser.add_argument("--batches", type=Path, nargs="*", default=[])
    parser.add_argument("--size", type=int, default=40, help="scans of a batch (40)")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    calibration = json.loads(arguments.calibration.read_text(encoding="utf-8"))
    pool = cases_of(arguments.pool)
    count = len(calibration["image_quality"])
    if len(pool) < count + arguments.size:
        fail(f"{len(pool)} scans in the pool, expected {count} and {arguments.size}")
    quality = {path: quality_of(path) for path in pool}
    rows = []
    for draw in range(arguments.draws):
        order = np.random.default_rng(draw).permutation(len(pool))
        batch = [pool[n] for n in order[:arguments.size]]
        rest = [quality[pool[n]] for n in order[arguments.size:arguments.size + count]]
        drawn = {**calibration, "scans": [],  # else its own scans are left out of the batch
                 "image_quality": sorted(rest, key=lambda scan: scan["brain_ml"])}
        rows.append(("pool", draw, p_value_of(arguments, arguments.pool[0] / "run.json", drawn, batch)))
    for results in arguments.batches:
        cases = cases_of([results])
        if len(cases) <= arguments.size:
            fail(f"{results}: {len(cases)} scans, expected more than a batch of {arguments.size}")
        for draw in range(arguments.draws):
            order = np.random.default_rng(draw).permutation(len(cases))
            batch = [cases[n] for n in order[:arguments.size]]
            rows.append((results.name, draw,
                         p_value_of(arguments, results / "run.json", calibration, batch)))
    write_rows(arguments.out, ("batches", "draw", "p_value"), rows)
    table = []
    for name in dict.fromkeys(row[0] for row in rows):
        values = np.array([row[2] for row in rows if row[0] == name])
        test = kstest(values, "uniform")
        below = int((values < 0.01).sum())
        is_pool = name == "pool"
        table.append((name, len(values),
                      proportion_text(below, len(values), 3) if is_pool else f"{below / len(values):.3f}",
                      f"{np.median(values):.4f}", f"{values.max():.4f}",
                      f"{test.pvalue:.3g}" if is_pool else ""))
    print(markdown(("batches", "draws", "p < 0.01", "median p", "largest p",
                    "p of Kolmogorov and Smirnov"), table))


if __name__ == "__main__":
    main()
