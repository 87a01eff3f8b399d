#include "device_dropout.h"

#include <algorithm>

#include "network/device/cuda_kernels.h"

namespace mcvol {
namespace {

// As in kernels/dropout.cu.
struct MaskRow {
  std::uint32_t key0, key1, pass, dropout_off;
};
constexpr std::int64_t kMostRows = 64;
struct MaskRows {
  std::array<MaskRow, kMostRows> row;
};
struct MaskLayer {
  std::uint32_t id, member_and_sharing;
  std::uint64_t threshold;
  float scale, kept_offset, dropped_value;
};
constexpr int kThreads = 256;

/// Channels that a thread has: those of one load.
int vector_of(std::int64_t channels) { return channels % 8 == 0 ? 8 : channels % 4 == 0 ? 4 : 1; }

std::string vector_kernel(const char* kind, const at::Tensor& input) {
  return kernel_name(kind, input.scalar_type()) + "_" + std::to_string(vector_of(input.size(1)));
}

MaskRows mask_rows(const DeviceMasks& masks, std::int64_t first, std::int64_t count) {
  MaskRows rows{};
  for (std::int64_t n = 0; n < count; ++n) {
    const MaskDraw& draw = masks.draws[static_cast<std::size_t>(first + n)];
    const PhiloxKey key = mask_key(draw, masks.sharing);
    rows.row[static_cast<std::size_t>(n)] = {key[0], key[1], draw.pass, draw.dropout_off};
  }
  return rows;
}

/// @pre where a draw drops everything, the others do too or have dropout off
MaskLayer layer_of(const DeviceMasks& masks, const DropoutAffine& affine) {
  const MaskDraw& first = masks.draws.front();
  const bool drops_all = std::any_of(masks.draws.begin(), masks.draws.end(),
                                     [](const MaskDraw& draw) { return draw.drops_all; });
  return {static_cast<std::uint32_t>(masks.layer),
          mask_member_and_sharing(first, masks.sharing),
          keep_threshold(drops_all ? 1.0 : masks.rate),
          affine.scale,
          affine.kept_offset,
          affine.dropped_value};
}

/// Rows that lie one after the other, or are all one, expanded: `values` holds that one then.
struct Rows {
  Rows(const at::Tensor& input, std::int64_t rows, at::MemoryFormat format) {
    const bool shared = input.size(0) == rows && rows > 1 && input.stride(0) == 0;
    values = (shared ? input.narrow(0, 0, 1) : input).contiguous(format);
    stride = shared ? 0 : input.numel() / rows;
  }
  const char* at_row(std::int64_t row) const {
    return static_cast<const char*>(values.const_data_ptr()) +
           row * stride * static_cast<std::int64_t>(values.element_size());
  }
  at::Tensor values;
  std::int64_t stride;  ///< in elements
};

char* at_row(const at::Tensor& output, std::int64_t row, std::int64_t elements) {
  return static_cast<char*>(output.data_ptr()) +
         row * elements * static_cast<std::int64_t>(output.element_size());
}

const void* data_of(const std::optional<at::Tensor>& tensor) {
  return tensor ? tensor->const_data_ptr() : nullptr;
}

/// Turns `input` with the factors of norm_factors or dropout_factors.
void apply_factors(const Rows& input, const at::Tensor& output, const at::Tensor& factors,
                   std::int64_t first, std::int64_t count, const std::optional<at::Tensor>& slope,
                   bool drops_elements, const MaskRows& rows, const MaskLayer& layer) {
  const auto channels = static_cast<int>(output.size(1));
  const std::int64_t elements = output.numel() / output.size(0);
  const std::int64_t voxels = elements / channels;
  const void* from = input.at_row(first);
  void* to = at_row(output, first, elements);
  const void* slopes = data_of(slope);
  const int slope_count = slope ? static_cast<int>(slope->numel()) : 0;
  const int drops = drops_elements;
  CudaKernels::on(output.device())
      .launch(
          vector_kernel("apply_factors", output),
          {.blocks_x = CudaKernels::blocks_for(elements / vector_of(channels)), .blocks_y = count},
          from, to, input.stride, voxels, channels, factors.const_data_ptr<float>(), slopes,
          slope_count, drops, rows, layer);
}

bool has_channels_last(const at::Tensor& input) {
  return input.dim() == 5 && input.narrow(0, 0, 1).is_contiguous(at::MemoryFormat::ChannelsLast3d);
}

/// Masks of channels on activations with channels last.
at::Tensor scale_channels_last(const at::Tensor& input, const DeviceMasks& masks,
                               const DropoutAffine& affine) {
  const auto rows = static_cast<std::int64_t>(masks.draws.size());
  const Rows values(input, rows, at::MemoryFormat::ChannelsLast3d);
  const at::Tensor output =
      at::empty(input.sizes(), input.options(), at::MemoryFormat::ChannelsLast3d);
  const auto channels = static_cast<int>(input.size(1));
  const MaskLayer layer = layer_of(masks, affine);
  for (std::int64_t first = 0; first < rows; first += kMostRows) {
    const std::int64_t count = std::min(kMostRows, rows - first);
    const MaskRows part = mask_rows(masks, first, count);
    const at::Tensor factors = at::empty({count, channels, 2}, input.options().dtype(at::kFloat));
    CudaKernels::on(input.device())
        .launch("dropout_factors",
                {.blocks_x = (channels + kThreads - 1) / kThreads, .blocks_y = count}, channels,
                part, layer, factors.data_ptr<float>());
    apply_factors(values, output, factors, first, count, std::nullopt, false, part, layer);
  }
  return output;
}

}  // namespace

DropoutAffine inverted_dropout(double rate) {
  return {rate < 1.0 ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0F, 0.0F, 0.0F};
}

at::Tensor device_dropout(const at::Tensor& input, const DeviceMasks& masks,
                          const at::Tensor& positions, std::int64_t tile_voxels,
                          const DropoutAffine& affine) {
  if (input.numel() == 0) return input.clone();
  const bool by_channel = masks.sharing != MaskSharing::kElement;
  const bool no_offsets = affine.kept_offset == 0.0F && affine.dropped_value == 0.0F;
  if (by_channel && no_offsets && can_join(input) && has_channels_last(input)) {
    return scale_channels_last(input, masks, affine);
  }
  const auto rows = static_cast<std::int64_t>(masks.draws.size());
  const at::Tensor output = at::empty(input.sizes(), input.options(), at::MemoryFormat::Contiguous);
  const Rows values(input, rows, at::MemoryFormat::Contiguous);
  const std::int64_t elements = input.numel() / rows;
  const bool gathered = positions.defined() && positions.numel() > 0;
  const auto channels = static_cast<int>(by_channel || gathered ? input.size(1) : 1);
  const std::int64_t plane = elements / channels;
  const MaskLayer layer = layer_of(masks, affine);
  const CudaKernels& kernels = CudaKernels::on(input.device());
  const std::int64_t step =
      gathered ? std::clamp<std::int64_t>(CudaKernels::kMostBlocksY / channels, 1, kMostRows)
               : kMostRows;
  for (std::int64_t first = 0; first < rows; first += step) {
    const std::int64_t count = std::min(step, rows - first);
    const MaskRows part = mask_rows(masks, first, count);
    const void* from = values.at_row(first);
    void* to = at_row(output, first, elements);
    if (by_channel) {
      const auto blocks = static_cast<int>(std::min<std::int64_t>(32, (plane + 1023) / 1024));
      kernels.launch(kernel_name("drop_channels", input.scalar_type()),
                     {.blocks_x = blocks * count * channels}, from, to, part, values.stride,
                     channels, plane, blocks, layer);
    } else if (gathered) {
      kernels.launch(kernel_name("drop_gathered", input.scalar_type()),
                     {.blocks_x = CudaKernels::blocks_for(plane), .blocks_y = count * channels},
                     from, to, part, values.stride, channels, plane,
                     positions.const_data_ptr<std::int64_t>(), tile_voxels, layer);
    } else {
      kernels.launch(kernel_name("drop_elements", input.scalar_type()),
                     {.blocks_x = CudaKernels::blocks_for((elements + 3) / 4), .blocks_y = count},
                     from, to, part, values.stride, elements, layer);
    }
  }
  return output;
}

bool can_join(const at::Tensor& input) {
  return input.dim() == 5 && input.numel() > 0 &&
         input.size(1) <= kThreads * vector_of(input.size(1)) &&
         (input.scalar_type() == at::kHalf || input.scalar_type() == at::kBFloat16);
}

at::Tensor device_norm(const at::Tensor& input, const std::optional<at::Tensor>& weight,
                       const std::optional<at::Tensor>& bias, double epsilon,
                       const std::optional<at::Tensor>& slope,
                       const std::optional<DeviceMasks>& masks) {
  const std::int64_t rows = input.size(0);
  const Rows values(input, rows, at::MemoryFormat::ChannelsLast3d);
  const at::Tensor output =
      at::empty(input.sizes(), input.options(), at::MemoryFormat::ChannelsLast3d);
  const auto channels = static_cast<int>(input.size(1));
  const std::int64_t voxels = input.numel() / rows / channels;
  // Enough blocks to fill a GPU even for one row; a matter of the size alone.
  const auto chunks = static_cast<int>(std::clamp<std::int64_t>(voxels * channels / 32768, 1, 256));
  const bool drops_channels = masks && masks->sharing != MaskSharing::kElement;
  const bool drops_elements = masks && masks->sharing == MaskSharing::kElement;
  const int drops = drops_channels;
  const MaskLayer layer = masks ? layer_of(*masks, inverted_dropout(masks->rate)) : MaskLayer{};
  const void* weights = data_of(weight);
  const void* biases = data_of(bias);
  const CudaKernels& kernels = CudaKernels::on(input.device());
  const auto numbers = input.options().dtype(at::kFloat);
  for (std::int64_t first = 0; first < rows; first += kMostRows) {
    const std::int64_t count = std::min(kMostRows, rows - first);
    const MaskRows part = masks ? mask_rows(*masks, first, count) : MaskRows{};
    const at::Tensor partial = at::empty({count, chunks, 2, channels}, numbers);
    const at::Tensor factors = at::empty({count, channels, 2}, numbers);
    const void* from = values.at_row(first);
    kernels.launch(vector_kernel("norm_sums", input), {.blocks_x = chunks, .blocks_y = count}, from,
                   values.stride, voxels, channels, partial.data_ptr<float>());
    kernels.launch(kernel_name("norm_factors", input.scalar_type()),
                   {.blocks_x = (channels + 7) / 8, .blocks_y = count},
                   partial.const_data_ptr<float>(), chunks, voxels, channels, weights, biases,
                   epsilon, drops, part, layer, factors.data_ptr<float>());
    apply_factors(values, output, factors, first, count, slope, drops_elements, part, layer);
  }
  return output;
}

}  // namespace mcvol
