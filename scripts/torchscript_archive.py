"""TorchScript files whose bytes depend on the network only, for the scripts that write bundles."""
import io
import os
import sys

import torch


def fix_hash_seed():
    """Starts the script again where needed; to be called before anything else.

    TorchScript writes a module's constants in the order of a set of strings, which Python draws
    anew for every process unless this is set when it starts.
    """
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def torchscript_bytes(module):
    """TorchScript without the source paths of this machine (*.debug_pkl), the same at every run."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    buffer.seek(0)
    reader = torch._C.PyTorchFileReader(buffer)
    stripped = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(stripped)
    # An older version number would make readers apply the upgraders of old operators.
    writer.set_min_version(int(reader.get_record("version")))
    written_by_writer = ("version", "byteorder", ".data/version", ".data/serialization_id")
    for name in sorted(reader.get_all_records()):
        if not name.endswith(".debug_pkl") and name not in written_by_writer:
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return stripped.getvalue()
