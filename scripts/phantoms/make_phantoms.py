#!/usr/bin/env python3
"""Makes a cohort of simulated brain tumour scans with reference volumes.

    scripts/phantoms/make_phantoms.py --cohort test_2 --out DIR
    scripts/phantoms/make_phantoms.py --seed 1 --count 100 --out DIR [--noise 0.01 0.12 …]
    scripts/phantoms/make_phantoms.py --seed 1 --count 100 --out DIR --pairs

DIR then holds a case folder a scan in BraTS names (t1, t1ce, t2, flair, seg), references.csv and
cohort.json. The same options give the same scans, in any order and for any --jobs; a second run
goes on where the first stopped. --cohort takes seed, count and settings from cohorts.json. With
--pairs it is two scans a patient, and pairs.csv says which.
"""
import os

# Before numpy: a process a core works better here than threads.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse  # noqa: E402
import contextlib  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import fields, replace  # noqa: E402
from pathlib import Path  # noqa: E402

import storage  # noqa: E402
from anatomy import check_size, load_anatomy  # noqa: E402
from settings import Settings  # noqa: E402
from simulator import VISITS, simulate  # noqa: E402

COHORTS = Path(__file__).with_name("cohorts.json")


def fail(message):
    sys.exit(f"make_phantoms.py: {message}")


def parser():
    result = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    result.add_argument("--out", type=Path, required=True, help="folder of the cohort")
    result.add_argument("--cohort", help="a cohort of cohorts.json")
    result.add_argument("--seed", type=int, help="seed of the cohort, 0 or more")
    result.add_argument("--count", type=int, help="number of scans, or of pairs")
    result.add_argument("--only", type=int, nargs="+", metavar="INDEX",
                        help="these scans or pairs only")
    result.add_argument("--pairs", action="store_true", help="baseline and follow-up of each")
    result.add_argument("--name", help="case_ids are NAME_0000 and so on")
    result.add_argument("--anatomy", default=None, metavar="nilearn|sri24|DIR",
                        help="DIR: white.nii.gz, grey.nii.gz and brain.nii.gz, maps of fractions")
    result.add_argument("--format", choices=("nifti", "npz"), default="nifti",
                        help="npz: int16 arrays for training")
    result.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    group = result.add_argument_group("settings (settings.py says what they are)")
    for field in fields(Settings):
        many = isinstance(field.default, tuple)
        group.add_argument(f"--{field.name.replace('_', '-')}", default=None,
                           nargs=len(field.default) if many else None,
                           type=type(field.default[0] if many else field.default),
                           help="default: " + str(field.default).strip("()"))
    return result


def cohort_of(arguments):
    """Name, seed, count, anatomy, pairs and settings: of cohorts.json, the command line on top."""
    known = json.loads(COHORTS.read_text(encoding="utf-8"))
    if arguments.cohort is not None and arguments.cohort not in known:
        fail(f"--cohort {arguments.cohort}: unknown; {COHORTS.name} has {', '.join(known)}")
    entry = known.get(arguments.cohort, {})
    seed = arguments.seed if arguments.seed is not None else entry.get("seed")
    count = arguments.count if arguments.count is not None else entry.get("count")
    if seed is None or count is None:
        fail("give --cohort, or --seed and --count")
    if not 0 <= seed < 2**64 or not 0 < count < 2**32:
        fail(f"--seed {seed}, --count {count}: expected a seed from 0 and a count from 1")
    pairs = entry.get("pairs", False)
    own = arguments.seed is None and arguments.pairs <= pairs and not any(
        getattr(arguments, field.name) is not None for field in fields(Settings))
    name = arguments.name or (arguments.cohort if arguments.cohort and own else f"phantom{seed}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        fail(f"--name '{name}': expected letters, digits, '.', '_' or '-', the first no sign")
    changes = {key: tuple(value) if isinstance(value, list) else value
               for key, value in entry.get("settings", {}).items()}
    for field in fields(Settings):
        given = getattr(arguments, field.name)
        if given is not None:
            changes[field.name] = tuple(given) if isinstance(given, list) else given
    try:
        settings = replace(Settings(), **changes)
    except (TypeError, ValueError) as error:
        fail(str(error))
    anatomy = arguments.anatomy or entry.get("anatomy", "nilearn")
    return name, seed, count, anatomy, arguments.pairs or pairs, settings


def scans_of(name, index, pairs):
    """case_id and visit of each scan of a patient."""
    if not pairs:
        return [(f"{name}_{index:04d}", None)]
    return [(f"{name}_{index:04d}_{visit}", visit) for visit in VISITS]


def start_worker(*state):
    global worker_state
    worker_state = state


def make_one(scan):
    index, case_id, visit = scan
    template, settings, seed, folder, form = worker_state
    phantom = simulate(template, settings, seed, index, visit)
    if form == "npz":
        storage.write_npz(folder, case_id, phantom)
    else:
        storage.write_nifti(folder, case_id, phantom, settings.spacing_mm)
    return case_id, storage.rows_of(case_id, phantom)


@contextlib.contextmanager
def mapping(jobs, state):
    """A map over scans: of a pool of processes, or in this one."""
    pool = None
    if jobs > 1:
        try:
            pool = multiprocessing.Pool(jobs, start_worker, state)
        except OSError as error:  # no shared memory, as in some containers
            print(f"one process only: {error}", file=sys.stderr)
    if pool is None:
        start_worker(*state)
        yield map
        return
    with pool:
        yield pool.imap


def make_all(scans, jobs, state, done):
    folder, begin = state[3], time.monotonic()
    with mapping(jobs, state) as mapped:
        for number, (case_id, rows) in enumerate(mapped(make_one, scans), 1):
            done[case_id] = rows
            if number % 20 == 0 or number == len(scans):
                storage.write_references(folder, done)
                rate = (time.monotonic() - begin) / number
                print(f"{number}/{len(scans)} scans, {rate:.2f} s each", file=sys.stderr)


def main():
    arguments = parser().parse_args()
    name, seed, count, anatomy, pairs, settings = cohort_of(arguments)
    if arguments.jobs < 1:
        fail(f"--jobs {arguments.jobs}: expected 1 or more")
    indices = arguments.only if arguments.only else range(count)
    if not all(0 <= index < count for index in indices):
        fail(f"--only: expected numbers from 0 to {count - 1}")
    folder, form = arguments.out, arguments.format
    try:
        template = load_anatomy(anatomy)
        check_size(template, settings)
        folder.mkdir(parents=True, exist_ok=True)
        storage.check_or_write_description(folder, template.name, settings, seed, name, form, pairs)
        if pairs:
            patients = ((f"{name}_{i:04d}", scans_of(name, i, pairs)) for i in range(count))
            storage.write_pairs(folder, [(patient, *(case_id for case_id, _ in scans))
                                         for patient, scans in patients])
        done = storage.read_references(folder)
        missing = [(i, *scan) for i in indices for scan in scans_of(name, i, pairs)
                   if scan[0] not in done or not storage.exists(folder, scan[0], form)]
        make_all(missing, arguments.jobs, (template, settings, seed, folder, form), done)
        print(f"{folder}: {len(done)} scans, {len(missing)} of them made now", file=sys.stderr)
    except (OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on from here")


if __name__ == "__main__":
    main()
