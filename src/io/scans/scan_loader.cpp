#include "mcvol/io/scans/scan_loader.h"

#include "mcvol/error/error.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"
#include "mcvol/io/images/resample.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

namespace mcvol {
namespace {

using Files = std::vector<std::filesystem::path>;

std::string name_of(const std::filesystem::path& file) { return file.filename().string(); }

/// The first file's; all headers are checked against it before any voxel is read.
Grid common_grid(const Files& files) {
  const Grid first = read_image_header(files.front()).grid;
  for (const auto& file : files) {
    const ImageHeader header = read_image_header(file);
    if (!header.orientation_known) {
      throw InputError(name_of(file) +
                       (header.format <= ImageFormat::kNifti2
                            ? ": neither sform nor qform is set, so nothing says which way the "
                              "image is turned; set one of them if you know"
                            : ": its header does not say which way the image is turned in the "
                              "patient; save it once more with a program that knows"));
    }
    if (same_grid(first, header.grid)) {
      continue;
    }
    std::string message = name_of(file) + ": " + describe(header.grid) + ", expected the grid of " +
                          name_of(files.front()) + ": " + describe(first);
    if (first.size == header.grid.size) {
      char distance[32];
      std::snprintf(distance, sizeof(distance), "%.3g", corner_distance_mm(first, header.grid));
      message += std::string(" (their corners lie up to ") + distance + " mm apart)";
    }
    throw InputError(message + "; resample all channels of a case onto one grid");
  }
  return first;
}

Image<std::uint8_t> nonzero_voxels(const Image<float>& image) {
  Image<std::uint8_t> mask(image.grid);
  std::transform(image.values.begin(), image.values.end(), mask.values.begin(),
                 [](float value) { return value != 0.0F ? 1 : 0; });
  return mask;
}

void clear_outside(Image<float>& image, const Image<std::uint8_t>& mask) {
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    if (mask.values[voxel] == 0) {
      image.values[voxel] = 0.0F;
    }
  }
}

/// Runs `function`; an InputError gets the file's name in front.
template <typename Function>
void naming(const std::filesystem::path& file, Function function) {
  try {
    function();
  } catch (const InputError& error) {
    throw InputError(name_of(file) + ": " + error.what());
  }
}

/// One channel on its way to the network's grid, not yet normalised.
struct Channel {
  Image<float> image;
  Image<std::uint8_t> nonzero;
  bool touches_border = false;
  bool resampled = false;
};

/// Where resampling is asked for, the non-zero voxels are resampled as a mask of their own, and
/// the image is 0 outside it: interpolation smears intensities into the background, which would
/// grow the brain and shift the mean and SD taken over it.
/// @param grid the file's own to within what single-precision headers round: the first channel's
/// for
///   all, so that what differs below the tolerance does not make two.
Channel load_channel(const std::filesystem::path& file, const Grid& grid, const GridSpec& spec,
                     StageTimings& timings) {
  Channel channel;
  channel.image = timed(timings.read_s, [&] { return read_image(file); });
  channel.image.grid = grid;
  const ScopedTimer timer(timings.prepare_s);
  channel.image = reoriented(std::move(channel.image), spec.orientation);
  channel.nonzero = nonzero_voxels(channel.image);
  // Asked on the scan's own grid: the new one may reach a voxel further out.
  channel.touches_border = touches_border(channel.nonzero);
  if (spec.spacing_mm) {
    Grid target;
    naming(file, [&] { target = resampled_grid(channel.image.grid, *spec.spacing_mm); });
    if (target.spacing_mm != channel.image.grid.spacing_mm) {
      naming(file, [&] {
        channel.image = resampled(channel.image, target, spec.interpolation);
        channel.nonzero = resampled(channel.nonzero, target);
      });
      clear_outside(channel.image, channel.nonzero);
      channel.resampled = true;
    }
  }
  return channel;
}

void add_channel(PreparedScan& scan, Channel channel) {
  if (scan.channels.empty()) {
    scan.grid = channel.image.grid;
    scan.brain = Image<std::uint8_t>(scan.grid);
  }
  for (std::size_t voxel = 0; voxel < scan.brain.values.size(); ++voxel) {
    scan.brain.values[voxel] |= channel.nonzero.values[voxel];
  }
  scan.touches_border = scan.touches_border || channel.touches_border;
  scan.resampled = scan.resampled || channel.resampled;
  scan.channels.push_back(std::move(channel.image));
}

}  // namespace

PreparedScan load_scan(const Files& channel_files, const ScanPreparation& preparation,
                       StageTimings& timings) {
  if (channel_files.empty() || channel_files.size() != preparation.intensities.size()) {
    throw std::invalid_argument("load_scan: one file and one IntensitySpec per channel");
  }
  const Grid grid = timed(timings.read_s, [&] { return common_grid(channel_files); });
  PreparedScan scan;
  scan.own_grid = grid;
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    Channel channel = load_channel(channel_files[n], grid, preparation.grid, timings);
    const ScopedTimer timer(timings.prepare_s);
    add_channel(scan, std::move(channel));
  }
  const ScopedTimer timer(timings.prepare_s);
  if (bounding_box(scan.brain).empty()) {
    throw InputError(name_of(channel_files.front()) +
                     ": no brain, every voxel of every channel is 0; are these the right files?");
  }
  if (preparation.before_normalising) preparation.before_normalising(scan);
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    naming(channel_files[n],
           [&] { normalise_intensity(scan.channels[n], preparation.intensities[n]); });
  }
  scan.measured = preparation.measure_all ? Image<std::uint8_t>(scan.grid, 1) : scan.brain;
  return scan;
}

}  // namespace mcvol
