#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace mcvol {

/// What windows need only once, kept of a scan for more passes of it as far as a memory goes: what
/// the prefix of a network gives for a window as it is shown. A prefix gives the same bits again,
/// so that it changes no number which ones are kept.
class KeptPrefixes {
 public:
  using Cut = std::vector<at::Tensor>;

  /// @param places of windows, networks and mirror images. @param bytes for all of them.
  void reserve(std::size_t places, std::int64_t bytes);
  void clear() { cuts_.clear(); }
  bool reserved() const { return !cuts_.empty(); }
  std::int64_t reserved_bytes() const { return reserved() ? reserve_bytes_ : 0; }

  /// Empty where it is not kept.
  Cut at(std::size_t place) const { return reserved() ? cuts_[place] : Cut(); }
  /// The first ones that there is room for.
  void keep(std::size_t place, Cut&& cut);
  std::int64_t bytes() const;

 private:
  std::vector<Cut> cuts_;
  std::int64_t reserve_bytes_ = 0, room_bytes_ = 0;  ///< for them, and what is left of it
};

}  // namespace mcvol
