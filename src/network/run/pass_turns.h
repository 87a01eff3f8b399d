#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <cstddef>
#include <vector>

#include "network/assembly/window_assembly.h"

namespace mcvol {

/// Networks and, of each, mirror images of a window take turns.
struct PassTurns {
  int networks, flips;

  /// Of what a prefix gives, in the order of work.
  std::size_t place_of(std::size_t window, int member, int flip) const {
    const auto of_window = static_cast<std::size_t>(networks) * static_cast<std::size_t>(flips);
    return window * of_window + static_cast<std::size_t>(member * flips + flip);
  }

  /// The passes of a group that network `member` runs on mirror image `flip`; without mirror images
  /// those without dropout too.
  std::vector<int> passes_of(int member, int flip, const PassGroup& group,
                             const PassRequest& request) const {
    std::vector<int> passes;
    for (int pass = group.first; pass < group.first + group.count; ++pass) {
      if (pass >= request.end() && flips > 1) break;
      const int turn = pass < request.end() ? pass : pass - request.end();
      if (turn % networks == member && turn / networks % flips == flip) passes.push_back(pass);
    }
    return passes;
  }

  /// The one without dropout of network `member`, which is the average over mirror images; none in
  /// the group, or without mirror images.
  std::vector<int> average_of(int member, const PassGroup& group,
                              const PassRequest& request) const {
    const int pass = request.end() + member;
    const bool in_group = pass >= group.first && pass < group.first + group.count;
    return flips > 1 && in_group ? std::vector<int>{pass} : std::vector<int>{};
  }
};

}  // namespace mcvol
