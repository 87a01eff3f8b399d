#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Small networks for tests, made with LibTorch's own script compiler: no Python, no files in git.

namespace mcvol::testing {

/// A forward method in TorchScript and the seed of its weights. Weights it may use, all fp32:
/// w1 [8, 2, 3, 3, 3], b1 [8], w2 [6, 8, 1, 1, 1], b2 [6], w3 [3, 6, 1, 1, 1], b3 [3],
/// slope [8], mean [8], variance [8], up [8, 8, 3, 3, 3] of a transposed convolution, matrix [8,
/// 8].
struct TinyNetwork {
  std::string forward;
  unsigned seed = 1;
};

/// Two channels in, three out (softmax), same size: a 3x3x3 convolution, dropout 0.4, a 1x1x1
/// convolution, dropout 0.2, a 1x1x1 convolution. Its suffix is pointwise.
TinyNetwork pointwise_network();
/// The same with a 3x3x3 convolution after the dropout: its suffix needs neighbours.
TinyNetwork spatial_network();
/// As pointwise_network() without its middle convolution: a product of 8 by 3, skinny as in the
/// last layer of many networks, which matrix libraries have kernels of their own for.
TinyNetwork skinny_network();
/// As spatial_network() with unpadded 3x3x3 convolutions: the output is 4 voxels smaller.
TinyNetwork unpadded_network();
/// For odd sizes, same size out: pooling and a transposed convolution of stride 2 around feature
/// dropout 0.3, then a linear layer along channels, dropout 0.2 and a softmax among the features;
/// it has every kind of operator that mcvol replaces by its own on a CPU.
TinyNetwork branching_network();
/// branching_network() with other activations.
TinyNetwork other_branching_network();
/// Likewise for odd sizes: what a transformer has (tokens, products of activations, softmax,
/// attention) on halved axes, and what takes means over space, after feature dropout 0.3; then
/// dropout 0.2.
TinyNetwork attentive_network();

/// No convolution: tumour where flair is above 0.8 standard deviations, its core where t1 is too,
/// in every pass. Dropout scales the evidence and never turns it: each of the two is held eight
/// times, dropped out with rate 0.1, and all are gone in one pass of 10^8.
TinyNetwork threshold_network();

void save_network(const TinyNetwork& network, const std::filesystem::path& file);

/// A whole bundle: network.pt and model.json with channels t1 and flair, windows of 16^3 and
/// regions whole_tumour [1, 2] and tumour_core [2].
void write_tiny_bundle(const std::filesystem::path& folder,
                       const TinyNetwork& network = pointwise_network());

}  // namespace mcvol::testing
