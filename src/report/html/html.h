#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Pages that need nothing but themselves: no file beside them, no network, and no script but what
// sorts and filters a table (number_table.h).

namespace mcvol {

/// `text` with what HTML gives a meaning to replaced.
std::string escaped(std::string_view text);

/// `label`, of UTF-8, with an ellipsis for its end where it has more than `most_letters`.
std::string shortened(const std::string& label, std::size_t most_letters);

/// `text` with spaces at which no line is broken.
std::string unbroken(std::string_view text);

/// A name of a region, method or flag as words.
std::string spaced(std::string name);

/// A whole page with the style of all reports. @param body HTML.
std::string html_page(const std::string& title, const std::string& body);

/// A table with a header row, whose first column names the rows. @param cells HTML; rows as long as
/// the header.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& cells);

/// A chart that is moved sideways where the page is too narrow for its words: with the keyboard
/// too, so it takes focus and has a name. @param name plain text.
std::string wide_svg(const std::string& svg, const std::string& name);

/// The bytes of a PNG file as an address that stands for itself.
std::string png_uri(std::string_view png);

/// A share as "90.3", in percent; whole where it is: "90".
std::string percent_of(double share);

/// A volume in ml with three significant digits, two decimals at most.
std::string volume_text(double volume_ml);

}  // namespace mcvol
