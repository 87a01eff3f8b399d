#pragma once

#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Makes norms that were exported in training mode use their running statistics, as in eval mode:
/// those of a batch would mix its passes, those of a window would be other numbers than the network
/// was made for. A norm that tracks none keeps what it does.
class EvalNorms {
 public:
  /// Of a graph as it was saved: freezing gives up on norms that write to their statistics.
  void force_before_freezing(torch::jit::Graph& graph);
  /// Of a frozen graph: those that eval mode itself has not turned.
  void force(torch::jit::Graph& graph);
  /// Adds a line for each kind that was turned.
  void note(std::vector<std::string>& notes) const;

 private:
  void turn(torch::jit::Graph& graph, torch::jit::Node* node);

  int batch_norms_ = 0, instance_norms_ = 0;
};

}  // namespace mcvol
