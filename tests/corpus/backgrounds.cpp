#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

using Values = std::vector<float>;

/// 0 to 1, the same for the same voxel.
double noise(std::size_t voxel) {
  auto state = static_cast<std::uint32_t>(voxel) * 747796405U + 2891336453U;
  state ^= state >> 16U;
  state *= 2246822519U;
  state ^= state >> 13U;
  return static_cast<double>(state % 65536U) / 65536.0;
}

/// With other values in the place of 0.
Values filled(Values values, const std::function<double(std::size_t)>& fill) {
  for (std::size_t voxel = 0; voxel < values.size(); ++voxel) {
    if (values[voxel] == 0.0F) values[voxel] = static_cast<float>(fill(voxel));
  }
  return values;
}

CaseFiles filled_both(const std::function<double(std::size_t)>& fill) {
  const Head& head = usual_head();
  return {nifti_of(head.grid, filled(head.t1, fill)),
          nifti_of(head.grid, filled(head.flair, fill))};
}

/// Stored as int16 with a slope and an intercept that 0 falls between: it decodes to -0.002.
test::NiftiFixture scaled(const Values& values) {
  constexpr double kSlope = 0.01, kIntercept = -0.002;
  Values stored;
  for (const float value : values) {
    stored.push_back(static_cast<float>(std::round((value - kIntercept - 0.002) / kSlope)));
  }
  test::NiftiFixture file = nifti_as<std::int16_t>(usual_grid(), stored, 4);
  file.slope = static_cast<float>(kSlope);
  file.intercept = static_cast<float>(kIntercept);
  return file;
}

/// Less the mean and by the standard deviation of what is not 0, background and all.
Values standardised(Values values) {
  double sum = 0, squares = 0, count = 0;
  for (const double value : values) {
    if (value == 0) continue;
    sum += value, squares += value * value, ++count;
  }
  const double mean = sum / count, sd = std::sqrt(squares / count - mean * mean);
  for (float& value : values) value = static_cast<float>((value - mean) / sd);
  return values;
}

/// A skull and skin around the brain, where the head was 0.
Head with_skull() {
  Grid grid = usual_grid();
  grid.size = {48, 53, 47};
  grid.origin_mm = {-94, -104, -92};
  Head head = head_on(grid);
  const Eigen::Vector3d axes(84, 96, 83);
  for (std::int64_t k = 0; k < grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < grid.size[0]; ++i) {
        const auto voxel = static_cast<std::size_t>(grid.offset(i, j, k));
        const Eigen::Vector3d point = grid.physical_from_index(
            {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        if (head.t1[voxel] != 0.0F || point.cwiseQuotient(axes).squaredNorm() > 1.0) continue;
        head.t1[voxel] = static_cast<float>(90 + 12 * noise(voxel));
        head.flair[voxel] = static_cast<float>(90 + 12 * noise(voxel + 1));
      }
    }
  }
  return head;
}

/// 0 in the corners that turning an image leaves, -0.5 between them and the brain.
CaseFiles turned_and_padded() {
  const Grid grid = usual_grid();
  return filled_both([grid](std::size_t voxel) {
    const auto n = static_cast<std::int64_t>(voxel);
    const std::int64_t sum =
        n % grid.size[0] + n / grid.size[0] % grid.size[1] + n / (grid.size[0] * grid.size[1]);
    return sum < 25 || sum > 100 ? 0.0 : -0.5;
  });
}

/// Less a constant within the brain, so that a part of it or all of it is below 0.
CaseFiles lowered(float by) {
  const Head& head = usual_head();
  CaseFiles files;
  for (const auto& [values, file] : {std::pair{&head.t1, &files.t1}, {&head.flair, &files.flair}}) {
    Values low = *values;
    for (float& value : low) value = value == 0.0F ? 0.0F : value - by;
    *file = nifti_of(head.grid, low);
  }
  return files;
}

/// A frame of another value, as a viewer's export leaves it.
CaseFiles framed() {
  CaseFiles files;
  const Head& head = usual_head();
  for (const auto& [values, file] : {std::pair{&head.t1, &files.t1}, {&head.flair, &files.flair}}) {
    Values framed = *values;
    for (std::size_t voxel = 0; voxel < framed.size(); ++voxel) {
      if (voxel % 40 < 2 || voxel % 40 > 37) framed[voxel] = 7.0F;
    }
    *file = nifti_of(head.grid, framed);
  }
  return files;
}

/// Noise of an unfiltered air, as a magnitude image has it.
CaseFiles in_noisy_air() {
  Head head = with_skull();
  const auto air = [](std::size_t voxel) {
    return 8.0 * std::sqrt(-2.0 * std::log(1.0 - noise(voxel) * 0.99999)) + 0.01;
  };
  return {nifti_of(head.grid, filled(head.t1, air)),
          nifti_of(head.grid, filled(head.flair, [&](std::size_t n) { return air(n + 7); }))};
}

Grid cut_grid(int from_left, int from_front, int from_below) {
  Grid grid = usual_grid();
  grid.size = {grid.size[0] - from_left, grid.size[1] - from_front, grid.size[2] - from_below};
  grid.origin_mm += 4.0 * Eigen::Vector3d(from_left, from_front, from_below);
  return grid;
}

Grid tilted_grid() {
  Grid grid = usual_grid();
  grid.size = {46, 50, 44};
  const double angle = 0.3;
  grid.direction << std::cos(angle), 0, std::sin(angle), 0, 1, 0, -std::sin(angle), 0,
      std::cos(angle);
  const Eigen::Vector3d half = 2.0 * Eigen::Vector3d(45, 49, 43);
  grid.origin_mm = -(grid.direction * half);
  return grid;
}

/// A head of whose flair the lower third was masked away, beside the tumour.
CaseFiles with_masks_that_differ() {
  const Head& head = usual_head();
  Values flair = head.flair;
  std::fill_n(flair.begin(), flair.size() / 3, 0.0F);
  return {nifti_of(head.grid, head.t1), nifti_of(head.grid, flair)};
}

/// 0 in a part of the brain, in one channel: clipped there.
CaseFiles clipped_in_one() {
  const Head& head = usual_head();
  Values t1 = head.t1;
  for (std::size_t voxel = 0; voxel < t1.size(); ++voxel) {
    if (head.labels[voxel] == 0 && noise(voxel) < 0.03) t1[voxel] = 0.0F;
  }
  return {nifti_of(head.grid, t1), nifti_of(head.grid, head.flair)};
}

}  // namespace

void backgrounds(Kind& kind) {
  const Head& head = usual_head();
  const auto scans = kind.folder() / "scans";
  std::vector<BatchCase> cases;
  const auto add = [&](const std::string& id, const CaseFiles& files, const std::string& what,
                       const Expected& expected) {
    write_case(scans, id, files);
    cases.push_back({id, what, expected, ""});
  };
  const CaseFiles clean = files_of(head);
  const auto constant = [](double value) { return [value](std::size_t) { return value; }; };
  const auto empty = nifti_of(head.grid, Values(head.t1.size(), 0.0F));

  add("good", clean, "a clean head: background exactly 0, float32", as_good());
  add("scaled_all", {scaled(head.t1), scaled(head.flair)},
      "int16 with slope and intercept: 0 decodes to -0.002", as_good_saying("its background is"));
  add("scaled_one", {scaled(head.t1), clean.flair}, "the same of one channel alone",
      as_good_saying("its background is"));
  add("padded_all", filled_both(constant(-0.5)), "-0.5 around the brain",
      as_good_saying("its background is -0.5, not 0"));
  add("padded_one", {clean.t1, nifti_of(head.grid, filled(head.flair, constant(-0.5)))},
      "the same of one channel alone", as_good_saying("padded_one_flair.nii.gz: its background"));
  add("padded_low", filled_both(constant(-1024)), "-1024 around the brain, as of CT",
      as_good_saying("its background is -1024, not 0"));
  add("padded_high", filled_both(constant(4095)), "4095 around the brain, brighter than it",
      as_good_saying("its background is 4095, not 0"));
  add("residue", filled_both([](std::size_t n) { return noise(n) < 0.1 ? 1e-6 : 0.0; }),
      "1e-6 in a tenth of the background, left by an interpolation",
      as_good_saying("its background is"));
  add("noise", filled_both([](std::size_t n) { return 0.02 * noise(n) - 0.01; }),
      "noise of ±0.01 outside the brain", as_good_saying("its background is"));
  add("turned_and_padded", turned_and_padded(), "0 in the corners, -0.5 between them and the brain",
      as_good_saying("its background is -0.5 within"));
  add("negative_brain", lowered(300), "a brain of negative values, background 0", as_good());
  add("framed", framed(), "a frame of another value on two sides",
      measured(head.volumes(), "touches_border"));
  add("z_scored",
      {nifti_of(head.grid, standardised(head.t1)), nifti_of(head.grid, standardised(head.flair))},
      "standardised before, background a negative constant", as_good_saying("its background is"));
  add("clipped_inside", clipped_in_one(), "one channel is 0 in 3 % of the brain",
      measured(head.volumes()));
  add("skull_in_noise", in_noisy_air(), "not skull-stripped, noise in the air",
      failed("no background, expected one value on the border"));
  const Head skull = with_skull();
  add("skull_in_zero", files_of(skull), "not skull-stripped, air exactly 0",
      measured(skull.volumes(), "large_brain"));
  add("constant_channel", {clean.t1, nifti_of(head.grid, Values(head.t1.size(), 7.0F))},
      "a channel of one value everywhere",
      failed("every voxel has the same intensity, nothing to normalise by (SD 0)"));
  add("constant_all",
      {nifti_of(head.grid, Values(head.t1.size(), 7.0F)),
       nifti_of(head.grid, Values(head.t1.size(), 9.0F))},
      "one value in every voxel of each channel", failed("every voxel has the same intensity"));
  add("zero_channel", {clean.t1, empty}, "a channel of 0 everywhere",
      failed("every voxel is 0, nothing to normalise"));
  add("zero_all", {empty, empty}, "0 everywhere",
      failed("no brain, every voxel of every channel is 0; are these the right files?"));
  const Head touching = head_on(cut_grid(7, 0, 0));
  add("touches_border", files_of(touching), "cut off at the right side of the brain",
      measured(touching.volumes(), "touches_border"));
  const Head cropped = head_on(cut_grid(5, 6, 6));
  add("cropped", files_of(cropped), "cropped close to the brain on three sides",
      measured(cropped.volumes(), "touches_border"));
  const Head tilted = head_on(tilted_grid());
  add("tilted", files_of(tilted), "an oblique grid, turned by 17 degrees",
      measured(tilted.volumes()));
  add("masks_differ", with_masks_that_differ(), "the brain mask of one channel lacks a part",
      measured(head.volumes(), "masks_differ"));
  kind.batch(scans, "out", cases);
}

}  // namespace mcvol::testing
