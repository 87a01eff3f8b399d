#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "cli/process.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Exit code 2, nothing on stdout and one line on stderr that holds `part`.
inline void expect_usage_error(const std::vector<std::string>& arguments, const std::string& part) {
  const ProcessResult result = run_mcvol(arguments);
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, part)) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

}  // namespace mcvol::testing
