#include "mcvol/io/images/image_file.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "itk_setup.h"
#include "itk_view.h"
#include "nifti_raw_header.h"
#include "strict_nifti_io.h"
#include <itkImageFileReader.h>
#include <itkImageFileWriter.h>

namespace mcvol {
namespace {

/// What ITK itself finds wrong, in the house's one line.
template <typename Function>
auto naming_errors_of_itk(const std::string& name, Function function) {
  set_up_itk();
  try {
    return function();
  } catch (const itk::ExceptionObject& exception) {
    std::string reason = exception.GetDescription();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw InputError(name + ": " + reason);
  }
}

template <typename Value>
void write_through_itk(const std::filesystem::path& path, const Image<Value>& image) {
  naming_errors_of_itk(path.filename().string(), [&] {
    using Writer = itk::ImageFileWriter<ItkImage<Value>>;
    auto writer = Writer::New();
    writer->SetImageIO(StrictNiftiImageIO::New());
    writer->SetFileName(path.string());
    writer->SetInput(itk_view_in_place(image));
    writer->Update();
  });
}

}  // namespace

Image<float> read_image(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return naming_errors_of_itk(name, [&] {
    // Also before ITK opens the file: a named pipe would keep it waiting for ever.
    Image<float> image;
    image.grid = read_image_header(path).grid;
    auto reader = itk::ImageFileReader<ItkImage<float>>::New();
    reader->SetImageIO(StrictNiftiImageIO::New());
    reader->SetFileName(path.string());
    reader->Update();
    const float* values = reader->GetOutput()->GetBufferPointer();
    image.values.assign(values, values + image.grid.voxel_count());
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

}  // namespace mcvol
