#include "mcvol/image/intensity.h"

#include "mcvol/error/error.h"

#include <cmath>

#include <gtest/gtest.h>

// The constants below are numpy's, in double precision, of
//   i = np.arange(60); v = (((i * 37) % 61) - 7) * 0.5; v[::5] = 0; v[7] = 400; m = v != 0
// at voxels 1, 2, 5, 7 and 59:
//   z-score        (v - v[m].mean()) / v[m].std() inside m
//   clip_sd        c = np.clip(v[m], mean - 3 * sd, mean + 3 * sd), then the z-score of c
//   percentiles    c = np.clip(v, *np.percentile(v, [5, 90])), then the z-score of all of c
//   rescale        c = np.clip(v[m], *np.percentile(v[m], [2.5, 97.5])),
//                  -1 + (c - c.min()) * 2 / (c.max() - c.min())

namespace mcvol {
namespace {

constexpr std::array<std::size_t, 5> kVoxels{1, 2, 5, 7, 59};

Image<float> numpy_image() {
  Grid grid;
  grid.size = {5, 4, 3};
  Image<float> image(grid);
  for (int i = 0; i < 60; ++i) {
    image.values[static_cast<std::size_t>(i)] =
        i % 5 == 0 ? 0.0F : static_cast<float>((i * 37) % 61 - 7) * 0.5F;
  }
  image.values[7] = 400.0F;
  return image;
}

void expect_voxels(const Image<float>& image, const std::array<double, 5>& expected) {
  for (std::size_t n = 0; n < kVoxels.size(); ++n) {
    // Single precision: half an ulp of 7 is 2.4e-7, and clip bounds are rounded once more.
    EXPECT_NEAR(image.values[kVoxels[n]], expected[n], 2e-6) << "voxel " << kVoxels[n];
  }
}

TEST(NormaliseIntensity, ZscoreOverNonzeroVoxelsMatchesNumpy) {
  Image<float> image = numpy_image();
  normalise_intensity(image, {});
  expect_voxels(image, {-0.136320578, -0.349889485, 0.0, 6.71568183, -0.0384348298});
}

TEST(NormaliseIntensity, ClipAtThreeSdTakesTheMomentsAgainAsNumpyDoes) {
  Image<float> image = numpy_image();
  IntensitySpec spec;
  spec.clip_sd = 3.0;
  normalise_intensity(image, spec);
  expect_voxels(image, {-0.120546296, -0.570133435, 0.0, 6.48176951, 0.0855144755});
}

TEST(NormaliseIntensity, ClipAtPercentilesOfAllVoxelsMatchesNumpy) {
  Image<float> image = numpy_image();
  IntensitySpec spec;
  spec.mask = IntensitySpec::Mask::kAll;
  spec.clip_percentiles = {{5.0, 90.0}};
  normalise_intensity(image, spec);
  expect_voxels(image, {0.394169262, -0.942312314, -1.27643271, 1.40209903, 1.00672332});
}

TEST(NormaliseIntensity, RescaleOfClippedNonzeroVoxelsMatchesNumpy) {
  Image<float> image = numpy_image();
  IntensitySpec spec;
  spec.method = IntensitySpec::Method::kRescale;
  spec.range = {-1.0, 1.0};
  spec.clip_percentiles = {{2.5, 97.5}};
  normalise_intensity(image, spec);
  expect_voxels(image, {0.191865606, -0.65694076, 0.0, 1.0, 0.580901857});
}

TEST(NormaliseIntensity, BackgroundStaysExactlyZero) {
  Image<float> image = numpy_image();
  normalise_intensity(image, {});
  for (std::size_t voxel = 0; voxel < 60; voxel += 5) {
    EXPECT_EQ(image.values[voxel], 0.0F);
  }
}

TEST(NormaliseIntensity, FixedSubtractsTheMeanAndDividesByTheSd) {
  Image<float> image = numpy_image();
  IntensitySpec spec;
  spec.method = IntensitySpec::Method::kFixed;
  spec.mean = 10.0;
  spec.sd = 4.0;
  spec.clip_values = {{-2.0, 30.0}};
  normalise_intensity(image, spec);
  expect_voxels(image, {1.25, -1.75, 0.0, 5.0, 2.625});
}

TEST(NormaliseIntensity, NoneLeavesTheIntensitiesAlone) {
  Image<float> image = numpy_image();
  IntensitySpec spec;
  spec.method = IntensitySpec::Method::kNone;
  normalise_intensity(image, spec);
  EXPECT_EQ(image.values, numpy_image().values);
}

std::string refusal_of(Image<float> image, const IntensitySpec& spec) {
  try {
    normalise_intensity(image, spec);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(NormaliseIntensity, RefusesAnImageOfZeros) {
  Grid grid;
  grid.size = {2, 2, 2};
  EXPECT_EQ(refusal_of(Image<float>(grid), {}),
            "every voxel is 0, nothing to normalise; is this the right file?");
}

TEST(NormaliseIntensity, RefusesAConstantImage) {
  Grid grid;
  grid.size = {3, 3, 3};
  // 0.1 in single precision does not sum to a multiple of itself, so the SD comes out above 0.
  const Image<float> constant(grid, 0.1F);
  EXPECT_EQ(refusal_of(constant, {}),
            "every voxel has the same intensity, nothing to normalise by (SD 0)");
  IntensitySpec rescale;
  rescale.method = IntensitySpec::Method::kRescale;
  EXPECT_EQ(refusal_of(constant, rescale),
            "every voxel has the same intensity, nothing to rescale");
}

}  // namespace
}  // namespace mcvol
