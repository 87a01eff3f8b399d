#pragma once

#include "dropout_graph.h"

namespace mcvol {

/// Fills prefix, suffix, split_at and pointwise_suffix from `network.whole`.
///
/// A forward taint from mcvol::dropout divides the operators; the cut lies at tensors only, while
/// lists, sizes and booleans are recomputed in the suffix. Where something writes in place to a cut
/// tensor, the whole network is the suffix and a note says so.
void split_graph(DropoutGraph& network);

}  // namespace mcvol
