#pragma once

#include <string>

#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/support/tiny_network.h"
#include <ATen/ATen.h>

/// In the text of a forward(): the first convolution of a tiny network, which keeps the size.
#define MCVOL_CONV1 "torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1])"

namespace mcvol::testing {

/// The graph of a tiny network with this forward(), of which one output may be asked for.
DropoutGraph load(const std::string& forward, DropoutScope scope = DropoutScope::kElement,
                  std::optional<std::int64_t> output = std::nullopt);

/// Why load() refuses this forward().
std::string error_of(const std::string& forward);

/// [1, 2, 8, 7, 6], random, the same each time.
const at::Tensor& image();

/// What the network gives for image() in one piece.
at::Tensor run_whole(const DropoutGraph& network, const MaskDraw& draw);

}  // namespace mcvol::testing
