#include "network/support/scripted_graph.h"

#include <cmath>
#include <random>

#include "network/jit/graph_runner.h"
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

namespace mcvol::testing {
namespace {

/// Knows `mcvol` as a module of our operators, beside `torch`.
struct Resolver : torch::jit::NativeResolver {
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(
      const std::string& name, torch::jit::GraphFunction& method,
      const torch::jit::SourceRange& at) override {
    if (name == "mcvol") return std::make_shared<torch::jit::BuiltinModule>("mcvol");
    return NativeResolver::resolveValue(name, method, at);
  }
};

}  // namespace

std::shared_ptr<torch::jit::Graph> scripted_graph(const std::string& parameters,
                                                  const std::string& expression,
                                                  const std::vector<at::Tensor>& fixed) {
  torch::jit::Module module("Scripted");
  module.define("def forward(self, " + parameters + "):\n    return " + expression + "\n",
                std::make_shared<Resolver>());
  std::shared_ptr<torch::jit::Graph> graph = module.get_method("forward").graph()->copy();
  graph->eraseInput(0);
  for (auto value = fixed.rbegin(); value != fixed.rend(); ++value) {
    const std::size_t last = graph->inputs().size() - 1;
    const torch::jit::WithInsertPoint at(*graph->nodes().begin());
    graph->inputs()[last]->replaceAllUsesWith(graph->insertConstant(*value));
    graph->eraseInput(last);
  }
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
  return graph;
}

std::string list(const std::array<std::int64_t, 3>& triple) {
  return "[" + std::to_string(triple[0]) + ", " + std::to_string(triple[1]) + ", " +
         std::to_string(triple[2]) + "]";
}

at::Tensor run_graph(const std::shared_ptr<torch::jit::Graph>& graph, const at::Tensor& x,
                     int threads) {
  at::set_num_threads(threads);
  return GraphRunner(graph).run({x}).front();
}

at::Tensor normal_values(const std::vector<std::int64_t>& sizes, unsigned seed, float scale) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  at::Tensor values = at::empty(sizes, at::kFloat);
  float* value = values.data_ptr<float>();
  for (std::int64_t n = 0; n < values.numel(); ++n) value[n] = normal(generator);
  return values;
}

void expect_same_bits_in_any_batch(const std::shared_ptr<torch::jit::Graph>& graph,
                                   const at::Tensor& rows, const std::string& what) {
  std::vector<at::Tensor> single;
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    single.push_back(run_graph(graph, rows.narrow(0, row, 1).clone()));
  }
  const at::Tensor expected = at::cat(single).view(at::kInt);
  for (const int threads : {1, 2, 3, 5}) {
    for (std::int64_t size = 1; size <= rows.size(0); size += 1 + size / 3) {
      const at::Tensor found = run_graph(graph, rows.narrow(0, 0, size).clone(), threads);
      EXPECT_TRUE(found.contiguous().view(at::kInt).equal(expected.narrow(0, 0, size)))
          << what << ": " << size << " rows on " << threads << " threads";
    }
  }
}

double relative_difference(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor a = found.to(at::kDouble);
  const at::Tensor b = expected.to(at::kDouble);
  if (a.sizes() != b.sizes()) return INFINITY;
  const at::Tensor finite = b.isfinite();
  if (!finite.equal(a.isfinite())) return INFINITY;
  if (!at::allclose(a.masked_select(finite.logical_not()), b.masked_select(finite.logical_not()),
                    0.0, 0.0, true)) {
    return INFINITY;
  }
  const at::Tensor values = b.masked_select(finite);
  if (values.numel() == 0) return 0.0;
  const double scale = values.abs().max().item<double>();
  const double difference = (a.masked_select(finite) - values).abs().max().item<double>();
  return difference == 0.0 ? 0.0 : difference / scale;
}

}  // namespace mcvol::testing
