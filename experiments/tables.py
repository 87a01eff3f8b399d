"""What the experiments share: tables as CSV and Markdown, proportions, one line on what is wrong, mcvol's commands."""
import csv
import subprocess
import sys
from pathlib import Path

from scipy.stats import beta


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def run(*command):
    """Fails with the last line of what a command says of its failure."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3 is success with something left out
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        fail(f"{command[0]} {command[1]}: {lines[-1]}")


def write_references(path, rows, cases):
    """Those of the rows that are of the cases."""
    write_rows(path, list(rows[0]), [list(row.values()) for row in rows if row["case_id"] in cases])


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
