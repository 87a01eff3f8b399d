#include "mcvol/io/images/png.h"

#include "mcvol/error/error.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace mcvol {
namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t n = 0; n < 4; ++n)
    value = value << 8U | static_cast<unsigned char>(bytes[at + n]);
  return value;
}

GreyPicture ramp() {
  GreyPicture picture{16, 8, {}};
  for (int n = 0; n < 128; ++n) picture.pixels.push_back(static_cast<std::uint8_t>(2 * n));
  return picture;
}

// Against the PNG specification (RFC 2083): the header, and the pixels by undoing its filters.
TEST(Png, HoldsThePixelsAsTheStandardSays) {
  const std::string bytes = png_from_picture(ramp());
  ASSERT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string packed;
  for (std::size_t at = 8; at < bytes.size(); at += 12 + big_endian(bytes, at)) {
    const std::string kind = bytes.substr(at + 4, 4);
    if (kind == "IHDR") {
      EXPECT_EQ(big_endian(bytes, at + 8), 16u);
      EXPECT_EQ(big_endian(bytes, at + 12), 8u);
      EXPECT_EQ(bytes[at + 16], 8);  // bits
      EXPECT_EQ(bytes[at + 17], 0);  // grey
    }
    if (kind == "IDAT") packed += bytes.substr(at + 8, big_endian(bytes, at));
  }
  std::string rows(8 * 17, '\0');
  uLongf size = rows.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(rows.data()), &size,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
            Z_OK);
  ASSERT_EQ(size, rows.size());
  std::uint8_t pixels[8][16];
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 16; ++x) {
      const int left = x > 0 ? pixels[y][x - 1] : 0;
      const int above = y > 0 ? pixels[y - 1][x] : 0;
      const int corner = x > 0 && y > 0 ? pixels[y - 1][x - 1] : 0;
      const int paeth = left + above - corner;
      const int to_left = std::abs(paeth - left), to_above = std::abs(paeth - above),
                to_corner = std::abs(paeth - corner);
      const int nearest = to_left <= to_above && to_left <= to_corner ? left
                          : to_above <= to_corner                     ? above
                                                                      : corner;
      const int predictions[] = {0, left, above, (left + above) / 2, nearest};
      const int filter = rows[17 * y];
      ASSERT_LE(filter, 4);
      pixels[y][x] = static_cast<std::uint8_t>(static_cast<unsigned char>(rows[17 * y + 1 + x]) +
                                               predictions[filter]);
      EXPECT_EQ(pixels[y][x], ramp().pixels[16 * y + x]);
    }
  }
}

TEST(Png, ReadsBackWhatWasWritten) {
  const GreyPicture read = picture_from_png(png_from_picture(ramp()), 16, 8, "a.png");
  EXPECT_EQ(read.pixels, ramp().pixels);
  const GreyPicture smaller = picture_from_png(png_from_picture(ramp()), 17, 80, "a.png");
  EXPECT_EQ(smaller.width, 16);
  EXPECT_EQ(smaller.height, 8);
  EXPECT_EQ(smaller.pixels, ramp().pixels);
}

TEST(Png, OtherSizeOrDamageIsAnErrorThatNamesTheFile) {
  const std::string bytes = png_from_picture(ramp());
  const auto complaint = [](const std::string& of, std::int64_t width) -> std::string {
    try {
      picture_from_png(of, width, 8, "a.png");
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint(bytes, 16), "");
  EXPECT_THROW(picture_from_png(bytes, 16, 7, "a.png"), InputError);
  EXPECT_EQ(complaint(bytes, 15),
            "a.png: expected a grey PNG picture of at most 15x8 pixels, found 16x8");
  EXPECT_EQ(complaint("text", 16)
                .find("a.png: expected a grey PNG picture of at most 16x8 pixels, found"),
            0u);
  EXPECT_NE(complaint(bytes.substr(0, bytes.size() / 2), 16), "");
  EXPECT_THROW(png_from_picture({}), Error);
}

}  // namespace
}  // namespace mcvol
