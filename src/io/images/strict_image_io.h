#pragma once

#include "mcvol/image/grid.h"

#include <optional>

#include "io/images/nifti/nifti_header.h"
#include <itkImageIOBase.h>

namespace mcvol {

/// Every format that read_image() reads, for ITK's readers and writers, in place of ITK 5.2's own.
/// Tried on purpose-made files, its NiftiImageIO takes the voxels of a.nii when asked for a.nii.gz
/// beside it, turns NaN into 0 without a word, prefers sform or qform according to their codes,
/// refuses an sform whose axes are off a right angle by 0.03 degrees, and does not report a full
/// disk; of its NrrdImageIO and MetaImageIO see text/text_header.h. To be set on one reader or
/// writer, not registered for all.
///
/// Reads exactly the named file, as read_image() promises; voxels come scaled, as float. Errors are
/// InputErrors and, in writing, Errors, not ITK's.
class StrictImageIO : public itk::ImageIOBase {
 public:
  using Self = StrictImageIO;
  using Superclass = itk::ImageIOBase;
  using Pointer = itk::SmartPointer<Self>;
  // clang-format off
  itkNewMacro(Self)
  itkTypeMacro(StrictImageIO, itk::ImageIOBase);
  // clang-format on

  /// By the name, in any case.
  bool CanReadFile(const char* name) override;
  void ReadImageInformation() override;
  /// The whole image. @param buffer of floats, i fastest.
  void Read(void* buffer) override;

  bool CanWriteFile(const char* name) override;
  void WriteImageInformation() override {}
  /// A NIfTI-1 file, whole or not at all; the same image gives the same bytes.
  /// @param buffer of the component type, which is uint8, uint16 or float.
  void Write(const void* buffer) override;
  /// What Write() says of place and unit in place of the image's own grid.
  void place_like(const NiftiPlacement& placement) { placement_ = placement; }
  /// Which image of a 4-D file is read; none: the file is 3-D.
  void set_index(std::optional<std::int64_t> index) { index_ = index; }
  /// What Write() says that a stored voxel is to be multiplied by.
  void set_slope(double slope) { slope_ = slope; }

 protected:
  StrictImageIO();

 private:
  std::optional<NiftiPlacement> placement_;
  double slope_ = 1.0;
  std::optional<std::int64_t> index_;
};

/// Where an ImageIO says that the voxels lie. @pre three dimensions
Grid grid_of(const itk::ImageIOBase& io);

}  // namespace mcvol
