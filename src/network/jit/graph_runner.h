#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

namespace mcvol {

/// What RecordFunction calls convolutions that are none of ATen's, with their weight and output.
inline constexpr const char* kCountedConvolution = "mcvol::counted_convolution";

/// A graph compiled for the plain interpreter: no profiling, no fusion, so that the same inputs
/// give the same bits from the first run on. May be run from several threads at once.
class GraphRunner {
 public:
  explicit GraphRunner(const std::shared_ptr<torch::jit::Graph>& graph);

  /// @throws std::bad_alloc where memory runs out, on any device; else what the interpreter makes
  ///   of what an operator threw, a std::runtime_error.
  std::vector<at::Tensor> run(std::vector<at::Tensor> inputs) const;

 private:
  torch::jit::Code code_;
  std::size_t output_count_;
};

/// A run that counts the floating-point operations of convolutions and matrix products (2 per
/// multiply-add).
struct CountedRun {
  std::vector<at::Tensor> outputs;
  double flop = 0.0;
};
CountedRun run_counting(const GraphRunner& runner, std::vector<at::Tensor> inputs);

/// The cause in an interpreter's error: its last line, without the trace of source lines.
std::string reason_of(const std::exception& exception);

/// Whether memory ran out. The interpreter throws all errors of operators on as std::runtime_error:
/// their text is what tells.
bool is_out_of_memory(const std::exception& error);
/// The line that says so where a GPU, one of its libraries or a kernel of ours has failed.
std::optional<std::string> device_failure(const std::exception& error);

}  // namespace mcvol
