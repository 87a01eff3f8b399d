"""What the experiments share: tables as CSV and Markdown, proportions, one line on what is wrong."""
import csv
import sys
from pathlib import Path

from scipy.stats import beta


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def print_table(title, header, rows):
    print(f"\n{title}\n\n{markdown(header, rows)}")


def proportion(part, whole):
    """Clopper-Pearson interval at 95 %."""
    low = beta.ppf(0.025, part, whole - part + 1) if part else 0.0
    high = beta.ppf(0.975, part + 1, whole - part) if part < whole else 1.0
    return low, high


def proportion_text(part, whole, digits=3):
    if not whole:
        return "-"
    low, high = proportion(part, whole)
    return f"{part / whole:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
