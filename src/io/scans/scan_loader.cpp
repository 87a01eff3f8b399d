#include "mcvol/io/scans/scan_loader.h"

#include "mcvol/error/error.h"
#include "mcvol/image/background.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"
#include "mcvol/io/images/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

namespace mcvol {
namespace {

using Files = std::vector<ImageSource>;

/// Three digits, of hundreds and more all before the point: -1024, not -1.02e+03.
std::string short_number(double value) {
  char text[32];
  const bool large = std::abs(value) >= 100.0 && std::abs(value) < 1e9;
  std::snprintf(text, sizeof(text), large ? "%.0f" : "%.3g", value);
  return text;
}

/// Of each file, once: that of a compressed file may cost as much as its voxels. All are checked
/// against the first's grid before any voxel is read.
/// @param notes gets those on headers added.
std::vector<ImageHeader> headers_on_one_grid(const Files& files, std::vector<std::string>& notes) {
  std::vector<ImageHeader> headers;
  for (const ImageSource& file : files) {
    const ImageHeader& header = headers.emplace_back(read_image_header(file));
    const Grid& first = headers.front().grid;
    require_known_orientation(file, header);
    if (header.transforms_apart_mm > header.grid.spacing_mm.maxCoeff()) {
      notes.push_back(file.name() + ": its sform and qform place the image up to " +
                      short_number(header.transforms_apart_mm) + " mm apart; the sform counts");
    }
    if (same_grid(first, header.grid)) {
      continue;
    }
    std::string message = file.name() + ": " + describe(header.grid) + ", expected the grid of " +
                          files.front().name() + ": " + describe(first);
    if (first.size == header.grid.size) {
      message += " (their corners lie up to " +
                 short_number(corner_distance_mm(first, header.grid)) + " mm apart)";
    }
    throw InputError(message + "; resample all channels of a case onto one grid");
  }
  return headers;
}

[[noreturn]] void refuse_without_background(const ImageSource& file, const Background& found) {
  throw InputError(
      file.name() + ": no background, expected one value on the border of the image, or noise " +
      "of little width, outside the brain; the commonest values, near " +
      short_number(found.value) + ", hold " + short_number(100.0 * found.border_share) +
      " % of it. The scan is not skull-stripped, which the model requires, or noise fills it: " +
      "strip it, or multiply it with a brain mask");
}

std::string note_on(const ImageSource& file, const Background& background) {
  return file.name() + ": its background is " + short_number(background.value) +
         (background.tolerance > 0.0 ? " within " + short_number(background.tolerance) + ","
                                     : ",") +
         " not 0; taken for background";
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
void naming(const ImageSource& file, Function function) {
  try {
    function();
  } catch (const InputError& error) {
    throw InputError(file.name() + ": " + error.what());
  }
}

/// One channel on its way to the network's grid, not yet normalised.
struct Channel {
  Image<float> image;
  Image<std::uint8_t> brain;  ///< 0 where it is background
  Background background;
  bool touches_border = false;
  bool resampled = false;
};

/// Its brain: all but the background, where there is one. A background other than 0 of which the
/// whole image is made is none: the channel is empty, which normalising it finds.
void find_brain(const ImageSource& file, const ImageHeader& header, bool skull_stripped,
                Channel& channel) {
  const Background found = find_background(channel.image, step_of(header));
  channel.background = Background{};
  if (found.found) {
    channel.background = found;
    channel.brain = brain_beside(found, channel.image);
    if (found.is_exactly_zero() || !bounding_box(channel.brain).empty()) return;
    channel.background = {true};
  } else if (skull_stripped) {
    refuse_without_background(file, found);
  }
  channel.brain = brain_beside({true}, channel.image);
}

/// Where resampling is asked for, the brain is resampled as a mask of its own, and the image is 0
/// outside it: interpolation smears intensities into the background, which would grow the brain and
/// shift the mean and SD taken over it.
/// @param grid the file's own to within what single-precision headers round: the first channel's
/// for
///   all, so that what differs below the tolerance does not make two.
Channel load_channel(const ImageSource& file, const ImageHeader& header, const Grid& grid,
                     const GridSpec& spec, bool skull_stripped, StageTimings& timings) {
  Channel channel;
  channel.image = timed(timings.read_s, [&] { return read_image(file); });
  channel.image.grid = grid;
  const ScopedTimer timer(timings.prepare_s);
  channel.image = reoriented(std::move(channel.image), spec.orientation);
  find_brain(file, header, skull_stripped, channel);
  // Asked on the scan's own grid: the new one may reach a voxel further out.
  channel.touches_border = touches_border(channel.brain);
  if (spec.spacing_mm) {
    Grid target;
    naming(file, [&] { target = resampled_grid(channel.image.grid, *spec.spacing_mm); });
    if (target.spacing_mm != channel.image.grid.spacing_mm) {
      naming(file, [&] {
        channel.image = resampled(channel.image, target, spec.interpolation);
        channel.brain = resampled(channel.brain, target);
      });
      clear_outside(channel.image, channel.brain);
      channel.resampled = true;
    }
  }
  // Not before: interpolated, brain and background mix as they do in a scan with a background of 0.
  if (channel.background.found && !channel.background.is_exactly_zero()) {
    put_background_at_zero(channel.image, channel.brain);
  }
  return channel;
}

/// Leaves in `scan.brain` of how many channels a voxel is brain.
void add_channel(PreparedScan& scan, Channel channel) {
  if (scan.channels.empty()) {
    scan.grid = channel.image.grid;
    scan.brain = Image<std::uint8_t>(scan.grid);
  }
  for (std::size_t voxel = 0; voxel < scan.brain.values.size(); ++voxel) {
    scan.brain.values[voxel] += channel.brain.values[voxel];
  }
  scan.touches_border = scan.touches_border || channel.touches_border;
  scan.resampled = scan.resampled || channel.resampled;
  scan.no_background = scan.no_background || !channel.background.found;
  scan.channels.push_back(std::move(channel.image));
}

/// Makes a mask of the counts that add_channel() leaves.
void settle_brain(PreparedScan& scan) {
  std::int64_t brain = 0, in_all = 0;
  for (std::uint8_t& voxel : scan.brain.values) {
    in_all += voxel == scan.channels.size() ? 1 : 0;
    voxel = voxel > 0 ? 1 : 0;
    brain += voxel;
  }
  if (brain > 0) scan.brain_in_all = static_cast<double>(in_all) / static_cast<double>(brain);
}

/// One scan in the place of two gives numbers that look right. Bytes of files need not be equal:
/// another compression or type of voxel leaves the image the same.
void require_different_images(const Files& files, const PreparedScan& scan) {
  for (std::size_t n = 1; n < files.size(); ++n) {
    const std::vector<float>& values = scan.channels[n].values;
    const bool empty =
        std::all_of(values.begin(), values.end(), [](float value) { return value == 0.0F; });
    for (std::size_t other = 0; other < n && !empty; ++other) {
      if (values != scan.channels[other].values) continue;
      throw InputError(files[n].name() + ": the same image as " + files[other].name() +
                       ", voxel by voxel, expected another for each channel; put the right file "
                       "in its place");
    }
  }
}

}  // namespace

PreparedScan load_scan(const Files& channel_files, const ScanPreparation& preparation,
                       StageTimings& timings) {
  if (channel_files.empty() || channel_files.size() != preparation.intensities.size()) {
    throw std::invalid_argument("load_scan: one file and one IntensitySpec per channel");
  }
  PreparedScan scan;
  const std::vector<ImageHeader> headers =
      timed(timings.read_s, [&] { return headers_on_one_grid(channel_files, scan.notes); });
  scan.own_grid = headers.front().grid;
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    Channel channel = load_channel(channel_files[n], headers[n], scan.own_grid, preparation.grid,
                                   preparation.skull_stripped, timings);
    const ScopedTimer timer(timings.prepare_s);
    const Background& background = channel.background;
    if (background.found && !background.is_exactly_zero()) {
      scan.notes.push_back(note_on(channel_files[n], background));
    }
    add_channel(scan, std::move(channel));
  }
  const ScopedTimer timer(timings.prepare_s);
  settle_brain(scan);
  if (bounding_box(scan.brain).empty()) {
    throw InputError(channel_files.front().name() +
                     ": no brain, every voxel of every channel is 0; are these the right files?");
  }
  require_different_images(channel_files, scan);
  if (preparation.before_normalising) preparation.before_normalising(scan);
  for (std::size_t n = 0; n < channel_files.size(); ++n) {
    naming(channel_files[n],
           [&] { normalise_intensity(scan.channels[n], preparation.intensities[n]); });
  }
  scan.measured = preparation.measure_all ? Image<std::uint8_t>(scan.grid, 1) : scan.brain;
  return scan;
}

}  // namespace mcvol
