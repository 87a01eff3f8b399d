#include "zoo/zoo.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <mutex>

#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/jit/graph_nodes.h"
#include "network/jit/graph_runner.h"
#include "network/passes/pass_runner.h"
#include "network/rewrites/invariant_operators.h"
#include "network/run/torchscript_segmenter.h"
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::zoo;
using testing::ZooForm;
using testing::ZooNetwork;

/// Differences allowed against PyTorch, as a share of the largest value: its convolutions add up in
/// another order, layer after layer.
constexpr double kTolerance = 1e-4;

struct Fixture {
  const ZooNetwork* network;
  const ZooForm* form;
};

void PrintTo(const Fixture& fixture, std::ostream* stream) { *stream << fixture.form->file; }

std::vector<Fixture> fixtures(bool refused) {
  std::vector<Fixture> found;
  for (const ZooNetwork& network : zoo().networks) {
    if (network.refused.empty() == refused) continue;
    for (const ZooForm& form : network.forms) {
      if (!form.file.empty()) found.push_back({&network, &form});
    }
  }
  return found;
}

std::string test_name(const ::testing::TestParamInfo<Fixture>& info) {
  const Fixture& fixture = info.param;
  return fixture.network->name + "_" + fixture.form->form + "_" + fixture.form->mode;
}

DropoutGraph load(const Fixture& fixture, DropoutScope scope) {
  return load_dropout_graph(testing::zoo_file(fixture.form->file), fixture.form->file, scope);
}

/// As a run has it on a CPU.
void make_ready(const std::shared_ptr<torch::jit::Graph>& graph) {
  use_invariant_operators(graph);
  run_variant_operators_serially(graph);
}

at::Tensor image_of(const ZooNetwork& network) {
  const auto& shape = network.input;
  return testing::zoo_image({1, shape[0], shape[1], shape[2], shape[3]});
}

MaskDraw draw_of(int pass) {
  MaskDraw draw{.seed = zoo().seed, .pass = static_cast<std::uint32_t>(pass)};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    draw.window[axis] = static_cast<std::int32_t>(zoo().window[axis]);
  }
  return draw;
}

at::Tensor run_whole(const DropoutGraph& network, const at::Tensor& image, int pass) {
  return GraphRunner(network.whole)
      .run({image.clone(), make_draws({draw_of(pass)}, 0), at::empty({0}, at::kLong)})
      .front();
}

/// Every stride-th value against what PyTorch gave.
void expect_reference(const at::Tensor& output, const Fixture& fixture, std::size_t row,
                      const std::string& reference) {
  const ZooNetwork& network = *fixture.network;
  const auto& all = testing::zoo_array("references.npz", network.references.at(reference));
  const at::Tensor flat = output.flatten().slice(0, 0, std::nullopt, network.stride).contiguous();
  const auto count = static_cast<std::size_t>(flat.numel());
  ASSERT_GE(all.size(), (row + 1) * count);
  double scale = 0.0, largest = 0.0;
  for (std::size_t n = 0; n < count; ++n) {
    const double expected = all[row * count + n];
    scale = std::max(scale, std::abs(expected));
    largest = std::max(largest, std::abs(flat.const_data_ptr<float>()[n] - expected));
  }
  EXPECT_LE(largest, kTolerance * scale) << reference << ", row " << row;
}

class ZooFixture : public ::testing::TestWithParam<Fixture> {};

TEST_P(ZooFixture, DropoutAsIdentityGivesTheOriginalOutput) {
  const DropoutGraph network = load(GetParam(), DropoutScope::kNative);
  for_each_node(network.whole->block(), [](torch::jit::Node* node) {
    if (node->kind() != c10::Symbol::fromQualString(kDropoutOperator)) return;
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  });
  make_ready(network.whole);
  expect_reference(run_whole(network, image_of(*GetParam().network), 0), GetParam(), 0, "identity");
}

TEST_P(ZooFixture, GivenMasksGiveWhatPyTorchGivesWithTheSameMasks) {
  for (const DropoutScope scope : GetParam().network->scopes) {
    const DropoutGraph network = load(GetParam(), scope);
    std::vector<std::pair<std::string, double>> active;
    for (const DropoutLayer& layer : network.layers) {
      if (layer.id >= 0) active.emplace_back("", layer.rate);
    }
    ASSERT_EQ(active.size(), GetParam().network->dropout.size());
    for (std::size_t n = 0; n < active.size(); ++n) {
      EXPECT_DOUBLE_EQ(active[n].second, GetParam().network->dropout[n].second);
    }
    make_ready(network.whole);
    const at::Tensor image = image_of(*GetParam().network);
    for (std::size_t row = 0; row < zoo().passes.size(); ++row) {
      expect_reference(run_whole(network, image, zoo().passes[row]), GetParam(), row,
                       to_string(scope));
    }
  }
}

TEST_P(ZooFixture, SplitGivesTheBitsOfTheWhole) {
  for (const DropoutScope scope : GetParam().network->scopes) {
    const DropoutGraph network = load(GetParam(), scope);
    for (const auto& graph : {network.whole, network.prefix, network.suffix}) make_ready(graph);
    const at::Tensor image = image_of(*GetParam().network);
    const auto cut = GraphRunner(network.prefix).run({image.clone()});
    const GraphRunner suffix(network.suffix);
    for (const int pass : {0, 1, 2}) {
      std::vector<at::Tensor> inputs = cut;
      inputs.push_back(make_draws({draw_of(pass)}, 0));
      inputs.push_back(at::empty({0}, at::kLong));
      EXPECT_TRUE(suffix.run(inputs).front().equal(run_whole(network, image, pass)));
    }
  }
}

/// The outputs of five passes at a checkerboard of voxels, [pass, channel, voxel].
at::Tensor run_passes(const Fixture& fixture, DropoutScope scope, int threads, int batch,
                      at::ScalarType precision = at::kFloat) {
  at::set_num_threads(threads);
  const ZooNetwork& network = *fixture.network;
  const Bundle bundle = network.bundle();
  PassRunner runner(load(fixture, scope), fixture.form->file,
                    {.precision = precision,
                     .batch_bytes = std::int64_t{1} << 30,
                     .most_passes_per_batch = batch});
  runner.probe(bundle, bundle.window);
  std::vector<std::int64_t> offsets;
  for (std::int64_t n = 0; n < network.output[1] * network.output[2] * network.output[3]; n += 2) {
    offsets.push_back(n);
  }
  const std::vector<int> passes = {0, 1, 2, 3, 4};
  at::Tensor all = at::full({5, network.output[0], static_cast<std::int64_t>(offsets.size())}, NAN);
  const PassRunner::Job job{.image = image_of(network),
                            .corner = zoo().window,
                            .tile_offsets = at::tensor(offsets, at::kLong),
                            .passes = passes,
                            .seed = zoo().seed};
  const auto take = [&](const PassRunner::Outputs& outputs) {
    for (std::size_t row = 0; row < outputs.passes.size(); ++row) {
      all.select(0, outputs.passes[row])
          .narrow(1, outputs.begin, outputs.values.size(2))
          .copy_(outputs.values.select(0, static_cast<std::int64_t>(row)));
    }
  };
  StageTimings timings;
  EXPECT_TRUE(runner.run(
      job, take, [](double) { return true; }, timings));
  EXPECT_FALSE(all.isnan().any().item<bool>());
  return all;
}

TEST_P(ZooFixture, ABatchOfPassesGivesTheBitsOfSinglePassesForAnyThreads) {
  for (const DropoutScope scope : GetParam().network->scopes) {
    if (scope == DropoutScope::kElement) continue;  // native's masks and channel's are its kinds
    const at::Tensor one_by_one = run_passes(GetParam(), scope, 1, 1);
    EXPECT_TRUE(one_by_one.equal(run_passes(GetParam(), scope, 2, 4)));
    EXPECT_TRUE(one_by_one.equal(run_passes(GetParam(), scope, 3, 2)));
    bool differ = false;  // small layers may draw the same masks twice
    for (int pass = 1; pass < 5; ++pass) differ |= !one_by_one[pass].equal(one_by_one[0]);
    EXPECT_TRUE(differ);
  }
}

TEST_P(ZooFixture, PassesInBfloat16AreCloseAndHaveTheSameBitsInAnyBatchForAnyThreads) {
  try {
    require_on_cpu(Precision::kBf16);
  } catch (const UsageError&) {
    GTEST_SKIP() << "this processor has no bfloat16";
  }
  constexpr double kClose = 0.05;  // of the largest value: eight bits, layer after layer
  const at::Tensor one_by_one = run_passes(GetParam(), DropoutScope::kNative, 1, 1, at::kBFloat16);
  EXPECT_TRUE(one_by_one.equal(run_passes(GetParam(), DropoutScope::kNative, 3, 4, at::kBFloat16)));
  const at::Tensor exact = run_passes(GetParam(), DropoutScope::kNative, 1, 1);
  const double off = (one_by_one - exact).abs().max().item<double>();
  EXPECT_LE(off, kClose * exact.abs().max().item<double>());
}

TEST_P(ZooFixture, ChannelMasksAreRefusedWhereActivationsHaveNoChannels) {
  const auto& scopes = GetParam().network->scopes;
  if (std::find(scopes.begin(), scopes.end(), DropoutScope::kChannel) != scopes.end()) {
    return;  // held to PyTorch above
  }
  try {
    run_passes(GetParam(), DropoutScope::kChannel, 1, 1);
    FAIL() << "expected a refusal";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("use --scope native"), std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooFixture, ::testing::ValuesIn(fixtures(false)), test_name);

class RefusedFixture : public ::testing::TestWithParam<Fixture> {};

TEST_P(RefusedFixture, IsRefusedByNameWithWhatToDo) {
  Bundle bundle = GetParam().network->bundle();
  const std::string& file = GetParam().form->file;
  bundle.networks.push_back({file, ""});
  try {
    load_torchscript_segmenter(bundle,
                               {.device = "cpu", .threads = 1, .scope = DropoutScope::kNative});
    FAIL() << "expected a refusal";
  } catch (const ModelError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find(file + ": "), 0u) << message;
    EXPECT_NE(message.find(GetParam().network->refused), std::string::npos) << message;
    EXPECT_NE(message.find("; "), std::string::npos) << "says not what to do: " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, RefusedFixture, ::testing::ValuesIn(fixtures(true)), test_name);

}  // namespace
}  // namespace mcvol
