#include "network/support/operator_sweep.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "network/kernels/cpu/processor.h"
#include "network/rewrites/invariant_operators.h"
#include "network/support/operator_cases.h"
#include "network/support/scripted_graph.h"
#include <ATen/Version.h>
#include <gtest/gtest.h>

// Each operator that invariant_operators() names, swept. ctest runs this once for each of the
// instruction sets that PyTorch has kernels for: ATEN_CPU_CAPABILITY, which it reads but once.

namespace mcvol {
namespace {

using testing::normal_values;
using testing::OperatorCase;
using testing::RepeatedRows;
using testing::scripted_graph;
using testing::SweepResult;

/// Without the operands that it does not read.
std::shared_ptr<torch::jit::Graph> case_graph(const OperatorCase& of) {
  const auto graph =
      scripted_graph("x, y, z, a, s", of.expression, {normal_values({8}, 1), at::full({1}, 0.25)});
  for (std::size_t n = graph->inputs().size(); n-- > 1;) {
    if (!graph->inputs()[n]->hasUses()) graph->eraseInput(n);
  }
  return graph;
}

bool holds_operator(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& name) {
  bool found = false;
  for_each_node(graph->block(), [&](const torch::jit::Node* node) {
    const std::string kind = node->kind().toQualString();
    found = found || kind == "aten::" + name || kind == "aten::" + name + "_";
  });
  return found;
}

/// As a pass runs it on a CPU; expects nothing in it to be run serially.
std::shared_ptr<torch::jit::Graph> made_ready(const std::shared_ptr<torch::jit::Graph>& graph) {
  const auto ready = graph->copy();
  use_invariant_operators(ready);
  EXPECT_EQ(run_variant_operators_serially(ready), std::vector<std::string>{});
  return ready;
}

void expect_no_difference(const SweepResult& result, const OperatorCase& of) {
  EXPECT_GT(result.compared, 100000) << of.expression;
  EXPECT_EQ(result.differing, 0) << of.expression << ": of " << result.compared
                                 << " values, the first " << result.first;
}

void expect_no_difference_in_elements(const OperatorCase& of, at::ScalarType type) {
  expect_no_difference(testing::sweep_elements(made_ready(case_graph(of)), type), of);
}

/// @param shapes of batches.
void expect_no_difference_in_rows(const OperatorCase& of,
                                  const std::vector<std::vector<std::int64_t>>& shapes,
                                  at::ScalarType type = at::kFloat,
                                  RepeatedRows repeated = RepeatedRows::kYes) {
  const auto graph = made_ready(case_graph(of));
  SweepResult result;
  for (const auto& shape : shapes) {
    result += testing::sweep_rows(graph, normal_values(shape, 5, 3.0F).to(type), repeated);
  }
  expect_no_difference(result, of);
}

/// Odd sizes, one that a single row shares between threads, and small ones.
const std::vector<std::vector<std::int64_t>> kBatches = {
    {4, 8, 9, 11, 7}, {2, 8, 19, 21, 17}, {3, 8, 4, 3, 5}};
/// As voxels that are measured are run.
const std::vector<std::vector<std::int64_t>> kVoxels = {{4, 8, 157, 1, 1}, {2, 8, 1024, 1, 1}};

class OperatorSweep : public ::testing::Test {
 protected:
  // PyTorch takes our word for what the processor has.
  void SetUp() override {
    const char* wanted = std::getenv("ATEN_CPU_CAPABILITY");
    if (wanted == nullptr) return;
    std::string name = wanted;
    std::transform(name.begin(), name.end(), name.begin(), ::toupper);
    if (!processor_has(name)) GTEST_SKIP() << "this processor has no " << name;
    ASSERT_EQ(at::get_cpu_capability(), name);
  }

 private:
  static bool processor_has(const std::string& name) {
    const std::array names = {"DEFAULT", "AVX2", "AVX512"};
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(variants_of_processor().size());
    return std::find(names.begin(), end, name) != end;
  }
};

TEST_F(OperatorSweep, HasACaseForEveryOperatorOfTheList) {
  std::set<std::string> names;
  const auto take = [&](const auto& cases) {
    for (const OperatorCase& of : cases) {
      names.insert(of.name);
      EXPECT_TRUE(holds_operator(made_ready(case_graph(of)), of.name)) << of.expression;
    }
  };
  take(testing::kElementwise);
  take(testing::kOfRows);
  take(testing::kOfSeparateRows);
  take(testing::kOfSpace);
  take(testing::kMoving);
  EXPECT_EQ(names, invariant_operators());
}

TEST_F(OperatorSweep, FindsWhatMakesGeluVary) {
  const SweepResult result =
      testing::sweep_elements(case_graph({"gelu", "torch.gelu(x)"}), at::kFloat);
  EXPECT_GT(result.differing, 0);
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenPlacesInElementwiseOperators) {
  for (const OperatorCase& of : testing::kElementwise) {
    expect_no_difference_in_elements(of, at::kFloat);
  }
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenPlacesInWhatOperatorsAreReplacedBy) {
  for (const OperatorCase& of : testing::kReplaced) {
    EXPECT_FALSE(holds_operator(made_ready(case_graph(of)), of.name)) << of.expression;
    expect_no_difference_in_elements(of, at::kFloat);
  }
  for (const OperatorCase& of : testing::kTakenApart) {
    expect_no_difference_in_elements(of, at::kFloat);
  }
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenBatchesInOperatorsOfRows) {
  for (const OperatorCase& of : testing::kOfRows) {
    expect_no_difference_in_rows(of, kBatches);
    expect_no_difference_in_rows(of, kVoxels);
  }
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenBatchesInWhatOperatorsOfRowsAreReplacedBy) {
  for (const OperatorCase& of : testing::kReplacedOfRows) {
    EXPECT_FALSE(holds_operator(made_ready(case_graph(of)), of.name)) << of.expression;
    expect_no_difference_in_rows(of, kBatches);
    expect_no_difference_in_rows(of, kVoxels);
  }
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenBatchesInOperatorsOfSpace) {
  for (const OperatorCase& of : testing::kOfSpace) {
    expect_no_difference_in_rows(of, kBatches);
  }
  for (const OperatorCase& of : testing::kOfSeparateRows) {
    expect_no_difference_in_rows(of, kBatches, at::kFloat, RepeatedRows::kNo);
  }
}

TEST_F(OperatorSweep, FindsNoDifferenceBetweenBatchesInWhatMovesValues) {
  for (const OperatorCase& of : testing::kMoving) {
    expect_no_difference_in_rows(of, {{4, 8, 9, 11, 7}, {3, 8, 4, 3, 5}});
  }
}

// What stays in bfloat16 between convolutions in it.
TEST_F(OperatorSweep, FindsNoDifferenceInBfloat16InWhatIsRunInIt) {
  for (const char* expression : {"x + y", "x - y", "torch.relu(x)", "torch.leaky_relu(x, 0.1)"}) {
    expect_no_difference_in_elements({"", expression}, at::kBFloat16);
  }
  for (const char* expression :
       {"torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])",
        "torch.upsample_nearest3d(x, None, [2.0, 2.0, 2.0])", "torch.cat([x, x[:, 1:3]], 1)"}) {
    expect_no_difference_in_rows({"", expression}, kBatches, at::kBFloat16);
  }
}

// They have forms that vary, and are not replaced where they write into their input.
TEST_F(OperatorSweep, LeavesOtherFormsOfOperatorsOfTheListToRunSerially) {
  const std::vector<OperatorCase> forms = {{"gelu", "torch.gelu(x, approximate=str(x.dim()))"},
                                           {"add_", "x.clone().add_(y, alpha=0.3)"},
                                           {"sub_", "x.clone().sub_(y, alpha=0.3)"},
                                           {"clamp_", "x.clone().clamp_(y, z)"},
                                           {"clamp_min_", "x.clone().clamp_min_(y)"},
                                           {"clamp_max_", "x.clone().clamp_max_(y)"}};
  for (const OperatorCase& of : forms) {
    const auto graph = case_graph(of);
    use_invariant_operators(graph);
    EXPECT_EQ(run_variant_operators_serially(graph),
              std::vector<std::string>{std::string("aten::") + of.name});
  }
}

}  // namespace
}  // namespace mcvol
