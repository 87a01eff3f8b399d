#include "mcvol/files/text_file.h"

#include "cli/process.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class MergeCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fake_bundle(root_ / "model");
    for (const char* case_id : {"case_a", "case_b", "case_c"}) {
      write_fake_scan(root_ / "scans", case_id, 0, 4.0, {"t1"});
    }
  }
  ProcessResult predict(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"predict", (root_ / "scans").string(),
                                       "--model", (root_ / "model").string(),
                                       "--out",   (root_ / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mcvol(arguments);
  }
  ProcessResult merge(const std::string& from, const std::string& to) const {
    return run_mcvol({"merge", (root_ / from).string(), "--out", (root_ / to).string()});
  }
  fs::path root_ = fresh_folder("merge");
};

TEST_F(MergeCommand, ScansThatFailedInTheShardsAreExitCode3) {
  predict("parts", {"--shard", "1/2"});
  predict("parts", {"--shard", "2/2"});
  const ProcessResult result = merge("parts", "parts");
  EXPECT_EQ(result.exit_code, 3) << result.err;  // All scans lack a channel.
  EXPECT_EQ(result.out, "");
}

TEST_F(MergeCommand, MissingShardIsNamedAndNotASuccess) {
  predict("parts", {"--shard", "1/2"});
  const ProcessResult result = merge("parts", "merged");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_NE(result.err.find("2-of-2"), std::string::npos) << result.err;
  EXPECT_TRUE(fs::exists(root_ / "merged" / "volumes.csv"));
}

TEST_F(MergeCommand, OtherRunIdentityIsRefused) {
  predict("one");
  predict("two", {"--seed", "4"});
  const ProcessResult result =
      run_mcvol({"merge", (root_ / "one").string(), (root_ / "two").string(), "--out",
                 (root_ / "merged").string()});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_NE(result.err.find("seed"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(root_ / "merged" / "volumes.csv"));
}

TEST_F(MergeCommand, FolderWithoutResultsIsRefused) {
  EXPECT_EQ(merge("scans", "merged").exit_code, 2);
}

}  // namespace
}  // namespace mcvol::testing
