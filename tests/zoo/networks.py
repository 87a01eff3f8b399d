"""Plain networks: what is unusual stands between two 3x3x3 convolutions."""
from functools import partial

import middles as m
from entry import EVERY_FORM, Entry
from monai.networks.layers import DropPath
from torch import nn
from whole_networks import (
    Ending,
    InputDropout,
    MixedRates,
    PointwiseSuffix,
    ResidualUNet,
    Squeeze,
    Transformer,
    TwoPathways,
)


class Sandwich(nn.Module):
    def __init__(self, middle, channels=6, outputs=3):
        super().__init__()
        self.before = nn.Conv3d(2, 6, 3, padding=1)
        self.activation = nn.ReLU()
        self.middle = middle
        self.after = nn.Conv3d(channels, outputs, 3, padding=1)

    def forward(self, x):
        return self.after(self.middle(self.activation(self.before(x))))


def sandwich(name, describes, middle, channels=6, outputs=3, **rest):
    return Entry(name, describes, lambda: Sandwich(middle(), channels, outputs), **rest)


def entry(name, describes, build, **rest):
    return Entry(name, describes, build, **rest)


ENTRIES = [
    sandwich("dropout", "nn.Dropout 0.3", partial(nn.Dropout, 0.3)),
    sandwich("dropout_in_place", "nn.Dropout 0.3 in place",
             partial(nn.Dropout, 0.3, inplace=True)),
    sandwich("dropout_in_place_read_again",
             "nn.Dropout 0.3 in place; its input is read again afterwards", m.InPlaceReadAgain),
    sandwich("dropout_in_place_slice", "nn.Dropout 0.3 in place on half of the channels",
             m.InPlaceSlice),
    sandwich("dropout_functional", "F.dropout(x, 0.3, self.training)", m.Functional),
    sandwich("dropout_functional_on", "F.dropout(x, 0.3, True)", m.FunctionalOn, always_on=True),
    sandwich("dropout_torch", "torch.dropout(x, 0.3, self.training)", m.TorchDropout),
    sandwich("dropout3d", "nn.Dropout3d 0.3 (whole channels)", partial(nn.Dropout3d, 0.3)),
    sandwich("dropout3d_in_place", "nn.Dropout3d 0.3 in place",
             partial(nn.Dropout3d, 0.3, inplace=True)),
    sandwich("alpha_dropout", "nn.AlphaDropout 0.3", partial(nn.AlphaDropout, 0.3)),
    sandwich("alpha_dropout_in_place", "nn.AlphaDropout 0.3 in place",
             partial(nn.AlphaDropout, 0.3, inplace=True)),
    sandwich("feature_alpha_dropout", "nn.FeatureAlphaDropout 0.3",
             partial(nn.FeatureAlphaDropout, 0.3)),
    entry("dropout_of_input", "nn.Dropout 0.5 of the image itself",
          partial(InputDropout, False)),
    entry("dropout_of_input_in_place", "nn.Dropout 0.5 of the image itself, in place",
          partial(InputDropout, True)),
    sandwich("dropout_shared", "one nn.Dropout 0.3 used three times", m.Shared),
    sandwich("dropout_twice", "one tensor dropped twice, the results concatenated", m.Twice, 12),
    sandwich("dropout_if_shape", "nn.Dropout 0.3 inside `if x.shape[2] > 8`", m.IfShape),
    sandwich("dropout_if_attribute", "nn.Dropout 0.3 inside `if self.use`", m.IfAttribute),
    sandwich("dropout_range", "nn.Dropout 0.2 in a loop over range(3)", m.Range),
    sandwich("dropout_module_list", "three nn.Dropout in a loop over a ModuleList", m.Listed),
    sandwich("dropout_concatenated",
             "nn.Dropout 0.3 before a concatenation, nn.Dropout3d 0.2 after it",
             m.Concatenated, 12),
    sandwich("dropout_channels_last", "nn.Dropout 0.3 on channels-last activations",
             m.ChannelsLast, channels_first=False),
    sandwich("drop_path_off", "MONAI DropPath 0.3, which eval mode leaves out, after nn.Dropout 0.3",
             lambda: nn.Sequential(nn.Dropout(0.3), DropPath(0.3)), forms=EVERY_FORM[:3]),
    sandwich("layer_norm", "layer norm over channels after nn.Dropout 0.3", m.LayerNorm),
    sandwich("group_norm", "group norm after nn.Dropout 0.3",
             lambda: nn.Sequential(nn.Dropout(0.3), nn.GroupNorm(3, 6))),
    sandwich("instance_norm", "instance norm after nn.Dropout 0.3",
             lambda: nn.Sequential(nn.Dropout(0.3), nn.InstanceNorm3d(6, affine=True))),
    sandwich("instance_norm_running", "instance norm of running statistics after nn.Dropout 0.3",
             lambda: nn.Sequential(nn.Dropout(0.3),
                                   nn.InstanceNorm3d(6, affine=True, track_running_stats=True))),
    sandwich("batch_norm", "batch norm before and after nn.Dropout 0.3",
             lambda: nn.Sequential(nn.BatchNorm3d(6), nn.Dropout(0.3), nn.BatchNorm3d(6))),
    sandwich("padding_same", 'convolutions of padding "same" before and after nn.Dropout 0.3',
             lambda: nn.Sequential(nn.Conv3d(6, 6, 3, padding="same"), nn.Dropout(0.3),
                                   nn.Conv3d(6, 6, 3, padding="same", dilation=(1, 2, 3)))),
    sandwich("padding_same_even", 'as padding_same, of kernels of even lengths',
             lambda: nn.Sequential(nn.Conv3d(6, 6, (4, 3, 2), padding="same"), nn.Dropout(0.3),
                                   nn.Conv3d(6, 6, 2, padding="same", dilation=(3, 2, 1)))),
    sandwich("mean_of_all", "less x.mean() of the whole tensor, after nn.Dropout3d 0.3",
             m.MeanOfAll),
    sandwich("means_over_space",
             "less its mean over space, by its standard deviation, after nn.Dropout3d 0.3",
             m.MeansOverSpace),
    sandwich("plain_attention", "scaled_dot_product_attention without dropout, after nn.Dropout 0.3",
             m.PlainAttention),
    sandwich("interpolate", "F.interpolate trilinear after nn.Dropout 0.3", m.Interpolate),
    sandwich("view_batch_of_one", "view(1, -1, …) after nn.Dropout 0.3", m.ViewBatchOfOne),
    sandwich("sigmoid_outputs", "two outputs for a sigmoid each, nn.Dropout 0.3",
             partial(nn.Dropout, 0.3), outputs=2, activation="sigmoid"),
    entry("ends_in_softmax", "nn.Dropout 0.3; ends in softmax",
          partial(Ending, nn.Softmax(dim=1)), values="probabilities"),
    entry("ends_in_sigmoid", "nn.Dropout 0.3; ends in sigmoid",
          partial(Ending, nn.Sigmoid()), values="probabilities", activation="sigmoid"),
    entry("mixed_rates", "nn.Dropout 0, 0.1, 0.5 and 0.9, nn.Dropout3d 0 and 0.25", MixedRates),
    entry("pointwise", "nn.Dropout 0.3 and 0.2 before 1x1x1 convolutions only",
          PointwiseSuffix),
    entry("pointwise_dropout3d", "nn.Dropout3d 0.3 before 1x1x1 convolutions only",
          partial(PointwiseSuffix, dropout=partial(nn.Dropout3d, 0.3))),
    entry("pointwise_mean", "as pointwise, less x.mean() of the whole tensor between them",
          partial(PointwiseSuffix, m.MeanOfAll)),
    entry("pointwise_instance_norm", "as pointwise, an instance norm between them",
          partial(PointwiseSuffix, partial(nn.InstanceNorm3d, 6))),
    entry("pointwise_batch_norm_of_input",
          "as pointwise, a batch norm without running statistics between them",
          partial(PointwiseSuffix, partial(nn.BatchNorm3d, 6, track_running_stats=False))),
    entry("pointwise_position", "as pointwise, plus a learned map of the window between them",
          partial(PointwiseSuffix, m.Position)),
    entry("pointwise_flip", "as pointwise, flipped along one axis between them",
          partial(PointwiseSuffix, m.Flip)),
    entry("pointwise_layer_norm", "as pointwise, a layer norm over channels between them",
          partial(PointwiseSuffix, partial(m.LayerNorm, False))),
    entry("squeeze_excitation", "squeeze and excitation after nn.Dropout 0.3", Squeeze),
    entry("transformer", "transformer block, dropout 0.1 of ranks 3 and 4", Transformer),
    sandwich("attention_dropout", "scaled_dot_product_attention with dropout_p 0.2, nn.Dropout 0.3",
             m.AttentionDropout, always_on=True, channels_first=False),
    sandwich("encoder_layer", "nn.TransformerEncoderLayer, dropout 0.1", m.EncoderLayer,
             forms=EVERY_FORM[3:], always_on=True, channels_first=False),
    entry("deepmedic", "two pathways of valid convolutions, one subsampled; nn.Dropout 0.3 twice",
          TwoPathways, input=(2, 33, 30, 30)),
    entry("residual_unet", "nnU-Net-like residual U-Net, nn.Dropout3d 0.2 in every block",
          ResidualUNet),
]
