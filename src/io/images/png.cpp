#include "mcvol/io/images/png.h"

#include "mcvol/error/error.h"

#include <cstddef>

#include <png.h>

namespace mcvol {

namespace {

/// libpng's simplified interface: it reports instead of jumping, and frees what it holds.
struct PngImage {
  png_image image{};
  PngImage() { image.version = PNG_IMAGE_VERSION; }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
  ~PngImage() { png_image_free(&image); }
};

}  // namespace

std::string png_from_picture(const GreyPicture& picture) {
  PngImage png;
  png.image.width = static_cast<png_uint_32>(picture.width);
  png.image.height = static_cast<png_uint_32>(picture.height);
  png.image.format = PNG_FORMAT_GRAY;
  if (picture.pixels.empty() ||
      picture.pixels.size() != static_cast<std::size_t>(picture.width * picture.height)) {
    throw Error("a picture of " + std::to_string(picture.width) + "x" +
                std::to_string(picture.height) + " with " + std::to_string(picture.pixels.size()) +
                " pixels");
  }
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png.image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png.image, bytes.data(), &size, 0, picture.pixels.data(), 0,
                                nullptr) == 0) {
    throw Error(std::string("a picture cannot be packed as PNG: ") + png.image.message);
  }
  bytes.resize(size);
  return bytes;
}

GreyPicture picture_from_png(std::string_view bytes, std::int64_t most_width,
                             std::int64_t most_height, const std::string& name) {
  const std::string expected = "expected a grey PNG picture of at most " +
                               std::to_string(most_width) + "x" + std::to_string(most_height) +
                               " pixels";
  PngImage png;
  if (png_image_begin_read_from_memory(&png.image, bytes.data(), bytes.size()) == 0) {
    throw InputError(name + ": " + expected + ", found no PNG (" + png.image.message + ")");
  }
  if (png.image.format != PNG_FORMAT_GRAY || png.image.width > most_width ||
      png.image.height > most_height) {
    throw InputError(name + ": " + expected + ", found " + std::to_string(png.image.width) + "x" +
                     std::to_string(png.image.height) +
                     (png.image.format == PNG_FORMAT_GRAY ? "" : ", not of 8-bit grey"));
  }
  GreyPicture picture{png.image.width, png.image.height,
                      std::vector<std::uint8_t>(PNG_IMAGE_SIZE(png.image))};
  if (png_image_finish_read(&png.image, nullptr, picture.pixels.data(), 0, nullptr) == 0) {
    throw InputError(name + ": a damaged PNG picture (" + png.image.message + ")");
  }
  return picture;
}

}  // namespace mcvol
