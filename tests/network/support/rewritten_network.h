#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <filesystem>
#include <string>

#include <ATen/ATen.h>

namespace mcvol::testing {

/// A folder of the running test's own.
std::filesystem::path folder_of_test();

/// Saves a network with this forward method (tiny_network.h), loads and rewrites it under `scope`
/// and runs it whole for the passes 0 to passes - 1 on one image [1, channels, …].
/// @return [passes, channels, …]
at::Tensor run_rewritten(const std::string& forward, DropoutScope scope, const at::Tensor& image,
                         int passes, std::uint64_t seed);

}  // namespace mcvol::testing
