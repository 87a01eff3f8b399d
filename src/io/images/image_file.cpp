#include "mcvol/io/images/image_file.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "io/images/nifti/nifti_header.h"
#include "itk_setup.h"
#include "itk_view.h"
#include "refusal.h"
#include "strict_nifti_io.h"
#include "text_image.h"
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
void write_through_itk(const std::filesystem::path& path, const Image<Value>& image,
                       StrictNiftiImageIO::Pointer io = StrictNiftiImageIO::New()) {
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
                  const std::filesystem::path& source) {
  const auto io = StrictNiftiImageIO::New();
  if (!named_like_text_image(source)) {
    const NiftiHeader header = read_nifti_header(source);
    if (header.grid.size != image.grid.size) {
      refuse(source.filename().string(), describe(header.grid) + ", expected the size of " +
                                             path.filename().string() + ": " +
                                             describe(image.grid));
    }
    io->place_like(header.placement);
  }
  write_through_itk(path, image, io);
}

/// What StrictNiftiImageIO looks at itself, of other readers.
void refuse_bad_values(const std::string& name, const std::vector<float>& values, VoxelType type) {
  const std::string of_all = " of " + std::to_string(values.size()) + " voxels are ";
  const auto bad = std::count_if(values.begin(), values.end(),
                                 [](float value) { return !std::isfinite(value); });
  if (bad > 0) {
    refuse(name, std::to_string(bad) + of_all +
                     "NaN, infinite or beyond single precision, expected finite intensities; "
                     "replace them by 0 if they are background");
  }
  if (type != VoxelType::kInt64 && type != VoxelType::kUint64) return;
  constexpr float kMostExact = 9007199254740992.0F;  // 2^53
  const auto beyond = std::count_if(values.begin(), values.end(),
                                    [](float value) { return std::abs(value) > kMostExact; });
  if (beyond > 0) {
    refuse(name, std::to_string(beyond) + of_all +
                     "integers beyond 2^53, expected intensities or labels; is this the right "
                     "file?");
  }
}

}  // namespace

ImageHeader read_image_header(const std::filesystem::path& path) {
  if (!named_like_text_image(path)) return read_nifti_header(path);
  return naming_errors_of_itk(path.filename().string(),
                              [&] { return open_text_image(path).header; });
}

Image<float> read_image(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return naming_errors_of_itk(name, [&] {
    // Before ITK opens the file: a named pipe would keep it waiting for ever.
    const bool text = named_like_text_image(path);
    TextImage opened;
    if (text) {
      opened = open_text_image(path);
    } else {
      opened.header = read_nifti_header(path);
      opened.io = StrictNiftiImageIO::New();
    }
    const Grid& grid = opened.header.grid;
    if (text) {
      require_whole(path, opened.text, grid.voxel_count() * bytes_of(opened.header.type));
    }
    auto reader = itk::ImageFileReader<ItkImage<float>>::New();
    reader->SetImageIO(opened.io);
    reader->SetFileName(path.string());
    reader->Update();
    const float* values = reader->GetOutput()->GetBufferPointer();
    Image<float> image;
    image.grid = grid;
    image.values.assign(values, values + grid.voxel_count());
    if (text) refuse_bad_values(name, image.values, opened.header.type);
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

void write_image_like(const std::filesystem::path& path, const Image<float>& image,
                      const std::filesystem::path& source) {
  write_placed(path, image, source);
}

void write_image_like(const std::filesystem::path& path, const Image<std::uint8_t>& image,
                      const std::filesystem::path& source) {
  write_placed(path, image, source);
}

}  // namespace mcvol
