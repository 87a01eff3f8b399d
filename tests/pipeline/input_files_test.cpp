#include "mcvol/pipeline/input_files.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <chrono>

#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

class InputFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file_atomically(files_[0], "abc");
    write_file_atomically(files_[1], "");
    inputs_ = describe_inputs(channels_, sources());
  }
  std::vector<ImageSource> sources() const { return {files_.begin(), files_.end()}; }
  bool unchanged() const { return inputs_unchanged(inputs_, channels_, sources()); }

  fs::path folder_ = testing::fresh_folder("scan");
  std::vector<std::string> channels_{"t1", "flair"};
  std::vector<fs::path> files_{folder_ / "x_t1.nii.gz", folder_ / "x_flair.nii.gz"};
  std::vector<InputFile> inputs_;
};

TEST_F(InputFiles, AreDescribedByNameSizeAndHash) {
  ASSERT_EQ(inputs_.size(), 2u);
  EXPECT_EQ(inputs_[0].channel, "t1");
  EXPECT_EQ(inputs_[0].file_name, "x_t1.nii.gz");
  EXPECT_EQ(inputs_[0].size_bytes, 3);
  // FIPS 180-2, appendix B.1
  EXPECT_EQ(inputs_[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(unchanged());
}

TEST_F(InputFiles, TouchedFileIsHashedAndStillTheSame) {
  fs::last_write_time(files_[0], fs::last_write_time(files_[0]) + std::chrono::hours(1));
  EXPECT_TRUE(unchanged());
  inputs_[0].sha256.back() = '0';
  EXPECT_FALSE(unchanged());
}

TEST_F(InputFiles, HashIsNotComputedWhileSizeAndTimeAreTheSame) {
  inputs_[0].sha256.back() = '0';
  EXPECT_TRUE(unchanged());
}

TEST_F(InputFiles, OtherBytesNamesOrNumbersAreAChange) {
  write_file_atomically(files_[0], "abd");
  fs::last_write_time(files_[0], fs::last_write_time(files_[0]) + std::chrono::hours(1));
  EXPECT_FALSE(unchanged());
  inputs_ = describe_inputs(channels_, sources());
  inputs_[1].file_name = "y_flair.nii.gz";
  EXPECT_FALSE(unchanged());
  inputs_.pop_back();
  EXPECT_FALSE(unchanged());
}

TEST_F(InputFiles, OfA4dFileTheImageCountsAndTheFileIsOne) {
  const std::vector<ImageSource> images{{files_[0], 2}, {files_[0], 0}};
  inputs_ = describe_inputs(channels_, images);
  EXPECT_EQ(inputs_[0].index, 2);
  EXPECT_EQ(inputs_[1].index, 0);
  EXPECT_EQ(inputs_[0].sha256, inputs_[1].sha256);
  EXPECT_TRUE(inputs_unchanged(inputs_, channels_, images));
  EXPECT_FALSE(inputs_unchanged(inputs_, channels_, {images[1], images[0]}));
  EXPECT_FALSE(inputs_unchanged(inputs_, channels_, {files_[0], files_[0]}));
}

TEST_F(InputFiles, MissingFileIsNamedWithoutItsFolder) {
  fs::remove(files_[1]);
  EXPECT_FALSE(unchanged());
  try {
    describe_inputs(channels_, sources());
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "x_flair.nii.gz: cannot be read: No such file or directory");
  }
}

}  // namespace
}  // namespace mcvol
