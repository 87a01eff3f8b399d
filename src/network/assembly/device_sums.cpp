#include "device_sums.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "network/device/cuda_kernels.h"

namespace mcvol {
namespace {

constexpr int kIntervals = kHistogramNodes - 1;
/// A block counts in 24 bits, and so many voxels are far fewer (kernels/histograms.cu).
constexpr std::int64_t kMostVoxelsPerBlock = std::int64_t{1} << 20;

std::int64_t histogram_blocks(std::int64_t voxels) {
  constexpr std::int64_t kFewVoxels = 2048;  // below which giving a histogram costs more
  const std::int64_t wanted = std::clamp<std::int64_t>(voxels / kFewVoxels, 1, 512);
  return std::max(wanted, (voxels + kMostVoxelsPerBlock - 1) / kMostVoxelsPerBlock);
}

/// Of counts and inner weights [2, 256] per interval, as LogitHistogram adds them up.
LogitHistogram histogram_of(const std::int64_t* sums) {
  std::array<std::int64_t, kHistogramNodes> weights{};
  std::int64_t above_half = 0;
  for (int interval = 0; interval < kIntervals; ++interval) {
    const std::int64_t count = sums[interval];
    const std::int64_t inner = sums[kIntervals + interval];
    const int above = interval >= kIntervals / 2 ? 1 : 0;
    weights[static_cast<std::size_t>(interval + above)] += count * kVoxelWeight - inner;
    weights[static_cast<std::size_t>(interval + 1 - above)] += inner;
    above_half += above * count;
  }
  return LogitHistogram::from_weights(weights, above_half);
}

std::vector<LogitHistogram> histograms_of(const at::Tensor& sums) {
  const at::Tensor on_host = sums.reshape({-1, 2 * kIntervals}).cpu();
  std::vector<LogitHistogram> histograms;
  for (std::int64_t n = 0; n < on_host.size(0); ++n) {
    histograms.push_back(histogram_of(on_host.const_data_ptr<std::int64_t>() + n * 2 * kIntervals));
  }
  return histograms;
}

/// On the host. They live as long as their tensor, which the pointer holds.
template <typename Number>
std::shared_ptr<const Number> numbers_of(const at::Tensor& sums) {
  at::Tensor on_host =
      at::empty(sums.sizes(), at::TensorOptions().dtype(sums.scalar_type()).pinned_memory(true));
  on_host.copy_(sums);
  return {on_host.const_data_ptr<Number>(), [on_host](const Number*) {}};
}

}  // namespace

at::Tensor on_device(std::span<const int> numbers, c10::Device device) {
  return at::tensor(at::ArrayRef<int>(numbers.data(), numbers.size()), at::kInt).to(device);
}

DeviceSums::DeviceSums(c10::Device device, int regions, std::int64_t voxels, int sampled,
                       int all_passes)
    : device_(device),
      regions_(regions),
      voxels_(voxels),
      sampled_(sampled),
      all_passes_(all_passes) {
  const auto options = at::TensorOptions().device(device);
  const auto& odds = histogram_lower_odds();
  lower_odds_ = at::tensor(at::ArrayRef<float>(odds.data(), odds.size()), at::kFloat).to(device);
  histograms_ = at::zeros({regions, all_passes, 2, kIntervals}, options.dtype(at::kLong));
  probability_ = at::zeros({regions, voxels}, options.dtype(at::kLong));
  above_half_ = at::zeros({regions, voxels}, options.dtype(at::kInt));
  complaints_ = at::zeros({2}, options.dtype(at::kInt));
}

/// Histograms of the passes and of their mean, and the sums of the voxels.
std::int64_t DeviceSums::bytes(int regions, std::int64_t voxels, int all_passes) {
  constexpr auto kSum = static_cast<std::int64_t>(sizeof(std::int64_t));
  constexpr std::int64_t kTables = 4096;
  constexpr auto kCount = static_cast<std::int64_t>(sizeof(std::int32_t));
  return kTables + regions * kSum * (all_passes + std::int64_t{1}) * 2 * kIntervals +
         regions * (kSum + kCount) * voxels;
}

void DeviceSums::go_on(int first, const VoxelSums& earlier) {
  first_ = first;
  for (const auto& [sums, given] :
       {std::pair<at::Tensor&, const void*>(probability_, earlier.probabilities.get()),
        {above_half_, earlier.above_half.get()}}) {
    sums.copy_(at::from_blob(const_cast<void*>(given), sums.sizes(),
                             at::TensorOptions().dtype(sums.scalar_type())));
  }
}

void DeviceSums::add(const at::Tensor& logits, const at::Tensor& voxels,
                     std::span<const int> passes) {
  const std::int64_t count = logits.size(2);
  std::vector<int> places(passes.begin(), passes.end());
  for (int& place : places) place -= first_;
  const at::Tensor numbers = on_device(places, device_);
  CudaKernels::on(device_).launch(
      "add_logits",
      {.blocks_x = histogram_blocks(count), .blocks_y = logits.size(0) * logits.size(1)},
      logits.const_data_ptr<float>(), voxels.const_data_ptr<std::int64_t>(), count, regions_,
      numbers.const_data_ptr<int>(), sampled_, all_passes_, voxels_,
      lower_odds_.const_data_ptr<float>(), histograms_.data_ptr<std::int64_t>(),
      probability_.data_ptr<std::int64_t>(), above_half_.data_ptr<int>(),
      complaints_.data_ptr<int>());
}

void DeviceSums::give(LogitSink& sink) const {
  at::Tensor means = at::zeros({regions_, 2, kIntervals}, histograms_.options());
  CudaKernels::on(device_).launch(
      "add_means", {.blocks_x = histogram_blocks(voxels_), .blocks_y = regions_},
      probability_.const_data_ptr<std::int64_t>(), voxels_, first_ + sampled_,
      lower_odds_.const_data_ptr<float>(), means.data_ptr<std::int64_t>());
  const at::Tensor complaints = complaints_.cpu();
  const int* found = complaints.const_data_ptr<int>();
  if (found[static_cast<int>(Complaint::kNotANumber)] != 0) {
    throw InputError("the network gave a voxel no probability (NaN)");
  }
  if (found[static_cast<int>(Complaint::kUncovered)] != 0) {
    throw Error("a voxel to be measured lies in no window");
  }
  const std::vector<LogitHistogram> histograms = histograms_of(histograms_);
  const std::vector<LogitHistogram> mean_histograms = histograms_of(means);
  sink.accept(LogitSums{
      .histograms = histograms,
      .means = mean_histograms,
      .of_voxels = {numbers_of<std::int64_t>(probability_), numbers_of<std::int32_t>(above_half_)},
      .voxels = voxels_});
}

}  // namespace mcvol
