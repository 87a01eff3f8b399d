#include "shown_slices.h"

#include "mcvol/io/records/thumbnail.h"

#include <algorithm>
#include <array>

namespace mcvol {

namespace {

constexpr float kLeastProbability = 0.25F;
constexpr double kLeastShare = 1.0 / 20;  // of the largest place

double squared(double value) { return value * value; }

std::int64_t largest_at(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// Sums over the slices along each grid axis.
using SliceSums = std::array<std::vector<double>, 3>;

SliceSums no_sums(const Index3& size) {
  SliceSums sums;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    sums[axis].assign(static_cast<std::size_t>(size[axis]), 0);
  }
  return sums;
}

void add(SliceSums& sums, const Index3& voxel, double value) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    sums[axis][static_cast<std::size_t>(voxel[axis])] += value;
  }
}

Index3 largest_of(const SliceSums& sums) {
  return {largest_at(sums[0]), largest_at(sums[1]), largest_at(sums[2])};
}

struct Place {
  double size = 0;
  Index3 slices;                 ///< with most of it, by grid axis
  std::vector<double> by_slice;  ///< its size in each axial slice
};

/// Takes places out of an image of probabilities, one by one.
class Places {
 public:
  /// @param through grid axis from axial slice to axial slice.
  Places(Image<float> probabilities, std::size_t through)
      : left_(std::move(probabilities)), through_(through) {}

  /// Those of the least share of the largest and more, the largest first. Smaller ones, of which
  /// there may be many thousands, are dropped at once.
  std::vector<Place> large() {
    std::vector<Place> places;
    double largest = 0;
    const Index3& size = left_.grid.size;
    for (std::int64_t k = 0; k < size[2]; ++k) {
      for (std::int64_t j = 0; j < size[1]; ++j) {
        for (std::int64_t i = 0; i < size[0]; ++i) {
          if (left_.at(i, j, k) < kLeastProbability) continue;
          Place place = taken_from({i, j, k});
          largest = std::max(largest, place.size);
          if (place.size >= kLeastShare * largest) places.push_back(std::move(place));
        }
      }
    }
    std::erase_if(places, [&](const Place& one) { return one.size < kLeastShare * largest; });
    std::stable_sort(places.begin(), places.end(),
                     [](const Place& a, const Place& b) { return a.size > b.size; });
    return places;
  }

 private:
  Place taken_from(const Index3& seed) {
    double size = 0;
    SliceSums sums = no_sums(left_.grid.size);
    std::vector<Index3> waiting;
    const auto take = [&](const Index3& voxel) {
      float& probability = left_.at(voxel[0], voxel[1], voxel[2]);
      if (probability < kLeastProbability) return;
      size += squared(probability);
      add(sums, voxel, squared(probability));
      probability = 0;
      waiting.push_back(voxel);
    };
    take(seed);
    while (!waiting.empty()) {
      const Index3 voxel = waiting.back();
      waiting.pop_back();
      for (std::size_t axis = 0; axis < 3; ++axis) {
        for (const std::int64_t step : {-1, 1}) {
          Index3 beside = voxel;
          beside[axis] += step;
          if (beside[axis] >= 0 && beside[axis] < left_.grid.size[axis]) take(beside);
        }
      }
    }
    return {size, largest_of(sums), std::move(sums[through_])};
  }

  Image<float> left_;
  std::size_t through_;
};

/// Around all voxels of places: an image of the whole scan would add to what a run takes at most.
Box box_of_places(const PreparedScan& scan, const HistogramSink& sink) {
  Box box{scan.grid.size, {0, 0, 0}};
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    if (static_cast<float>(sink.mean_probability(0, position)) < kLeastProbability) return;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      box.begin[axis] = std::min(box.begin[axis], index[axis]);
      box.end[axis] = std::max(box.end[axis], index[axis] + 1);
    }
  });
  return box;
}

Image<float> probabilities_in(const Box& box, const PreparedScan& scan, const HistogramSink& sink) {
  Grid grid;
  grid.size = box.size();
  Image<float> probabilities(grid);
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    Index3 inside;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (index[axis] < box.begin[axis] || index[axis] >= box.end[axis]) return;
      inside[axis] = index[axis] - box.begin[axis];
    }
    probabilities.at(inside[0], inside[1], inside[2]) =
        static_cast<float>(sink.mean_probability(0, position));
  });
  return probabilities;
}

/// Those of what is too little for a place, by grid axis.
Index3 slices_of_traces(const PreparedScan& scan, const HistogramSink& sink) {
  SliceSums sums = no_sums(scan.grid.size);
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    add(sums, index, squared(sink.mean_probability(0, position)));
  });
  const Box brain = bounding_box(scan.brain);
  Index3 slices = largest_of(sums);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (sums[axis][static_cast<std::size_t>(slices[axis])] > 0) continue;
    slices[axis] = (brain.begin[axis] + std::max(brain.begin[axis], brain.end[axis] - 1)) / 2;
  }
  return slices;
}

/// The slices with most of each place that no axial slice before shows already, by grid axis.
/// @param places the largest first.
std::vector<Index3> slices_of_places(const std::vector<Place>& places, std::size_t through) {
  std::vector<Index3> slices;
  for (const Place& place : places) {
    if (slices.size() == Thumbnail::kMostAxialSlices) break;
    const auto size_in = [&](const Index3& slice) {
      return place.by_slice[static_cast<std::size_t>(slice[through])];
    };
    const bool seen = std::any_of(slices.begin(), slices.end(), [&](const Index3& shown) {
      return 2 * size_in(shown) >= size_in(place.slices);
    });
    if (!seen) slices.push_back(place.slices);
  }
  return slices;
}

}  // namespace

std::vector<ShownSlice> slices_to_show(const PreparedScan& scan, const HistogramSink& sink) {
  const auto through = [&](Plane plane) { return SlicePlane(scan.grid, plane).through; };
  const std::size_t axial = through(Plane::kAxial);
  const Box box = box_of_places(scan, sink);
  std::vector<Index3> places;
  if (box.empty()) {
    places = {slices_of_traces(scan, sink)};
  } else {
    places = slices_of_places(Places(probabilities_in(box, scan, sink), axial).large(), axial);
    for (Index3& place : places) {
      for (std::size_t axis = 0; axis < 3; ++axis) place[axis] += box.begin[axis];
    }
  }
  std::vector<ShownSlice> slices;
  for (const Index3& place : places) {
    slices.push_back({Plane::kAxial, place[axial]});
    if (slices.size() > 1) continue;
    for (const Plane plane : {Plane::kCoronal, Plane::kSagittal}) {
      slices.push_back({plane, place[through(plane)]});
    }
  }
  return slices;
}

}  // namespace mcvol
