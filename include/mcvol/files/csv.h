#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mcvol {

/// A row of a CSV file below its header.
struct CsvRecord {
  int line = 0;                     ///< in the file, 1-based, where the row starts
  std::vector<std::string> fields;  ///< as many as the header has
};

/// A CSV file with a header row.
struct CsvTable {
  std::vector<std::string> header;  ///< names differ, but several may be empty
  std::vector<CsvRecord> records;   ///< rows without any text left out

  /// Index of the column with this name (exact).
  std::optional<std::size_t> column(std::string_view name) const;
  /// The same of a column that has to be there, once.
  /// @param expected for the message: which columns the file should have.
  /// @throws UsageError naming the file, the column and those found.
  std::size_t require_column(std::string_view name, const std::string& file,
                             const std::string& expected) const;
};

/// Parses RFC 4180 text: quoted fields, CRLF, LF or CR, with or without a UTF-8 byte order mark and
/// a line break at the end. Names and fields are trimmed. `name` is the file's, for messages.
/// @throws UsageError naming file and line: rows of another length than the header, an unclosed or
///   misplaced quote, a column name given twice, another separator than a comma, not UTF-8 text.
CsvTable parse_csv(std::string_view text, const std::string& name);

/// @throws Error when the file cannot be read; UsageError as parse_csv.
CsvTable read_csv(const std::filesystem::path& path);

/// `text` as one field of a CSV file, quoted where it has to be.
std::string csv_field(std::string_view text);

}  // namespace mcvol
