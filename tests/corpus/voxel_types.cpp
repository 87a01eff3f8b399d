#include <cmath>
#include <cstdint>
#include <utility>

#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

using Values = std::vector<float>;

Values times(Values values, float factor) {
  for (float& value : values) value = std::round(value * factor);
  return values;
}

/// Both channels stored as another type. @param factor that brings 0 to 266 into its range.
template <typename Value>
CaseFiles stored_as(int datatype, float factor = 1.0F) {
  const Head& head = usual_head();
  return {nifti_as<Value>(head.grid, times(head.t1, factor), datatype),
          nifti_as<Value>(head.grid, times(head.flair, factor), datatype)};
}

/// A t1 that claims a type of so many bytes a voxel, which it has.
CaseFiles claiming(int datatype, int bits) {
  CaseFiles files = files_of(usual_head());
  files.t1.datatype = datatype;
  files.t1.bits = bits;
  const std::size_t bytes = files.t1.voxels.size() / 4 * static_cast<std::size_t>(bits) / 8;
  files.t1.voxels.assign(bytes, '\1');
  return files;
}

/// Both channels with stored values that a slope and an intercept bring back.
CaseFiles scaled_by(float slope, float intercept) {
  CaseFiles files;
  const Head& head = usual_head();
  for (const auto& [values, file] : {std::pair{&head.t1, &files.t1}, {&head.flair, &files.flair}}) {
    Values stored;
    for (const float value : *values) stored.push_back((value - intercept) / slope);
    *file = nifti_as<float>(head.grid, stored, 16);
    file->slope = slope;
    file->intercept = intercept;
  }
  return files;
}

CaseFiles with_slope(float slope, float intercept) {
  CaseFiles files = files_of(usual_head());
  for (test::NiftiFixture* file : {&files.t1, &files.flair}) {
    file->slope = slope;
    file->intercept = intercept;
  }
  return files;
}

/// The clean head but for some voxels of its flair.
CaseFiles with_voxels(float value, int count) {
  CaseFiles files = files_of(usual_head());
  Values flair = usual_head().flair;
  for (int n = 0; n < count; ++n) flair[static_cast<std::size_t>(1000 * n)] = value;
  files.flair = nifti_of(usual_grid(), flair);
  return files;
}

CaseFiles beyond_2_53() {
  const Head& head = usual_head();
  CaseFiles files = files_of(head);
  std::vector<std::int64_t> values(head.flair.begin(), head.flair.end());
  values[5] = std::int64_t{1} << 60U;
  files.flair.set_voxels(values, 1024);
  return files;
}

}  // namespace

void voxel_types(Kind& kind) {
  const auto scans = kind.folder() / "scans";
  std::vector<BatchCase> cases;
  const auto add = [&](const std::string& id, const CaseFiles& files, const std::string& what,
                       const Expected& expected) {
    write_case(scans, id, files);
    cases.push_back({id, what, expected, ""});
  };
  add("uint8", stored_as<std::uint8_t>(2, 0.9F), "uint8", as_good());
  add("int8", stored_as<std::int8_t>(256, 0.4F), "int8", as_good());
  add("int16", stored_as<std::int16_t>(4), "int16", as_good());
  add("uint16", stored_as<std::uint16_t>(512), "uint16", as_good());
  add("int32", stored_as<std::int32_t>(8), "int32", as_good());
  add("uint32", stored_as<std::uint32_t>(768), "uint32", as_good());
  add("int64", stored_as<std::int64_t>(1024), "int64, nibabel's default of old", as_good());
  add("uint64", stored_as<std::uint64_t>(1280), "uint64", as_good());
  add("float64", stored_as<double>(64), "float64", as_good());

  const auto refused = [](const std::string& type) {
    return failed("voxels of type " + type +
                  ", expected integers of 8 to 64 bits or 32 or 64-bit floats");
  };
  add("binary", claiming(1, 8), "binary, one bit a voxel", refused("binary"));
  add("complex64", claiming(32, 64), "complex64, as reconstructed", refused("complex64"));
  add("rgb", claiming(128, 24), "RGB, a screenshot or colour map", refused("RGB"));
  add("rgba", claiming(2304, 32), "RGBA", refused("RGBA"));
  add("float128", claiming(1536, 128), "float128", refused("float128"));
  add("complex128", claiming(1792, 128), "complex128", refused("complex128"));
  add("complex256", claiming(2048, 256), "complex256", refused("complex256"));
  add("unknown_type", claiming(77, 32), "a datatype code that NIfTI does not have",
      refused("unknown (code 77)"));
  CaseFiles contradicting = files_of(usual_head());
  contradicting.t1.bits = 16;
  add("bitpix", contradicting, "bitpix 16 with datatype float32",
      failed("damaged header: bitpix says voxels of 16 bits, datatype float32"));

  add("slope_2", scaled_by(2.0F, 10.0F), "slope 2, intercept 10", as_good());
  add("slope_negative", scaled_by(-0.5F, 0.0F), "a slope of -0.5", as_good());
  const float nan = std::nanf("");
  add("slope_0", with_slope(0.0F, 5.0F), "slope 0: not scaled, as NIfTI says", as_good());
  add("slope_nan", with_slope(nan, nan), "slope NaN: not scaled, as nibabel writes it", as_good());
  add("intercept_nan", with_slope(1.0F, nan), "slope 1, intercept NaN",
      failed("damaged header: scl_slope is 1 but scl_inter is not a number"));
  add("slope_huge", with_slope(1e38F, 0.0F), "slope 1e38: beyond single precision",
      failed("voxels exceed single precision once scaled; check scl_slope"));
  add("nan_voxels", with_voxels(nan, 27), "27 NaN",
      failed("27 of 68400 voxels are NaN or infinite, expected finite intensities"));
  add("inf_voxels", with_voxels(INFINITY, 3), "3 infinite voxels",
      failed("3 of 68400 voxels are NaN or infinite"));
  add("beyond_2_53", beyond_2_53(), "an integer of 2^60",
      failed("1 of 68400 voxels are integers beyond 2^53, expected intensities or labels"));
  kind.batch(scans, "out", cases);
  kind.inspect_says_the_same(scans);
}

}  // namespace mcvol::testing
