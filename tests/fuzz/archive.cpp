#include "archive.h"

#include <cstdint>
#include <cstring>

#include <zlib.h>

namespace mcvol::fuzz {
namespace {

constexpr std::string_view kLocal("PK\3\4", 4), kCentral("PK\1\2", 4), kEnd("PK\5\6", 4);
constexpr std::size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr std::size_t kMost = std::size_t{1} << 24U;

template <typename Number>
Number at(std::string_view bytes, std::size_t offset) {
  Number number{};
  if (offset + sizeof(number) <= bytes.size()) {
    std::memcpy(&number, bytes.data() + offset, sizeof(number));
  }
  return number;
}

template <typename Number>
void append(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

std::string unpacked(std::string_view bytes, std::size_t size) {
  std::string whole(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(whole.data());
  stream.avail_out = static_cast<uInt>(size);
  inflate(&stream, Z_FINISH);
  whole.resize(stream.total_out);
  inflateEnd(&stream);
  return whole;
}

/// Of the header at `offset` in the directory, which is moved to the next.
bool take_member(std::string_view archive, std::size_t& offset, Member& member) {
  if (offset + kCentralBytes > archive.size() || archive.substr(offset, 4) != kCentral)
    return false;
  const auto method = at<std::uint16_t>(archive, offset + 10);
  const std::size_t packed = at<std::uint32_t>(archive, offset + 20);
  const std::size_t size = at<std::uint32_t>(archive, offset + 24);
  const std::size_t name = at<std::uint16_t>(archive, offset + 28);
  const std::size_t rest = std::size_t{at<std::uint16_t>(archive, offset + 30)} +
                           at<std::uint16_t>(archive, offset + 32);
  const std::size_t local = at<std::uint32_t>(archive, offset + 42);
  if (local + kLocalBytes > archive.size() || size > kMost) return false;
  const std::size_t data = local + kLocalBytes + at<std::uint16_t>(archive, local + 26) +
                           at<std::uint16_t>(archive, local + 28);
  if (data + packed > archive.size()) return false;
  member.name = archive.substr(offset + kCentralBytes, name);
  const std::string_view bytes = archive.substr(data, packed);
  member.bytes = method == 0 ? std::string(bytes) : unpacked(bytes, size);
  offset += kCentralBytes + name + rest;
  return true;
}

/// What the header beside the bytes and that in the directory both say.
void append_facts(std::string& header, const Member& member) {
  append<std::uint16_t>(header, 0);  // flags
  append<std::uint16_t>(header, 0);  // not packed
  append<std::uint32_t>(header, 0);  // time
  append(header,
         static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(member.bytes.data()),
                                          static_cast<uInt>(member.bytes.size()))));
  append(header, static_cast<std::uint32_t>(member.bytes.size()));
  append(header, static_cast<std::uint32_t>(member.bytes.size()));
  append(header, static_cast<std::uint16_t>(member.name.size()));
  append<std::uint16_t>(header, 0);  // further fields
}

}  // namespace

std::vector<Member> members_of(std::string_view archive) {
  std::vector<Member> members;
  const std::size_t end = archive.rfind(kEnd);
  if (end == std::string_view::npos) return members;
  std::size_t offset = at<std::uint32_t>(archive, end + 16);
  for (Member member; take_member(archive, offset, member);) members.push_back(member);
  return members;
}

std::string archive_of(const std::vector<Member>& members) {
  constexpr std::uint16_t kVersion = 20;
  std::string archive, directory;
  for (const Member& member : members) {
    directory += kCentral;
    append(directory, kVersion);
    append(directory, kVersion);
    append_facts(directory, member);
    directory.append(10, '\0');  // comment, disk, attributes
    append(directory, static_cast<std::uint32_t>(archive.size()));
    directory += member.name;
    archive += kLocal;
    append(archive, kVersion);
    append_facts(archive, member);
    archive += member.name + member.bytes;
  }
  const std::size_t start = archive.size();
  archive += directory;
  archive += kEnd;
  append<std::uint32_t>(archive, 0);  // disks
  append(archive, static_cast<std::uint16_t>(members.size()));
  append(archive, static_cast<std::uint16_t>(members.size()));
  append(archive, static_cast<std::uint32_t>(directory.size()));
  append(archive, static_cast<std::uint32_t>(start));
  append<std::uint16_t>(archive, 0);  // comment
  static_assert(kEndBytes == 4 + 4 + 2 + 2 + 4 + 4 + 2);
  return archive;
}

}  // namespace mcvol::fuzz
