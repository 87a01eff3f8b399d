#include "mcvol/image/background.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace mcvol {
namespace {

/// Of a band that counts as a single value.
constexpr double kNearlyAll = 0.95;
/// Of the border's voxels in a band four times as wide, how many the background itself holds at
/// least: where it is one value the head's rim may lie beside it.
constexpr double kAloneAsNoise = 0.95;
constexpr double kAloneAsValue = 0.8;
/// There are a hundred times as many voxels as on the border, whose extremes lie further out: of
/// normal noise 5.4 standard deviations instead of 4.4.
constexpr double kFurtherOut = 1.25;
constexpr double kMostResidues = 0.01;

std::vector<float> sorted_border(const Image<float>& image) {
  const Index3& size = image.grid.size;
  std::vector<float> border;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      const bool whole_row = k == 0 || k == size[2] - 1 || j == 0 || j == size[1] - 1;
      const std::int64_t stride = whole_row ? 1 : std::max<std::int64_t>(size[0] - 1, 1);
      for (std::int64_t i = 0; i < size[0]; i += stride) border.push_back(image.at(i, j, k));
    }
  }
  std::sort(border.begin(), border.end());
  return border;
}

/// A range of sorted values.
struct Run {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

/// The most values that lie no further apart than `width`.
Run densest(const std::vector<float>& sorted, Run within, double width) {
  Run best{within.begin, within.begin};
  std::size_t begin = within.begin;
  for (std::size_t end = within.begin; end < within.end; ++end) {
    while (static_cast<double>(sorted[end]) - sorted[begin] > width) ++begin;
    if (end + 1 - begin > best.size()) best = {begin, end + 1};
  }
  return best;
}

/// How far intensities reach from `value`: 995 of 1000 voxels that differ from it lie nearer, by a
/// sample. A spike does not count.
double range_about(const Image<float>& image, double value) {
  constexpr std::size_t kMostLookedAt = 1'000'000;
  const std::size_t stride = image.values.size() / kMostLookedAt + 1;
  std::vector<float> distances;
  for (std::size_t voxel = 0; voxel < image.values.size(); voxel += stride) {
    const double distance = std::abs(static_cast<double>(image.values[voxel]) - value);
    if (distance > 0.0) distances.push_back(static_cast<float>(distance));
  }
  if (distances.empty()) return 0.0;
  const auto rank = static_cast<std::ptrdiff_t>(0.995 * static_cast<double>(distances.size() - 1));
  std::nth_element(distances.begin(), distances.begin() + rank, distances.end());
  return distances[static_cast<std::size_t>(rank)];
}

/// Whether enough voxels lie within `residue` of the value without having it.
bool has_residues(const Image<float>& image, double value, double residue) {
  std::int64_t near = 0, far = 0;
  for (const float voxel : image.values) {
    const double distance = std::abs(static_cast<double>(voxel) - value);
    near += distance > 0.0 && distance <= residue ? 1 : 0;
    far += distance > residue ? 1 : 0;
  }
  return static_cast<double>(near) > kMostResidues * static_cast<double>(far);
}

bool has_neighbour(const Image<std::uint8_t>& mask, const Index3& at) {
  const Index3& size = mask.grid.size;
  int marked = 0;
  for (std::int64_t k = std::max<std::int64_t>(at[2] - 1, 0); k <= at[2] + 1 && k < size[2]; ++k) {
    for (std::int64_t j = std::max<std::int64_t>(at[1] - 1, 0); j <= at[1] + 1 && j < size[1];
         ++j) {
      for (std::int64_t i = std::max<std::int64_t>(at[0] - 1, 0); i <= at[0] + 1 && i < size[0];
           ++i) {
        marked += mask.at(i, j, k) != 0 ? 1 : 0;
        if (marked > 1) return true;  // itself and another
      }
    }
  }
  return false;
}

double share_of(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Background find_background(const Image<float>& image, double step) {
  Background background;
  const std::vector<float> border = sorted_border(image);
  if (border.empty()) return background;
  const double range = range_about(image, border[border.size() / 2]);
  // A little more than a step: neighbours of a scaled storage differ by it up to rounding.
  const double half_width = std::max(Background::kWidestBand * range, 1.01 * step);
  const Run band = densest(border, {0, border.size()}, 2.0 * half_width);
  const Run commonest = densest(border, band, 0.0);
  const bool one_value = share_of(commonest.size(), band.size()) >= kNearlyAll;
  background.value = border[one_value ? commonest.begin : band.begin + (band.end - band.begin) / 2];
  background.border_share = share_of(band.size(), border.size());

  const auto in_wider_band =
      static_cast<std::size_t>(std::count_if(border.begin(), border.end(), [&](float value) {
        return std::abs(static_cast<double>(value) - background.value) <= 4.0 * half_width;
      }));
  background.found =
      background.border_share >= Background::kLeastBorderShare &&
      share_of(band.size(), in_wider_band) >= (one_value ? kAloneAsValue : kAloneAsNoise);
  if (!background.found) return background;
  const double residue = Background::kResidue * range;
  if (!one_value) {
    background.tolerance = kFurtherOut * std::max(background.value - border[band.begin],
                                                  border[band.end - 1] - background.value);
  } else if (has_residues(image, background.value, residue)) {
    background.tolerance = residue;
  }
  return background;
}

Image<std::uint8_t> brain_beside(const Background& background, const Image<float>& image) {
  Image<std::uint8_t> brain(image.grid);
  std::transform(image.values.begin(), image.values.end(), brain.values.begin(),
                 [&](float value) { return background.contains(value) ? 0 : 1; });
  if (background.value == 0.0 && background.tolerance == 0.0) return brain;
  std::vector<std::size_t> alone;
  const Index3& size = image.grid.size;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i) {
        if (brain.at(i, j, k) != 0 && !has_neighbour(brain, {i, j, k})) {
          alone.push_back(static_cast<std::size_t>(image.grid.offset(i, j, k)));
        }
      }
    }
  }
  for (const std::size_t voxel : alone) brain.values[voxel] = 0;
  return brain;
}

void put_background_at_zero(Image<float>& image, const Image<std::uint8_t>& brain) {
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    if (brain.values[voxel] == 0) {
      image.values[voxel] = 0.0F;
    } else if (image.values[voxel] == 0.0F) {
      image.values[voxel] = std::numeric_limits<float>::min();
    }
  }
}

}  // namespace mcvol
