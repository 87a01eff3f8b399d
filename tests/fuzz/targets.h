#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace mcvol::fuzz {

/// What is fuzzed: a reader of files, and what is made of the file next.
struct Target {
  std::string_view name;
  /// Feeds it bytes in the place of its file. @param folder for what it wants on a disk; files in
  /// it are left over from earlier calls. @throws Error for bytes that it refuses, which is right;
  /// anything else that is thrown is a finding.
  void (*read)(std::string_view bytes, const std::filesystem::path& folder);
};

/// All of them.
std::span<const Target> targets();
/// @throws std::out_of_range for a name that none has.
const Target& target_named(std::string_view name);

/// One input to one target. @returns whether it was read; false where it was refused, which has to
/// say something. @throws whatever is a finding.
bool feed(const Target& target, std::string_view bytes, const std::filesystem::path& folder);

/// Writes bytes in the place of whatever is there; no care is taken, as a fuzzer writes millions.
void put_file(const std::filesystem::path& path, std::string_view bytes);
/// @throws std::logic_error saying what does not hold: a finding.
void require(bool holds, const std::string& what);
/// Does what is done with a file once it has been read, when nobody refuses it any more.
/// @throws std::logic_error where an Error says that it is of no use: a finding.
void use(const std::function<void()>& action);

// Of records (record_targets.cpp)
void read_a_case_record(std::string_view bytes, const std::filesystem::path& folder);
void read_a_run_file(std::string_view bytes, const std::filesystem::path& folder);
void read_a_calibration(std::string_view bytes, const std::filesystem::path& folder);
void read_a_lock(std::string_view bytes, const std::filesystem::path& folder);
void read_a_thumbnail(std::string_view bytes, const std::filesystem::path& folder);
/// The bytes are the picture in the PNG: its width, then pixels.
void read_a_packed_thumbnail(std::string_view bytes, const std::filesystem::path& folder);
void read_a_map_list(std::string_view bytes, const std::filesystem::path& folder);
void read_a_data_set_description(std::string_view bytes, const std::filesystem::path& folder);

// Of what users write (text_targets.cpp)
void read_a_bundle(std::string_view bytes, const std::filesystem::path& folder);
void read_a_configuration(std::string_view bytes, const std::filesystem::path& folder);
void read_references(std::string_view bytes, const std::filesystem::path& folder);
void read_scan_pairs(std::string_view bytes, const std::filesystem::path& folder);
void read_a_change_table(std::string_view bytes, const std::filesystem::path& folder);
void read_scans_of_a_manifest(std::string_view bytes, const std::filesystem::path& folder);
void read_words_of_options(std::string_view bytes, const std::filesystem::path& folder);

// Of images (image_targets.cpp)
void read_nifti(std::string_view bytes, const std::filesystem::path& folder);
void read_nifti_gz(std::string_view bytes, const std::filesystem::path& folder);
/// The bytes are what the .nii.gz file packs.
void read_packed_nifti(std::string_view bytes, const std::filesystem::path& folder);
void read_nrrd(std::string_view bytes, const std::filesystem::path& folder);
void read_meta_image(std::string_view bytes, const std::filesystem::path& folder);

}  // namespace mcvol::fuzz
