"""Eager PyTorch with given dropout masks."""
import math

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

import masks

# alpha' = -lambda alpha, the value SELU saturates at (Klambauer et al., NeurIPS 2017).
SELU_LAMBDA, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
SATURATION = -SELU_LAMBDA * SELU_ALPHA

FUNCTIONAL = {
    F.dropout: "dropout",
    F.dropout1d: "feature_dropout",
    F.dropout2d: "feature_dropout",
    F.dropout3d: "feature_dropout",
    F.alpha_dropout: "alpha_dropout",
    F.feature_alpha_dropout: "feature_alpha_dropout",
}
# Each with its in-place twin.
KINDS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
OPERATORS = {getattr(torch, kind): kind for kind in KINDS}
IN_PLACE_OPERATORS = {getattr(torch, kind + "_"): kind for kind in KINDS}


def functional_arguments(input, p=0.5, training=True, inplace=False):
    return input, p, inplace


def dropped(x, keep, kind, rate):
    """`x` with what `keep` leaves of it; factors in double precision, then float32."""
    keep = keep.to(torch.float32)
    if "alpha" not in kind:
        return x * (keep * torch.tensor(1 / (1 - rate) if rate < 1 else 0, dtype=torch.float32))
    if rate >= 1:
        return x * 0
    scale = 1 / math.sqrt((SATURATION**2 * rate + 1) * (1 - rate))
    shift = -scale * rate * SATURATION  # keeps mean 0
    scale, shift, lost = (torch.tensor(value, dtype=torch.float32)
                          for value in (scale, shift, scale * SATURATION + shift))
    return torch.where(keep > 0, x * scale + shift, lost)


class MaskedDropout(TorchFunctionMode):
    """Every dropout whose rate is not 0 draws the mask of docs/masks.md, in eval mode too.

    Without a draw, dropout does nothing. `layers` tells what ran: (kind, rate, shape).
    With `aliased` every dropout changes its input too. That is what a trace in eval mode holds:
    dropout gave back its input there, and the tracer wrote the last name of that tensor wherever
    it was read again.
    """

    def __init__(self, draw=None, scope="native", aliased=False):
        super().__init__()
        self.draw, self.scope, self.aliased, self.layers = draw, scope, aliased, []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in FUNCTIONAL:
            x, rate, in_place = functional_arguments(*args, **kwargs)
            return self.run(x, FUNCTIONAL[function], rate, in_place)
        if function in OPERATORS:
            return self.run(args[0], OPERATORS[function], args[1], False)
        if function in IN_PLACE_OPERATORS:
            return self.run(args[0], IN_PLACE_OPERATORS[function], args[1], True)
        if function is F.scaled_dot_product_attention:
            return self.attention(*args, **kwargs)
        if function is F.multi_head_attention_forward:
            return self.multi_head(*args, **kwargs), None
        return function(*args, **kwargs)

    def attention(self, query, key, value, dropout_p=0.0):
        """By its definition, the dropout of its weights a layer like any other."""
        weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), -1)
        return self.run(weights, "dropout", dropout_p, False) @ value

    def multi_head(self, tokens, _key, _value, width, heads, in_weight, in_bias, _bias_k, _bias_v,
                   _zeros, rate, out_weight, out_bias, **_options):
        """Self-attention of [tokens, windows, width], without masks."""
        parts = F.linear(tokens, in_weight, in_bias).chunk(3, -1)
        query, key, value = (part.unflatten(2, (heads, width // heads)).permute(1, 2, 0, 3)
                             for part in parts)
        heads_together = self.attention(query, key, value, rate).permute(2, 0, 1, 3).flatten(2)
        return F.linear(heads_together, out_weight, out_bias)

    def run(self, x, kind, rate, in_place):
        if rate == 0:
            return x
        layer = len(self.layers)
        self.layers.append((kind, rate, tuple(x.shape)))
        if self.draw is None:
            return x
        if x.shape[0] != 1 and self.scope == "channel":
            raise ValueError("channel masks need a batch of one window")
        result = dropped(x, self.keep(x, kind, rate, layer), kind, rate)
        return x.copy_(result) if in_place or self.aliased else result

    def keep(self, x, kind, rate, layer):
        sharing = masks.sharing_under(self.scope, kind.startswith("feature"))
        if sharing == masks.ELEMENT:  # offset in the activation of the one window that runs
            shape, count = x.shape, x.numel()
        else:
            shape, count = [1, x.shape[1]] + [1] * (x.dim() - 2), x.shape[1]
        keep = masks.keep_mask(self.draw, layer, sharing, rate, count)
        return torch.from_numpy(keep).reshape(shape)


def run_masked(network, x, draw=None, scope="native", aliased=False):
    """The output of `network` in eval mode, and the dropout layers that ran."""
    network.eval()
    with torch.inference_mode(), MaskedDropout(draw, scope, aliased) as mode:
        return network(x.clone()), mode.layers
