#!/usr/bin/env python3
"""How often the scans of result folders carry each flag.

    experiments/quality/flags.py results/development_2 results/swap …

Prints a row a folder: scans, and for each flag that is about the scan the share that carries it.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tables import fail, markdown, proportion_text, read_rows  # noqa: E402

FLAGS = ("unlike_calibration", "channels_exchanged", "wrong_orientation", "not_coregistered",
         "large_brain")


def flags_of(folder):
    """{case_id: flags of any region} of the measured cases."""
    cases = {}
    for row in read_rows(Path(folder) / "volumes.csv"):
        if row["status"] == "ok":
            cases.setdefault(row["case_id"], set()).update(row["flags"].split(";"))
    if not cases:
        fail(f"{folder}: no measured case in volumes.csv")
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("results", nargs="+", help="result folders, measured with a calibration")
    parser.add_argument("--leave-out", type=Path,
                        help="table of references: its case_ids are not counted")
    arguments = parser.parse_args()
    left_out = {row["case_id"] for row in read_rows(arguments.leave_out)} if arguments.leave_out else ()
    rows = []
    for folder in arguments.results:
        cases = [flags for case, flags in flags_of(folder).items() if case not in left_out]
        if not cases:
            continue
        counts = [sum(flag in flags for flags in cases) for flag in FLAGS]
        either = sum(any(flag in flags for flag in FLAGS) for flags in cases)
        rows.append([Path(folder).name, len(cases),
                     *(proportion_text(count, len(cases), 2) for count in (*counts, either))])
    print(markdown(["scans", "n", *(f"`{flag}`" for flag in FLAGS), "any of them"], rows))


if __name__ == "__main__":
    main()
