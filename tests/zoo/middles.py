"""What stands between the convolutions: modules of six channels that keep the size."""
import torch
import torch.nn.functional as F
from torch import nn


class InPlaceReadAgain(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3, inplace=True)
        self.conv = nn.Conv3d(6, 6, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        z = torch.tanh(y)
        self.dropout(y)
        return y + 0.5 * z


class InPlaceSlice(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3, inplace=True)
        self.conv = nn.Conv3d(6, 6, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        self.dropout(y[:, 2:5])
        return torch.tanh(y)


class Functional(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.3, self.training)


class FunctionalOn(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.3, True)


class TorchDropout(nn.Module):
    def forward(self, x):
        return torch.dropout(x, 0.3, self.training)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)
        self.conv1 = nn.Conv3d(6, 6, 3, padding=1)
        self.conv2 = nn.Conv3d(6, 6, 1)

    def forward(self, x):
        x = self.conv1(self.dropout(x))
        return self.dropout(self.conv2(self.dropout(x)))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        return torch.cat([self.dropout(x), self.dropout(x)], 1)


class IfShape(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        if x.shape[2] > 8:
            x = self.dropout(x)
        return x


class IfAttribute(nn.Module):
    def __init__(self):
        super().__init__()
        self.use = True
        self.skip = False
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        if self.use:
            x = self.dropout(x)
        if self.skip:
            x = self.dropout(x * 2)
        return x


class Range(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.2)
        self.conv = nn.Conv3d(6, 6, 3, padding=1)

    def forward(self, x):
        for _ in range(3):
            x = self.dropout(torch.relu(self.conv(x)))
        return x


class Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropouts = nn.ModuleList([nn.Dropout(0.1), nn.Dropout3d(0.2), nn.Dropout(0.3)])
        self.conv = nn.Conv3d(6, 6, 3, padding=1)

    def forward(self, x):
        for dropout in self.dropouts:
            x = dropout(torch.relu(self.conv(x)))
        return x


class Concatenated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(6, 6, 3, padding=1)
        self.dropout = nn.Dropout(0.3)
        self.dropout3d = nn.Dropout3d(0.2)

    def forward(self, x):
        return self.dropout3d(torch.cat([self.dropout(self.conv(x)), x], 1))


class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(6, 6)

    def forward(self, x):
        x = self.linear(self.dropout(x.permute(0, 2, 3, 4, 1)))
        return torch.tanh(x.permute(0, 4, 1, 2, 3))


class LayerNorm(nn.Module):
    def __init__(self, drops=True):
        super().__init__()
        self.dropout = nn.Dropout(0.3) if drops else nn.Identity()
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        x = self.dropout(x).permute(0, 2, 3, 4, 1)
        return self.norm(x).permute(0, 4, 1, 2, 3)


class MeanOfAll(nn.Module):
    """Of a batch of one: over several passes together the mean would mix them."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout3d(0.3)

    def forward(self, x):
        x = self.dropout(x)
        return x - 2 * x.mean()


class MeansOverSpace(nn.Module):
    """Of each channel by itself: no batch mixes them."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout3d(0.3)

    def forward(self, x):
        x = self.dropout(x)
        mean = x.mean((2, 3, 4), keepdim=True)
        spread = x.std((2, 3, 4), keepdim=True)
        return (x - mean) / (1 + spread) + 0.1 * x.sum(1, keepdim=True)


class PlainAttention(nn.Module):
    """Of voxels pooled by four, by PyTorch's own function, which draws nothing here."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        x = self.dropout(x)
        small = F.avg_pool3d(x, 4)
        tokens = small.flatten(2).transpose(1, 2)
        tokens = F.scaled_dot_product_attention(3 * tokens, tokens, tokens)
        tokens = tokens.transpose(1, 2).reshape(small.shape)
        return x + F.interpolate(tokens, scale_factor=4.0)


class Interpolate(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(6, 6, 3, stride=2, padding=1)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        x = self.dropout(self.conv(x))
        return F.interpolate(x, scale_factor=2.0, mode="trilinear", align_corners=False)


class ViewBatchOfOne(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        x = self.dropout(x)
        flat = x.view(1, 6, -1)
        flat = flat / (1 + flat.std(2, keepdim=True))
        return flat.view(1, 6, x.shape[2], x.shape[3], x.shape[4])


class Position(nn.Module):
    def __init__(self):
        super().__init__()
        self.map = nn.Parameter(torch.zeros(1, 1, 24, 16, 16))

    def forward(self, x):
        return torch.relu(x + 4 * self.map)


class Flip(nn.Module):
    def forward(self, x):
        return x + 0.5 * torch.flip(x, [2])


class AttentionDropout(nn.Module):
    def forward(self, x):
        x = F.dropout(x, 0.3, self.training)
        small = F.avg_pool3d(x, 4)
        tokens = small.flatten(2).transpose(1, 2)
        tokens = F.scaled_dot_product_attention(tokens, tokens, tokens, dropout_p=0.2)
        return x + F.interpolate(tokens.transpose(1, 2).reshape(small.shape), scale_factor=4.0)


class EncoderLayer(nn.Module):
    """Always as in training: in eval mode PyTorch takes a fast path without dropout."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(6, 2, 12, 0.1, batch_first=True)

    def train(self, mode=True):
        return super().train(True)

    def forward(self, x):
        small = F.avg_pool3d(x, 4)
        tokens = self.layer(small.flatten(2).transpose(1, 2))
        return x + F.interpolate(tokens.transpose(1, 2).reshape(small.shape), scale_factor=4.0)
