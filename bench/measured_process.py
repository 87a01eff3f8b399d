"""Whole processes of mcvol, measured: what the scripts of this folder share."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build/release/bin/mcvol"


class Refused(Exception):
    """mcvol said no; the text is what it said."""


def measured(command):
    """Runs a command: wall and CPU seconds and peak resident MB. Raises Refused."""
    # A process counts the memory of the one that started it (until exec) as its own: a small one
    # in between, which is this file.
    starter = [sys.executable, "-S", "-E", __file__]
    done = subprocess.run([*starter, *map(str, command)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr.strip() or f"exit code {done.returncode}")
    return json.loads(done.stdout)


def start_and_measure(command):
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"wall_s": seconds, "cpu_s": usage.ru_utime + usage.ru_stime,
                      "peak_mb": usage.ru_maxrss / 1024}))
    return process.returncode


def predict(program, scans, bundle, options):
    """Runs `mcvol predict`: what it took, its run.json and, by case_id, its records."""
    with tempfile.TemporaryDirectory(prefix="mcvol_bench_") as name:
        out = Path(name, "out")
        took = measured([program, "predict", *scans, "--model", bundle, "--out", out, "--quiet",
                         *options])
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        records = {path.stem: json.loads(path.read_text(encoding="utf-8"))
                   for path in (out / "cases").glob("*.json")}
    return took | {"run": run, "records": records}


def inspect(program, bundle):
    """What `mcvol inspect --json` says of a bundle."""
    done = subprocess.run([str(program), "inspect", str(bundle), "--json"], check=False,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"mcvol inspect failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def spread(values, digits=2):
    """Median, in brackets least and most."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f})")


def ratios(numerators, denominators):
    """Of pairs: machines drift, neighbours in time do not."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


if __name__ == "__main__":
    sys.exit(start_and_measure(sys.argv[1:]))
