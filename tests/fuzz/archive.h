#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mcvol::fuzz {

/// A file in a zip archive.
struct Member {
  std::string name;
  std::string bytes;
};

/// Those of an archive, packed or not; none where it is damaged.
std::vector<Member> members_of(std::string_view archive);

/// An archive of these, not packed, whose checksums are right.
std::string archive_of(const std::vector<Member>& members);

}  // namespace mcvol::fuzz
