#include "network/graph/graph_fixture.h"

#include "mcvol/error/error.h"

#include <filesystem>

#include "network/jit/graph_runner.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

DropoutGraph load(const std::string& forward, DropoutScope scope,
                  std::optional<std::int64_t> output) {
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("dropout_graph_" +
                     std::string(::testing::UnitTest::GetInstance()->current_test_info()->name())) /
                    "network.pt";
  save_network({forward}, file);
  return load_dropout_graph(file, "network.pt", scope, output);
}

std::string error_of(const std::string& forward) {
  try {
    load(forward);
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

const at::Tensor& image() {
  static const at::Tensor tensor = [] {
    at::manual_seed(3);
    return at::randn({1, 2, 8, 7, 6});
  }();
  return tensor;
}

at::Tensor run_whole(const DropoutGraph& network, const MaskDraw& draw) {
  return GraphRunner(network.whole)
      .run({image().clone(), make_draws({draw}, 0), at::empty({0}, at::kLong)})
      .front();
}

}  // namespace mcvol::testing
