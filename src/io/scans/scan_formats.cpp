#include "scan_formats.h"

#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace mcvol {
namespace {

constexpr ForeignFormat kDicom{"DICOM", "convert with dcm2niix"};
constexpr ForeignFormat kMgz{"FreeSurfer .mgz", "convert with mri_convert"};
constexpr ForeignFormat kNhdr{".nhdr", "save as one .nrrd with its voxels in it"};
constexpr ForeignFormat kMhd{".mhd", "save as one .mha with its voxels in it"};
constexpr ForeignFormat kAnalyze{".hdr/.img", "convert to .nii.gz with fslchfiletype or nibabel"};
constexpr ForeignFormat kMinc{"MINC", "convert with mnc2nii"};
constexpr ForeignFormat kPhilips{"Philips PAR/REC", "convert with dcm2niix"};
constexpr ForeignFormat kArchive{"packed", "unpack first"};
constexpr ForeignFormat kUnfinished{"a download that has not ended",
                                    "wait for it, or fetch it again"};
constexpr ForeignFormat kOtherPacking{"packed otherwise than by gzip", "unpack first"};

using Ending = std::pair<std::string_view, const ForeignFormat*>;
constexpr std::array kEndings{
    Ending{".dcm", &kDicom},
    Ending{".ima", &kDicom},
    Ending{"dicomdir", &kDicom},
    Ending{".mgz", &kMgz},
    Ending{".mgh", &kMgz},
    Ending{".nhdr", &kNhdr},
    Ending{".mhd", &kMhd},
    Ending{".hdr", &kAnalyze},
    Ending{".img", &kAnalyze},
    Ending{".hdr.gz", &kAnalyze},
    Ending{".img.gz", &kAnalyze},
    Ending{".mnc", &kMinc},
    Ending{".par", &kPhilips},
    Ending{".zip", &kArchive},
    Ending{".tar", &kArchive},
    Ending{".tar.gz", &kArchive},
    Ending{".tgz", &kArchive},
    Ending{".7z", &kArchive},
    Ending{".tar.bz2", &kArchive},
    Ending{".tar.xz", &kArchive},
    Ending{".rar", &kArchive},
    Ending{".bz2", &kOtherPacking},
    Ending{".xz", &kOtherPacking},
    Ending{".zst", &kOtherPacking},
    Ending{".lz4", &kOtherPacking},
    Ending{".nii.zip", &kOtherPacking},
    Ending{".nii.z", &kOtherPacking},
    Ending{".mgh.gz", &kMgz},
    Ending{".mnc.gz", &kMinc},
    Ending{".nrrd.gz", &kOtherPacking},
    Ending{".nii.part", &kUnfinished},
    Ending{".nii.gz.part", &kUnfinished},
    Ending{".nii.gz.partial", &kUnfinished},
    Ending{".nii.gz.filepart", &kUnfinished},
    Ending{".nii.gz.crdownload", &kUnfinished},
    Ending{".nii.gz.aria2", &kUnfinished},
};

/// The longest that fits.
const Ending* ending_of(std::string_view file_name) {
  const std::string name = lower_case(file_name);
  const Ending* longest = nullptr;
  for (const Ending& one : kEndings) {
    if (!name.ends_with(one.first)) continue;
    if (longest == nullptr || one.first.size() > longest->first.size()) longest = &one;
  }
  return longest;
}

}  // namespace

const ForeignFormat* foreign_format(std::string_view file_name) {
  const Ending* ending = ending_of(file_name);
  return ending == nullptr ? nullptr : ending->second;
}

std::string foreign_stem(std::string_view file_name) {
  const Ending* ending = ending_of(file_name);
  if (ending == nullptr) return {};
  file_name.remove_suffix(ending->first.size());
  const std::string packed = image_stem(file_name);
  return packed.empty() ? std::string(file_name) : packed;
}

const ForeignFormat& dicom_format() { return kDicom; }

bool has_dicom_mark(const std::filesystem::path& path) {
  constexpr std::streamoff kPreambleBytes = 128;
  std::array<char, 4> mark{};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;  // A pipe would never end.
  std::ifstream file(path, std::ios::binary);
  return file.seekg(kPreambleBytes) && file.read(mark.data(), mark.size()) &&
         std::string_view(mark.data(), mark.size()) == "DICM";
}

}  // namespace mcvol
