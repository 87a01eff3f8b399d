#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/process.h"
#include "corpus/head.h"

namespace mcvol::testing {

/// What must become of an input.
struct Expected {
  int exit_code = 0;               ///< of a run of this input alone
  std::string message;             ///< what the line about it has to hold; empty: nothing is said
  std::optional<Volumes> volumes;  ///< of what is measured
  std::string flags;               ///< of its rows, besides uncalibrated
};

/// Measured without a word, with these volumes and flags.
Expected measured(const Volumes& volumes, const std::string& flags = "");
/// The same as the clean head.
Expected as_good();
/// The same with a word in the log that holds `message`.
Expected as_good_saying(const std::string& message);
/// A failed row, and exit code 3.
Expected failed(const std::string& message);
Expected exits(int exit_code, const std::string& message);

/// An input, and what became of it.
struct Finding {
  std::string name;  ///< of one kind, each once
  std::string what;  ///< what the input is, in a short phrase
  int exit_code = 0;
  std::string message;  ///< without the folder of the test; empty where nothing is said of it
  std::optional<Volumes> volumes;
};

/// A case of a batch, what it is, and what is expected.
struct BatchCase {
  std::string case_id;
  std::string what;
  Expected expected;
  std::string name;  ///< on the page, where it is not the case_id
};

/// Inputs of one kind: runs mcvol on them, holds what becomes of each against what is expected, and
/// keeps it for the page.
class Kind {
 public:
  Kind(std::string title, std::filesystem::path folder, std::filesystem::path model);

  const std::string& title() const { return title_; }
  /// Of this kind's own, empty at first.
  const std::filesystem::path& folder() const { return folder_; }
  const std::filesystem::path& model() const { return model_; }
  const std::vector<Finding>& findings() const { return findings_; }

  /// Arguments of predict on a folder or manifest into folder()/`out`.
  std::vector<std::string> predict(const std::filesystem::path& scans, const std::string& out,
                                   const std::vector<std::string>& more = {}) const;

  /// Measures a folder of cases in one run. The table has to have these cases and no others, and
  /// the exit code is 3 where one is expected to fail.
  void batch(const std::filesystem::path& scans, const std::string& out,
             const std::vector<BatchCase>& cases, const std::vector<std::string>& more = {});

  /// That `inspect` refuses the files of the cases that failed in the last batch, with their
  /// messages: what it says of a file is what using it would. Of failures that begin with a file's
  /// name.
  void inspect_says_the_same(const std::filesystem::path& scans) const;

  /// What `predict --list` says of the cases of a folder; volumes are not looked at.
  void listed(const std::filesystem::path& scans, const std::vector<BatchCase>& cases,
              const std::vector<std::string>& more = {});

  /// A command. One line of stderr has to hold the message expected; where the exit code is 1 or 2
  /// there are no more than two errors.
  /// @returns stdout and stderr for what else is to be looked at.
  ProcessResult command(const std::string& name, const std::string& what,
                        const std::vector<std::string>& arguments, const Expected& expected);

 private:
  void add(const BatchCase& one, const Finding& found);
  std::string without_folder(std::string text) const;

  std::string title_;
  std::filesystem::path folder_, model_;
  std::vector<Finding> findings_;
};

}  // namespace mcvol::testing
