#include "targets.h"

#include "mcvol/error/error.h"

#include <array>
#include <fstream>
#include <stdexcept>
#include <string>

namespace mcvol::fuzz {
namespace {

constexpr std::array kTargets{
    Target{"bundle", read_a_bundle},
    Target{"calibration", read_a_calibration},
    Target{"case_record", read_a_case_record},
    Target{"change_table", read_a_change_table},
    Target{"configuration", read_a_configuration},
    Target{"data_set", read_a_data_set_description},
    Target{"lock", read_a_lock},
    Target{"manifest", read_scans_of_a_manifest},
    Target{"map_list", read_a_map_list},
    Target{"meta_image", read_meta_image},
    Target{"nifti", read_nifti},
    Target{"nifti_gz", read_nifti_gz},
    Target{"nifti_packed", read_packed_nifti},
    Target{"nrrd", read_nrrd},
    Target{"options", read_words_of_options},
    Target{"pairs", read_scan_pairs},
    Target{"references", read_references},
    Target{"run_file", read_a_run_file},
    Target{"thumbnail", read_a_thumbnail},
    Target{"thumbnail_packed", read_a_packed_thumbnail},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& target_named(std::string_view name) {
  for (const Target& target : kTargets) {
    if (target.name == name) return target;
  }
  throw std::out_of_range("no target is called " + std::string(name));
}

bool feed(const Target& target, std::string_view bytes, const std::filesystem::path& folder) {
  try {
    target.read(bytes, folder);
    return true;
  } catch (const Error& error) {
    require(!std::string_view(error.what()).empty(), "a refusal says why");
    return false;
  }
}

void put_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  require(file.flush().good(), "the folder of the fuzzer can be written");
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error("expected that " + what);
}

void use(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    require(false, std::string("what was read can be used, found ") + error.what());
  }
}

}  // namespace mcvol::fuzz
