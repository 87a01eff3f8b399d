#include "mcvol/io/records/thumbnail.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/image/axial_plane.h"
#include "mcvol/io/images/png.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace mcvol {

namespace {

constexpr double kMiddle = 128;
constexpr double kBytesPerLogit = 127 / kHistogramLogitLimit;

// The head of a file: what the file is, how many channels and slices it has, then each channel's
// number, each region's channel and each slice's index in two bytes, low byte first.
constexpr std::uint8_t kFormat = 2;
constexpr std::size_t kFixedHead = 3;

using Panel = std::vector<std::uint8_t>;

std::int64_t head_rows(std::size_t bytes, std::int64_t width) {
  return (static_cast<std::int64_t>(bytes) + width - 1) / width;
}

std::size_t most_head(std::size_t regions) {
  return kFixedHead + Thumbnail::kMostChannels + regions + 2 * Thumbnail::kMostSlices;
}

/// Filled up with 0 to whole rows.
Panel head_of(const Thumbnail& thumbnail) {
  Panel head{kFormat, static_cast<std::uint8_t>(thumbnail.channels.size()),
             static_cast<std::uint8_t>(thumbnail.slices.size())};
  for (const auto& channel : thumbnail.channels) {
    head.push_back(static_cast<std::uint8_t>(channel.value_or(0)));
  }
  for (const std::size_t channel : thumbnail.channel_of_region) {
    head.push_back(static_cast<std::uint8_t>(channel));
  }
  for (const ThumbnailSlice& slice : thumbnail.slices) {
    const std::int64_t index = slice.index.value_or(0);
    head.push_back(static_cast<std::uint8_t>(index % 256));
    head.push_back(static_cast<std::uint8_t>(index / 256));
  }
  head.resize(static_cast<std::size_t>(head_rows(head.size(), thumbnail.width) * thumbnail.width));
  return head;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw InputError(name + ": no slices of this version of mcvol (" + what +
                   "); measure the case again, or remove the file");
}

/// Without panels.
Thumbnail read_head(const GreyPicture& picture, std::size_t regions, const std::string& name) {
  std::size_t at = 0;
  const auto next = [&]() -> std::size_t {
    if (at == picture.pixels.size()) refuse(name, "too short");
    return picture.pixels[at++];
  };
  if (next() != kFormat) refuse(name, "another format");
  const std::size_t channels = next(), slices = next();
  if (channels == 0 || channels > Thumbnail::kMostChannels) refuse(name, "the number of channels");
  if (slices == 0 || slices > Thumbnail::kMostSlices) refuse(name, "the number of slices");
  Thumbnail thumbnail;
  for (std::size_t n = 0; n < channels; ++n) thumbnail.channels.emplace_back(next());
  for (std::size_t n = 0; n < regions; ++n) {
    thumbnail.channel_of_region.push_back(next());
    if (thumbnail.channel_of_region.back() >= channels) refuse(name, "a region's channel");
  }
  for (std::size_t n = 0; n < slices; ++n) {
    const std::size_t low = next();
    ThumbnailSlice slice;
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
  GreyPicture picture{thumbnail.width, 0, head_of(thumbnail)};
  for (const ThumbnailSlice& slice : thumbnail.slices) {
    for (const auto* panels : {&slice.channels, &slice.regions}) {
      for (const Panel& panel : *panels) {
        picture.pixels.insert(picture.pixels.end(), panel.begin(), panel.end());
      }
    }
  }
  picture.height = static_cast<std::int64_t>(picture.pixels.size()) / picture.width;
  write_file_atomically(path, png_from_picture(picture));
}

Thumbnail read_thumbnail(const std::filesystem::path& path, const Grid& grid, std::size_t regions) {
  const AxialPlane plane(grid);
  const std::string name = path.filename().string();
  const std::int64_t most_panels =
      static_cast<std::int64_t>(Thumbnail::kMostSlices * (Thumbnail::kMostChannels + regions));
  const GreyPicture picture = picture_from_png(
      read_file(path), plane.width,
      plane.height * most_panels + head_rows(most_head(regions), plane.width), name);
  // Never the height of one with a head, which has as many panels at least.
  const bool headless = picture.height == plane.height * (1 + static_cast<std::int64_t>(regions));
  Thumbnail thumbnail = headless ? headless_thumbnail(regions) : read_head(picture, regions, name);
  thumbnail.width = plane.width;
  thumbnail.height = plane.height;
  const std::size_t panels = thumbnail.slices.size() * (thumbnail.channels.size() + regions);
  const std::int64_t head = headless ? 0 : head_rows(head_of(thumbnail).size(), plane.width);
  if (picture.height != head + plane.height * static_cast<std::int64_t>(panels)) {
    throw InputError(name + ": expected " + std::to_string(panels) + " panels of " +
                     std::to_string(plane.height) + " rows, found " +
                     std::to_string(picture.height - head) + " rows");
  }
  auto from = picture.pixels.begin() + head * plane.width;
  const auto next_panel = [&] {
    const auto begin = from;
    from += plane.width * plane.height;
    return Panel(begin, from);
  };
  for (ThumbnailSlice& slice : thumbnail.slices) {
    if (slice.index && *slice.index >= grid.size[plane.through])
      refuse(name, "the number of a slice");
    for (std::size_t n = 0; n < thumbnail.channels.size(); ++n) {
      slice.channels.push_back(next_panel());
    }
    for (std::size_t n = 0; n < regions; ++n) slice.regions.push_back(next_panel());
  }
  return thumbnail;
}

}  // namespace mcvol
