#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// A network whose dropout has become mcvol::dropout, cut where the draws first matter.
struct DropoutGraph {
  std::vector<DropoutLayer> layers;  ///< every dropout of the file, dead ones too

  /// (input, draws, positions) -> logits: the network whole.
  std::shared_ptr<torch::jit::Graph> whole;
  /// (input) -> cut tensors: deterministic, run once per window; without active dropout the whole
  /// network.
  std::shared_ptr<torch::jit::Graph> prefix;
  /// (cut tensors …, draws, positions) -> logits: run once per pass; none without active dropout.
  std::shared_ptr<torch::jit::Graph> suffix;
  std::string split_at;  ///< the first stochastic operator
  std::int64_t prefix_operators = 0, suffix_operators = 0;
  /// Whether every operator of the suffix treats each voxel by itself, so that it may run on
  /// gathered voxels.
  bool pointwise_suffix = false;
  std::vector<std::string> notes;
  /// Of its weights, where they are of another type than its input, float32: "float16".
  std::string odd_weights;

  /// Keeps the functions alive that the operators' call stacks point to, without the weights: the
  /// interpreter reads them when an operator fails.
  std::shared_ptr<const void> source;
};

/// Loads a TorchScript file and rewrites it for Monte Carlo dropout under `scope`.
/// @param name for messages, the file's.
/// @param output which of several tensors that the network gives, from 0; none where it gives one.
/// @throws ModelError where the file may not run (network/archive), or the network cannot do Monte
/// Carlo dropout exactly, saying why.
DropoutGraph load_dropout_graph(const std::filesystem::path& path, const std::string& name,
                                DropoutScope scope,
                                std::optional<std::int64_t> output = std::nullopt);

}  // namespace mcvol
