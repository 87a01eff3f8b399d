#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

/// predict with a real, tiny network, which the build makes, on three scans, case_a to case_c.
class PredictRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;

  /// Of a run into a folder of the test's, on a CPU and of 4 passes where `more` has no others.
  std::vector<std::string> arguments(const std::string& out,
                                     const std::vector<std::string>& more = {}) const;
  ProcessResult predict(const std::string& out, const std::vector<std::string>& more = {}) const;
  std::string table(const std::string& out) const;
  /// What predict() says without more options, and a copy of its results in a folder of the test's.
  /// All tests share one run.
  ProcessResult copy_of_usual_run(const std::string& out) const;
  /// The same command, sent a signal where it has just recorded `case_id` and begun no other case.
  /// @param finished the table of a whole run of the same options
  ProcessResult predict_signalled_after(const std::string& case_id, int signal_number,
                                        const std::string& out, const std::string& finished) const;

  /// Every file of a folder of the test's by its name there, but those that say when they were
  /// made; of a report page only that it is there. Of a folder that is not there: none.
  std::map<std::string, std::string> contents(const std::string& out) const;
  /// Makes a calibration for level 0.5 on the cases of a folder of the test's, from references that
  /// are so much larger than what was measured; they lie in `name`.csv. @returns `name`.json.
  std::string calibration(const std::string& out, const std::string& name, double factor) const;

  std::filesystem::path root_ = fresh_folder("run");
  std::filesystem::path model_;
  std::filesystem::path scans_;  ///< those of the suite, not to be changed
};

}  // namespace mcvol::testing
