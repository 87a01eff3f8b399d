#include "network/jit/graph_runner.h"

#include "mcvol/error/error.h"

#include <new>
#include <stdexcept>
#include <string>

#include "network/device/cuda_kernels.h"
#include "network/device/gpu_fixture.h"
#include "network/graph/dropout_graph.h"
#include "network/passes/pass_runner.h"
#include "network/support/segmenter_fixtures.h"
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/irparser.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

// Memory that runs out inside a network, which LibTorch's interpreter reports as any other error.

namespace mcvol {
namespace {

enum class Failure { kBadAlloc, kGpu, kHost, kKernel, kOther };

/// mcvol::test_limit(Tensor) -> Tensor hands its input on, as long as it has no more rows.
std::int64_t most_rows = 0;
Failure thrown = Failure::kBadAlloc;

void run(torch::jit::Stack& stack) {
  const at::Tensor input = torch::jit::pop(stack).toTensor();
  if (input.size(0) > most_rows) {
    if (thrown == Failure::kBadAlloc) throw std::bad_alloc();
    TORCH_CHECK_WITH(OutOfMemoryError, thrown != Failure::kGpu, "CUDA out of memory. Tried to …");
    if (thrown == Failure::kKernel) throw device_error("kernel drop failed: invalid argument");
    TORCH_CHECK(thrown != Failure::kHost, "DefaultCPUAllocator: can't allocate memory");
    throw std::runtime_error("something else");
  }
  torch::jit::push(stack, input);
}

void register_operator() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::test_limit(Tensor x) -> Tensor", run, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

TEST(GraphRunner, MemoryThatRunsOutIsABadAllocWhateverTheOperatorThrew) {
  register_operator();
  auto graph = std::make_shared<torch::jit::Graph>();
  torch::jit::parseIR("graph(%x : Tensor):\n  %y : Tensor = mcvol::test_limit(%x)\n  return (%y)\n",
                      graph.get());
  const GraphRunner runner(graph);
  most_rows = 1;
  for (const Failure kind : {Failure::kBadAlloc, Failure::kGpu, Failure::kHost}) {
    thrown = kind;
    EXPECT_THROW(runner.run({at::zeros({2})}), std::bad_alloc) << static_cast<int>(kind);
    EXPECT_EQ(runner.run({at::zeros({1})}).size(), 1u);
  }
  thrown = Failure::kOther;
  try {
    runner.run({at::zeros({2})});
    FAIL() << "nothing was thrown";
  } catch (const std::exception& error) {
    EXPECT_FALSE(is_out_of_memory(error));
    EXPECT_EQ(reason_of(error), "something else");
  }
}

TEST(GraphRunner, AFailedDeviceIsToldFromAFailedNetwork) {
  const std::runtime_error device(
      "The following operation failed\nRuntimeError: CUDA error: an illegal memory access was "
      "encountered\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n");
  EXPECT_EQ(device_failure(device),
            "RuntimeError: CUDA error: an illegal memory access was encountered");
  EXPECT_FALSE(device_failure(std::runtime_error("RuntimeError: sizes do not match")));
}

using testing::OnTheGpu;

TEST_F(OnTheGpu, AKernelThatCannotRunIsAnErrorOfTheDevice) {
  try {
    CudaKernels::on(device_).launch("no_such_kernel", {});
    FAIL() << "nothing was thrown";
  } catch (const std::exception& error) {
    EXPECT_TRUE(device_failure(error)) << error.what();
  }
}

/// A network whose suffix meets mcvol::test_limit before each dropout.
PassRunner limited_runner(const Bundle& bundle) {
  register_operator();
  const std::string& file = bundle.networks.front().file;
  DropoutGraph graph = load_dropout_graph(bundle.folder / file, file, DropoutScope::kChannel);
  for (torch::jit::Node* node : graph.suffix->nodes()) {
    if (std::string(node->kind().toQualString()) != "mcvol::dropout") continue;
    torch::jit::Node* limit =
        graph.suffix->create(c10::Symbol::fromQualString("mcvol::test_limit"), {node->input(0)});
    limit->insertBefore(node);
    limit->output()->setType(c10::TensorType::get());
    node->replaceInput(0, limit->output());
  }
  return {graph, file, {.batch_bytes = std::int64_t{1} << 30, .most_passes_per_batch = 4}};
}

std::vector<at::Tensor> outputs_of(PassRunner& runner, const PassRunner::Job& job) {
  std::vector<at::Tensor> outputs(job.passes.size());
  const auto take = [&](const PassRunner::Outputs& found) {
    for (std::size_t row = 0; row < found.passes.size(); ++row) {
      at::Tensor& output = outputs[static_cast<std::size_t>(found.passes[row])];
      EXPECT_FALSE(output.defined()) << "a pass came twice";
      output = found.values[static_cast<std::int64_t>(row)].clone();
    }
  };
  StageTimings timings;
  EXPECT_TRUE(runner.run(
      job, take, [](double) { return true; }, timings));
  return outputs;
}

TEST(PassRunnerMemory, ABatchThatNoLongerFitsIsHalvedAndGivesTheSameBits) {
  thrown = Failure::kGpu;
  most_rows = 4;
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  PassRunner runner = limited_runner(bundle);
  ASSERT_EQ(runner.probe(bundle, bundle.window).passes_per_batch, 4);
  const std::vector<int> passes = {0, 1, 2, 3, 4, 5, 6};
  PassRunner::Job job;
  const auto& size = bundle.window.input;
  job.image = at::randn({1, 2, size[0], size[1], size[2]});
  job.tile_offsets = at::arange(100, at::kLong);
  job.passes = passes;
  const std::vector<at::Tensor> expected = outputs_of(runner, job);
  most_rows = 1;
  const std::vector<at::Tensor> found = outputs_of(runner, job);
  EXPECT_EQ(runner.cost().passes_per_batch, 1);
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    EXPECT_TRUE(found[pass].equal(expected[pass])) << "pass " << pass;
  }
  most_rows = 0;
  EXPECT_THROW(outputs_of(runner, job), std::bad_alloc);
}

TEST(PassRunnerMemory, ABatchThatDoesNotFitAtLoadIsTriedSmaller) {
  thrown = Failure::kGpu;
  most_rows = 3;
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  EXPECT_EQ(limited_runner(bundle).probe(bundle, bundle.window).passes_per_batch, 2);
  most_rows = 0;
  try {
    PassRunner runner = limited_runner(bundle);
    runner.probe(bundle, bundle.window);
    FAIL() << "nothing was thrown";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("not enough memory for one window"), std::string::npos)
        << error.what();
  }
}

/// Has no room for as many bytes as one request asks for.
class ScarceMemory final : public c10::Allocator {
 public:
  explicit ScarceMemory(std::size_t refused_bytes)
      : refused_bytes_(refused_bytes), usual_(c10::GetCPUAllocator()) {
    c10::SetCPUAllocator(this, kPriority);
  }
  ~ScarceMemory() override { c10::SetCPUAllocator(usual_, kPriority); }

  c10::DataPtr allocate(std::size_t bytes) override {
    TORCH_CHECK_WITH(OutOfMemoryError, bytes != refused_bytes_, "CUDA out of memory. Tried to …");
    return usual_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    usual_->copy_data(to, from, bytes);
  }

 private:
  static constexpr std::uint8_t kPriority = 2;
  std::size_t refused_bytes_;
  c10::Allocator* usual_;
};

// What a trial does around the network throws as LibTorch does, not as the interpreter.
TEST(PassRunnerMemory, ATrialWithoutRoomForTheDrawsOfABatchIsTriedSmaller) {
  thrown = Failure::kGpu;
  most_rows = 4;
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  PassRunner runner = limited_runner(bundle);
  const ScarceMemory memory(4 * 7 * sizeof(std::int64_t));
  EXPECT_EQ(runner.probe(bundle, bundle.window).passes_per_batch, 2);
}

// In a trial and in a run.
TEST(PassRunnerMemory, AKernelThatFailsIsNoFaultOfTheNetwork) {
  thrown = Failure::kKernel;
  most_rows = 4;
  const Bundle bundle = testing::tiny_bundle({testing::spatial_network()});
  PassRunner runner = limited_runner(bundle);
  runner.probe(bundle, bundle.window);
  const std::vector<int> passes = {0};
  PassRunner::Job job;
  const auto& size = bundle.window.input;
  job.image = at::zeros({1, 2, size[0], size[1], size[2]});
  job.tile_offsets = at::arange(100, at::kLong);
  job.passes = passes;
  most_rows = 0;
  for (const bool in_trial : {true, false}) {
    try {
      in_trial ? static_cast<void>(limited_runner(bundle).probe(bundle, bundle.window))
               : static_cast<void>(outputs_of(runner, job));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const ModelError& error) {
      ADD_FAILURE() << "said of the network: " << error.what();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("CUDA error: kernel drop failed: invalid argument"),
                std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace mcvol
