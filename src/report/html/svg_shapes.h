#pragma once

#include <string>

namespace mcvol {

/// @param more attributes.
std::string svg_line(double x1, double y1, double x2, double y2, const std::string& more);
/// @param words plain text. @param more attributes.
std::string svg_text(double x, double y, const std::string& words, const std::string& more = "");

}  // namespace mcvol
