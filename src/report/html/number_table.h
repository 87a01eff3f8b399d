#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// A cell of a table that can be sorted.
struct NumberCell {
  std::string html;
  std::optional<double> number;  ///< what it is sorted by; of text none
};

struct NumberRow {
  std::vector<NumberCell> cells;
  std::vector<std::string> flags;  ///< as in volumes.csv
  bool worth_a_look = false;
};

/// A table, its first column with the rows' names, and a script that adds buttons which sort it by
/// a column and fields which leave rows out: by words they hold, by a flag. Numbers are sorted as
/// numbers, names by the numbers in them, and empty cells come last. Where no script runs, it is a
/// table without either. One a page.
/// @param header HTML. @param rows as long as the header.
std::string number_table(const std::vector<std::string>& header,
                         const std::vector<NumberRow>& rows);

}  // namespace mcvol
