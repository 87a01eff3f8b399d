"""TorchScript files: the same bytes at every run, and no path of the machine that made them."""
import io
import re
import warnings
import zipfile

import torch

FORBIDDEN = (b"/work", b"/root", b"/home", b"/tmp", b"site-packages", b"dist-packages")


class PathFound(Exception):
    """A record of the archive names a folder of this machine."""


def stripped(saved):
    """A saved archive without *.debug_pkl, all of it compressed, as LibTorch reads it too."""
    buffer = io.BytesIO()
    with (zipfile.ZipFile(io.BytesIO(saved)) as reader,
          zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as writer):
        for name in sorted(reader.namelist()):
            if name.endswith((".debug_pkl", "/serialization_id")):
                continue
            record = reader.read(name)
            for path in FORBIDDEN:
                if path in record:
                    raise PathFound(f"{name} holds the path '{path.decode()}'")
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(entry, record)
    return buffer.getvalue()


def exported(network, form, mode, inputs):
    """Bytes of the TorchScript file."""
    network.train(mode == "train")  # itself: a copy would not share storage as its weights do
    before = {name: value.clone() for name, value in network.named_buffers()}
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        if form == "scripted":
            module = torch.jit.script(network)
        else:
            with torch.no_grad():
                module = torch.jit.trace(network, inputs, check_trace=False)
            with torch.no_grad():  # a batch norm traced in training mode has seen the input
                for name, value in network.named_buffers():
                    value.copy_(before[name])
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
    return stripped(buffer.getvalue())


def short_error(error):
    """The first line that says something, without paths."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return re.sub(r"(/[\w.+-]+){2,}", "…", text)[:160]
