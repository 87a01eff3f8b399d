#pragma once

#include "mcvol/error/error.h"
#include "mcvol/image/grid.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

namespace mcvol::test {

/// A NIfTI file laid out byte by byte, independent of any library, right or deliberately wrong.
struct NiftiFixture {
  int version = 1;
  std::vector<int> dim{3, 4, 5, 6};  ///< dim[0] and what follows
  std::array<float, 8> pixdim{1, 1, 1, 1, 1, 1, 1, 1};
  int datatype = 16;
  int bits = 32;
  int qform_code = 0;
  int sform_code = 1;
  std::array<float, 6> quaternion_and_offset{};
  std::array<float, 12> srow{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};  ///< RAS
  float slope = 1.0F;
  float intercept = 0.0F;
  float vox_offset = 352.0F;
  int units = 2;
  int sizeof_hdr = 348;
  std::string magic = std::string("n+1\0", 4);
  bool big_endian = false;
  std::string voxels = std::string(4 * 4 * 5 * 6, '\0');

  template <typename Value>
  void set_voxels(const std::vector<Value>& values, int code) {
    datatype = code;
    bits = 8 * sizeof(Value);
    voxels.assign(values.size() * sizeof(Value), '\0');
    for (std::size_t n = 0; n < values.size(); ++n) {
      put(voxels, n * sizeof(Value), values[n]);
    }
  }

  /// Size, spacing and sform of a grid.
  void set_grid(const Grid& grid) {
    dim = {3, static_cast<int>(grid.size[0]), static_cast<int>(grid.size[1]),
           static_cast<int>(grid.size[2])};
    const Eigen::Matrix3d matrix = grid.direction * grid.spacing_mm.asDiagonal();
    for (int row = 0; row < 3; ++row) {
      const double sign = row < 2 ? -1.0 : 1.0;  // RAS of LPS
      for (int column = 0; column < 3; ++column) {
        srow[4 * row + column] = static_cast<float>(sign * matrix(row, column));
      }
      srow[4 * row + 3] = static_cast<float>(sign * grid.origin_mm[row]);
      pixdim[row + 1] = static_cast<float>(grid.spacing_mm[row]);
    }
  }

  std::string bytes() const { return version == 2 ? bytes_of_version_2() : bytes_of_version_1(); }

  std::string bytes_of_version_1() const {
    std::string header(348, '\0');
    put<std::int32_t>(header, 0, sizeof_hdr);
    for (std::size_t n = 0; n < dim.size(); ++n) {
      put(header, 40 + 2 * n, static_cast<std::int16_t>(dim[n]));
    }
    put(header, 70, static_cast<std::int16_t>(datatype));
    put(header, 72, static_cast<std::int16_t>(bits));
    for (std::size_t n = 0; n < pixdim.size(); ++n) {
      put(header, 76 + 4 * n, pixdim[n]);
    }
    put(header, 108, vox_offset);
    put(header, 112, slope);
    put(header, 116, intercept);
    header[123] = static_cast<char>(units);
    put(header, 252, static_cast<std::int16_t>(qform_code));
    put(header, 254, static_cast<std::int16_t>(sform_code));
    for (std::size_t n = 0; n < quaternion_and_offset.size(); ++n) {
      put(header, 256 + 4 * n, quaternion_and_offset[n]);
    }
    for (std::size_t n = 0; n < srow.size(); ++n) {
      put(header, 280 + 4 * n, srow[n]);
    }
    std::copy(magic.begin(), magic.end(), header.begin() + 344);
    header.resize(vox_offset >= 348.0F && vox_offset < 1e4F ? std::size_t(vox_offset) : 352, '\0');
    return header + voxels;
  }

  /// Offsets as https://nifti.nimh.nih.gov/pub/dist/doc/nifti2.h lists them.
  std::string bytes_of_version_2() const {
    std::string header(540, '\0');
    put<std::int32_t>(header, 0, 540);
    const std::string magic_2("n+2\0\r\n\032\n", 8);
    std::copy(magic_2.begin(), magic_2.end(), header.begin() + 4);
    put(header, 12, static_cast<std::int16_t>(datatype));
    put(header, 14, static_cast<std::int16_t>(bits));
    for (std::size_t n = 0; n < dim.size(); ++n) {
      put(header, 16 + 8 * n, static_cast<std::int64_t>(dim[n]));
    }
    for (std::size_t n = 0; n < pixdim.size(); ++n) {
      put(header, 104 + 8 * n, static_cast<double>(pixdim[n]));
    }
    put<std::int64_t>(header, 168, 544);
    put(header, 176, static_cast<double>(slope));
    put(header, 184, static_cast<double>(intercept));
    put(header, 344, static_cast<std::int32_t>(qform_code));
    put(header, 348, static_cast<std::int32_t>(sform_code));
    for (std::size_t n = 0; n < quaternion_and_offset.size(); ++n) {
      put(header, 352 + 8 * n, static_cast<double>(quaternion_and_offset[n]));
    }
    for (std::size_t n = 0; n < srow.size(); ++n) {
      put(header, 400 + 8 * n, static_cast<double>(srow[n]));
    }
    put(header, 500, static_cast<std::int32_t>(units));
    return header + std::string(4, '\0') + voxels;
  }

  template <typename Value>
  void put(std::string& bytes, std::size_t offset, Value value) const {
    std::array<char, sizeof(Value)> field;
    std::memcpy(field.data(), &value, sizeof(Value));
    if (big_endian) {
      std::reverse(field.begin(), field.end());
    }
    std::copy(field.begin(), field.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
};

inline std::string gzipped(const std::string& bytes) {
  std::string packed(compressBound(bytes.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// A test with a folder of its own, removed at the end.
class InFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/mcvol_io_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  std::filesystem::path write(const std::string& name, const NiftiFixture& fixture) const {
    return write(name, name.ends_with(".gz") ? gzipped(fixture.bytes()) : fixture.bytes());
  }

  std::filesystem::path folder_;
};

/// The message of the InputError that `function` ends in; empty where it ends well.
inline std::string refusal_of(const std::function<void()>& function) {
  try {
    function();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace mcvol::test
