#include "region_logits.h"

#include "mcvol/error/error.h"

#include <algorithm>

#include "network/device/cuda_kernels.h"
#include "network/kernels/cpu/region_kernels.h"

namespace mcvol {
namespace {

// What rounding, blending and half precision leave of 0, 1 and their sum.
constexpr double kRangeTolerance = 1e-3;
constexpr double kSumTolerance = 1e-2;
constexpr int kMostChannels = 32;  // the bits of a word (kernels/regions.cu)

}  // namespace

RegionLogits::RegionLogits(const Bundle::Output& output, const std::vector<Bundle::Region>& regions)
    : sigmoid_(output.activation == Bundle::Output::Activation::kSigmoid),
      probabilities_(output.values == Bundle::Output::Values::kProbabilities) {
  for (const Bundle::Region& region : regions) {
    std::vector<std::int64_t> inside(region.outputs.begin(), region.outputs.end());
    std::vector<std::int64_t> outside;
    for (std::int64_t channel = 0; channel < output.channels; ++channel) {
      if (std::find(inside.begin(), inside.end(), channel) == inside.end()) {
        outside.push_back(channel);
      }
    }
    if (inside_.size() < channel_bits_.size() && output.channels <= kMostChannels) {
      for (const std::int64_t channel : inside) channel_bits_[inside_.size()] |= 1u << channel;
    }
    inside_.push_back(at::tensor(inside, at::kLong));
    outside_.push_back(at::tensor(outside, at::kLong));
  }
  fits_kernel_ = !sigmoid_ && !probabilities_ && regions.size() <= channel_bits_.size() &&
                 output.channels <= kMostChannels;
}

/// Row by row, whatever the layout.
at::Tensor RegionLogits::on_host(const at::Tensor& output) const {
  const at::Tensor values = output.to(at::kFloat);
  const auto regions = static_cast<std::int64_t>(inside_.size());
  const std::int64_t count = values.size(2);
  at::Tensor logits = at::empty({values.size(0), regions, count}, at::kFloat);
  for (std::int64_t row = 0; row < values.size(0); ++row) {
    softmax_region_logits(values.const_data_ptr<float>() + row * values.stride(0), count,
                          values.stride(2), values.stride(1), static_cast<int>(values.size(1)),
                          {channel_bits_.data(), inside_.size()},
                          logits.data_ptr<float>() + row * regions * count, count);
  }
  return logits;
}

/// One kernel in place of a dozen operators for each region.
at::Tensor RegionLogits::on_device(const at::Tensor& output) const {
  const at::Tensor values = output.contiguous();
  const auto channels = static_cast<int>(values.size(1));
  const auto regions = static_cast<int>(inside_.size());
  const std::int64_t count = values.size(2);
  at::Tensor logits =
      at::empty({values.size(0), regions, count}, values.options().dtype(at::kFloat));
  const void* from = values.const_data_ptr();
  CudaKernels::on(values.device())
      .launch(kernel_name("softmax_regions", values.scalar_type()),
              {.blocks_x = CudaKernels::blocks_for(count), .blocks_y = values.size(0)}, from, count,
              channels, regions, channel_bits_, logits.data_ptr<float>());
  return logits;
}

at::Tensor RegionLogits::operator()(const at::Tensor& output) const {
  const auto type = output.scalar_type();
  const bool has_kernel = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  if (fits_kernel_ && has_kernel) return output.is_cuda() ? on_device(output) : on_host(output);
  const at::Tensor values = output.to(at::kFloat);
  if (probabilities_) check_probabilities(values);
  std::vector<at::Tensor> regions;
  regions.reserve(inside_.size());
  for (std::size_t n = 0; n < inside_.size(); ++n) regions.push_back(region(values, n));
  return at::stack(regions, 1);
}

at::Tensor RegionLogits::region(const at::Tensor& output, std::size_t number) const {
  const at::Tensor inside = output.index_select(1, inside_[number].to(output.device()));
  if (sigmoid_ && !probabilities_) return inside.squeeze(1);
  if (sigmoid_) {
    const at::Tensor p = inside.squeeze(1).to(at::kDouble).clamp(0.0, 1.0);
    return (at::log(p) - at::log1p(-p)).to(at::kFloat);
  }
  const at::Tensor outside = output.index_select(1, outside_[number].to(output.device()));
  if (!probabilities_) return at::logsumexp(inside, 1) - at::logsumexp(outside, 1);
  return at::log(inside.clamp_min(0.0).sum(1)) - at::log(outside.clamp_min(0.0).sum(1));
}

void RegionLogits::check_probabilities(const at::Tensor& output) const {
  if (output.isnan().any().item<bool>()) return;  // reported as what it is, further on
  const auto fail = [](const std::string& found) {
    throw ModelError(
        "the network gives " + found +
        " where model.json promises probabilities; set output.values to \"logits\", or "
        "correct output.activation");
  };
  const double least = output.min().item<double>();
  const double most = output.max().item<double>();
  if (least < -kRangeTolerance) fail("a value of " + std::to_string(least));
  if (most > 1.0 + kRangeTolerance) fail("a value of " + std::to_string(most));
  if (sigmoid_) return;
  const at::Tensor sums = output.sum(1);
  const double off = (sums - 1.0).abs().max().item<double>();
  if (off > kSumTolerance) {
    fail("channels whose sum is off 1 by " + std::to_string(off));
  }
}

}  // namespace mcvol
