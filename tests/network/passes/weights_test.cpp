// Weights are held once, however a network is rewritten.

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "network/graph/dropout_graph.h"
#include "network/passes/pass_runner.h"
#include "network/support/rewritten_network.h"
#include "network/support/scripted_graph.h"
#include "network/support/segmenter_fixtures.h"
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

namespace mcvol {
namespace {

using testing::normal_values;

constexpr std::int64_t kWide = 96;

/// Wide convolutions before and after a dropout; the last one raises where it is told to.
void save_wide_network(const std::filesystem::path& file) {
  torch::jit::Module module("Wide");
  module.register_parameter("w0", normal_values({kWide, 2, 3, 3, 3}, 1, 0.1F), false);
  module.register_parameter("w1", normal_values({kWide, kWide, 3, 3, 3}, 2, 0.02F), false);
  module.register_parameter("w2", normal_values({kWide, kWide, 3, 3, 3}, 3, 0.02F), false);
  module.register_parameter("up", normal_values({kWide, kWide, 2, 2, 2}, 4, 0.02F), false);
  module.register_parameter("w3", normal_values({3, kWide, 1, 1, 1}, 5), false);
  module.define(R"(
def within(self, x):
    return torch.conv3d(x, self.w2, None, [1, 1, 1], [1, 1, 1])

def forward(self, x):
    x = torch.conv3d(x, self.w0, None, [1, 1, 1], [1, 1, 1])
    x = torch.conv3d(x, self.w1, None, [2, 2, 2], [1, 1, 1])
    x = self.within(torch.dropout(torch.relu(x), 0.3, True))
    return torch.conv3d(torch.conv_transpose3d(x, self.up, None, [2, 2, 2]), self.w3)
)");
  std::filesystem::create_directories(file.parent_path());
  module.save(file.string());
}

constexpr std::int64_t kWeightBytes =
    4 * (kWide * 2 * 27 + 2 * kWide * kWide * 27 + kWide * kWide * 8 + 3 * kWide);

/// Counts what tensors that were made while it lives hold of the usual memory.
class CountedMemory final : public c10::Allocator {
 public:
  CountedMemory() : usual_(c10::GetCPUAllocator()) {
    give_ = usual_->raw_deleter();
    c10::SetCPUAllocator(this, kPriority);
  }
  ~CountedMemory() override { c10::SetCPUAllocator(usual_, kPriority); }

  c10::DataPtr allocate(std::size_t bytes) override {
    void* const block = usual_->raw_allocate(bytes);
    if (block == nullptr) return {nullptr, c10::Device(c10::kCPU)};
    const std::scoped_lock lock(mutex_);
    sizes_[block] = static_cast<std::int64_t>(bytes);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    usual_->copy_data(to, from, bytes);
  }

  static std::int64_t held_bytes() {
    const std::scoped_lock lock(mutex_);
    std::int64_t bytes = 0;
    for (const auto& [block, size] : sizes_) bytes += size;
    return bytes;
  }

 private:
  static constexpr std::uint8_t kPriority = 2;

  static void release(void* block) {
    if (block == nullptr) return;
    {
      const std::scoped_lock lock(mutex_);
      sizes_.erase(block);
    }
    give_(block);
  }

  c10::Allocator* usual_;
  // Tensors may outlive it.
  inline static std::mutex mutex_;
  inline static std::map<void*, std::int64_t> sizes_;
  inline static c10::DeleterFnPtr give_ = nullptr;
};

TEST(Weights, AreHeldOnceByANetworkThatIsReadyOnACpu) {
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  const auto file = testing::folder_of_test() / "wide.pt";
  save_wide_network(file);
  const CountedMemory memory;
  PassRunner runner(load_dropout_graph(file, "wide.pt", DropoutScope::kChannel), "wide.pt",
                    {.batch_bytes = std::int64_t{1} << 24});
  runner.probe(bundle, bundle.window);
  const std::int64_t held = CountedMemory::held_bytes();
  RecordProperty("held_over_weights", std::to_string(static_cast<double>(held) / kWeightBytes));
  EXPECT_GE(held, kWeightBytes);
  EXPECT_LE(held, kWeightBytes + kWeightBytes / 20);
}

// Where an operator fails, the interpreter looks into the code of the file.
TEST(Weights, AreNotNeededToSayWhereAnOperatorFailed) {
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  const auto file = testing::folder_of_test() / "wide.pt";
  save_wide_network(file);
  PassRunner runner(load_dropout_graph(file, "wide.pt", DropoutScope::kChannel), "wide.pt",
                    {.batch_bytes = std::int64_t{1} << 24});
  runner.probe(bundle, bundle.window);
  const std::vector<int> passes = {0};
  PassRunner::Job job;
  job.image = at::zeros({1, 5, 16, 16, 16});
  job.tile_offsets = at::arange(8, at::kLong);
  job.passes = passes;
  StageTimings timings;
  EXPECT_ANY_THROW(runner.run(
      job, [](const PassRunner::Outputs&) {}, [](double) { return true; }, timings));
}

}  // namespace
}  // namespace mcvol
