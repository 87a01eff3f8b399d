#include "other_format.h"

#include <algorithm>
#include <array>

namespace mcvol {
namespace {

struct Mark {
  std::size_t offset;
  std::string_view bytes, says;
};

using std::string_view_literals::operator""sv;

constexpr std::array kMarks{
    Mark{0, "\x1f\x8b"sv, "gzip; unpack it once, or name it .nii.gz where it is one"},
    Mark{0, "PK\x03\x04"sv, "a ZIP archive; unpack it"},
    Mark{0, "BZh"sv, "bzip2; unpack it, and pack it with gzip"},
    Mark{0,
         "\xfd"
         "7zXZ"sv,
         "xz; unpack it, and pack it with gzip"},
    Mark{128, "DICM"sv, "DICOM; convert it with dcm2niix"},
    Mark{0, "\x89HDF"sv, "HDF5, as of MINC 2; convert it with mnc2nii"},
    Mark{0, "NRRD000"sv, "NRRD; name it .nrrd"},
    Mark{0, "ObjectType ="sv, "MetaImage; name it .mha"},
    Mark{0, "\x5c\x01\0\0"sv, "NIfTI; name it .nii"},
    Mark{0, "\x1c\x02\0\0"sv, "NIfTI-2; name it .nii"},
    Mark{0, "\x89PNG"sv, "a PNG picture; is this the right file?"},
    Mark{0, "\xff\xd8\xff"sv, "a JPEG picture; is this the right file?"},
};

}  // namespace

std::string but_another_format(std::string_view beginning) {
  for (const Mark& mark : kMarks) {
    if (beginning.size() < mark.offset + mark.bytes.size()) continue;
    if (beginning.substr(mark.offset, mark.bytes.size()) != mark.bytes) continue;
    return ", but " + std::string(mark.says);
  }
  const bool zeros = std::all_of(beginning.begin(), beginning.end(), [](char c) { return c == 0; });
  return zeros && !beginning.empty() ? ", but zeros only; copy it again" : "";
}

}  // namespace mcvol
