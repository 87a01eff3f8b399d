#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace mcvol {

/// Numbers about 0, the same for the same seed.
inline std::vector<float> numbers(std::int64_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace mcvol
