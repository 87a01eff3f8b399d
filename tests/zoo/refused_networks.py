"""Networks that cannot be sampled as asked, and what mcvol must say of them."""
from functools import partial

import torch
import torch.nn.functional as F
from monai.networks.layers import DropPath
from torch import nn

from entry import EVERY_FORM, MONAI_FORMS, SCRIPTED, Entry
from monai_networks import swin_unetr, unetr

OWN_NUMBERS = "draws its own random numbers"
NO_DROPOUT = "no active dropout"


class Refused(nn.Module):
    """Two convolutions, something between them."""

    def __init__(self, middle, outputs=3):
        super().__init__()
        self.before = nn.Conv3d(2, 6, 3, padding=1)
        self.middle = middle()
        self.after = nn.Conv3d(6, outputs, 3, padding=1)

    def forward(self, x):
        return self.after(self.middle(torch.relu(self.before(x))))


class Noise(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.3, self.training) + 0.1 * torch.rand_like(x)


class Bernoulli(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.3, self.training) * torch.bernoulli(torch.full_like(x, 0.9))


class LoopOverSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        for _ in range(x.size(2) // 8):
            x = self.dropout(x) + 1
        return x


class RateAtRunTime(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5 * float(torch.sigmoid(x.mean())), self.training)


class OnlyInTraining(nn.Module):
    def forward(self, x):
        if self.training:
            x = F.dropout(x, 0.3, True)
        return x


class TwoOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Refused(partial(nn.Dropout, 0.3))
        self.deep = nn.Conv3d(2, 3, 3, stride=2, padding=1)

    def forward(self, x):
        return self.body(x), self.deep(x)


class BranchNotTaken(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        if x.shape[2] > 1000:
            x = self.dropout(x)
        return x


class Forgotten(nn.Module):
    def forward(self, x):
        return x + 0.0 * F.dropout(x, 0.3, True)


class Endless(nn.Module):
    def forward(self, x):
        x = F.dropout(x, 0.3, True)
        while bool(x.sum() < 1e30):
            x = x * 1.0
        return x


class Saves(nn.Module):
    def forward(self, x):
        torch.save(x, "written_by_a_network.pt")
        return F.dropout(x, 0.3, True)


class ReadsAFile(nn.Module):
    def forward(self, x):
        own = torch.from_file("created_by_a_network.bin", True, 10)
        return F.dropout(x, 0.3, True) + own.sum()


class Forks(nn.Module):
    def half(self, x):
        return x / 2

    def forward(self, x):
        half = torch.jit.fork(self.half, x)
        return F.dropout(x, 0.3, True) + torch.jit.wait(half)


class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        linear = nn.Sequential(nn.Linear(6, 6))
        self.linear = torch.ao.quantization.quantize_dynamic(linear, {nn.Linear})
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        return self.dropout(self.linear(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3))


class InHalf(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(6, 6, 3, padding=1).half()

    def forward(self, x):
        return F.dropout(self.conv(x), 0.3, True)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Refused(partial(nn.Dropout, 0.3))

    def forward(self, x, prior):
        return self.body(x) + prior.mean()


def entry(name, describes, fragment, build, forms=EVERY_FORM, **rest):
    return Entry(f"refused_{name}", describes, build, family="refused", refused=fragment,
                 forms=forms, **rest)


def middle(name, describes, fragment, module, forms=EVERY_FORM, **rest):
    return entry(name, describes, fragment, partial(Refused, module), forms, **rest)


# Traced networks are left out where the trace holds nothing of what is refused: a loop is
# unrolled, a rate computed at run time is a constant, a branch not taken is gone.
ENTRIES = [
    middle("rand_like", "torch.rand_like noise beside dropout: passes could not be repeated",
           OWN_NUMBERS, Noise),
    middle("bernoulli", "torch.bernoulli beside dropout: passes could not be repeated",
           OWN_NUMBERS, Bernoulli),
    middle("loop_over_size", "dropout in a loop as long as the input asks: no layer to count",
           "runs inside a loop", LoopOverSize, SCRIPTED),
    middle("rate_at_run_time", "dropout rate computed from the input: no layer's rate",
           "is computed at run time", RateAtRunTime, SCRIPTED),
    middle("no_dropout", "no dropout at all: all passes would be equal",
           "no dropout layer was found", nn.Identity),
    middle("rates_zero", "every rate is 0: all passes would be equal",
           NO_DROPOUT, lambda: nn.Sequential(nn.Dropout(0.0), nn.Dropout3d(0.0))),
    middle("only_in_training", "dropout behind `if self.training`: lost in eval mode",
           "eval mode leaves it out", OnlyInTraining, SCRIPTED),
    entry("two_outputs", "deep supervision: a tuple of two tensors", "forward returns", TwoOutputs),
    entry("two_inputs", "two input tensors", "forward takes 2 inputs", TwoInputs, inputs=2),
    entry("branch_not_taken", "nn.Dropout 0.3 inside `if x.shape[2] > 1000`: never runs",
          "no dropout layer runs", partial(Refused, BranchNotTaken, 2), SCRIPTED),
    entry("forgotten", "nn.Dropout 0.3 times 0: the output forgets it",
          "whether nothing or everything is dropped", partial(Refused, Forgotten, 2), SCRIPTED),
    middle("endless", "a while loop without end after nn.Dropout 0.3", "did not end within",
           Endless, SCRIPTED[:1]),
    middle("saves", "torch.save in forward", "reads or writes a file", Saves, SCRIPTED[:1]),
    middle("reads_a_file", "torch.from_file in forward", "reads or writes a file", ReadsAFile,
           SCRIPTED[:1]),
    middle("forks", "torch.jit.fork in forward", "runs code that is not in the file", Forks,
           SCRIPTED[:1]),
    middle("quantized", "a linear layer quantized by PyTorch", "the C++ class", Quantized,
           SCRIPTED[:1]),
    middle("in_half", "a convolution of float16 weights", "weights are float16", InHalf,
           SCRIPTED[:1]),
    middle("drop_path", "MONAI DropPath 0.3 beside dropout, traced in train mode",
           OWN_NUMBERS, lambda: nn.Sequential(nn.Dropout(0.3), DropPath(0.3)),
           (("traced", "train"),)),
    middle("drop_path_only", "MONAI DropPath 0.3 and no dropout: lost in eval mode",
           NO_DROPOUT, partial(DropPath, 0.3), (*SCRIPTED, ("traced", "eval"))),
    entry("unetr_scripted", "MONAI UNETR, scripted: einops' layers keep dictionaries",
          "are not constant while it runs", unetr, (MONAI_FORMS[0],), input=(2, 32, 32, 16),
          compact=True),
    entry("swin_unetr_drop_path",
          "MONAI SwinUNETR, drop_path_rate 0.2 beside drop_rate, traced in train mode",
          OWN_NUMBERS, partial(swin_unetr, drop_path=0.2, attention=0.0),
          (MONAI_FORMS[0], MONAI_FORMS[2]), input=(2, 64, 32, 32), compact=True),
]
