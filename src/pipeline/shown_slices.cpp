#include "shown_slices.h"

#include "mcvol/io/records/thumbnail.h"

#include <algorithm>

namespace mcvol {

namespace {

constexpr float kLeastProbability = 0.25F;
constexpr double kLeastShare = 1.0 / 20;  // of the largest place

double squared(double value) { return value * value; }

std::int64_t largest_at(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// A place by its slices.
struct Place {
  double size = 0;
  std::vector<double> by_slice;
};

/// Takes places out of an image of probabilities, one by one.
class Places {
 public:
  Places(Image<float> probabilities, std::size_t through)
      : left_(std::move(probabilities)), through_(through) {}

  std::vector<Place> all() {
    std::vector<Place> places;
    const Index3& size = left_.grid.size;
    for (std::int64_t k = 0; k < size[2]; ++k) {
      for (std::int64_t j = 0; j < size[1]; ++j) {
        for (std::int64_t i = 0; i < size[0]; ++i) {
          if (left_.at(i, j, k) >= kLeastProbability) places.push_back(taken_from({i, j, k}));
        }
      }
    }
    return places;
  }

 private:
  Place taken_from(const Index3& seed) {
    Place place{0, std::vector<double>(static_cast<std::size_t>(left_.grid.size[through_]), 0)};
    std::vector<Index3> waiting;
    const auto take = [&](const Index3& voxel) {
      float& probability = left_.at(voxel[0], voxel[1], voxel[2]);
      if (probability < kLeastProbability) return;
      place.size += squared(probability);
      place.by_slice[static_cast<std::size_t>(voxel[through_])] += squared(probability);
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
    return place;
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

/// Of what is too little for a place.
std::int64_t slice_of_traces(const PreparedScan& scan, std::size_t through,
                             const HistogramSink& sink) {
  std::vector<double> sums(static_cast<std::size_t>(scan.grid.size[through]), 0);
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    sums[static_cast<std::size_t>(index[through])] += squared(sink.mean_probability(0, position));
  });
  const std::int64_t most = largest_at(sums);
  if (sums[static_cast<std::size_t>(most)] > 0) return most;
  const Box brain = bounding_box(scan.brain);
  return (brain.begin[through] + std::max(brain.begin[through], brain.end[through] - 1)) / 2;
}

}  // namespace

std::vector<std::int64_t> slices_to_show(const PreparedScan& scan, std::size_t through,
                                         const HistogramSink& sink) {
  const Box box = box_of_places(scan, sink);
  if (box.empty()) return {slice_of_traces(scan, through, sink)};
  std::vector<Place> places = Places(probabilities_in(box, scan, sink), through).all();
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.size > b.size; });
  std::vector<std::int64_t> slices;
  for (const Place& place : places) {
    if (slices.size() == Thumbnail::kMostSlices) break;
    if (place.size < kLeastShare * places.front().size) break;
    const std::int64_t slice = largest_at(place.by_slice);
    const bool seen = std::any_of(slices.begin(), slices.end(), [&](std::int64_t shown) {
      return 2 * place.by_slice[static_cast<std::size_t>(shown)] >=
             place.by_slice[static_cast<std::size_t>(slice)];
    });
    if (!seen) slices.push_back(slice);
  }
  for (std::int64_t& slice : slices) slice += box.begin[through];
  return slices;
}

}  // namespace mcvol
