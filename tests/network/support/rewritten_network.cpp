#include "network/support/rewritten_network.h"

#include <algorithm>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "network/support/tiny_network.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

std::filesystem::path folder_of_test() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test->test_suite_name()) + "_" + test->name();
  std::replace(name.begin(), name.end(), '/', '_');
  return std::filesystem::path(::testing::TempDir()) / name;
}

at::Tensor run_rewritten(const std::string& forward, DropoutScope scope, const at::Tensor& image,
                         int passes, std::uint64_t seed) {
  constexpr int kBatch = 250;
  const std::filesystem::path file = folder_of_test() / "network.pt";
  save_network({forward}, file);
  const DropoutGraph network = load_dropout_graph(file, "network.pt", scope);
  const GraphRunner runner(network.whole);
  std::vector<at::Tensor> outputs;
  for (int first = 0; first < passes; first += kBatch) {
    std::vector<MaskDraw> rows;
    for (int pass = first; pass < std::min(first + kBatch, passes); ++pass) {
      rows.push_back({.seed = seed, .pass = static_cast<std::uint32_t>(pass)});
    }
    std::vector<std::int64_t> sizes = image.sizes().vec();
    sizes[0] = static_cast<std::int64_t>(rows.size());
    outputs.push_back(
        runner
            .run({image.expand(sizes).contiguous(), make_draws(rows, 0), at::empty({0}, at::kLong)})
            .front());
  }
  return at::cat(outputs);
}

}  // namespace mcvol::testing
