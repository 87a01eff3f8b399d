#include "corpus/kind.h"

#include "mcvol/files/csv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

namespace mcvol::testing {

namespace fs = std::filesystem;

namespace {

constexpr double kTolerance = 0.005;  // of a volume

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What the table says of a case.
struct TableRows {
  std::string status, error, flags;
  std::map<std::string, double> volumes_ml;  ///< by region
};

std::map<std::string, TableRows> rows_of_table(const fs::path& table) {
  std::map<std::string, TableRows> rows;
  const CsvTable csv = read_csv(table);
  const auto at = [&](const CsvRecord& record, const char* column) {
    return record.fields.at(csv.column(column).value());
  };
  for (const CsvRecord& record : csv.records) {
    TableRows& of = rows[at(record, "case_id")];
    of.status = at(record, "status");
    of.error = at(record, "error");
    // Uncalibrated they are all; a region without a voxel has a flag the other has not.
    std::string flags = at(record, "flags");
    const std::string always = "uncalibrated";
    if (const auto found = flags.find(always); found != std::string::npos) {
      flags.erase(found > 0 ? found - 1 : 0,
                  always.size() + (flags.size() > always.size() ? 1 : 0));
    }
    if (of.flags.size() < flags.size()) of.flags = flags;
    const std::string volume = at(record, "raw_volume_ml");
    if (!volume.empty()) of.volumes_ml[at(record, "region")] = std::stod(volume);
  }
  return rows;
}

/// The first line of the log about a case that holds `part`, without "info: p1: ".
std::string line_about(const std::string& log, const std::string& case_id,
                       const std::string& part) {
  const std::string about = ": " + case_id + ": ";
  for (const std::string& line : lines_of(log)) {
    const std::size_t at = line.find(about);
    if (at != std::string::npos && line.find(part, at) != std::string::npos) {
      return line.substr(at + about.size());
    }
  }
  return "";
}

void expect_volume(double found_ml, double expected_ml, const char* region) {
  EXPECT_NEAR(found_ml, expected_ml, kTolerance * expected_ml) << region;
}

}  // namespace

Expected measured(const Volumes& volumes, const std::string& flags) {
  return {0, "", volumes, flags};
}

Expected as_good() { return measured(usual_head().volumes()); }

Expected as_good_saying(const std::string& message) {
  return {0, message, usual_head().volumes(), ""};
}

Expected failed(const std::string& message) { return {3, message, {}, ""}; }

Expected exits(int exit_code, const std::string& message) { return {exit_code, message, {}, ""}; }

Kind::Kind(std::string title, fs::path folder, fs::path model)
    : title_(std::move(title)), folder_(std::move(folder)), model_(std::move(model)) {
  fs::create_directories(folder_);
}

std::vector<std::string> Kind::predict(const fs::path& scans, const std::string& out,
                                       const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"predict",        scans.string(),
                                     "--model",        model_.string(),
                                     "--out",          (folder_ / out).string(),
                                     "--device",       "cpu",
                                     "--passes",       "4",
                                     "--no-thumbnails"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string Kind::without_folder(std::string text) const {
  const std::string own = folder_.string() + "/", parent = folder_.parent_path().string() + "/";
  for (const std::string& prefix : {own, parent}) {
    for (std::size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
  }
  // What another machine, day or version of zlib has otherwise.
  static const std::array<std::pair<std::regex, const char*>, 4> kOthers{
      {{std::regex("process [0-9]+ on \\S+ since [^ ;]+"), "process N on HOST since TIME"},
       {std::regex("[0-9a-f]{64}"), "…"},
       {std::regex("[0-9a-f]{8}\\.\\.\\."), "…"},
       {std::regex("[0-9]+ compressed bytes"), "N compressed bytes"}}};
  for (const auto& [pattern, by] : kOthers) text = std::regex_replace(text, pattern, by);
  return text;
}

void Kind::add(const BatchCase& one, const Finding& found) {
  Finding finding = found;
  finding.name = one.name.empty() ? one.case_id : one.name;
  finding.what = one.what;
  finding.message = without_folder(finding.message);
  for (const Finding& other : findings_) EXPECT_NE(other.name, finding.name) << title_;
  EXPECT_EQ(finding.exit_code, one.expected.exit_code) << finding.message;
  if (one.expected.message.empty()) {
    EXPECT_EQ(finding.message, "");
  } else {
    EXPECT_NE(finding.message.find(one.expected.message), std::string::npos)
        << "expected: " << one.expected.message << "\nfound:    " << finding.message;
  }
  EXPECT_EQ(finding.volumes.has_value(), one.expected.volumes.has_value()) << finding.message;
  if (finding.volumes && one.expected.volumes) {
    expect_volume(finding.volumes->whole_ml, one.expected.volumes->whole_ml, "whole_tumour");
    expect_volume(finding.volumes->core_ml, one.expected.volumes->core_ml, "tumour_core");
  }
  findings_.push_back(std::move(finding));
}

void Kind::batch(const fs::path& scans, const std::string& out, const std::vector<BatchCase>& cases,
                 const std::vector<std::string>& more) {
  SCOPED_TRACE(title_ + ", " + out);
  const ProcessResult run = run_mcvol(predict(scans, out, more));
  const bool fails = std::any_of(cases.begin(), cases.end(),
                                 [](const BatchCase& one) { return one.expected.exit_code != 0; });
  ASSERT_EQ(run.exit_code, fails ? 3 : 0) << run.err;
  std::map<std::string, TableRows> table = rows_of_table(folder_ / out / "volumes.csv");
  for (const BatchCase& one : cases) {
    SCOPED_TRACE(one.case_id);
    const auto rows = table.find(one.case_id);
    if (rows == table.end()) {
      ADD_FAILURE() << "no row of it";
      continue;
    }
    Finding found;
    const TableRows& of = rows->second;
    found.exit_code = of.status == "ok" ? 0 : 3;
    found.message = of.error;
    if (of.error.empty() && !one.expected.message.empty()) {
      found.message = line_about(run.err, one.case_id, one.expected.message);
    }
    EXPECT_EQ(of.flags, one.expected.flags);
    if (found.message.empty() && !of.flags.empty()) found.message = "flag " + of.flags;
    if (of.volumes_ml.size() == 2) {
      found.volumes = Volumes{of.volumes_ml.at("whole_tumour"), of.volumes_ml.at("tumour_core")};
    }
    BatchCase checked = one;
    if (checked.expected.message.empty()) {
      checked.expected.message = of.flags.empty() ? "" : "flag " + one.expected.flags;
    }
    add(checked, found);
    table.erase(rows);
  }
  for (const auto& [case_id, rows] : table) {
    ADD_FAILURE() << "a row that was not expected: " << case_id << ": " << rows.error;
  }
}

void Kind::inspect_says_the_same(const fs::path& scans) const {
  std::vector<std::string> arguments{"inspect"}, messages;
  for (const Finding& finding : findings_) {
    const std::string file = finding.message.substr(0, finding.message.find(": "));
    const fs::path path = scans / finding.name / file;
    // What comes of two files, or of a name, is not in the one.
    const bool of_others = finding.message.find("expected the grid of") != std::string::npos ||
                           finding.message.find("which mcvol does not read") != std::string::npos;
    if (finding.exit_code != 3 || !fs::exists(path) || of_others) continue;
    arguments.push_back(path.string());
    messages.push_back(finding.message);
  }
  EXPECT_GE(messages.size(), 5U) << title_;
  const ProcessResult run = run_mcvol(arguments);
  EXPECT_EQ(run.exit_code, 3) << run.err;
  const std::string said = without_folder(run.err);
  for (const std::string& message : messages) {
    EXPECT_NE(said.find(message), std::string::npos)
        << title_ << ": inspect does not say " << message;
  }
}

void Kind::listed(const fs::path& scans, const std::vector<BatchCase>& cases,
                  const std::vector<std::string>& more) {
  SCOPED_TRACE(title_ + ", list of " + scans.filename().string());
  std::vector<std::string> arguments{"predict", scans.string(), "--model", model_.string(),
                                     "--list"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProcessResult run = run_mcvol(arguments);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::map<std::string, std::vector<std::string>> rows;
  for (const std::string& line : lines_of(run.out)) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
    fields.resize(4);
    rows[fields[0]] = fields;
  }
  for (const BatchCase& one : cases) {
    SCOPED_TRACE(one.case_id);
    const auto row = rows.find(one.case_id);
    if (row == rows.end()) {
      ADD_FAILURE() << "not listed:\n" << run.out;
      continue;
    }
    Finding found;
    found.exit_code = row->second[1] == "refuse" ? 3 : 0;
    found.message = row->second[2];
    if (found.exit_code == 0 && found.message.empty() && !one.expected.message.empty()) {
      found.message = row->second[3];  // Which file is which channel's.
      for (const std::string& line : lines_of(run.err)) {
        if (line.find(one.expected.message) != std::string::npos) found.message = line;
      }
    }
    add(one, found);
    rows.erase(row);
  }
  for (const auto& [case_id, row] : rows) {
    ADD_FAILURE() << "listed, but not expected: " << case_id << ": " << row[2];
  }
}

ProcessResult Kind::command(const std::string& name, const std::string& what,
                            const std::vector<std::string>& arguments, const Expected& expected) {
  SCOPED_TRACE(title_ + ", " + name);
  ProcessResult run = run_mcvol(arguments);
  Finding found;
  found.exit_code = run.exit_code;
  int errors = 0;
  for (const std::string& line : lines_of(without_folder(run.err))) {
    errors += line.starts_with("error: ") ? 1 : 0;
    const bool told = !expected.message.empty() && line.find(expected.message) != std::string::npos;
    if (told && found.message.empty()) found.message = line;
  }
  // A second says why nothing is left of the references.
  const bool refused = expected.exit_code == 1 || expected.exit_code == 2;
  EXPECT_TRUE(!refused || (errors >= 1 && errors <= 2)) << run.err;
  if (!expected.message.empty() && found.message.empty()) found.message = run.err;
  add({name, what, expected, ""}, found);
  return run;
}

}  // namespace mcvol::testing
