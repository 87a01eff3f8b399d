"""The folder of a cohort that is trained or validated on: what make_phantoms.py writes."""
import json
import time
from pathlib import Path

from run_folder import Refused
from scans import cohort_ids

MAKE = "make_phantoms.py --format npz"
WAIT_S = 10


def read_description(folder):
    """cohort.json, or None where there is none."""
    path = Path(folder) / "cohort.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Refused(f"{path}: not a JSON file that can be read ({error})") from None
    if not isinstance(fields, dict):
        raise Refused(f"{path}: expected a JSON object")
    return fields


def origin_of(folder):
    """Name and seed by cohort.json, for the provenance of what is trained; None without one."""
    fields = read_description(folder)
    return fields and {key: fields.get(key) for key in ("name", "seed")}


def require_folder(option, folder):
    if not Path(folder).is_dir():
        raise Refused(f"{option} {folder}: no such folder; {MAKE} makes one")


def require_scans(option, folder):
    require_folder(option, folder)
    if not cohort_ids(folder):
        raise Refused(f"{option} {folder}: no scans (*.npz); {MAKE} makes them")


def wait_for_scans(option, folder, say):
    """Waits where scans may still come: in an empty folder, or one whose cohort.json says npz."""
    require_folder(option, folder)
    while not cohort_ids(folder):
        fields = read_description(folder)
        if fields is not None and fields.get("format") != "npz":
            raise Refused(f"{option} {folder}: scans of format '{fields.get('format')}' by its "
                          f"cohort.json, expected npz; {MAKE} makes them, in another folder")
        others = [path.name for path in Path(folder).iterdir()
                  if not path.name.startswith(".") and path.suffix != ".partial"]
        # Once more: it appears before all else, but maybe only just now.
        if fields is None and others and read_description(folder) is None:
            raise Refused(f"{option} {folder}: no scans (*.npz) and no cohort.json, but "
                          f"{min(others)}; {MAKE} makes scans to train on")
        say(f"{folder}: no scans yet (*.npz); waiting")
        time.sleep(WAIT_S)
