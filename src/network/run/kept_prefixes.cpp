#include "kept_prefixes.h"

#include <utility>

namespace mcvol {
namespace {

std::int64_t bytes_of_cut(const KeptPrefixes::Cut& tensors) {
  std::int64_t bytes = 0;
  // A view keeps all that it is a view of.
  for (const at::Tensor& tensor : tensors) {
    bytes += static_cast<std::int64_t>(tensor.storage().nbytes());
  }
  return bytes;
}

}  // namespace

void KeptPrefixes::reserve(std::size_t places, std::int64_t bytes) {
  cuts_.assign(places, {});
  reserve_bytes_ = room_bytes_ = bytes;
}

void KeptPrefixes::keep(std::size_t place, Cut&& cut) {
  if (!reserved()) return;
  const std::int64_t bytes = bytes_of_cut(cut);
  if (!cuts_[place].empty() || bytes > room_bytes_) return;
  room_bytes_ -= bytes;
  cuts_[place] = std::move(cut);
}

std::int64_t KeptPrefixes::bytes() const {
  std::int64_t bytes = 0;
  for (const Cut& cut : cuts_) bytes += bytes_of_cut(cut);
  return bytes;
}

}  // namespace mcvol
