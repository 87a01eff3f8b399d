#include "scan_formats.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace mcvol {
namespace {

constexpr ForeignFormat kDicom{"DICOM", "convert with dcm2niix"};
constexpr ForeignFormat kMgz{"FreeSurfer .mgz", "convert with mri_convert"};
constexpr ForeignFormat kNrrd{"NRRD", "convert to .nii.gz with 3D Slicer or ITK"};
constexpr ForeignFormat kMetaImage{"MetaImage", "convert to .nii.gz with 3D Slicer or ITK"};
constexpr ForeignFormat kAnalyze{".hdr/.img", "convert to .nii.gz with fslchfiletype or nibabel"};
constexpr ForeignFormat kMinc{"MINC", "convert with mnc2nii"};
constexpr ForeignFormat kPhilips{"Philips PAR/REC", "convert with dcm2niix"};
constexpr ForeignFormat kArchive{"packed", "unpack first"};

using Ending = std::pair<std::string_view, const ForeignFormat*>;
constexpr std::array kEndings{
    Ending{".dcm", &kDicom},      Ending{".ima", &kDicom},     Ending{"dicomdir", &kDicom},
    Ending{".mgz", &kMgz},        Ending{".mgh", &kMgz},       Ending{".nrrd", &kNrrd},
    Ending{".nhdr", &kNrrd},      Ending{".mha", &kMetaImage}, Ending{".mhd", &kMetaImage},
    Ending{".hdr", &kAnalyze},    Ending{".img", &kAnalyze},   Ending{".hdr.gz", &kAnalyze},
    Ending{".img.gz", &kAnalyze}, Ending{".mnc", &kMinc},      Ending{".par", &kPhilips},
    Ending{".zip", &kArchive},    Ending{".tar", &kArchive},   Ending{".tar.gz", &kArchive},
    Ending{".tgz", &kArchive},    Ending{".7z", &kArchive},
};

}  // namespace

const ForeignFormat* foreign_format(std::string_view file_name) {
  const std::string name = lower_case(file_name);
  for (const auto& [ending, format] : kEndings) {
    if (name.ends_with(ending)) return format;
  }
  return nullptr;
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

std::string nifti_stem(std::string_view name) {
  for (const std::string_view ending : {".nii.gz", ".nii"}) {
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    return std::string(name);
  }
  return {};
}

}  // namespace mcvol
