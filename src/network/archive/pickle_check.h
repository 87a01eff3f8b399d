#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mcvol {

/// What a pickle's instructions say, read and not followed.
struct PickleFindings {
  /// What would crash or fill memory in LibTorch, which makes the objects as they say: values
  /// within values thousands deep, values that stand for millions of others, lists that may hold
  /// themselves, names far beyond all that were given, numbers as keys that its hash tables grow by
  /// without end, or anything that PyTorch does not write. Empty where there is none.
  std::string danger;
  /// Records that tensors' values are read from, once for each time that they are read.
  std::vector<std::string> records;
};

PickleFindings findings_in_pickle(std::string_view pickle);

}  // namespace mcvol
