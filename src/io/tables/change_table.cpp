#include "mcvol/io/tables/change_table.h"

#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace mcvol {

namespace {

enum Column {
  kSubject,
  kBaseline,
  kFollowup,
  kRegion,
  kLevel,
  kChange,
  kLower,
  kUpper,
  kGrowth,
  kShrinkage,
  kTie,
  kStatus,
  kFlags,
  kError,
  kThreshold,
  kCorrelation,
  kColumns
};

constexpr std::array<const char*, kColumns> kNames{
    "subject_id", "baseline", "followup",         "region",      "level", "change_ml",
    "lower_ml",   "upper_ml", "p_growth",         "p_shrinkage", "p_tie", "status",
    "flags",      "error",    "growth_threshold", "correlation"};
/// Tables of earlier versions end before it.
constexpr Column kFirstLater = kCorrelation;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// None where the field is empty.
std::optional<double> number_in(const std::string& field, const std::string& where, Column column) {
  if (field.empty()) return std::nullopt;
  double number = 0;
  const char* end = field.data() + field.size();
  const auto parsed = std::from_chars(field.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(number)) {
    throw UsageError(where + kNames[column] + ": expected a number, found \"" + field +
                     "\"; write the table again with mcvol change");
  }
  return number;
}

void require_level(const std::string& level, const std::string& where) {
  try {
    NominalCoverage::parse(level);
  } catch (const UsageError& error) {
    throw UsageError(where + error.what() + "; write the table again with mcvol change");
  }
}

/// A row that was measured holds what a page shows of it.
void require_whole(const ChangeRow& row, const std::string& where) {
  const bool failed = row.status == "failed" && row.region.empty();
  const bool measured = row.status == "ok" && !row.region.empty() && !row.level.empty() &&
                        row.change_ml && row.lower_ml && row.upper_ml &&
                        row.p_growth.has_value() == row.p_shrinkage.has_value();
  if (failed || measured) return;
  throw UsageError(where +
                   "expected a pair that is ok with region, level, change and interval, or one "
                   "that is failed without; write the table again with mcvol change");
}

}  // namespace

std::string change_csv(const std::vector<ChangeRow>& rows) {
  constexpr int kProbabilityDecimals = 4;
  constexpr int kCorrelationDecimals = 4;
  std::string text = joined(kNames, ",") + "\n";
  for (const ChangeRow& row : rows) {
    std::vector<std::string> fields{csv_field(row.pair.subject_id), csv_field(row.pair.baseline),
                                    csv_field(row.pair.followup), csv_field(row.region),
                                    csv_field(row.level)};
    for (const auto& volume : {row.change_ml, row.lower_ml, row.upper_ml}) {
      fields.push_back(decimal_text(volume, kMlDecimals));
    }
    for (const auto& probability : {row.p_growth, row.p_shrinkage, row.p_tie}) {
      fields.push_back(decimal_text(probability, kProbabilityDecimals));
    }
    fields.push_back(row.status);
    fields.push_back(csv_field(joined(row.flags, ";")));
    fields.push_back(csv_field(row.error));
    fields.push_back(row.growth_threshold ? shortest_text(*row.growth_threshold) : "");
    fields.push_back(decimal_text(row.correlation, kCorrelationDecimals));
    text += joined(fields, ",") + "\n";
  }
  return text;
}

std::vector<ChangeRow> read_change_table(const std::filesystem::path& path) {
  const CsvTable table = read_csv(path);
  std::array<std::optional<std::size_t>, kColumns> columns{};
  for (std::size_t n = 0; n < columns.size(); ++n) {
    columns[n] = table.column(kNames[n]);
    if (!columns[n] && n < kFirstLater) {
      throw UsageError(path.string() + ": expected the table that mcvol change writes, found no " +
                       "column " + kNames[n]);
    }
  }
  std::vector<ChangeRow> rows;
  for (const CsvRecord& record : table.records) {
    const std::string where = line_of_file(path.string(), record.line) + ": ";
    const auto text = [&](Column column) {
      return columns[column] ? record.fields[*columns[column]] : std::string();
    };
    const auto number = [&](Column column) { return number_in(text(column), where, column); };
    ChangeRow row;
    row.pair = {text(kSubject), text(kBaseline), text(kFollowup)};
    row.region = text(kRegion);
    row.level = text(kLevel);
    row.change_ml = number(kChange);
    row.lower_ml = number(kLower);
    row.upper_ml = number(kUpper);
    row.p_growth = number(kGrowth);
    row.p_shrinkage = number(kShrinkage);
    row.p_tie = number(kTie);
    row.growth_threshold = number(kThreshold);
    row.correlation = number(kCorrelation);
    if (!row.level.empty()) require_level(row.level, where);
    row.status = text(kStatus);
    row.flags = split(text(kFlags), ';');
    row.error = text(kError);
    require_whole(row, where);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace mcvol
