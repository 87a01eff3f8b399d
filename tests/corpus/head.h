#pragma once

#include "mcvol/image/grid.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/images/nifti_fixture.h"

// A simulated head: a brain with a tumour in it, all of them ellipsoids, whose volumes are known.

namespace mcvol::testing {

struct Volumes {
  double whole_ml = 0;
  double core_ml = 0;
};

/// 4/3 π a b c of its ellipsoids.
Volumes analytic_volumes();

/// Voxels of 4 mm, LPS, with a margin of background on every side.
Grid usual_grid();

/// The head sampled at the centres of a grid's voxels, wherever that lies and however it is turned.
struct Head {
  Grid grid;
  std::vector<float> t1, flair;      ///< background 0, brain near 100, tumour far from it
  std::vector<std::uint8_t> labels;  ///< 0, 1 of the tumour outside its core, 2 of the core

  /// Of the labels: what a segmentation without an error has.
  Volumes volumes() const;
};

Head head_on(const Grid& grid);

/// The clean head on the usual grid, made once.
const Head& usual_head();

/// A NIfTI file of these intensities on a grid: float32, an sform in mm.
test::NiftiFixture nifti_of(const Grid& grid, const std::vector<float>& values);

/// The same with voxels of another type, stored as they are.
template <typename Value>
test::NiftiFixture nifti_as(const Grid& grid, const std::vector<float>& values, int datatype) {
  test::NiftiFixture file = nifti_of(grid, {});
  file.set_voxels(std::vector<Value>(values.begin(), values.end()), datatype);
  return file;
}

/// The two channels of a case.
struct CaseFiles {
  test::NiftiFixture t1, flair;
};

CaseFiles files_of(const Head& head);

/// The first `from` in a text, which has to be there, by `to`.
std::string replaced(std::string text, const std::string& from, const std::string& to);

void write_bytes(const std::filesystem::path& file, const std::string& bytes);
/// gzipped where the name says so.
void write_nifti(const std::filesystem::path& file, const test::NiftiFixture& image);
/// `<folder>/<id>/<id>_t1.nii.gz` and `…_flair.nii.gz`.
void write_case(const std::filesystem::path& folder, const std::string& case_id,
                const CaseFiles& files, const std::string& ending = ".nii.gz");
/// The clean head under this id.
void write_usual_case(const std::filesystem::path& folder, const std::string& case_id);

}  // namespace mcvol::testing
