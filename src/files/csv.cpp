#include "mcvol/files/csv.h"

#include "mcvol/error/error.h"
#include "mcvol/files/stand_in.h"
#include "mcvol/files/text.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <set>

namespace mcvol {
namespace {

[[noreturn]] void fail(const std::string& name, int line, const std::string& message) {
  throw UsageError(line_of_file(name, line) + ": " + message);
}

/// Splits text into rows, one at a time.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  /// The next row with a field that is not blank; none at the end. Spreadsheets leave rows of
  /// nothing but commas behind.
  std::optional<CsvRecord> next() {
    while (!at_end()) {
      CsvRecord record{line_, {}};
      do {
        record.fields.push_back(trimmed(take_field()));
      } while (take(','));
      take_line_break();
      if (std::any_of(record.fields.begin(), record.fields.end(),
                      [](const std::string& field) { return !field.empty(); })) {
        return record;
      }
    }
    return std::nullopt;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  bool is_at(char c) const { return !at_end() && text_[at_] == c; }
  bool is_at_field_end() const { return at_end() || is_at(',') || is_at('\n') || is_at('\r'); }

  bool take(char c) {
    if (!is_at(c)) return false;
    ++at_;
    return true;
  }

  void take_line_break() {
    if (at_end()) return;
    const bool carriage_return = take('\r');
    const bool line_feed = take('\n');
    if (carriage_return || line_feed) ++line_;
  }

  std::string take_field() {
    if (take('"')) return take_quoted();
    const std::size_t start = at_;
    while (!is_at_field_end()) {
      if (is_at('"')) {
        fail(name_, line_, "a quote within a field; quote the whole field and double the quote");
      }
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string take_quoted() {
    const int opened = line_;
    std::string field;
    for (;;) {
      if (at_end()) fail(name_, opened, "the quote opened here is never closed");
      const char c = text_[at_++];
      if (c == '"' && !take('"')) break;
      // A CRLF counts once, at its line feed.
      if (c == '\n' || (c == '\r' && !is_at('\n'))) ++line_;
      field += c;
    }
    if (!is_at_field_end()) fail(name_, line_, "expected a comma after a closing quote");
    return field;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int line_ = 1;
};

void check_text(std::string_view text, const std::string& name) {
  if (const std::string stand_in = stand_in_of(text); !stand_in.empty()) {
    throw UsageError(name + ": " + stand_in);
  }
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xff\xfe") ||
      text.starts_with("\xfe\xff")) {
    throw UsageError(name + ": not a UTF-8 text; save it as CSV in UTF-8");
  }
}

void check_header(const CsvRecord& header, const std::string& name) {
  if (header.fields.size() == 1) {
    for (const char separator : {';', '\t'}) {
      if (header.fields[0].find(separator) == std::string::npos) continue;
      const std::string shown = separator == '\t' ? "tabs" : std::string("'") + separator + "'";
      fail(name, header.line, "looks like it is separated by " + shown + "; save it with commas");
    }
  }
  std::set<std::string> seen;
  for (const std::string& column : header.fields) {
    // Spreadsheets leave empty columns behind.
    if (!column.empty() && !seen.insert(column).second) {
      fail(name, header.line, "two columns are called '" + column + "'; rename or remove one");
    }
  }
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

std::size_t CsvTable::require_column(std::string_view name, const std::string& file,
                                     const std::string& expected) const {
  if (std::count(header.begin(), header.end(), name) == 1) return *column(name);
  throw UsageError(file + ": expected one column '" + std::string(name) + "' (" + expected +
                   "), found: " + joined(header));
}

CsvTable parse_csv(std::string_view text, const std::string& name) {
  check_text(text, name);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  CsvReader reader(text, name);
  std::optional<CsvRecord> header = reader.next();
  if (!header) throw UsageError(name + ": empty; expected a header row");
  check_header(*header, name);
  CsvTable table{std::move(header->fields), {}};
  while (std::optional<CsvRecord> record = reader.next()) {
    if (record->fields.size() != table.header.size()) {
      fail(name, record->line,
           "expected " + std::to_string(table.header.size()) + " fields as in the header, found " +
               std::to_string(record->fields.size()) + "; quote fields that contain commas");
    }
    table.records.push_back(std::move(*record));
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& path) {
  return parse_csv(read_file(path), path.string());
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace mcvol
