#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <memory>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Puts a marker (dropout_operator.h) in place of every dropout of an inlined graph, whatever its
/// kind and whatever its `train` says, so that freezing neither folds nor merges nor drops it.
/// @param notes what the reader should know is added.
/// @return the layers as the network's author wrote them, without ids and fates.
std::vector<DropoutLayer> mark_dropout(const std::shared_ptr<torch::jit::Graph>& graph,
                                       std::vector<std::string>& notes);

/// Turns the markers that survived freezing into mcvol::dropout under `scope`, or into nothing at
/// rate 0. Inputs 1 and 2 of the graph are the draws and positions.
/// @param marked what mark_dropout() returned. @param name the network's file, for messages.
/// @return every dropout with its id and fate: a layer that runs several times once each time.
/// @throws ModelError where masks cannot be keyed: in a loop of unknown length, with a rate that is
/// no constant, or under kChannel where dimension 1 may not be channels.
std::vector<DropoutLayer> replace_markers(torch::jit::Graph& graph, const std::string& name,
                                          DropoutScope scope,
                                          const std::vector<DropoutLayer>& marked);

}  // namespace mcvol
