#pragma once

#include "mcvol/error/error.h"
#include "mcvol/io/records/case_record.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "files/temporary_folder.h"
#include <Eigen/Geometry>

namespace mcvol::testing_support {

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// What `action` throws as an Error; empty when it does not.
template <typename Kind = Error, typename Action>
std::string message_from(Action&& action) {
  try {
    action();
  } catch (const Kind& error) {
    return error.what();
  }
  return "";
}

/// A region seen with certainty: `inside` voxels of probability 1, the others of `total` 0. Its
/// volume is the same number for every conversion.
inline LogitHistogram sharp_histogram(std::int64_t inside, std::int64_t total) {
  std::array<std::int64_t, kHistogramNodes> weights{};
  weights.back() = inside * kVoxelWeight;
  weights.front() = (total - inside) * kVoxelWeight;
  return LogitHistogram::from_weights(weights, inside);
}

inline constexpr std::int64_t kSyntheticVoxels = 6000;

/// One region of sharp passes; `segmented` voxels in the mean over passes.
inline RegionRecord sharp_region(const std::string& name, const std::vector<std::int64_t>& inside,
                                 std::int64_t segmented) {
  RegionRecord region{name, {}, sharp_histogram(segmented, kSyntheticVoxels)};
  for (const std::int64_t voxels : inside) {
    region.passes.push_back(sharp_histogram(voxels, kSyntheticVoxels));
  }
  return region;
}

/// A measured case of two regions: `whole`, 1 to 5 ml in five passes, and `core`, empty. Voxels of
/// 1 mm3 on an oblique grid.
inline CaseRecord measured_record(const std::string& case_id, const std::string& run_identity) {
  CaseRecord record;
  record.case_id = case_id;
  record.run_identity = run_identity;
  record.model = std::string(56, 'b') + "12345678";
  record.flags = {"touches_border"};
  record.inputs = {
      {"t1", case_id + "_t1.nii.gz", std::string(64, 'c'), 123456789, 1700000000123456789}};
  record.grid.size = {20, 20, 20};
  record.grid.origin_mm = {-0.1, 1.0 / 3.0, 1e-17};
  record.grid.direction = Eigen::AngleAxisd(0.3, Eigen::Vector3d::UnitZ()).toRotationMatrix();
  record.passes = 5;
  record.regions = {sharp_region("whole", {1000, 2000, 3000, 4000, 5000}, 2500),
                    sharp_region("core", {0, 0, 0, 0, 0}, 0)};
  return record;
}

inline CaseRecord measured_record(const std::string& case_id) {
  return measured_record(case_id, std::string(64, 'a'));
}

inline CaseRecord failed_record(const std::string& case_id, const std::string& run_identity) {
  CaseRecord record;
  record.case_id = case_id;
  record.status = CaseRecord::Status::kFailed;
  record.error = case_id + "_t1.nii.gz: truncated, expected 10 bytes, found 3; copy it again";
  record.run_identity = run_identity;
  record.model = std::string(64, 'b');
  return record;
}

inline CaseRecord failed_record(const std::string& case_id) {
  return failed_record(case_id, std::string(64, 'a'));
}

inline void expect_part(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "found: " << message;
}

}  // namespace mcvol::testing_support
