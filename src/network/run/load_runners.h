#pragma once

#include "mcvol/network/bundle/bundle.h"
#include "mcvol/network/segmenter/segmenter.h"

#include <cstdint>
#include <vector>

#include "network/passes/pass_runner.h"

namespace mcvol {

/// Loads a bundle's networks and makes them ready, each a member of its own.
/// @param options of all but the member; on a GPU a batch gets its share of what is free there
///   beside the weights, whatever they say of it.
/// @param free_bytes of a GPU, before any weight is there.
/// @throws ModelError where a network cannot do Monte Carlo dropout or a GPU has no room for its
///   weights; Error where the GPU fails.
std::vector<PassRunner> load_runners(const Bundle& bundle, DropoutScope scope,
                                     PassRunner::Options options, std::int64_t free_bytes);

}  // namespace mcvol
