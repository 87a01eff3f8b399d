#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <cstddef>
#include <memory>

namespace mcvol {

/// What libmcvol_network.so offers under the name kNetworkLibraryEntry.
struct NetworkLibrary {
  /// Of the program it belongs to, and the size of what is handed over: enough to refuse most
  /// libraries of other sources, whose structs have other fields.
  const char* version;
  std::size_t bundle_bytes, options_bytes, summary_bytes;
  std::unique_ptr<Segmenter> (*load_segmenter)(const Bundle& bundle,
                                               const SegmenterOptions& options);
};

inline constexpr const char* kNetworkLibraryEntry = "mcvol_network_library";

}  // namespace mcvol
