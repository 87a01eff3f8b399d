#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mcvol {

/// One part of a run that is divided between processes or machines: `--shard 2/8`.
struct Shard {
  int index = 1;  ///< 1-based
  int count = 1;

  /// @throws UsageError unless `text` is "I/N" with 1 <= I <= N <= kMaxShards.
  static Shard parse(const std::string& text);

  /// Whether the case is measured by this shard.
  bool holds(const std::string& case_id) const;
  /// "2-of-8"
  std::string folder_name() const;
};

inline constexpr int kMaxShards = 1'000'000;

/// The 1-based shard of a case: 1 + (first 8 bytes of SHA-256(case_id), big-endian) mod count. It
/// depends on no other case, so that a late scan moves none.
/// @param count >= 1
int shard_of(const std::string& case_id, int count);

/// The shard's own result folder: `out`/shards/I-of-N.
std::filesystem::path shard_folder(const std::filesystem::path& out, const Shard& shard);

/// Reads a folder's name as Shard::folder_name() writes it; none for another name.
std::optional<Shard> shard_from_folder_name(const std::string& name);

}  // namespace mcvol
