#include "mcvol/io/scans/manifest.h"

#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "scan_formats.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// Where a manifest keeps what.
struct Columns {
  std::size_t case_id = 0;
  std::vector<std::size_t> channels;
};

Columns columns_of(const CsvTable& table, const std::vector<ChannelPattern>& channels,
                   const std::string& file) {
  const std::string expected = "case_id, then one for each channel of the model";
  Columns columns;
  columns.case_id = table.require_column("case_id", file, expected);
  for (const ChannelPattern& channel : channels) {
    columns.channels.push_back(table.require_column(channel.name, file, expected));
  }
  return columns;
}

/// Why a channel's file cannot be read, by its name; empty when it can be tried.
std::string file_error(const fs::path& file) {
  const std::string name = file.filename().string();
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return name + " is not there; correct its path";
  if (error) return name + " cannot be read: " + error.message();
  if (fs::is_directory(status)) return name + " is a folder; expected an image file";
  if (is_being_fetched(file)) {
    return name + " is " + std::string(unfinished_download().name) + "; " +
           std::string(unfinished_download().advice);
  }
  if (!image_stem(name).empty()) return {};
  const ForeignFormat* format = foreign_format(name);
  if (format == nullptr)
    return name + " is not named like an image; expected " + kImageEndingsInWords;
  return name + " is " + std::string(format->name) + "; " + std::string(format->advice);
}

/// The case of a row; what is wrong with its files is its error.
ScanCase case_of_row(const CsvRecord& record, const Columns& columns,
                     const std::vector<ChannelPattern>& channels, const fs::path& folder) {
  ScanCase scan{record.fields[columns.case_id], {}, {}, {}};
  std::map<std::pair<fs::path, std::optional<std::int64_t>>, std::string> channel_of;
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    const std::string& name = channels[channel].name;
    const std::string field = record.fields[columns.channels[channel]];
    // A path that is absolute replaces the folder.
    const ImageSource source = image_source_from((folder / field).lexically_normal());
    std::string error = field.empty() ? "no file given" : file_error(source.file);
    if (error.empty()) {
      const auto [other, is_new] = channel_of.try_emplace({source.file, source.index}, name);
      if (!is_new) {
        error = std::string("the same ") + (source.index ? "image" : "file") + " as channel " +
                other->second;
      }
    }
    if (!error.empty()) {
      scan.error += (scan.error.empty() ? "" : "; ") + ("channel " + name + ": " + error);
    }
    scan.channel_files.push_back(source);
  }
  if (!scan.error.empty()) scan.channel_files.clear();
  return scan;
}

}  // namespace

Manifest read_manifest(const fs::path& path, const std::vector<ChannelPattern>& channels) {
  const CsvTable table = read_csv(path);
  const Columns columns = columns_of(table, channels, path.string());
  if (table.records.empty())
    throw Error(path.string() + ": no case found: no row below the header");

  Manifest manifest;
  for (std::size_t at = 0; at < table.header.size(); ++at) {
    const bool used = at == columns.case_id ||
                      std::count(columns.channels.begin(), columns.channels.end(), at) > 0;
    if (used || table.header[at].empty()) continue;
    manifest.ignored.push_back(path.filename().string() + ": column '" + table.header[at] +
                               "' is no channel of the model");
  }
  for (const CsvRecord& record : table.records) {
    ScanCase scan = case_of_row(record, columns, channels, path.parent_path());
    if (scan.case_id.empty()) {
      scan.case_id = "line_" + std::to_string(record.line);
      scan.error = "no case_id given" + (scan.error.empty() ? "" : "; " + scan.error);
      scan.channel_files.clear();
    }
    if (!scan.error.empty()) {
      scan.error += " (" + line_of_file(path.filename().string(), record.line) + ")";
    }
    manifest.cases.push_back(std::move(scan));
    manifest.lines.push_back(record.line);
  }
  return manifest;
}

}  // namespace mcvol
