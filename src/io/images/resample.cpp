#include "mcvol/io/images/resample.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include "itk_setup.h"
#include "itk_view.h"
#include <itkBSplineInterpolateImageFunction.h>
#include <itkDiscreteGaussianImageFilter.h>
#include <itkIdentityTransform.h>
#include <itkLinearInterpolateImageFunction.h>
#include <itkNearestNeighborInterpolateImageFunction.h>
#include <itkResampleImageFilter.h>

namespace mcvol {
namespace {

constexpr double kSameSpacing = 1e-3;                // relative
constexpr double kMostResampledVoxels = 4294967296;  // 2^32, as of a file

/// Which axis of the patient a letter lies on (0: left-right, 1: front-back, 2: head-foot).
int patient_axis_of(char letter) {
  constexpr const char* kAxes[] = {"LR", "PA", "SI"};
  for (int axis = 0; axis < 3; ++axis) {
    if (kAxes[axis][0] == letter || kAxes[axis][1] == letter) {
      return axis;
    }
  }
  throw std::invalid_argument(std::string("orientation letter '") + letter + "'");
}

/// Before the size is rounded or any memory asked for.
void require_holdable(const Grid& grid, const std::array<double, 3>& spacing_mm) {
  double voxels = 1;
  for (int axis = 0; axis < 3; ++axis) {
    const double ratio = spacing_mm[static_cast<std::size_t>(axis)] / grid.spacing_mm[axis];
    voxels *= std::max(1.0, static_cast<double>(grid.size[axis]) / ratio);
  }
  if (voxels <= kMostResampledVoxels) return;
  char found[96];
  std::snprintf(found, sizeof(found), "%g x %g x %g mm would make %.2g voxels", spacing_mm[0],
                spacing_mm[1], spacing_mm[2], voxels);
  throw InputError(std::string("the model's grid.spacing_mm of ") + found +
                   " of the scan, expected at most 2^32; give the model a spacing near the scans'");
}

/// For each new index: the old index that becomes it, and whether it runs the other way.
struct AxisMap {
  std::array<int, 3> source{0, 1, 2};
  std::array<bool, 3> flipped{false, false, false};

  bool identity() const {
    return source == std::array<int, 3>{0, 1, 2} && flipped == std::array<bool, 3>{};
  }
};

AxisMap axis_map(const std::string& from, const std::string& to) {
  AxisMap map;
  std::array<bool, 3> used{};
  if (to.size() != 3) {
    throw std::invalid_argument("orientation '" + to + "', expected three letters");
  }
  for (std::size_t index = 0; index < 3; ++index) {
    const int axis = patient_axis_of(to[index]);
    const auto found = std::find_if(
        from.begin(), from.end(), [axis](char letter) { return patient_axis_of(letter) == axis; });
    const auto source = static_cast<std::size_t>(found - from.begin());
    if (used[source]) {
      throw std::invalid_argument("orientation '" + to + "' names an axis twice");
    }
    used[source] = true;
    map.source[index] = static_cast<int>(source);
    map.flipped[index] = from[source] != to[index];
  }
  return map;
}

Grid reoriented_grid(const Grid& grid, const AxisMap& map) {
  Grid result;
  Eigen::Vector3d first = Eigen::Vector3d::Zero();  // the new (0, 0, 0) in old indices
  for (int index = 0; index < 3; ++index) {
    const int source = map.source[index];
    const bool flipped = map.flipped[index];
    result.size[index] = grid.size[source];
    result.spacing_mm[index] = grid.spacing_mm[source];
    result.direction.col(index) = (flipped ? -1.0 : 1.0) * grid.direction.col(source);
    first[source] = flipped ? static_cast<double>(grid.size[source] - 1) : 0.0;
  }
  result.origin_mm = grid.physical_from_index(first);
  return result;
}

template <typename Value>
Image<Value> reoriented_image(Image<Value> image, const std::string& orientation) {
  const AxisMap map = axis_map(orientation_of(image.grid), orientation);
  if (map.identity()) {
    return image;
  }
  Image<Value> result(reoriented_grid(image.grid, map));
  const Index3& old_size = image.grid.size;
  const Index3 old_stride{1, old_size[0], old_size[0] * old_size[1]};
  Index3 stride{};
  std::int64_t start = 0;
  for (int index = 0; index < 3; ++index) {
    const int source = map.source[index];
    stride[index] = map.flipped[index] ? -old_stride[source] : old_stride[source];
    start += map.flipped[index] ? (old_size[source] - 1) * old_stride[source] : 0;
  }
  const Index3& size = result.grid.size;
  auto* next = result.values.data();
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      const std::int64_t row = start + j * stride[1] + k * stride[2];
      for (std::int64_t i = 0; i < size[0]; ++i) {
        *next++ = image.values[static_cast<std::size_t>(row + i * stride[0])];
      }
    }
  }
  return result;
}

/// Takes the point spread of the source to that of the target; none where nothing gets coarser.
ItkImage<float>::Pointer smoothed(ItkImage<float>::Pointer image, const Grid& source,
                                  const Grid& target) {
  itk::FixedArray<double, 3> variance_mm2;
  for (unsigned axis = 0; axis < 3; ++axis) {
    const double from_mm = source.spacing_mm[axis];
    const double to_mm = target.spacing_mm[axis];
    variance_mm2[axis] =
        std::max(0.0, (to_mm * to_mm - from_mm * from_mm) / (8.0 * std::numbers::ln2));
  }
  if (variance_mm2 == itk::FixedArray<double, 3>(0.0)) {
    return image;
  }
  using Filter = itk::DiscreteGaussianImageFilter<ItkImage<float>, ItkImage<float>>;
  auto filter = Filter::New();
  filter->SetInput(image);
  filter->SetVariance(variance_mm2);
  filter->SetMaximumError(1e-3);
  filter->SetMaximumKernelWidth(1000);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  return filter->GetOutput();
}

template <typename Value>
using Interpolator = itk::InterpolateImageFunction<ItkImage<Value>, double>;

template <typename Value>
Image<Value> sampled(ItkImage<Value>* image, const Grid& source, const Grid& target,
                     Interpolator<Value>* interpolator) {
  using Filter = itk::ResampleImageFilter<ItkImage<Value>, ItkImage<Value>, double, double>;
  auto filter = Filter::New();
  typename ItkImage<Value>::SizeType size;
  typename ItkImage<Value>::PointType origin;
  const Eigen::Vector3d first = source.index_from_physical(target.origin_mm);
  for (unsigned axis = 0; axis < 3; ++axis) {
    size[axis] = static_cast<itk::SizeValueType>(target.size[axis]);
    origin[axis] = first[axis] * source.spacing_mm[axis];
  }
  filter->SetInput(image);
  filter->SetTransform(itk::IdentityTransform<double, 3>::New());
  filter->SetInterpolator(interpolator);
  filter->SetSize(size);
  filter->SetOutputOrigin(origin);
  filter->SetOutputSpacing(target.spacing_mm.data());
  filter->SetDefaultPixelValue(Value{});
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  Image<Value> result(target);
  const Value* values = filter->GetOutput()->GetBufferPointer();
  std::copy(values, values + result.values.size(), result.values.begin());
  return result;
}

template <typename Function>
auto translating_itk(Function function) {
  set_up_itk();
  try {
    return function();
  } catch (const itk::ExceptionObject& exception) {
    throw InputError(std::string("cannot be resampled: ") + exception.GetDescription());
  }
}

}  // namespace

Image<float> reoriented(Image<float> image, const std::string& orientation) {
  return reoriented_image(std::move(image), orientation);
}

Image<std::uint8_t> reoriented(Image<std::uint8_t> image, const std::string& orientation) {
  return reoriented_image(std::move(image), orientation);
}

Grid resampled_grid(const Grid& grid, const std::array<double, 3>& spacing_mm) {
  require_holdable(grid, spacing_mm);
  Grid result = grid;
  Eigen::Vector3d first = Eigen::Vector3d::Zero();  // the new (0, 0, 0) in old indices
  for (int axis = 0; axis < 3; ++axis) {
    const double ratio = spacing_mm[static_cast<std::size_t>(axis)] / grid.spacing_mm[axis];
    if (std::abs(ratio - 1.0) <= kSameSpacing) {
      continue;
    }
    // The thousandth keeps rounding from adding a voxel that lies outside.
    const double voxels = static_cast<double>(grid.size[axis]) / ratio;
    result.size[axis] = std::max<std::int64_t>(1, std::llround(std::ceil(voxels - 1e-3)));
    result.spacing_mm[axis] = spacing_mm[static_cast<std::size_t>(axis)];
    first[axis] = (ratio - 1.0) / 2.0;
  }
  result.origin_mm = grid.physical_from_index(first);
  return result;
}

Image<float> resampled(const Image<float>& image, const Grid& target,
                       GridSpec::Interpolation interpolation) {
  return translating_itk([&]() -> Image<float> {
    auto view = itk_view(image);
    if (interpolation == GridSpec::Interpolation::kNearest) {
      auto nearest = itk::NearestNeighborInterpolateImageFunction<ItkImage<float>>::New();
      return sampled<float>(view, image.grid, target, nearest);
    }
    view = smoothed(view, image.grid, target);
    if (interpolation == GridSpec::Interpolation::kBspline) {
      auto cubic = itk::BSplineInterpolateImageFunction<ItkImage<float>, double, float>::New();
      return sampled<float>(view, image.grid, target, cubic);
    }
    auto linear = itk::LinearInterpolateImageFunction<ItkImage<float>>::New();
    return sampled<float>(view, image.grid, target, linear);
  });
}

Image<std::uint8_t> resampled(const Image<std::uint8_t>& mask, const Grid& target) {
  return translating_itk([&] {
    auto nearest = itk::NearestNeighborInterpolateImageFunction<ItkImage<std::uint8_t>>::New();
    return sampled<std::uint8_t>(itk_view(mask), mask.grid, target, nearest);
  });
}

}  // namespace mcvol
