#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <memory>

namespace mcvol {

/// What libmcvol_network.so offers under the name kNetworkLibraryEntry.
struct NetworkLibrary {
  /// Of the sources that it was built from: both sides are of the same.
  const char* version;
  std::unique_ptr<Segmenter> (*load_segmenter)(const Bundle& bundle,
                                               const SegmenterOptions& options);
};

inline constexpr const char* kNetworkLibraryEntry = "mcvol_network_library";

}  // namespace mcvol
