#include "mcvol/files/base64.h"

#include "mcvol/error/error.h"

#include <limits>

#include <openssl/evp.h>

namespace mcvol {
namespace {

constexpr std::size_t kBytesPerCount = 8;
// OpenSSL's block functions take their size as int.
constexpr std::size_t kMaxTextSize = std::numeric_limits<int>::max() / 2;

}  // namespace

std::string base64_from_bytes(std::span<const unsigned char> bytes) {
  // One more for the terminating zero that EVP_EncodeBlock writes.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string base64_from_counts(std::span<const std::int64_t> counts) {
  if (counts.size() > kMaxTextSize / (2 * kBytesPerCount)) {
    throw Error("too many counts to pack into one text");
  }
  std::vector<unsigned char> bytes;
  bytes.reserve(counts.size() * kBytesPerCount);
  for (const std::int64_t count : counts) {
    const auto bits = static_cast<std::uint64_t>(count);
    for (std::size_t byte = 0; byte < kBytesPerCount; ++byte) {
      bytes.push_back(static_cast<unsigned char>(bits >> (8 * byte)));
    }
  }
  return base64_from_bytes(bytes);
}

std::vector<std::int64_t> counts_from_base64(const std::string& text) {
  const auto refuse = [] {
    throw InputError("packed counts: expected base64 of whole 64-bit integers");
  };
  if (text.size() % 4 != 0 || text.size() > kMaxTextSize) refuse();
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  const int decoded =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (decoded != static_cast<int>(bytes.size())) refuse();
  // EVP_DecodeBlock counts padding as bytes and forgives white space; encoding again shows both.
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '=' && !bytes.empty(); --i) {
    bytes.pop_back();
  }
  if (bytes.size() % kBytesPerCount != 0 || base64_from_bytes(bytes) != text) refuse();
  std::vector<std::int64_t> counts(bytes.size() / kBytesPerCount);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::uint64_t bits = 0;
    for (std::size_t byte = 0; byte < kBytesPerCount; ++byte) {
      bits |= static_cast<std::uint64_t>(bytes[i * kBytesPerCount + byte]) << (8 * byte);
    }
    counts[i] = static_cast<std::int64_t>(bits);
  }
  return counts;
}

}  // namespace mcvol
