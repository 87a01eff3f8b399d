#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mcvol::testing {

/// An array of an .npz file, as doubles in C order.
struct NpzArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Reads numpy's .npz (zip of .npy, stored or deflated; little-endian f2, f4, f8, i8, u1).
std::map<std::string, NpzArray> read_npz(const std::filesystem::path& path);

}  // namespace mcvol::testing
