#pragma once

#include "mcvol/analysis/referenced_results.h"

#include <string>

namespace mcvol {

/// What a command line says of references.
struct ReferenceOptions {
  std::string path, segmentations, label_map;
  bool accept = false;

  /// What is to be said of them is logged as soon as they are read. @throws UsageError.
  ReferenceSource source() const;
};

}  // namespace mcvol
