#include "mcvol/io/records/thumbnail.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/png.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace mcvol {

namespace {

constexpr double kMiddle = 128;
constexpr double kBytesPerLogit = 127 / kHistogramLogitLimit;

// The head of a file: what the file is, how many channels and slices it has, what measurement it is
// of, then each channel's number, each region's channel, and of each slice its plane and its index
// in two bytes, low byte first. Format 2 is without the measurement and the planes.
constexpr std::uint8_t kFormat = 3;
constexpr std::uint8_t kAxialFormat = 2;
constexpr std::size_t kPlanes = 3;
constexpr std::size_t kFixedHead = 3;

using Panel = std::vector<std::uint8_t>;

/// That so many bytes take.
std::int64_t rows_of(std::int64_t bytes, std::int64_t width) { return (bytes + width - 1) / width; }

std::int64_t most_head(std::size_t regions) {
  return static_cast<std::int64_t>(kFixedHead + Measurement{}.size() + Thumbnail::kMostChannels +
                                   regions + 3 * Thumbnail::kMostSlices);
}

Panel head_of(const Thumbnail& thumbnail) {
  Panel head{kFormat, static_cast<std::uint8_t>(thumbnail.channels.size()),
             static_cast<std::uint8_t>(thumbnail.slices.size())};
  const Measurement measurement = thumbnail.measurement.value_or(Measurement{});
  head.insert(head.end(), measurement.begin(), measurement.end());
  for (const auto& channel : thumbnail.channels) {
    head.push_back(static_cast<std::uint8_t>(channel.value_or(0)));
  }
  for (const std::size_t channel : thumbnail.channel_of_region) {
    head.push_back(static_cast<std::uint8_t>(channel));
  }
  for (const ThumbnailSlice& slice : thumbnail.slices) {
    const std::int64_t index = slice.index.value_or(0);
    head.push_back(static_cast<std::uint8_t>(slice.plane));
    head.push_back(static_cast<std::uint8_t>(index % 256));
    head.push_back(static_cast<std::uint8_t>(index / 256));
  }
  return head;
}

std::int64_t widest(const Thumbnail& thumbnail) {
  std::int64_t width = 0;
  for (const ThumbnailSlice& slice : thumbnail.slices) width = std::max(width, slice.width);
  return width;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw InputError(name + ": no slices of this version of mcvol (" + what +
                   "); measure the case again, or remove the file");
}

/// Without panels. @param head becomes the number of its bytes.
Thumbnail read_head(const GreyPicture& picture, std::size_t regions, const std::string& name,
                    std::size_t& head) {
  const auto next = [&]() -> std::size_t {
    if (head == picture.pixels.size()) refuse(name, "too short");
    return picture.pixels[head++];
  };
  const std::size_t format = next();
  if (format != kFormat && format != kAxialFormat) refuse(name, "another format");
  const std::size_t channels = next(), slices = next();
  if (channels == 0 || channels > Thumbnail::kMostChannels) refuse(name, "the number of channels");
  if (slices == 0 || slices > Thumbnail::kMostSlices) refuse(name, "the number of slices");
  Thumbnail thumbnail;
  if (format == kFormat) {
    thumbnail.measurement.emplace();
    for (std::uint8_t& byte : *thumbnail.measurement) byte = static_cast<std::uint8_t>(next());
  }
  for (std::size_t n = 0; n < channels; ++n) thumbnail.channels.emplace_back(next());
  for (std::size_t n = 0; n < regions; ++n) {
    thumbnail.channel_of_region.push_back(next());
    if (thumbnail.channel_of_region.back() >= channels) refuse(name, "a region's channel");
  }
  for (std::size_t n = 0; n < slices; ++n) {
    ThumbnailSlice slice;
    const std::size_t plane = format == kFormat ? next() : 0;
    if (plane >= kPlanes) refuse(name, "the plane of a slice");
    slice.plane = static_cast<Plane>(plane);
    const std::size_t low = next();
    slice.index = static_cast<std::int64_t>(low + 256 * next());
    thumbnail.slices.push_back(std::move(slice));
  }
  return thumbnail;
}

/// Of version 0.1, without panels: one slice of one channel.
Thumbnail headless_thumbnail(std::size_t regions) {
  Thumbnail thumbnail;
  thumbnail.channels.resize(1);
  thumbnail.channel_of_region.assign(regions, 0);
  thumbnail.slices.resize(1);
  return thumbnail;
}

/// The panels of a picture one after the other, each as wide as it is.
class Panels {
 public:
  Panels(const GreyPicture& picture, std::int64_t head) : picture_(picture), row_(head) {}

  Panel next(const ThumbnailSlice& slice) {
    Panel panel;
    for (std::int64_t n = 0; n < slice.height; ++n, ++row_) {
      const auto begin = picture_.pixels.begin() + row_ * picture_.width;
      panel.insert(panel.end(), begin, begin + slice.width);
    }
    return panel;
  }

 private:
  const GreyPicture& picture_;
  std::int64_t row_;
};

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

void remove_thumbnail(const std::filesystem::path& folder, const std::string& case_id) noexcept {
  std::error_code ignored;
  std::filesystem::remove(thumbnail_path(folder, case_id), ignored);
}

void write_thumbnail(const Thumbnail& thumbnail, const std::filesystem::path& path) {
  GreyPicture picture{widest(thumbnail), 0, head_of(thumbnail)};
  const auto end_row = [&] {
    const std::int64_t rows =
        rows_of(static_cast<std::int64_t>(picture.pixels.size()), picture.width);
    picture.pixels.resize(static_cast<std::size_t>(rows * picture.width));
  };
  end_row();
  for (const ThumbnailSlice& slice : thumbnail.slices) {
    for (const auto* panels : {&slice.channels, &slice.regions}) {
      for (const Panel& panel : *panels) {
        for (auto row = panel.begin(); row != panel.end(); row += slice.width) {
          picture.pixels.insert(picture.pixels.end(), row, row + slice.width);
          end_row();
        }
      }
    }
  }
  picture.height = static_cast<std::int64_t>(picture.pixels.size()) / picture.width;
  write_file_atomically(path, png_from_picture(picture));
}

Thumbnail read_thumbnail(const std::filesystem::path& path, const Grid& grid, std::size_t regions) {
  const std::array<SlicePlane, kPlanes> planes{SlicePlane(grid, Plane::kAxial),
                                               SlicePlane(grid, Plane::kCoronal),
                                               SlicePlane(grid, Plane::kSagittal)};
  const SlicePlane& axial = planes[0];
  const std::string name = path.filename().string();
  std::int64_t most_width = 0, most_height = 0;
  for (const SlicePlane& plane : planes) {
    most_width = std::max(most_width, plane.width);
    most_height = std::max(most_height, plane.height);
  }
  const auto most_panels =
      static_cast<std::int64_t>(Thumbnail::kMostSlices * (Thumbnail::kMostChannels + regions));
  const GreyPicture picture =
      picture_from_png(read_file(path), most_width,
                       most_height * most_panels + rows_of(most_head(regions), axial.width), name);
  // Never the size of one with a head, which has as many panels at least.
  const bool headless = picture.width == axial.width &&
                        picture.height == axial.height * (1 + static_cast<std::int64_t>(regions));
  std::size_t head = 0;
  Thumbnail thumbnail =
      headless ? headless_thumbnail(regions) : read_head(picture, regions, name, head);
  const std::int64_t head_rows = rows_of(static_cast<std::int64_t>(head), picture.width);
  const std::size_t panels = thumbnail.channels.size() + regions;
  std::int64_t height = head_rows;
  for (ThumbnailSlice& slice : thumbnail.slices) {
    const SlicePlane& plane = planes[static_cast<std::size_t>(slice.plane)];
    if (slice.index && *slice.index >= grid.size[plane.through]) {
      refuse(name, "the number of a slice");
    }
    slice.width = plane.width;
    slice.height = plane.height;
    height += slice.height * static_cast<std::int64_t>(panels);
  }
  if (picture.width != widest(thumbnail) || picture.height != height) {
    throw InputError(name + ": expected " + std::to_string(panels * thumbnail.slices.size()) +
                     " panels in " + std::to_string(widest(thumbnail)) + "x" +
                     std::to_string(height) + " pixels, found " + std::to_string(picture.width) +
                     "x" + std::to_string(picture.height));
  }
  Panels from(picture, head_rows);
  for (ThumbnailSlice& slice : thumbnail.slices) {
    for (std::size_t n = 0; n < thumbnail.channels.size(); ++n) {
      slice.channels.push_back(from.next(slice));
    }
    for (std::size_t n = 0; n < regions; ++n) slice.regions.push_back(from.next(slice));
  }
  return thumbnail;
}

}  // namespace mcvol
