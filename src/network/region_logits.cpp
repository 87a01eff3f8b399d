#include "region_logits.h"

#include <algorithm>
#include <limits>

namespace mcvol {

RegionLogits::RegionLogits(const Bundle::Output& output, const std::vector<Bundle::Region>& regions)
    : sigmoid_(output.activation == Bundle::Output::Activation::kSigmoid) {
  for (const Bundle::Region& region : regions) {
    std::vector<std::int64_t> inside(region.outputs.begin(), region.outputs.end());
    std::vector<std::int64_t> outside;
    for (std::int64_t channel = 0; channel < output.channels; ++channel) {
      if (std::find(inside.begin(), inside.end(), channel) == inside.end()) {
        outside.push_back(channel);
      }
    }
    inside_.push_back(at::tensor(inside, at::kLong));
    outside_.push_back(at::tensor(outside, at::kLong));
  }
}

at::Tensor RegionLogits::operator()(const at::Tensor& output) const {
  const at::Tensor logits = output.to(at::kFloat);
  std::vector<at::Tensor> regions;
  regions.reserve(inside_.size());
  for (std::size_t r = 0; r < inside_.size(); ++r) {
    at::Tensor inside = logits.index_select(1, inside_[r].to(logits.device()));
    if (sigmoid_) {
      regions.push_back(inside.squeeze(1));
      continue;
    }
    if (outside_[r].numel() == 0) {  // the region is everything
      regions.push_back(at::full_like(logits.select(1, 0), std::numeric_limits<float>::infinity()));
      continue;
    }
    const at::Tensor outside = logits.index_select(1, outside_[r].to(logits.device()));
    regions.push_back(at::logsumexp(inside, 1) - at::logsumexp(outside, 1));
  }
  return at::stack(regions, 1).cpu();
}

}  // namespace mcvol
