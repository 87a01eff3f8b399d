"""What the zoo says of a network, and how its weights are drawn."""
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

EVERY_FORM = (("scripted", "eval"), ("scripted", "train"), ("traced", "eval"), ("traced", "train"))
MONAI_FORMS = (("scripted", "eval"), ("traced", "eval"), ("traced", "train"))
SCRIPTED = EVERY_FORM[:2]


@dataclass(frozen=True)
class Entry:
    name: str
    describes: str  # one line
    build: Callable[[], nn.Module]
    family: str = "plain"  # plain, MONAI, refused
    input: tuple[int, ...] = (2, 24, 16, 16)
    values: str = "logits"
    activation: str = "softmax"
    forms: tuple = EVERY_FORM
    refused: str = ""  # a fragment of the message
    always_on: bool = False  # drops in eval mode too: nothing to compare a plain run with
    compact: bool = False  # large weights as views of a small storage
    inputs: int = 1
    channels_first: bool = True  # what is dropped has its channels in dimension 1


def short(values):
    """With half of their bits 0: files of them compress."""
    return values.bfloat16().float()


def compacted(weight, generator):
    """A weight whose elements overlap in memory, so that its file stays small.

    Every element is weight[o, i, x, y, z] = storage[2 o + 3 i + 29 x + 17 y + 11 z]: no two
    filters are the same, though shifted ones are.
    """
    strides = (2, 3, 29, 17, 11)[:weight.dim()]
    length = 1 + sum((n - 1) * stride for n, stride in zip(weight.shape, strides))
    storage = torch.randn(length, generator=generator)
    return storage, strides


def randomise(network, seed_text, compact=False):
    """All weights and running statistics from the text: large enough for dropout to show."""
    generator = torch.Generator().manual_seed(zlib.crc32(seed_text.encode()))

    def uniform(tensor, low, high):
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    with torch.no_grad():
        for module in network.modules():
            for name, tensor in module.named_parameters(recurse=False):
                if name == "weight" and tensor.dim() >= 2:
                    transposed = isinstance(module, nn.ConvTranspose3d)
                    fan_in = tensor[:, 0].numel() if transposed else tensor[0].numel()
                    deviation = math.sqrt(1.7 / fan_in)
                    if compact and tensor.numel() > 2000:
                        storage, strides = compacted(tensor, generator)
                        module.weight = nn.Parameter(
                            short(storage * deviation).as_strided(tensor.shape, strides))
                    else:
                        values = torch.randn(tensor.shape, generator=generator)
                        tensor.copy_(short(values * deviation))
                elif name == "weight":
                    uniform(tensor, 0.7, 1.3)
                else:
                    uniform(tensor, -0.3, 0.3)
            for name, tensor in module.named_buffers(recurse=False):
                if name == "running_mean":
                    uniform(tensor, -0.3, 0.3)
                elif name == "running_var":
                    uniform(tensor, 0.5, 1.5)
    return network
