#!/usr/bin/env python3
"""How many of the intervals that miss are flagged, and of those that hold.

    experiments/quality/misses.py tables/shifted_noise.csv=evaluations/shifted_noise …

Each word is a table of `mcvol interval --calibration` and what `mcvol evaluate` wrote of the same results by
that calibration. Prints, for each flag below and for any of them, the shares over all regions.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tables import fail, markdown, proportion_text, read_rows  # noqa: E402

FLAGS = ("low_quality", "uncertain", "outside_calibration_range", "unlike_calibration",
         "channels_exchanged", "wrong_orientation", "not_coregistered")


def rows_of(word, level):
    """(flags, covered) of every case and region."""
    volumes, _, evaluation = word.partition("=")
    flags = {(row["case_id"], row["region"]): set(row["flags"].split(";"))
             for row in read_rows(volumes)
             if row["status"] == "ok" and row["level"] == level}
    intervals = read_rows(Path(evaluation) / "intervals.csv")
    if not intervals:
        fail(f"{evaluation}: no interval")
    method = intervals[0]["method"]  # the calibration's comes first
    return [(flags[row["case_id"], row["region"]], row["covered"] == "1") for row in intervals
            if row["method"] == method and row["level"] == level]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("pairs", nargs="+", metavar="VOLUMES.csv=EVALUATION")
    parser.add_argument("--level", default="0.9")
    arguments = parser.parse_args()
    table = []
    for word in arguments.pairs:
        try:
            rows = rows_of(word, arguments.level)
        except (OSError, KeyError) as error:
            fail(f"{word}: {type(error).__name__}: {error}")
        missed = [flags for flags, covered in rows if not covered]
        held = [flags for flags, covered in rows if covered]
        for name, wanted in (*((f"`{flag}`", {flag}) for flag in FLAGS), ("any", set(FLAGS))):
            table.append([Path(word.partition("=")[0]).stem, name,
                          *(proportion_text(sum(bool(flags & wanted) for flags in some), len(some), 2)
                            for some in (missed, held))])
    print(markdown(["scans", "flag", "of intervals that miss", "of those that hold"], table))


if __name__ == "__main__":
    main()
