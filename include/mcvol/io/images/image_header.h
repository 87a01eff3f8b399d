#pragma once

#include "mcvol/image/grid.h"
#include "mcvol/io/images/image_source.h"

#include <cstdint>
#include <string>

namespace mcvol {

enum class ImageFormat { kNifti1, kNifti2, kNrrd, kMetaImage };

/// "NIfTI-1", "NIfTI-2", "NRRD", "MetaImage".
const char* to_string(ImageFormat format);

/// How voxels are stored.
enum class VoxelType {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kUint64,
  kInt64,
  kFloat32,
  kFloat64
};

/// As numpy calls it: "uint8", "float32".
const char* to_string(VoxelType type);
std::int64_t bytes_of(VoxelType type);

/// What an image file (kImageEndings) says of itself, checked.
struct ImageHeader {
  ImageFormat format = ImageFormat::kNifti1;
  /// LPS; of NIfTI computed here from sform or qform, so it does not depend on a library's
  /// preference.
  Grid grid;
  /// False where the spacing is known but not which way the axes run: of NIfTI where sform_code and
  /// qform_code are both 0 (the grid then follows its method 1, RAS), of NRRD without a space of
  /// the patient's, of MetaImage without a TransformMatrix.
  bool orientation_known = true;
  VoxelType type = VoxelType::kFloat32;
  double slope = 1.0;  ///< value = slope * stored + intercept
  double intercept = 0.0;
  /// How far apart a NIfTI file's sform and qform place a corner of the image at most, mm; 0 where
  /// only one is set or the qform is no rotation.
  double transforms_apart_mm = 0.0;
};

/// Between values that the file can store next to each other; 0 of floating point.
double step_of(const ImageHeader& header);

/// Reads and checks the header; no voxel is kept and nothing of the image's size is allocated.
/// Packed NRRD and MetaImage files are unpacked once to see whether they are whole.
///
/// Which transform of NIfTI counts: sform where sform_code > 0, else qform where qform_code > 0 (as
/// nibabel and FSL choose; a sform with another rotation or origin than the qform simply wins). But
/// where the voxel size of the sform and pixdim differ by more than 0.1 % the file does not say how
/// large a voxel is, and is refused; so is a sheared or singular sform. Units of metre or micron
/// are honoured, unknown units mean mm. A slope of 0 or NaN means that nothing is scaled.
///
/// 3-D, or one image of a 4-D NIfTI file; a fourth dimension of 1 is accepted. Analyze, and formats
/// whose voxels are in another file (.hdr/.img, .nhdr, .mhd), complex and RGB voxels and more than
/// 2^32 voxels are refused by name.
/// @throws InputError, one line that starts with the file's name.
ImageHeader read_image_header(const ImageSource& source);

/// Of a scan, of which left and right have to be known.
/// @throws InputError where they are not, one line that starts with the file's name.
void require_known_orientation(const ImageSource& source, const ImageHeader& header);

}  // namespace mcvol
