#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mcvol {

/// Kinds of files that may hold a scan, but not one mcvol reads.
struct ForeignFormat {
  std::string_view name;
  std::string_view advice;  ///< what to do with it: "convert …"
};
struct ByFormatName {
  bool operator()(const ForeignFormat* a, const ForeignFormat* b) const {
    return a->name < b->name;
  }
};

/// The format a file name tells of; null where it tells of none.
const ForeignFormat* foreign_format(std::string_view file_name);

/// `file_name` without the ending of its format and what was packed (".nii.bz2"); empty where it
/// tells of no format.
std::string foreign_stem(std::string_view file_name);

/// Whether aria2 has not fetched the whole of a file yet, which has its size from the beginning on:
/// a file with its notes lies beside it.
bool is_being_fetched(const std::filesystem::path& file);

/// Whether this is the file with such notes, beside the one that they are of.
bool is_fetching(const std::filesystem::path& file);

const ForeignFormat& unfinished_download();

/// DICOM, which need not show in the name.
const ForeignFormat& dicom_format();

/// Whether the file has DICOM's mark, "DICM" at byte 128.
bool has_dicom_mark(const std::filesystem::path& path);

}  // namespace mcvol
