#include "mcvol/io/images/image_file.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "io/images/nifti/nifti_header.h"
#include "io/images/nifti/nifti_voxels.h"
#include "io/images/text/text_header.h"
#include "itk_setup.h"
#include "itk_view.h"
#include "refusal.h"
#include "strict_image_io.h"
#include <itkImageFileReader.h>
#include <itkImageFileWriter.h>

namespace mcvol {
namespace {

/// What ITK itself finds wrong, which is nothing of the file's: that is looked at before. Its texts
/// have addresses of memory in them.
template <typename Function>
auto naming_errors_of_itk(const std::string& name, Function function) {
  set_up_itk();
  try {
    return function();
  } catch (const itk::ExceptionObject&) {
    throw InputError(name + ": ITK cannot read or write it; save it once more, as .nii.gz");
  }
}

/// Reads into memory that is there already: an image of ITK's own beside it would be as large
/// again.
class ReaderInto : public itk::ImageFileReader<ItkImage<float>> {
 public:
  using Self = ReaderInto;
  using Superclass = itk::ImageFileReader<ItkImage<float>>;
  using Pointer = itk::SmartPointer<Self>;
  // clang-format off
  itkNewMacro(Self)
  itkTypeMacro(ReaderInto, itk::ImageFileReader);
  // clang-format on

  /// @param values as many as the file's header says; live until Update() is over.
  void set_values(std::vector<float>& values) { values_ = &values; }

 protected:
  void AllocateOutputs() override {
    auto* output = this->GetOutput();
    output->SetBufferedRegion(output->GetRequestedRegion());
    const auto voxels = output->GetBufferedRegion().GetNumberOfPixels();
    if (values_ == nullptr || voxels != values_->size()) {
      refuse(std::filesystem::path(this->GetFileName()).filename().string(),
             "changed while it was being read; try again");
    }
    output->GetPixelContainer()->SetImportPointer(values_->data(), voxels, false);
  }

 private:
  std::vector<float>* values_ = nullptr;
};

template <typename Value>
void write_through_itk(const std::filesystem::path& path, const Image<Value>& image,
                       StrictImageIO::Pointer io = StrictImageIO::New()) {
  naming_errors_of_itk(path.filename().string(), [&] {
    using Writer = itk::ImageFileWriter<ItkImage<Value>>;
    auto writer = Writer::New();
    writer->SetImageIO(io);
    writer->SetFileName(path.string());
    writer->SetInput(itk_view_in_place(image));
    writer->Update();
  });
}

template <typename Value>
void write_placed(const std::filesystem::path& path, const Image<Value>& image,
                  const ImageSource& source, double slope = 1.0) {
  const auto io = StrictImageIO::New();
  io->set_slope(slope);
  if (!named_like_text_image(source.file)) {
    const NiftiHeader header = read_nifti_header(source);
    if (header.grid.size != image.grid.size) {
      refuse(source.name(), describe(header.grid) + ", expected the size of " +
                                path.filename().string() + ": " + describe(image.grid));
    }
    io->place_like(header.placement);
  }
  write_through_itk(path, image, io);
}

/// Of a file that has all the voxels that its header claims.
Grid checked_grid(const ImageSource& source) {
  if (named_like_text_image(source.file)) {
    const TextHeader header = read_text_header(source.file);
    require_text_voxels(source.file, header);
    return header.grid;
  }
  const NiftiHeader header = read_nifti_header(source);
  require_nifti_voxels(source.file, header);
  return header.grid;
}

}  // namespace

ImageHeader read_image_header(const ImageSource& source) {
  if (!named_like_text_image(source.file)) return read_nifti_header(source);
  if (source.index) {
    refuse(source.name(),
           "an image of a NRRD or MetaImage file by its number, expected one of a "
           "4-D NIfTI file (.nii.gz, .nii); convert it");
  }
  return read_text_header(source.file);
}

Image<float> read_image(const ImageSource& source) {
  return naming_errors_of_itk(source.name(), [&] {
    // Before ITK opens the file: a named pipe would keep it waiting for ever.
    Image<float> image(checked_grid(source));
    const auto reader = ReaderInto::New();
    reader->set_values(image.values);
    const auto io = StrictImageIO::New();
    io->set_index(source.index);
    reader->SetImageIO(io);
    reader->SetFileName(source.file.string());
    reader->Update();
    return image;
  });
}

Image<std::int32_t> read_label_map(const std::filesystem::path& path) {
  constexpr float kTolerance = 1e-3F;
  constexpr float kLargest = 1e6F;  // far from where single precision skips integers
  const Image<float> image = read_image(path);
  Image<std::int32_t> labels(image.grid);
  for (std::size_t voxel = 0; voxel < labels.values.size(); ++voxel) {
    const float value = image.values[voxel];
    const float nearest = std::round(value);
    if (std::abs(value - nearest) > kTolerance || std::abs(nearest) > kLargest) {
      refuse(path.filename().string(),
             "value " + short_number(value) +
                 " in a label map, expected integers up to 1000000; is this the right file?");
    }
    labels.values[voxel] = static_cast<std::int32_t>(nearest);
  }
  return labels;
}

void write_image(const std::filesystem::path& path, const Image<float>& image) {
  write_through_itk(path, image);
}

void write_image(const std::filesystem::path& path, const Image<std::uint8_t>& image) {
  write_through_itk(path, image);
}

void write_image_like(const std::filesystem::path& path, const Image<std::uint8_t>& image,
                      const ImageSource& source) {
  write_placed(path, image, source);
}

void write_image_like(const std::filesystem::path& path, const Image<std::uint16_t>& image,
                      const ImageSource& source, double slope) {
  write_placed(path, image, source, slope);
}

}  // namespace mcvol
