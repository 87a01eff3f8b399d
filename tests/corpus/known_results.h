#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "corpus/head.h"

namespace mcvol::testing {

/// A measured case whose volumes are known.
struct KnownCase {
  std::string case_id;
  Volumes reference;
};

/// Results of 40 cases, 001 to 040, as predict leaves them: regions whole_tumour, of labels 1 and
/// 2, and tumour_core, of label 2. Written from distributions, without a network.
std::vector<KnownCase> write_known_results(const std::filesystem::path& folder);

}  // namespace mcvol::testing
