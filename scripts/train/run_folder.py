"""The folder of a training run: checkpoint.pt and log.csv."""
import csv
import hashlib
import io
import os
from pathlib import Path

import torch

CHECKPOINT, LOG = "checkpoint.pt", "log.csv"


class Refused(Exception):
    """What the user asked for cannot be done: one line that says what to do."""


def write_atomically(path, write):
    """`write(file)` beside `path`, which then appears whole or not at all."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.tmp")
    with open(beside, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_hashed_checkpoint(path):
    """A checkpoint and the SHA-256 of its file."""
    try:
        data = Path(path).read_bytes()
        return (torch.load(io.BytesIO(data), map_location="cpu", weights_only=True),
                hashlib.sha256(data).hexdigest())
    except FileNotFoundError:
        raise Refused(f"{path}: no such file") from None
    except Exception as error:  # torch.load raises what the bytes happen to provoke
        raise Refused(f"{path}: not a checkpoint of train.py ({error})") from None


def read_checkpoint(path):
    return read_hashed_checkpoint(path)[0]


def compare_options(path, saved, asked):
    """A run goes on with the options it began with."""
    for name in {**saved, **asked}:
        if saved.get(name) != asked.get(name):
            option = "--" + name.replace("_", "-")
            raise Refused(f"{path}: this run was begun with {option} {saved.get(name)}, found "
                          f"{asked.get(name)}; use the same, or another --out")


class Log:
    """log.csv: a row every few steps and at every validation, empty where nothing was measured."""

    def __init__(self, folder, columns, step):
        """Rows beyond `step`, of a run that was cut off, are taken away."""
        self.path = Path(folder) / LOG
        self.columns = ["step", *columns]
        rows = []
        if self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file)
                        if None not in row.values() and int(row["step"]) <= step]
        text = [",".join(self.columns)]
        text += [",".join(row.get(column) or "" for column in self.columns) for row in rows]
        write_atomically(self.path, lambda file: file.write(("\n".join(text) + "\n").encode()))

    def add(self, row):
        cells = {name: value if isinstance(value, int) else f"{value:.5g}"
                 for name, value in row.items() if value == value}
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, restval="", lineterminator="\n").writerow(cells)
