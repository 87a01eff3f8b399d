#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mcvol {

/// A grey picture, 8 bits a pixel, row by row from the top.
struct GreyPicture {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
};

/// The bytes of a PNG file. @throws Error for a picture of no pixels.
std::string png_from_picture(const GreyPicture& picture);

/// @param name the file's, for messages. @throws InputError unless it is a grey PNG of at most
///   `most_width` x `most_height` pixels.
GreyPicture picture_from_png(std::string_view bytes, std::int64_t most_width,
                             std::int64_t most_height, const std::string& name);

}  // namespace mcvol
