#include <algorithm>
#include <numeric>
#include <vector>

#include "network/device/block_loop.h"
#include "network/windows/importance_map.h"
#include "window_assembly.h"
#include "window_blend.h"

namespace mcvol {
namespace {

// Voxels per task when blended outputs are turned into regions.
constexpr std::int64_t kRegionVoxels = 16384;

bool are_consecutive(std::span<const int> passes) {
  return passes.back() - passes.front() + 1 == static_cast<int>(passes.size());
}

/// @param values [passes, output channels, voxels].
void give(const RegionLogits& region_logits, const at::Tensor& values,
          std::span<const std::int64_t> voxels, std::span<const int> passes, LogitSink& sink) {
  const at::Tensor logits = region_logits(values).cpu().contiguous();
  const auto accept = [&](const at::Tensor& rows, int first_pass) {
    sink.accept({.voxels = voxels,
                 .first_pass = first_pass,
                 .pass_count = static_cast<int>(rows.size(0)),
                 .region_count = static_cast<int>(rows.size(1)),
                 .logits = {rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())}});
  };
  if (are_consecutive(passes)) return accept(logits, passes.front());
  for (std::size_t row = 0; row < passes.size(); ++row) {
    accept(logits.narrow(0, static_cast<std::int64_t>(row), 1), passes[row]);
  }
}

std::span<const std::int64_t> numbers_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(tensor.numel())};
}

/// Windows abut: each voxel has one.
class Abutting final : public WindowAssembly {
 public:
  Abutting(const AssemblyTask& task, LogitSink& sink) : task_(task), sink_(sink) {}
  void begin_group(const PassGroup&) override {}
  void begin_window(const WindowData& window) override { voxels_ = window.voxels.cpu(); }
  void take(const PassRunner::Outputs& outputs) override {
    const auto voxels = numbers_of(voxels_).subspan(
        static_cast<std::size_t>(outputs.begin), static_cast<std::size_t>(outputs.values.size(2)));
    give(task_.region_logits, outputs.values, voxels, outputs.passes, sink_);
  }
  void end_group() override {}
  void finish() override {}

 private:
  AssemblyTask task_;
  LogitSink& sink_;
  at::Tensor voxels_;  ///< of the window begun last, on the host
};

class Blended final : public WindowAssembly {
 public:
  Blended(const AssemblyTask& task, LogitSink& sink)
      : task_(task),
        sink_(sink),
        importance_(importance_map(task.window.output, task.window.blend)),
        blend_(task.voxels, task.channels, task.group) {}

  void begin_group(const PassGroup& group) override {
    group_ = group;
    if (!group.opens) blend_.clear();
  }

  void begin_window(const WindowData& window) override {
    voxels_ = window.voxels.cpu();
    const at::Tensor tile_offsets = window.tile_offsets.cpu();
    const auto offsets = numbers_of(tile_offsets);
    weights_.resize(offsets.size());
    std::transform(offsets.begin(), offsets.end(), weights_.begin(), [&](std::int64_t offset) {
      return importance_[static_cast<std::size_t>(offset)];
    });
    if (group_.opens) blend_.add_weights(numbers_of(voxels_), weights_);
  }

  void take(const PassRunner::Outputs& outputs) override {
    const at::Tensor values = outputs.values.to(at::kCPU, at::kFloat).contiguous();
    const auto begin = static_cast<std::size_t>(outputs.begin);
    const auto count = static_cast<std::size_t>(values.size(2));
    const auto voxels = numbers_of(voxels_).subspan(begin, count);
    const auto weights = std::span<const float>(weights_).subspan(begin, count);
    for (std::size_t row = 0; row < outputs.passes.size(); ++row) {
      const at::Tensor of_pass = values.select(0, static_cast<std::int64_t>(row));
      blend_.add(outputs.passes[row] - group_.first, voxels, weights,
                 {of_pass.const_data_ptr<float>(), static_cast<std::size_t>(of_pass.numel())});
    }
  }

  void end_group() override {
    const std::int64_t blocks = (task_.voxels + kRegionVoxels - 1) / kRegionVoxels;
    for_each_block(at::kCPU, 0, blocks, [&](std::int64_t block) {
      const std::int64_t begin = block * kRegionVoxels;
      const std::int64_t count = std::min(kRegionVoxels, task_.voxels - begin);
      std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
      std::iota(positions.begin(), positions.end(), begin);
      at::Tensor values = at::empty({1, task_.channels, count}, at::kFloat);
      for (int pass = 0; pass < group_.count; ++pass) {
        blend_.means(pass, begin, count,
                     {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
        const int number = group_.first + pass;
        give(task_.region_logits, values, positions, {&number, 1}, sink_);
      }
    });
  }

  void finish() override {}

 private:
  AssemblyTask task_;
  LogitSink& sink_;
  std::vector<float> importance_;
  WindowBlend blend_;
  PassGroup group_;
  // Of the window begun last.
  at::Tensor voxels_;  ///< on the host
  std::vector<float> weights_;
};

}  // namespace

std::unique_ptr<WindowAssembly> host_assembly(const AssemblyTask& task, LogitSink& sink) {
  if (!is_blended(task)) {
    return std::make_unique<Abutting>(task, sink);
  }
  return std::make_unique<Blended>(task, sink);
}

bool is_blended(const AssemblyTask& task) {
  return task.window.blend != Bundle::Window::Blend::kNone && task.windows > 1;
}

std::int64_t blend_bytes(const AssemblyTask& task) {
  return WindowBlend::bytes(task.voxels, task.channels, 1);
}

}  // namespace mcvol
