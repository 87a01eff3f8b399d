#include "device_dropout.h"

#include <algorithm>

#include "cuda_kernels.h"

namespace mcvol {
namespace {

// As in kernels.cu.
struct MaskRow {
  std::uint32_t key0, key1, pass, dropout_off;
};
constexpr std::int64_t kMostRows = 64;
struct MaskRows {
  std::array<MaskRow, kMostRows> row;
};
struct Layer {
  std::uint32_t id, member_and_sharing;
  std::uint64_t threshold;
  float scale, kept_offset, dropped_value;
};

std::string kernel_name(const char* kind, c10::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return std::string(kind) + "_float";
    case at::kHalf:
      return std::string(kind) + "_half";
    case at::kBFloat16:
      return std::string(kind) + "_bfloat16";
    default:
      TORCH_CHECK(false, "dropout of ", type, " on a GPU; expected float, half or bfloat16");
  }
}

MaskRows mask_rows(const std::vector<MaskDraw>& draws, std::int64_t first, std::int64_t count,
                   MaskSharing sharing) {
  MaskRows rows{};
  for (std::int64_t n = 0; n < count; ++n) {
    const MaskDraw& draw = draws[static_cast<std::size_t>(first + n)];
    const PhiloxKey key = mask_key(draw, sharing);
    rows.row[static_cast<std::size_t>(n)] = {key[0], key[1], draw.pass, draw.dropout_off};
  }
  return rows;
}

}  // namespace

at::Tensor device_dropout(const at::Tensor& input, const std::vector<MaskDraw>& draws,
                          const at::Tensor& positions, std::int64_t tile_voxels, int layer,
                          double rate, MaskSharing sharing, const DropoutAffine& affine) {
  const auto rows = static_cast<std::int64_t>(draws.size());
  at::Tensor output = at::empty(input.sizes(), input.options(), at::MemoryFormat::Contiguous);
  if (input.numel() == 0) return output;
  // One copy of what all passes share, expanded, is read where it is.
  const bool shared = input.size(0) == rows && rows > 1 && input.stride(0) == 0;
  const at::Tensor values = shared ? input.select(0, 0).contiguous() : input.contiguous();
  const std::int64_t elements = input.numel() / rows;
  const std::int64_t stride = shared ? 0 : elements;
  const bool gathered = positions.defined() && positions.numel() > 0;
  const bool by_channel = sharing != MaskSharing::kElement;
  const auto channels = static_cast<int>(by_channel || gathered ? input.size(1) : 1);
  const std::int64_t plane = elements / channels;
  const Layer description = {static_cast<std::uint32_t>(layer),
                             mask_member_and_sharing(draws.front(), sharing),
                             keep_threshold(rate),
                             affine.scale,
                             affine.kept_offset,
                             affine.dropped_value};
  const CudaKernels& kernels = CudaKernels::on(input.device());
  const auto* from = static_cast<const char*>(values.const_data_ptr());
  auto* to = static_cast<char*>(output.data_ptr());
  const auto bytes = static_cast<std::int64_t>(input.element_size());
  for (std::int64_t first = 0; first < rows; first += kMostRows) {
    const std::int64_t count = std::min(kMostRows, rows - first);
    const MaskRows masks = mask_rows(draws, first, count, sharing);
    const void* part = from + first * stride * bytes;
    void* result = to + first * elements * bytes;
    if (by_channel) {
      const auto blocks = static_cast<int>(std::min<std::int64_t>(32, (plane + 1023) / 1024));
      kernels.launch(kernel_name("drop_channels", input.scalar_type()),
                     {.blocks_x = blocks * count * channels}, part, result, masks, stride, channels,
                     plane, blocks, description);
    } else if (gathered) {
      kernels.launch(kernel_name("drop_gathered", input.scalar_type()),
                     {.blocks_x = CudaKernels::blocks_for(plane), .blocks_y = count * channels},
                     part, result, masks, stride, channels, plane,
                     positions.const_data_ptr<std::int64_t>(), tile_voxels, description);
    } else {
      kernels.launch(kernel_name("drop_elements", input.scalar_type()),
                     {.blocks_x = CudaKernels::blocks_for((elements + 3) / 4), .blocks_y = count},
                     part, result, masks, stride, elements, description);
    }
  }
  return output;
}

}  // namespace mcvol
