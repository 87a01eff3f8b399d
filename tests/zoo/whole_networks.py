"""Plain networks that are more than one module between two convolutions."""
from functools import partial

import torch
from torch import nn


class Ending(nn.Module):
    def __init__(self, ending):
        super().__init__()
        self.body = nn.Sequential(nn.Conv3d(2, 6, 3, padding=1), nn.ReLU(), nn.Dropout(0.3),
                                  nn.Conv3d(6, 3, 3, padding=1), ending)

    def forward(self, x):
        return self.body(x)


class InputDropout(nn.Module):
    def __init__(self, in_place):
        super().__init__()
        self.body = nn.Sequential(nn.Dropout(0.5, inplace=in_place), nn.Conv3d(2, 6, 3, padding=1),
                                  nn.ReLU(), nn.Conv3d(6, 3, 3, padding=1))

    def forward(self, x):
        return self.body(x)


class MixedRates(nn.Module):
    def __init__(self):
        super().__init__()
        dropouts = [nn.Dropout(0.0), nn.Dropout(0.1), nn.Dropout3d(0.0), nn.Dropout(0.5),
                    nn.Dropout3d(0.25), nn.Dropout(0.9)]
        layers = [nn.Conv3d(2, 6, 3, padding=1)]
        for dropout in dropouts:
            layers += [nn.LeakyReLU(0.1, inplace=True), dropout, nn.Conv3d(6, 6, 3, padding=1)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv3d(6, 3, 1)

    def forward(self, x):
        return self.head(self.layers(x))


class PointwiseSuffix(nn.Module):
    def __init__(self, between=nn.Identity, dropout=partial(nn.Dropout, 0.3)):
        super().__init__()
        self.features = nn.Sequential(nn.Conv3d(2, 6, 3, padding=1), nn.ReLU(),
                                      nn.Conv3d(6, 6, 3, padding=1), nn.ReLU())
        self.dropout1 = dropout()
        self.hidden = nn.Conv3d(6, 6, 1)
        self.between = between()
        self.activation = nn.PReLU(6)
        self.dropout2 = nn.Dropout(0.2)
        self.head = nn.Conv3d(6, 3, 1)

    def forward(self, x):
        x = self.between(self.hidden(self.dropout1(self.features(x))))
        return self.head(self.dropout2(self.activation(x)))


class Squeeze(nn.Module):
    def __init__(self):
        super().__init__()
        self.before = nn.Conv3d(2, 6, 3, padding=1)
        self.dropout = nn.Dropout3d(0.3)
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.squeeze = nn.Linear(6, 3)
        self.excite = nn.Linear(3, 6)
        self.after = nn.Conv3d(6, 3, 3, padding=1)

    def forward(self, x):
        x = self.dropout(torch.relu(self.before(x)))
        weights = self.pool(x).flatten(1)
        weights = torch.sigmoid(self.excite(torch.relu(self.squeeze(weights))))
        return self.after(x * weights.view(-1, 6, 1, 1, 1))


class Transformer(nn.Module):
    """Patches of 4 voxels a side, two heads of four."""

    def __init__(self):
        super().__init__()
        self.before = nn.Conv3d(2, 8, 3, padding=1)
        self.patches = nn.Conv3d(8, 8, 4, stride=4)
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 8))
        self.attention_dropout, self.dropout = nn.Dropout(0.1), nn.Dropout(0.1)
        self.up = nn.ConvTranspose3d(8, 8, 4, stride=4)
        self.after = nn.Conv3d(8, 3, 3, padding=1)

    def attend(self, x):
        batch, tokens = x.shape[0], x.shape[1]
        qkv = self.qkv(x).view(batch, tokens, 3, 2, 4).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(torch.matmul(qkv[0], qkv[1].transpose(-2, -1)) * 0.5, dim=-1)
        mixed = torch.matmul(self.attention_dropout(weights), qkv[2])
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(2)))

    def forward(self, x):
        skip = torch.relu(self.before(x))
        grid = self.patches(skip)
        x = grid.flatten(2).transpose(1, 2)
        x = x + self.attend(self.norm1(x))
        x = x + self.dropout(self.mlp(self.norm2(x)))
        x = self.up(x.transpose(1, 2).reshape(grid.shape))
        return self.after(x + skip)


def valid_convolutions(inputs):
    layers = []
    for outputs in (4, 6, 8):
        layers += [nn.Conv3d(inputs, outputs, 3), nn.BatchNorm3d(outputs), nn.PReLU(outputs)]
        inputs = outputs
    return nn.Sequential(*layers)


class TwoPathways(nn.Module):
    """DeepMedic-like: [2, n + 18, …] -> [3, n, …] for n a multiple of 3."""

    def __init__(self):
        super().__init__()
        self.full, self.third = valid_convolutions(2), valid_convolutions(2)
        self.repeat = nn.Upsample(scale_factor=3.0, mode="nearest")
        self.fc1 = nn.Conv3d(16, 8, 1)
        self.fc2 = nn.Conv3d(8, 8, 1)
        self.classes = nn.Conv3d(8, 3, 1)
        self.prelu1, self.prelu2 = nn.PReLU(8), nn.PReLU(8)
        self.dropout1, self.dropout2 = nn.Dropout(0.3), nn.Dropout(0.3)

    def forward(self, x):
        full = self.full(x[:, :, 6:-6, 6:-6, 6:-6])
        third = self.repeat(self.third(x[:, :, ::3, ::3, ::3]))
        x = self.prelu1(self.fc1(torch.cat([full, third], 1)))
        x = self.prelu2(self.fc2(self.dropout1(x)))
        return self.classes(self.dropout2(x))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv3d(outputs, outputs, 3, 1, 1)
        self.shortcut = nn.Conv3d(inputs, outputs, 1, stride)
        self.dropout = nn.Dropout3d(0.2)
        self.norm1 = nn.InstanceNorm3d(outputs, affine=True)
        self.norm2 = nn.InstanceNorm3d(outputs, affine=True)
        self.activation = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, x):
        y = self.activation(self.norm1(self.dropout(self.conv1(x))))
        return self.activation(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResidualUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([ResidualBlock(2, 4, 1), ResidualBlock(4, 6, 2),
                                   ResidualBlock(6, 8, 2)])
        self.up1, self.up2 = nn.ConvTranspose3d(8, 6, 2, 2), nn.ConvTranspose3d(6, 4, 2, 2)
        self.merge1, self.merge2 = ResidualBlock(12, 6, 1), ResidualBlock(8, 4, 1)
        self.head = nn.Conv3d(4, 3, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.merge1(torch.cat([self.up1(x), skips[1]], 1))
        return self.head(self.merge2(torch.cat([self.up2(x), skips[0]], 1)))
