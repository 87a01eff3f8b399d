#pragma once

#include <array>

// Expressions for the sweep of operators.

namespace mcvol::testing {

/// An operator by its name in the list, and an expression with it of the tensors x, y and z, all of
/// one shape, or of a batch x, and of a (8 values) and s (1). Types are numbers of PyTorch's: 4 is
/// int64, 6 float32, 7 float64, 15 bfloat16.
struct OperatorCase {
  const char* name;
  const char* expression;
};

constexpr std::array kElementwise = {
    OperatorCase{"abs", "torch.abs(x)"},
    OperatorCase{"add", "x + y"},
    OperatorCase{"addcmul", "torch.addcmul(x, y, z)"},
    OperatorCase{"addcmul", "torch.addcmul(x, y, z, value=0.3)"},
    OperatorCase{"alias", "torch.alias(x)"},
    OperatorCase{"bitwise_and", "torch.bitwise_and(x > 0, y > 0)"},
    OperatorCase{"bitwise_not", "torch.bitwise_not(x > 0)"},
    OperatorCase{"bitwise_or", "torch.bitwise_or(x > 0, y > 0)"},
    OperatorCase{"clamp", "torch.clamp(x, -0.5, 0.7)"},
    OperatorCase{"clamp", "torch.clamp(x, 0.0, 0.7)"},
    OperatorCase{"clamp_max", "torch.clamp_max(x, 0.7)"},
    OperatorCase{"clamp_max", "torch.clamp_max(x, 0.0)"},
    OperatorCase{"clamp_min", "torch.clamp_min(x, 0.7)"},
    OperatorCase{"clamp_min", "torch.clamp_min(x, 0.0)"},
    OperatorCase{"clone", "torch.clone(x)"},
    OperatorCase{"contiguous", "x.contiguous()"},
    OperatorCase{"copy", "torch.zeros_like(x).copy_(y)"},
    OperatorCase{"cos", "torch.cos(x)"},
    OperatorCase{"detach", "x.detach()"},
    OperatorCase{"div", "x / y"},
    OperatorCase{"div", "x / 0.3"},
    OperatorCase{"div", "torch.div(x, y, rounding_mode=\"floor\")"},
    OperatorCase{"div", "torch.div(x, y, rounding_mode=\"trunc\")"},
    OperatorCase{"div", "torch.div(x, 0.3, rounding_mode=\"floor\")"},
    OperatorCase{"div", "torch.div(x, 0.3, rounding_mode=\"trunc\")"},
    OperatorCase{"eq", "x == y"},
    OperatorCase{"erf", "torch.erf(x)"},
    OperatorCase{"exp", "torch.exp(x)"},
    OperatorCase{"expm1", "torch.expm1(x)"},
    OperatorCase{"fill", "torch.fill(x, 0.3)"},
    OperatorCase{"floor", "torch.floor(x)"},
    OperatorCase{"floor_divide", "torch.floor_divide(x, y)"},
    OperatorCase{"floor_divide", "torch.floor_divide(x, 0.7)"},
    OperatorCase{"full_like", "torch.full_like(x, 0.3)"},
    OperatorCase{"ge", "x >= y"},
    OperatorCase{"gt", "x > 0.3"},
    OperatorCase{"hardsigmoid", "torch.hardsigmoid(x)"},
    OperatorCase{"hardswish", "torch.hardswish(x)"},
    OperatorCase{"hardtanh", "torch.hardtanh(x)"},
    OperatorCase{"hardtanh", "torch.hardtanh(x, 0.0, 1.0)"},
    OperatorCase{"le", "x <= y"},
    OperatorCase{"leaky_relu", "torch.leaky_relu(x, 0.1)"},
    OperatorCase{"log", "torch.log(x)"},
    OperatorCase{"log", "torch.log(torch.abs(x))"},
    OperatorCase{"log1p", "torch.log1p(x)"},
    OperatorCase{"log1p", "torch.log1p(torch.abs(x))"},
    OperatorCase{"lt", "x < y"},
    OperatorCase{"masked_fill", "torch.masked_fill(x, y > 0, 0.3)"},
    OperatorCase{"mul", "x * y"},
    OperatorCase{"mul", "x * 0.3"},
    OperatorCase{"ne", "x != y"},
    OperatorCase{"neg", "-x"},
    OperatorCase{"ones_like", "torch.ones_like(x)"},
    OperatorCase{"prelu", "torch.prelu(x, s)"},
    OperatorCase{"reciprocal", "torch.reciprocal(x)"},
    OperatorCase{"relu", "torch.relu(x)"},
    OperatorCase{"relu6", "torch.relu6(x)"},
    OperatorCase{"round", "torch.round(x)"},
    OperatorCase{"round", "torch.round(x, decimals=2)"},
    OperatorCase{"rsqrt", "torch.rsqrt(torch.abs(x))"},
    OperatorCase{"rsub", "torch.rsub(x, 1.0)"},
    OperatorCase{"sin", "torch.sin(x)"},
    OperatorCase{"sqrt", "torch.sqrt(torch.abs(x))"},
    OperatorCase{"square", "torch.square(x)"},
    OperatorCase{"sub", "x - y"},
    OperatorCase{"tanh", "torch.tanh(x)"},
    OperatorCase{"threshold", "torch.threshold(x, 0.1, 0.2)"},
    OperatorCase{"to", "x.to(7)"},
    OperatorCase{"to", "x.to(6)"},
    OperatorCase{"to", "x.to(15)"},
    OperatorCase{"to", "x.to(4)"},
    OperatorCase{"type_as", "x.type_as(y)"},
    OperatorCase{"where", "torch.where(x > 0.1, y, z)"},
    OperatorCase{"zeros_like", "torch.zeros_like(x)"},
};

constexpr std::array kReplaced = {
    OperatorCase{"sigmoid", "torch.sigmoid(x)"},
    OperatorCase{"silu", "torch.silu(x)"},
    OperatorCase{"elu", "torch.elu(x, 0.7, 1.3, 0.9)"},
    OperatorCase{"selu", "torch.selu(x)"},
    OperatorCase{"celu", "torch.celu(x, 2.5)"},
    OperatorCase{"softplus", "torch.softplus(x, 3.0, 7.0)"},
    OperatorCase{"mish", "torch.mish(x)"},
    OperatorCase{"gelu", "torch.gelu(x)"},
    OperatorCase{"gelu", "torch.gelu(x, approximate=\"tanh\")"},
    OperatorCase{"maximum", "torch.maximum(x, y)"},
    OperatorCase{"minimum", "torch.minimum(x, y)"},
    OperatorCase{"clamp", "torch.clamp(x, y, z)"},
    OperatorCase{"clamp", "torch.clamp(x, None, y)"},
    OperatorCase{"clamp_max", "torch.clamp_max(x, y)"},
    OperatorCase{"clamp_min", "torch.clamp_min(x, y)"},
};

// Likewise, of which parts keep their name.
constexpr std::array kTakenApart = {
    OperatorCase{"add", "torch.add(x, y, alpha=0.3)"},
    OperatorCase{"add", "torch.add(x, 0.7, alpha=0.3)"},
    OperatorCase{"sub", "torch.sub(x, y, alpha=0.3)"},
    OperatorCase{"rsub", "torch.rsub(x, y, alpha=0.3)"},
};

// Of a batch [rows, 8, d0, d1, d2], or [rows, 8, voxels, 1, 1].
constexpr std::array kOfRows = {
    OperatorCase{"layer_norm", "torch.layer_norm(x, [x.size(4)])"},
    OperatorCase{"layer_norm", "torch.layer_norm(x, [x.size(3), x.size(4)])"},
    OperatorCase{"layer_norm", "torch.layer_norm(x.permute([0, 2, 3, 4, 1]), [8], a, a)"},
    OperatorCase{"log_softmax", "torch.log_softmax(x, 1)"},
    OperatorCase{"log_softmax", "torch.log_softmax(x, 2)"},
    OperatorCase{"log_softmax", "torch.log_softmax(x, 3)"},
    OperatorCase{"log_softmax", "torch.log_softmax(x, 4)"},
    OperatorCase{"log_softmax", "torch.log_softmax(x.permute([0, 2, 3, 4, 1]), -1)"},
    OperatorCase{"batch_norm",
                 "torch.batch_norm(x, a, a, a, torch.abs(a), False, 0.1, 1e-5, False)"},
    OperatorCase{"batch_norm",
                 "torch.batch_norm(x, None, None, a, torch.abs(a), False, 0.1, 1e-5, False)"},
    OperatorCase{"group_norm", "torch.group_norm(x, 4, a, a)"},
    OperatorCase{"group_norm", "torch.group_norm(x, 1)"},
    OperatorCase{"group_norm", "torch.group_norm(x.permute([0, 1, 4, 3, 2]), 2, a, a)"},
    OperatorCase{"instance_norm",
                 "torch.instance_norm(x, a, a, None, None, True, 0.1, 1e-5, False)"},
    OperatorCase{"instance_norm",
                 "torch.instance_norm(x, a, a, a, torch.abs(a), False, 0.1, 1e-5, False)"},
    OperatorCase{"prelu", "torch.prelu(x, a)"},
    OperatorCase{"upsample_nearest3d", "torch.upsample_nearest3d(x, None, [2.0, 2.0, 2.0])"},
    OperatorCase{"upsample_nearest3d", "torch.upsample_nearest3d(x, [9, 14, 20])"},
};

// Likewise, of which none keeps its name.
constexpr std::array kReplacedOfRows = {
    OperatorCase{"matmul", "torch.matmul(x, x.transpose(3, 4))"},
    OperatorCase{"matmul", "torch.matmul(x[:, :, 0, 0, 0].unsqueeze(1), x.flatten(2))"},
    OperatorCase{"einsum", "torch.einsum(\"bcdhw,bcdhv->bcdvw\", [x, x])"},
    OperatorCase{"scaled_dot_product_attention", "torch.scaled_dot_product_attention(x, x, x)"},
    OperatorCase{"softmax", "torch.softmax(x, 1)"},
    OperatorCase{"softmax", "torch.softmax(x, -1)"},
    OperatorCase{"softmax", "torch.softmax(x.flatten(1), -1)"},
    OperatorCase{"mean", "torch.mean(x, [2, 3, 4], True).expand_as(x)"},
    OperatorCase{"sum", "torch.sum(x, [1], True).expand_as(x)"},
    OperatorCase{"var", "torch.var(x, [2, 3, 4], True, True).expand_as(x)"},
    OperatorCase{"std", "torch.std(x, [3], False)"},
    OperatorCase{"adaptive_avg_pool3d", "torch.adaptive_avg_pool3d(x, [1, 1, 1]).expand_as(x)"},
    OperatorCase{"cat", "torch.cat([x, x[:, 1:3]], 1)"},
};

// Of a batch whose rows are not one and the same in memory, which PyTorch takes for another layout.
// No such batch comes here: constants that only stand for all rows are read by what takes draws,
// too.
constexpr std::array kOfSeparateRows = {
    OperatorCase{"upsample_trilinear3d",
                 "torch.upsample_trilinear3d(x, None, False, [2.0, 2.0, 2.0])"},
    OperatorCase{"upsample_trilinear3d", "torch.upsample_trilinear3d(x, [9, 14, 20], True)"},
    OperatorCase{"upsample_trilinear3d", "torch.upsample_trilinear3d(x, [5, 3, 7], False)"},
};

// Of a batch whose axes are longer than 1.
constexpr std::array kOfSpace = {
    OperatorCase{"max_pool3d", "torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])"},
    OperatorCase{"max_pool3d", "torch.max_pool3d(x, [1, 1, 1], [2, 2, 2])"},
    OperatorCase{"adaptive_avg_pool3d", "torch.adaptive_avg_pool3d(x, [2, 3, 4])"},
    OperatorCase{"adaptive_avg_pool3d", "torch.adaptive_avg_pool3d(x, [3, 4, 3])"},
    OperatorCase{"avg_pool3d", "torch.avg_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])"},
    OperatorCase{"avg_pool3d", "torch.avg_pool3d(x, [3, 3, 3], [1, 1, 1], [1, 1, 1], True, False)"},
};

// What moves values, and constants of a batch's size.
constexpr std::array kMoving = {
    OperatorCase{"__getitem__", "torch.split(x, 3, 1)[0]"},
    OperatorCase{"arange", "x + torch.arange(x.size(4))"},
    OperatorCase{"as_tensor", "x + torch.as_tensor(x.size(4))"},
    OperatorCase{"cat", "torch.cat([x, x[:, :, 1:3]], 2)"},
    OperatorCase{"chunk", "torch.chunk(x, 2, 1)[1]"},
    OperatorCase{"constant_pad_nd", "torch.constant_pad_nd(x, [1, 2, 1, 1, 0, 1], 0.3)"},
    OperatorCase{"expand", "a.view([1, 8, 1, 1, 1]).expand([x.size(0), 8, x.size(2), 3, 3])"},
    OperatorCase{"expand_as", "a.view([1, 8, 1, 1, 1]).expand_as(x)"},
    OperatorCase{"flatten", "torch.flatten(x, 1)"},
    OperatorCase{"flip", "torch.flip(x, [2, 4])"},
    OperatorCase{"gather", "torch.gather(x, 1, (x > 0).to(4))"},
    OperatorCase{"index", "x[:, torch.arange(x.size(1) - 1)]"},
    OperatorCase{"index_select", "torch.index_select(x, 1, torch.arange(x.size(1) - 1))"},
    OperatorCase{"narrow", "torch.narrow(x, 1, 2, 3)"},
    OperatorCase{"ones", "x + torch.ones([x.size(4)])"},
    OperatorCase{"pad", "torch.pad(x, [1, 2, 1, 1, 0, 1])"},
    OperatorCase{"pad", "torch.pad(x, [0, 0, 0, 0, 1, 2], \"reflect\")"},
    OperatorCase{"pad", "torch.pad(x, [1, 0, 1, 1, 0, 1], \"replicate\")"},
    OperatorCase{"pad", "torch.pad(x, [1, 0, 1, 1, 0, 1], \"circular\")"},
    OperatorCase{"permute", "x.permute([0, 4, 3, 1, 2])"},
    OperatorCase{"pixel_shuffle",
                 "torch.pixel_shuffle(x.permute([0, 2, 1, 3, 4]).contiguous(), 2)"},
    OperatorCase{"reflection_pad3d", "torch.reflection_pad3d(x, [0, 0, 0, 0, 2, 1])"},
    OperatorCase{"repeat", "x.repeat([1, 2, 1, 1, 3])"},
    OperatorCase{"replication_pad3d", "torch.replication_pad3d(x, [1, 2, 1, 1, 0, 1])"},
    OperatorCase{"reshape", "x.reshape([x.size(0), -1, x.size(3)])"},
    OperatorCase{"roll", "torch.roll(x, [1, 2], [2, 3])"},
    OperatorCase{"select", "torch.select(x, 1, 3)"},
    OperatorCase{"slice", "x[:, 1:7:2]"},
    OperatorCase{"split", "torch.split(x, 3, 1)[2]"},
    OperatorCase{"split_with_sizes", "torch.split_with_sizes(x, [3, 5], 1)[1]"},
    OperatorCase{"squeeze", "torch.squeeze(x[:, :1], 1)"},
    OperatorCase{"stack", "torch.stack([x, x], 1)"},
    OperatorCase{"tensor", "x + torch.tensor(x.size(4))"},
    OperatorCase{"transpose", "torch.transpose(x, 1, 3)"},
    OperatorCase{"unbind", "torch.unbind(x, 1)[2]"},
    OperatorCase{"unflatten", "x.unflatten(1, [2, 4])"},
    OperatorCase{"unsqueeze", "torch.unsqueeze(x, 2)"},
    OperatorCase{"view", "x.contiguous().view([x.size(0), 2, -1])"},
    OperatorCase{"view_as", "x.contiguous().view_as(torch.flatten(x, 1))"},
    OperatorCase{"zeros", "x + torch.zeros([x.size(4)])"},
};

}  // namespace mcvol::testing
