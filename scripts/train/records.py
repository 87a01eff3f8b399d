"""Reads what mcvol wrote (docs/files.md) and the references of a simulated cohort, and turns
probability histograms into distributions of volumes (docs/method.md).
"""
import base64
import binascii
import csv
import functools
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import log_expit, log_ndtr, ndtr, ndtri_exp

NODES = 257  # of a probability histogram, equally spaced in logit(p) on [-16, 16]
VOXEL_WEIGHT = 65536  # a voxel in the fixed point of a histogram
RECORD_FORMAT = 4
NODE_LOGITS = np.linspace(-16, 16, NODES)
NODE_PROBITS = -np.sign(NODE_LOGITS) * ndtri_exp(log_expit(-np.abs(NODE_LOGITS)))
MAX_PROBIT = 1e3


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


@dataclass
class RegionRecord:
    """Histograms of a region: int64, VOXEL_WEIGHT a voxel; counts of p > 0.5 in voxels."""
    passes: np.ndarray  # [passes, NODES]
    above_half: np.ndarray  # [passes]
    mean: np.ndarray  # [NODES], of the mean probability over passes
    mean_above_half: int


@dataclass
class CaseRecord:
    case_id: str
    run_identity: str
    voxel_ml: float
    passes: int
    regions: dict  # name: RegionRecord


@dataclass
class Reference:
    volume_ml: float  # of the simulator's fine grid
    label_volume_ml: float  # of the label map; NaN where the file does not say


def read_json(path):
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{path}: not a JSON file that can be read ({error})")


def read_rows(path, columns):
    """The rows of a CSV as dictionaries; `columns` are those it must have."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                fail(f"{path}: no column '{missing[0]}' (expected {', '.join(columns)})")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        fail(f"{path}: not a CSV file that can be read ({error})")


def ml_in(text, where):
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        fail(f"{where}: expected a volume in ml, found '{text}'")
    return value


def counts_from_base64(text, histograms, where):
    """[histograms, NODES] of little-endian int64."""
    try:
        counts = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i8")
    except (TypeError, ValueError, binascii.Error) as error:
        fail(f"{where}: not base64 of 64-bit integers ({error})")
    if counts.size != histograms * NODES:
        fail(f"{where}: expected {histograms} x {NODES} counts, found {counts.size}")
    counts = counts.reshape(histograms, NODES).astype(np.int64)
    if (counts < 0).any() or (counts.sum(axis=1) % VOXEL_WEIGHT).any():
        fail(f"{where}: expected histograms of whole voxels ({VOXEL_WEIGHT} each)")
    return counts


def region_record(fields, passes, where):
    above_half = np.array(fields["above_half"], dtype=np.int64)
    if above_half.shape != (passes,):
        fail(f"{where}: above_half: expected {passes} counts, found {above_half.size}")
    histograms = counts_from_base64(fields["histograms"], passes, f"{where}: histograms")
    mean = counts_from_base64(fields["mean_histogram"], 1, f"{where}: mean_histogram")[0]
    if (histograms.sum(axis=1) != mean.sum()).any():
        fail(f"{where}: passes of differing numbers of voxels")
    return RegionRecord(histograms, above_half, mean, int(fields["mean_above_half"]))


def read_case_record(path):
    """A CaseRecord, or None for a case that failed."""
    fields = read_json(path)
    try:
        if fields["format"] > RECORD_FORMAT:
            fail(f"{path}: format {fields['format']} is newer than this script reads "
                 f"({RECORD_FORMAT})")
        if fields["status"] != "ok":
            return None
        passes = fields["passes"]
        regions = {region["region"]: region_record(region, passes, f"{path}: {region['region']}")
                   for region in fields["regions"]}
        return CaseRecord(fields["case_id"], fields["run_identity"],
                          math.prod(fields["grid"]["spacing_mm"]) / 1000, passes, regions)
    except (KeyError, TypeError, ValueError) as error:
        fail(f"{path}: not a case record of mcvol ({error!r})")


def read_case_records(result):
    """The measured cases of a result folder by their id, and the ids of those that failed."""
    paths = sorted(Path(result, "cases").glob("*.json"))
    if not paths:
        fail(f"{result}: no cases/*.json; expected a result folder of mcvol predict (of shards: "
             "mcvol merge first)")
    found = {path.stem: read_case_record(path) for path in paths}
    records = {case_id: record for case_id, record in found.items() if record}
    identities = {record.run_identity for record in records.values()}
    if len(identities) > 1:
        fail(f"{result}: records of {len(identities)} runs with other settings; measure again "
             "with --fresh")
    return records, [case_id for case_id, record in found.items() if not record]


def read_references(path):
    """References by (case_id, region)."""
    references = {}
    for row in read_rows(path, ("case_id", "region", "volume_ml")):
        key = row["case_id"], row["region"]
        where = f"{path}: {key[0]}, {key[1]}"
        if key in references:
            fail(f"{where}: there twice")
        label_ml = row.get("label_volume_ml")
        references[key] = Reference(ml_in(row["volume_ml"], where),
                                    ml_in(label_ml, where) if label_ml else math.nan)
    if not references:
        fail(f"{path}: no rows")
    return references


def read_volumes(result, level):
    """Rows of volumes.csv of one level by (case_id, region), and the ids of failed cases."""
    path = Path(result, "volumes.csv")
    columns = ("raw_volume_ml", "raw_lower_ml", "raw_upper_ml", "segmented_ml")
    rows = read_rows(path, ("case_id", "region", "level", "status", *columns))
    failed = [row["case_id"] for row in rows if row["status"] != "ok"]
    volumes = {}
    for row in rows:
        if row["status"] == "ok" and float(row["level"]) == level:
            where = f"{path}: {row['case_id']}, {row['region']}"
            volumes[row["case_id"], row["region"]] = {c: ml_in(row[c], where) for c in columns}
    if not volumes:
        found = ", ".join(sorted({row["level"] for row in rows if row["level"]})) or "none"
        fail(f"{path}: no measured row of level {level} (levels there: {found})")
    return volumes, failed


# --- Distribution of a volume (docs/method.md, "Conversions") ------------------------------------

@functools.lru_cache(maxsize=32)
def copula_basis(rho):
    """Knots of sqrt(rho) z; q at [knot, node]; q (1 - q) and dq/dz at z = 0 for each node."""
    width = np.sqrt(1 - rho)
    limit = NODE_PROBITS[-1] + 6 * width
    shifts = np.linspace(-limit, limit, 2 * int(np.ceil(limit / min(1 / 32, width / 7))) + 1)
    response = ndtr((NODE_PROBITS + shifts[:, None]) / width)
    centre = NODE_PROBITS / width
    slope = np.sqrt(rho) / width * np.exp(-centre ** 2 / 2) / np.sqrt(2 * np.pi)
    return shifts, response, np.stack([ndtr(centre) * ndtr(-centre), slope])


def copula_curves(weights, rho):
    """z and V in voxels at the knots, [passes, knots] each, for 0 < rho < 1.

    What voxels scatter given z widens z by sqrt(1 + k^2), k = s(0) / m'(0), damped below a voxel.
    """
    shifts, response, summary = copula_basis(rho)
    volumes = weights @ response.T
    volumes[:, 0] = 0
    volumes[:, -1] = weights.sum(axis=1)
    variance, slope = summary @ weights.T
    widening = np.sqrt(1 + variance ** 2 / (variance + 1) / np.maximum(slope, 1e-150) ** 2)
    return shifts / (np.sqrt(rho) * widening[:, None]), np.maximum.accumulate(volumes, axis=1)


def level_set_counts(weights, above_half):
    """Voxels with p above each node's, [passes, nodes], by the piecewise parabolic method."""
    above = np.cumsum(weights[:, :0:-1], axis=1)[:, ::-1]  # mean of N(p > t) between two nodes
    p, complement = np.exp(log_expit(NODE_LOGITS)), np.exp(log_expit(-NODE_LOGITS))
    step = np.where(NODE_LOGITS[1:] <= 0, np.diff(p), -np.diff(complement))
    integrals = above * step
    near = integrals[:, :-1] + integrals[:, 1:]
    counts = near / (step[:-1] + step[1:])
    far = integrals[:, :-3] + integrals[:, 3:]
    spacing = NODE_LOGITS[1] - NODE_LOGITS[0]
    counts[:, 1:-1] = (7 * near[:, 1:-1] - far) / (12 * spacing * (p * complement)[2:-2])
    counts = np.clip(counts, above[:, 1:], above[:, :-1])
    first = np.clip(1.5 * above[:, 0] - 0.5 * above[:, 1], above[:, 0], weights.sum(axis=1))
    last = np.clip(1.5 * above[:, -1] - 0.5 * above[:, -2], 0, above[:, -1])
    counts = np.column_stack([first, counts, last])
    middle, half = NODES // 2, above_half[:, None]
    counts[:, :middle] = np.maximum(counts[:, :middle], half)
    counts[:, middle] = above_half
    counts[:, middle + 1:] = np.minimum(counts[:, middle + 1:], half)
    return counts


def level_set_curves(weights, above_half):
    """As copula_curves(), for rho = 1. Voxels in an end node lie evenly over 4 logits beyond it."""
    counts = level_set_counts(weights, above_half)
    total = weights.sum(axis=1)[:, None]
    beyond = np.arange(1, 33) / 32
    volumes = np.concatenate([counts[:, -1:] * (1 - beyond[::-1]), counts[:, ::-1],
                              counts[:, :1] + (total - counts[:, :1]) * beyond], axis=1)
    logits = np.concatenate([-16 - 4 * beyond[::-1], NODE_LOGITS, 16 + 4 * beyond])
    z = np.broadcast_to(-np.sign(logits) * ndtri_exp(log_expit(-np.abs(logits))), volumes.shape)
    return z, np.maximum.accumulate(volumes, axis=1)


def curves_of(regions, rho):
    """z and V in voxels at the knots, [region, passes, knots] each; one matrix product for all."""
    weights = np.concatenate([region.passes for region in regions]) / VOXEL_WEIGHT
    above_half = np.concatenate([region.above_half for region in regions])
    curves = copula_curves(weights, rho) if rho < 1 else level_set_curves(weights, above_half)
    return [values.reshape(len(regions), -1, values.shape[-1]) for values in curves]


def log_mean_exp(values):
    largest = np.maximum(values.max(axis=0), -1e300)
    with np.errstate(divide="ignore"):  # log(0) of what lies outside every pass
        return largest + np.log(np.exp(values - largest).mean(axis=0))


def mixture_probits(z, volumes, at):
    """probit(F) at volumes `at`, F the mean over passes, without ties in far tails."""
    latent = np.stack([np.interp(at, v, x, right=np.inf) for v, x in zip(volumes, z)])
    log_cdf, log_survival = log_mean_exp(log_ndtr(latent)), log_mean_exp(log_ndtr(-latent))
    lower = log_cdf < log_survival
    tail = ndtri_exp(np.minimum(log_cdf, log_survival))
    return np.clip(np.where(lower, tail, -tail), -MAX_PROBIT, MAX_PROBIT)
