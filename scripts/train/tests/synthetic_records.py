"""Case records as mcvol writes them, made from voxels whose logits are given."""
import base64
import json
from pathlib import Path

import numpy as np

import records

NODES, VOXEL = 257, 65536
LOGITS = np.linspace(-16, 16, NODES)


def histogram(logits):
    """Each voxel split between its two nodes, linearly in p (in 1 - p above 0.5): int64 [NODES]."""
    outer = -np.clip(np.abs(logits), 0, 16)  # mirrored to the lower half
    node = np.minimum(((outer + 16) * 8).astype(int), 127)
    p, low, high = (1 / (1 + np.exp(-x)) for x in (outer, LOGITS[node], LOGITS[node + 1]))
    inner = np.rint(VOXEL * (p - low) / (high - low)).astype(np.int64)
    above = np.asarray(logits) > 0
    weights = np.zeros(NODES, np.int64)
    np.add.at(weights, np.where(above, NODES - 1 - node, node), VOXEL - inner)
    np.add.at(weights, np.where(above, NODES - 2 - node, node + 1), inner)
    return weights


def packed(weights):
    return base64.b64encode(np.asarray(weights, "<i8").tobytes()).decode()


def region_json(name, passes):
    """`passes`: the logits of all voxels, pass by pass. The mean is that of logits: not tested."""
    mean = np.mean(passes, axis=0)
    return {"region": name,
            "above_half": [int((logits > 0).sum()) for logits in passes],
            "histograms": packed([histogram(logits) for logits in passes]),
            "mean_above_half": int((mean > 0).sum()),
            "mean_histogram": packed(histogram(mean))}


def record_json(case_id, regions, spacing_mm=(2.0, 2.0, 2.0)):
    """`regions`: name to logits pass by pass."""
    return {"format": 1, "case_id": case_id, "status": "ok", "run_identity": "0" * 64,
            "model": "1" * 64, "flags": [], "inputs": [],
            "grid": {"size": [100, 100, 100], "spacing_mm": list(spacing_mm),
                     "origin_mm": [0, 0, 0], "direction": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
            "passes": len(next(iter(regions.values()))),
            "regions": [region_json(name, passes) for name, passes in regions.items()]}


def write_record(folder, record):
    cases = Path(folder, "cases")
    cases.mkdir(parents=True, exist_ok=True)
    Path(cases, record["case_id"] + ".json").write_text(json.dumps(record), encoding="utf-8")


def blob_logits(volume_voxels, softness, total):
    """N(p > t) = volume_voxels (t / (1 - t))^-softness: log V of level sets is logistic."""
    return np.log(volume_voxels / np.arange(0.5, total)) / softness


def region_of(passes):
    weights = np.stack([histogram(logits) for logits in passes])
    counts = np.array([(logits > 0).sum() for logits in passes])
    return records.RegionRecord(weights, counts, weights[0], int(counts[0]))


def curves_of(passes, rho):
    """z and V in voxels at the knots, [passes, knots] each."""
    z, volumes = records.curves_of([region_of(passes)], rho)
    return z[0], volumes[0]
