"""A cohort on disk: scans as NIfTI in BraTS names or as npz, references.csv, cohort.json."""
import csv
import gzip
import io
import json
import os
from dataclasses import asdict
from pathlib import Path

import nibabel
import numpy as np

from contrast import CHANNELS
from simulator import VERSION
from tumour import REGIONS

COLUMNS = ("case_id", "region", "volume_ml", "label_volume_ml", "true_volume_ml")


def write_atomically(path, data):
    """Files appear whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def nifti_bytes(image, spacing_mm):
    """The image [x, y, z] in LPS, its middle at the origin, compressed; the same bytes always."""
    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(image.shape) - 1) / 2)
    nifti = nibabel.Nifti1Image(image, affine)
    nifti.set_sform(affine, code=1)
    nifti.set_qform(affine, code=1)
    nifti.header.set_xyzt_units("mm")
    return gzip.compress(nifti.to_bytes(), compresslevel=6, mtime=0)


def write_nifti(folder, case_id, phantom, spacing_mm):
    case = folder / case_id
    case.mkdir(exist_ok=True)
    for name, image in zip(CHANNELS, phantom.channels):
        write_atomically(case / f"{case_id}_{name}.nii.gz", nifti_bytes(image, spacing_mm))
    write_atomically(case / f"{case_id}_seg.nii.gz", nifti_bytes(phantom.labels, spacing_mm))


def write_npz(folder, case_id, phantom):
    buffer = io.BytesIO()
    np.savez(buffer, channels=phantom.channels, labels=phantom.labels)
    write_atomically(folder / f"{case_id}.npz", buffer.getvalue())


def exists(folder, case_id, form):
    last = f"{case_id}.npz" if form == "npz" else f"{case_id}/{case_id}_seg.nii.gz"
    return (folder / last).exists()


def rows_of(case_id, phantom):
    """`volume_ml` is the rater's, which is the true one unless rater noise is asked for."""
    return [(case_id, region, f"{phantom.rater_ml[region]:.6f}", f"{phantom.label_ml[region]:.6f}",
             f"{phantom.true_ml[region]:.6f}") for region in REGIONS]


def read_references(folder):
    """Rows by case_id; empty where there is no references.csv yet."""
    path = folder / "references.csv"
    cases = {}
    if path.exists():
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError(f"{path}: not a table of this program (expected the columns "
                                 f"{','.join(COLUMNS)}); give another --out")
            for row in reader:
                cases.setdefault(row["case_id"], []).append(tuple(row[c] for c in COLUMNS))
    return cases


def write_references(folder, cases):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case_id in sorted(cases):
        writer.writerows(cases[case_id])
    write_atomically(folder / "references.csv", text.getvalue().encode())


def write_pairs(folder, pairs):
    """`pairs`: subject_id and the case_ids of baseline and follow-up, as mcvol change reads them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("subject_id", "baseline", "followup"))
    writer.writerows(pairs)
    write_atomically(folder / "pairs.csv", text.getvalue().encode())


def check_or_write_description(folder, anatomy, settings, seed, name, form, pairs):
    """cohort.json says what a cohort is made of; a folder holds one cohort only."""
    wanted = {"simulator": VERSION, "name": name, "seed": seed, "anatomy": anatomy, "format": form,
              "settings": asdict(settings)}
    if pairs:
        wanted["pairs"] = True
    wanted = json.loads(json.dumps(wanted))
    path = Path(folder) / "cohort.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        differ = [key for key in {**wanted, "pairs": None} if found.get(key) != wanted.get(key)]
        if "settings" in differ:
            differ += [f"settings.{key}" for key in wanted["settings"]
                       if found.get("settings", {}).get(key) != wanted["settings"][key]]
            differ.remove("settings")
        if differ:
            raise ValueError(f"{path}: the folder holds another cohort ({', '.join(differ)} "
                             "differ); give another --out")
    else:
        write_atomically(path, (json.dumps(wanted, indent=2) + "\n").encode())
