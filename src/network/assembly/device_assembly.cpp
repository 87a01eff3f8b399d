#include <algorithm>
#include <vector>

#include "device_sums.h"
#include "network/device/cuda_kernels.h"
#include "network/windows/importance_map.h"
#include "window_assembly.h"

namespace mcvol {
namespace {

// Of blended means that are turned into regions at a time.
constexpr std::int64_t kMeansBytes = std::int64_t{256} << 20;

/// The weighted mean over one window is what it gave.
class DeviceAssembly final : public WindowAssembly {
 public:
  DeviceAssembly(const AssemblyTask& task, c10::Device device, LogitSink& sink)
      : task_(task),
        device_(device),
        sink_(sink),
        blended_(is_blended(task)),
        sums_(device, task.regions, task.voxels, task.sampled, task.all_passes) {
    if (task.first > 0) sums_.go_on(task.first, sink.earlier_sums());
    if (!blended_) return;
    const auto options = at::TensorOptions().device(device).dtype(at::kLong);
    const std::vector<float> importance = importance_map(task.window.output, task.window.blend);
    importance_ = at::tensor(at::ArrayRef<float>(importance.data(), importance.size()), at::kFloat)
                      .to(device);
    blended_sums_ = at::zeros({task.group, task.channels, task.voxels}, options);
    weight_sums_ = at::zeros({task.voxels}, options);
  }

  void begin_group(const PassGroup& group) override {
    group_ = group;
    if (blended_ && !group.opens) blended_sums_.zero_();
  }

  void begin_window(const WindowData& window) override {
    voxels_ = window.voxels;
    if (!blended_) return;
    weights_ = importance_.index_select(0, window.tile_offsets);
    if (!group_.opens) return;
    const std::int64_t count = voxels_.numel();
    CudaKernels::on(device_).launch(
        "blend_add_weights", {.blocks_x = CudaKernels::blocks_for(count)},
        voxels_.const_data_ptr<std::int64_t>(), weights_.const_data_ptr<float>(), count,
        weight_sums_.data_ptr<std::int64_t>());
  }

  void take(const PassRunner::Outputs& outputs) override {
    const std::int64_t count = outputs.values.size(2);
    const at::Tensor voxels = voxels_.narrow(0, outputs.begin, count);
    if (!blended_) {
      sums_.add(task_.region_logits(outputs.values).contiguous(), voxels, outputs.passes);
      return;
    }
    std::vector<int> places(outputs.passes.begin(), outputs.passes.end());
    for (int& place : places) place -= group_.first;
    const at::Tensor passes = on_device(places, device_);
    const at::Tensor values = outputs.values.to(at::kFloat).contiguous();
    CudaKernels::on(device_).launch(
        "blend_add",
        {.blocks_x = CudaKernels::blocks_for(count), .blocks_y = values.size(0) * values.size(1)},
        values.const_data_ptr<float>(), voxels.const_data_ptr<std::int64_t>(),
        weights_.const_data_ptr<float>() + outputs.begin, count, task_.channels,
        passes.const_data_ptr<int>(), task_.voxels, blended_sums_.data_ptr<std::int64_t>(),
        sums_.complaints().data_ptr<int>());
  }

  void end_group() override {
    if (!blended_) return;
    const at::Tensor all = at::arange(task_.voxels, voxels_.options());
    const std::int64_t pass_values = task_.channels * task_.voxels;
    const std::int64_t most = CudaKernels::kMostBlocksY / std::max(task_.channels, task_.regions);
    const std::int64_t fitting = kMeansBytes / std::max<std::int64_t>(4 * pass_values, 1);
    const auto step =
        static_cast<int>(std::clamp<std::int64_t>(std::min(fitting, most), 1, group_.count));
    for (int first = 0; first < group_.count; first += step) {
      const int count = std::min(step, group_.count - first);
      at::Tensor means = at::empty({count, task_.channels, task_.voxels}, importance_.options());
      CudaKernels::on(device_).launch(
          "blend_means",
          {.blocks_x = CudaKernels::blocks_for(task_.voxels), .blocks_y = count * task_.channels},
          blended_sums_.const_data_ptr<std::int64_t>() + first * pass_values,
          weight_sums_.const_data_ptr<std::int64_t>(), task_.voxels, means.data_ptr<float>(),
          sums_.complaints().data_ptr<int>());
      std::vector<int> passes;
      for (int n = 0; n < count; ++n) passes.push_back(group_.first + first + n);
      sums_.add(task_.region_logits(means).contiguous(), all, passes);
    }
  }

  void finish() override { sums_.give(sink_); }

 private:
  AssemblyTask task_;
  c10::Device device_;
  LogitSink& sink_;
  bool blended_;
  DeviceSums sums_;
  at::Tensor importance_;    ///< fp32 [output voxels of a window]
  at::Tensor blended_sums_;  ///< int64 [passes of a group, channels, voxels]
  at::Tensor weight_sums_;   ///< int64 [voxels]
  PassGroup group_;
  at::Tensor voxels_, weights_;  ///< of the window begun last
};

}  // namespace

std::int64_t device_assembly_bytes(const AssemblyTask& task) {
  std::int64_t bytes = DeviceSums::bytes(task.regions, task.voxels, task.all_passes);
  if (!is_blended(task)) return bytes;
  const Index3& output = task.window.output;
  // Weights of a window's voxels and of all, the list of all, and means that are given on at once,
  // of channels and of regions.
  bytes += 4 * output[0] * output[1] * output[2] + 2 * 8 * task.voxels;
  const std::int64_t of_pass = 4 * task.voxels * task.channels;
  const std::int64_t means = std::max(of_pass, std::min(kMeansBytes, of_pass * task.all_passes));
  return bytes + means + means / std::max(task.channels, 1) * task.regions;
}

std::unique_ptr<WindowAssembly> device_assembly(const AssemblyTask& task, c10::Device device,
                                                LogitSink& sink) {
  return std::make_unique<DeviceAssembly>(task, device, sink);
}

}  // namespace mcvol
