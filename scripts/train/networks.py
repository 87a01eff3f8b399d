"""The networks to choose from, with dropout after every 3x3x3 convolution.

Both take [batch, 4, x, y, z] and give logits [batch, 4, x, y, z] of background, necrosis, oedema
and enhancing tumour. They are written to be scripted (docs/networks.md): no branches, and dropout
of whole channels, so that one draw is one draw of the network's weights.
"""
import torch
from torch import nn
from torch.nn import functional

INPUTS = 4  # t1, t1ce, t2, flair
OUTPUTS = 4  # background, necrosis, oedema, enhancing
LABELS = [0, 1, 2, 4]  # of the outputs, in label maps
# Regions as outputs, in the order of model.json.
REGIONS = {"whole_tumour": [1, 2, 3], "tumour_core": [1, 3], "enhancing_tumour": [3]}
NAMES = ("unet", "highres3dnet")
CHANNELS = {"unet": [16, 32, 64, 96, 96], "highres3dnet": [16, 32, 64]}  # unless asked for
SLOPE = 0.01


def convolution(inputs, outputs, stride=1, dilation=1):
    """3x3x3, of the same size. The norm that follows takes any bias away again."""
    return nn.Conv3d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation,
                     bias=False)


class InstanceNorm(nn.InstanceNorm3d):
    """Instance norm. Of a single scan it is batch norm, which PyTorch computes in the layout the
    tensor has: a step of training takes two thirds of the time. Scripts hold the plain operator.
    """

    def __init__(self, channels):
        super().__init__(channels, affine=True)

    def forward(self, x):
        if not torch.jit.is_scripting():
            if x.shape[0] == 1:
                return functional.batch_norm(x, None, None, self.weight, self.bias, True, 0.0,
                                             self.eps)
        return torch.instance_norm(x, self.weight, self.bias, None, None, True, 0.0, self.eps,
                                   False)


def after_convolution(channels, dropout):
    return [InstanceNorm(channels), nn.LeakyReLU(SLOPE), nn.Dropout3d(dropout)]


def layer(inputs, outputs, dropout, stride=1):
    return nn.Sequential(convolution(inputs, outputs, stride),
                         *after_convolution(outputs, dropout))


def level(inputs, outputs, dropout, stride=1):
    return nn.Sequential(layer(inputs, outputs, dropout, stride),
                         layer(outputs, outputs, dropout))


class Levels(nn.Module):
    """A level of the U-Net and those below it: [batch, inputs, ...] -> [batch, channels[0], ...].

    Nested, since a list of what the way down had would keep mcvol from running passes in batches.
    What comes up is joined with what was there by concatenation: the convolution of both is written
    as the sum of two, since oneDNN is slow at the gradient of the whole (0.64 s at 64 to 32
    channels).
    """

    def __init__(self, inputs, channels, dropout, stride=1):
        super().__init__()
        self.down = level(inputs, channels[0], dropout, stride)
        if len(channels) > 2:
            self.below = Levels(channels[0], channels[1:], dropout, 2)
        else:
            self.below = level(channels[0], channels[1], dropout, 2)
        self.up = nn.ConvTranspose3d(channels[1], channels[0], 2, stride=2)
        self.of_below = convolution(channels[0], channels[0])
        self.of_skip = convolution(channels[0], channels[0])
        self.joined = nn.Sequential(*after_convolution(channels[0], dropout),
                                    layer(channels[0], channels[0], dropout))

    def forward(self, x):
        x = self.down(x)
        return self.joined(self.of_below(self.up(self.below(x))) + self.of_skip(x))


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015; Cicek et al. 2016), strided down and transposed up.

    Sizes must be multiples of 2 ** (len(channels) - 1).
    """

    def __init__(self, channels, dropout):
        super().__init__()
        self.levels = Levels(INPUTS, channels, dropout)
        self.head = nn.Conv3d(channels[0], OUTPUTS, 1)

    def forward(self, x):
        return self.head(self.levels(x))


class Residual(nn.Module):
    """Two layers added to their input; new channels of the input are 0."""

    def __init__(self, inputs, outputs, dilation, dropout):
        super().__init__()
        self.more = outputs - inputs
        self.layers = nn.Sequential(
            InstanceNorm(inputs), nn.LeakyReLU(SLOPE),
            convolution(inputs, outputs, dilation=dilation), nn.Dropout3d(dropout),
            InstanceNorm(outputs), nn.LeakyReLU(SLOPE),
            convolution(outputs, outputs, dilation=dilation), nn.Dropout3d(dropout))

    def forward(self, x):
        return self.layers(x) + functional.pad(x, [0, 0, 0, 0, 0, 0, 0, self.more])


class HighRes3DNet(nn.Module):
    """Full resolution throughout, dilated residual blocks (Li et al. 2017).

    Instance norm stands for batch norm, since batches hold one scan, and dropout follows every
    3x3x3 convolution, not the one before the last only.
    """

    def __init__(self, channels, dropout, blocks=3):
        super().__init__()
        self.first = layer(INPUTS, channels[0], dropout)
        residuals = []
        inputs = channels[0]
        for n, outputs in enumerate(channels):
            for _ in range(blocks):
                residuals.append(Residual(inputs, outputs, 2 ** n, dropout))
                inputs = outputs
        self.residuals = nn.Sequential(*residuals)
        self.last = nn.Sequential(InstanceNorm(inputs), nn.LeakyReLU(SLOPE))
        self.head = nn.Conv3d(inputs, OUTPUTS, 1)

    def forward(self, x):
        return self.head(self.last(self.residuals(self.first(x))))


def make_network(name, dropout, channels=None):
    """`channels` of the levels (UNet) or groups; None for CHANNELS."""
    network = {"unet": UNet, "highres3dnet": HighRes3DNet}[name]
    return network(dropout=dropout, channels=channels or CHANNELS[name])


def keep_dropout(unet, layers):
    """Leaves the dropout on the way up (`decoder`) or before the head (`last`), at rate 0 elsewhere.
    Gives the number of layers left."""
    dropouts = [(name, module) for name, module in unet.named_modules()
                if isinstance(module, nn.Dropout3d)]
    kept = {"decoder": [module for name, module in dropouts if ".joined." in name],
            "last": [dropouts[-1][1]]}[layers]
    for _, module in dropouts:
        module.p = module.p if any(module is one for one in kept) else 0.0
    return len(kept)


def complaint(name, channels, window):
    """Why there is no such network, or why it takes no such window; None where all is well."""
    channels = channels or CHANNELS[name]
    if name == "highres3dnet":
        if channels != sorted(channels):
            return "--channels: expected no group with fewer channels than the one before"
        return None
    if len(channels) < 2:
        return "--channels: expected at least two levels, as in 16,32"
    multiple = 2 ** (len(channels) - 1)
    if any(length % multiple for length in window):
        return (f"--window: expected multiples of {multiple}, since the U-Net has {len(channels)} "
                "levels")
    if max(window) == multiple:
        return "--window: the U-Net's lowest level would be a single voxel; expected more"
    return None
