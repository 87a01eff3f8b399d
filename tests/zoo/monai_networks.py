"""MONAI's networks, as small as their constructors allow."""
from functools import partial

from monai.networks.nets import (
    UNETR,
    AttentionUnet,
    BasicUNet,
    DynUNet,
    HighResNet,
    SegResNet,
    SwinUNETR,
    UNet,
    VNet,
)

from entry import MONAI_FORMS, Entry

THREE = {"spatial_dims": 3, "in_channels": 2, "out_channels": 3}


def unet(norm, residual_units=0, dropout=0.2):
    return UNet(**THREE, channels=(4, 8, 8), strides=(2, 2), num_res_units=residual_units,
                norm=norm, dropout=dropout)


def segresnet():
    return SegResNet(**THREE, init_filters=8, num_groups=4, blocks_down=(1, 1), blocks_up=(1,),
                     dropout_prob=0.2)


def dynunet():
    return DynUNet(**THREE, kernel_size=(3, 3, 3), strides=(1, 2, 2), upsample_kernel_size=(2, 2),
                   filters=(4, 8, 8), dropout=0.2, deep_supervision=False)


def highresnet():
    layers = ({"name": "conv_0", "n_features": 8, "kernel_size": 3},
              {"name": "res_1", "n_features": 8, "kernels": (3, 3), "repeat": 1},
              {"name": "res_2", "n_features": 8, "kernels": (3, 3), "repeat": 1},
              {"name": "conv_1", "n_features": 8, "kernel_size": 1},
              {"name": "conv_2", "kernel_size": 1})
    return HighResNet(**THREE, dropout_prob=0.3, layer_params=layers)


def unetr():
    return UNETR(in_channels=2, out_channels=3, img_size=(32, 32, 16), feature_size=4,
                 hidden_size=16, mlp_dim=32, num_heads=2, dropout_rate=0.1)


def swin_unetr(drop_path=0.0, attention=0.1):
    return SwinUNETR(in_channels=2, out_channels=3, feature_size=12, depths=(1, 1, 1, 1),
                     num_heads=(1, 2, 2, 2), window_size=4, drop_rate=0.1,
                     attn_drop_rate=attention, dropout_path_rate=drop_path)


def entry(name, describes, build, **rest):
    return Entry(f"monai_{name}", f"MONAI {describes}", build,
                 **{"family": "MONAI", "forms": MONAI_FORMS, **rest})


ENTRIES = [
    entry("unet_instance", "UNet, instance norm, Dropout 0.2 in every block",
          partial(unet, "instance")),
    entry("unet_batch", "UNet, batch norm, Dropout 0.2 in every block", partial(unet, "batch")),
    entry("unet_group", "UNet, group norm, Dropout 0.2 in every block",
          partial(unet, ("group", {"num_groups": 2}))),
    entry("unet_residual", "UNet of residual units, Dropout 0.2 in every unit",
          partial(unet, "instance", 2)),
    entry("basic_unet", "BasicUNet, five levels, Dropout 0.1 in every block",
          lambda: BasicUNet(**THREE, features=(4, 4, 4, 8, 8, 4), dropout=0.1),
          input=(2, 32, 32, 16)),
    entry("segresnet", "SegResNet, group norm, Dropout3d 0.2 after the first convolution",
          segresnet),
    entry("dynunet", "DynUNet, no deep supervision, Dropout 0.2 after every convolution", dynunet),
    entry("vnet", "VNet, Dropout3d 0.2 on the way down, 0.3 to 0.5 on the way up",
          lambda: VNet(**THREE, dropout_prob_down=0.2, dropout_prob_up=(0.3, 0.4)),
          input=(2, 32, 16, 16), compact=True),
    entry("attention_unet", "AttentionUnet, Dropout 0.2 in every block",
          lambda: AttentionUnet(**THREE, channels=(4, 8, 8), strides=(2, 2), dropout=0.2)),
    entry("highresnet", "HighResNet, Dropout 0.3 after the last two convolutions", highresnet),
    entry("unetr", "UNETR, Dropout 0.1 in the transformer (ranks 3 and 4)", unetr,
          input=(2, 32, 32, 16), compact=True, forms=MONAI_FORMS[1:]),
    entry("swin_unetr", "SwinUNETR, drop_rate 0.1 and attn_drop_rate 0.1 (ranks 3, 4 and 5)",
          swin_unetr, input=(2, 64, 32, 32), compact=True),
]
