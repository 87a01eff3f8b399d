#include "mcvol/pipeline/shard.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"

#include <charconv>
#include <cstdint>
#include <string_view>

namespace mcvol {

namespace {

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "I<separator>N" with 1 <= I <= N <= kMaxShards.
std::optional<Shard> shard_in(std::string_view text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<int> index = whole_number(text.substr(0, at));
  const std::optional<int> count = whole_number(text.substr(at + separator.size()));
  if (!index || !count || *index < 1 || *index > *count || *count > kMaxShards) return std::nullopt;
  return Shard{*index, *count};
}

}  // namespace

Shard Shard::parse(const std::string& text) {
  const std::optional<Shard> shard = shard_in(text, "/");
  if (!shard) {
    throw UsageError("--shard " + text +
                     ": expected I/N with I from 1 to N, such as 2/8 for the second of eight");
  }
  return *shard;
}

bool Shard::holds(const std::string& case_id) const { return shard_of(case_id, count) == index; }

std::string Shard::folder_name() const {
  return std::to_string(index) + "-of-" + std::to_string(count);
}

int shard_of(const std::string& case_id, int count) {
  constexpr std::size_t kHexDigits = 16;  // 8 bytes, big-endian as the digits are written
  const std::string digest = sha256_of_bytes(case_id);
  std::uint64_t number = 0;
  std::from_chars(digest.data(), digest.data() + kHexDigits, number, 16);
  return 1 + static_cast<int>(number % static_cast<std::uint64_t>(count));
}

std::filesystem::path shard_folder(const std::filesystem::path& out, const Shard& shard) {
  return out / "shards" / shard.folder_name();
}

std::optional<Shard> shard_from_folder_name(const std::string& name) {
  const std::optional<Shard> shard = shard_in(name, "-of-");
  // One spelling only: "02-of-8" is no folder of ours.
  if (!shard || shard->folder_name() != name) return std::nullopt;
  return shard;
}

}  // namespace mcvol
