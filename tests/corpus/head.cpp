#include "corpus/head.h"

#include <cmath>
#include <fstream>
#include <numbers>

namespace mcvol::testing {

namespace fs = std::filesystem;

namespace {

/// In mm, LPS.
struct Ellipsoid {
  Eigen::Vector3d centre, axes;

  bool holds(const Eigen::Vector3d& point) const {
    return (point - centre).cwiseQuotient(axes).squaredNorm() <= 1.0;
  }
  double volume_ml() const { return 4.0 / 3.0 * std::numbers::pi * axes.prod() / 1000.0; }
};

const Ellipsoid kBrain{{0, 0, 0}, {62, 74, 58}};
const Ellipsoid kWhole{{18, -12, 9}, {27, 22, 20}};
const Ellipsoid kCore{{20, -10, 8}, {16, 14, 13}};

/// -6 to 6, without a pattern that a grid could fit.
float texture(std::size_t voxel, unsigned channel) {
  auto state = static_cast<std::uint32_t>(voxel) * 2654435761U + channel * 40503U;
  state ^= state >> 15U;
  state *= 2246822519U;
  state ^= state >> 13U;
  return static_cast<float>(state % 13U) - 6.0F;
}

}  // namespace

Volumes analytic_volumes() { return {kWhole.volume_ml(), kCore.volume_ml()}; }

Grid usual_grid() {
  Grid grid;
  grid.size = {40, 45, 38};
  grid.spacing_mm = {4, 4, 4};
  grid.origin_mm = {-78, -88, -74};
  return grid;
}

Volumes Head::volumes() const {
  std::int64_t whole = 0, core = 0;
  for (const std::uint8_t label : labels) {
    whole += label > 0 ? 1 : 0;
    core += label == 2 ? 1 : 0;
  }
  return {static_cast<double>(whole) * grid.voxel_volume_ml(),
          static_cast<double>(core) * grid.voxel_volume_ml()};
}

Head head_on(const Grid& grid) {
  Head head;
  head.grid = grid;
  const Eigen::Matrix3d steps = grid.direction * grid.spacing_mm.asDiagonal();
  for (std::int64_t k = 0; k < grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < grid.size[0]; ++i) {
        const std::size_t voxel = head.labels.size();
        const Eigen::Vector3d index(static_cast<double>(i), static_cast<double>(j),
                                    static_cast<double>(k));
        const Eigen::Vector3d point = grid.origin_mm + steps * index;
        const bool brain = kBrain.holds(point);
        const int label = kCore.holds(point) ? 2 : kWhole.holds(point) ? 1 : 0;
        head.labels.push_back(static_cast<std::uint8_t>(label));
        const float t1 = label == 2 ? 260.0F : label == 1 ? 85.0F : 100.0F;
        const float flair = label == 2 ? 240.0F : label == 1 ? 220.0F : 100.0F;
        head.t1.push_back(brain ? t1 + texture(voxel, 1) : 0.0F);
        head.flair.push_back(brain ? flair + texture(voxel, 2) : 0.0F);
      }
    }
  }
  return head;
}

const Head& usual_head() {
  static const Head head = head_on(usual_grid());
  return head;
}

test::NiftiFixture nifti_of(const Grid& grid, const std::vector<float>& values) {
  test::NiftiFixture file;
  file.set_grid(grid);
  file.set_voxels(values, 16);
  return file;
}

CaseFiles files_of(const Head& head) {
  return {nifti_of(head.grid, head.t1), nifti_of(head.grid, head.flair)};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

void write_nifti(const fs::path& file, const test::NiftiFixture& image) {
  const bool packed = file.extension() == ".gz" || file.extension() == ".GZ";
  write_bytes(file, packed ? test::gzipped(image.bytes()) : image.bytes());
}

void write_case(const fs::path& folder, const std::string& case_id, const CaseFiles& files,
                const std::string& ending) {
  write_nifti(folder / case_id / (case_id + "_t1" + ending), files.t1);
  write_nifti(folder / case_id / (case_id + "_flair" + ending), files.flair);
}

void write_usual_case(const fs::path& folder, const std::string& case_id) {
  static const CaseFiles files = files_of(usual_head());
  static const std::string t1 = test::gzipped(files.t1.bytes());
  static const std::string flair = test::gzipped(files.flair.bytes());
  write_bytes(folder / case_id / (case_id + "_t1.nii.gz"), t1);
  write_bytes(folder / case_id / (case_id + "_flair.nii.gz"), flair);
}

}  // namespace mcvol::testing
