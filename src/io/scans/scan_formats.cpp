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
};

/// What programs put behind the name of a file while they fetch it. aria2 has it beside the file.
constexpr std::string_view kAria2 = ".aria2";
constexpr std::array<std::string_view, 6> kDownloadEndings{".part",       ".partial",  ".filepart",
                                                           ".crdownload", ".download", kAria2};

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

/// The name that the file of a download is to have, where that is an image's or another scan's;
/// empty where it is none of these.
std::string_view name_once_there(std::string_view file_name) {
  const std::string name = lower_case(file_name);
  for (const std::string_view ending : kDownloadEndings) {
    if (!name.ends_with(ending)) continue;
    file_name.remove_suffix(ending.size());
    if (!image_stem(file_name).empty() || ending_of(file_name) != nullptr) return file_name;
    return {};
  }
  return {};
}

}  // namespace

const ForeignFormat* foreign_format(std::string_view file_name) {
  if (!name_once_there(file_name).empty()) return &kUnfinished;
  const Ending* ending = ending_of(file_name);
  return ending == nullptr ? nullptr : ending->second;
}

bool is_being_fetched(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file.string() + std::string(kAria2), error);
}

bool is_fetching(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code error;
  return lower_case(name).ends_with(kAria2) &&
         std::filesystem::exists(name.substr(0, name.size() - kAria2.size()), error);
}

const ForeignFormat& unfinished_download() { return kUnfinished; }

std::string foreign_stem(std::string_view file_name) {
  if (const std::string_view there = name_once_there(file_name); !there.empty()) {
    const std::string stem = image_stem(there);
    return stem.empty() ? foreign_stem(there) : stem;
  }
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
