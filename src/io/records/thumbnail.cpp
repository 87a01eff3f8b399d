#include "mcvol/io/records/thumbnail.h"

#include "mcvol/files/text_file.h"
#include "mcvol/image/axial_plane.h"
#include "mcvol/io/images/png.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mcvol {

namespace {

constexpr double kMiddle = 128;
constexpr double kBytesPerLogit = 127 / kHistogramLogitLimit;

}  // namespace

double byte_from_logit(double logit) { return kMiddle + kBytesPerLogit * logit; }

double logit_from_byte(double byte) { return (byte - kMiddle) / kBytesPerLogit; }

std::uint8_t byte_from_probability(double probability) {
  const double logit = std::log(probability) - std::log1p(-probability);
  const double held = std::clamp(logit, -kHistogramLogitLimit, kHistogramLogitLimit);
  return static_cast<std::uint8_t>(std::lround(byte_from_logit(held)));
}

std::filesystem::path thumbnail_path(const std::filesystem::path& folder,
                                     const std::string& case_id) {
  return folder / "thumbnails" / (case_id + ".png");
}

void write_thumbnail(const Thumbnail& thumbnail, const std::filesystem::path& path) {
  GreyPicture picture{thumbnail.width, thumbnail.height, thumbnail.scan};
  for (const std::vector<std::uint8_t>& region : thumbnail.regions) {
    picture.height += thumbnail.height;
    picture.pixels.insert(picture.pixels.end(), region.begin(), region.end());
  }
  write_file_atomically(path, png_from_picture(picture));
}

Thumbnail read_thumbnail(const std::filesystem::path& path, const Grid& grid, std::size_t regions) {
  const AxialPlane plane(grid);
  const auto panels = static_cast<std::int64_t>(regions) + 1;
  const GreyPicture picture = picture_from_png(read_file(path), plane.width, plane.height * panels,
                                               path.filename().string());
  Thumbnail thumbnail{plane.width, plane.height, {}, {}};
  const std::ptrdiff_t panel = plane.width * plane.height;
  auto from = picture.pixels.begin();
  thumbnail.scan.assign(from, from + panel);
  for (std::size_t region = 0; region < regions; ++region) {
    from += panel;
    thumbnail.regions.emplace_back(from, from + panel);
  }
  return thumbnail;
}

}  // namespace mcvol
