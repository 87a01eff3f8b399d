#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "io/scans/scan_loader_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::brain_image;
using test::load;
using test::NiftiFixture;
using test::refusal_of;

class ScanBackground : public test::ScanLoaderFixture {};

TEST_F(ScanBackground, BackgroundOfAnotherValueGivesTheSameScan) {
  const Image<float> image = brain_image(grid_, 7.0F);
  for (const auto& spacing : {std::optional<std::array<double, 3>>{}, {{{1.5, 1.5, 1.5}}}}) {
    ScanPreparation preparation = preparation_for(1);
    preparation.skull_stripped = true;
    preparation.grid.spacing_mm = spacing;
    const PreparedScan clean = load({write_channel("a.nii", image)}, preparation);
    EXPECT_TRUE(clean.notes.empty());
    for (const float value : {-0.5F, -900.0F, 1e-6F}) {
      Image<float> padded = image;
      std::replace(padded.values.begin(), padded.values.end(), 0.0F, value);
      const PreparedScan found = load({write_channel("a.nii", padded)}, preparation);
      EXPECT_EQ(found.brain.values, clean.brain.values);
      EXPECT_FALSE(found.no_background);
      ASSERT_EQ(found.notes.size(), 1U);
      for (std::size_t voxel = 0; voxel < clean.brain.values.size(); ++voxel) {
        if (clean.brain.values[voxel] == 0) {
          ASSERT_EQ(found.channels[0].values[voxel], 0.0F);
        } else if (!spacing) {
          ASSERT_NEAR(found.channels[0].values[voxel], clean.channels[0].values[voxel], 1e-5F);
        }
      }
    }
  }
}

TEST_F(ScanBackground, StandardisedBeforeItIsTheSameScanResampledToo) {
  const Image<float> image = brain_image(grid_, 7.0F);
  Image<float> standardised = image;
  for (float& value : standardised.values) value = (value - 400.0F) / 30.0F;
  for (const auto& spacing : {std::optional<std::array<double, 3>>{}, {{{1.5, 1.5, 1.5}}}}) {
    ScanPreparation preparation = preparation_for(1);
    preparation.grid.spacing_mm = spacing;
    const PreparedScan clean = load({write_channel("a.nii", image)}, preparation);
    const PreparedScan found = load({write_channel("b.nii", standardised)}, preparation);
    EXPECT_EQ(found.brain.values, clean.brain.values);
    EXPECT_EQ(found.notes, std::vector<std::string>{"b.nii: its background is -13.3, not 0; taken "
                                                    "for background"});
    for (std::size_t voxel = 0; voxel < clean.brain.values.size(); ++voxel) {
      ASSERT_NEAR(found.channels[0].values[voxel], clean.channels[0].values[voxel], 1e-3F);
    }
  }
}

TEST_F(ScanBackground, ScanWithoutABackgroundIsRefusedWhereItHasToBeSkullStripped) {
  Image<float> full = brain_image(grid_, 1.0F);
  for (std::size_t voxel = 0; voxel < full.values.size(); ++voxel) {
    full.values[voxel] = static_cast<float>(voxel * 7919 % 1013);
  }
  const auto file = write_channel("a.nii", full);
  const auto other = write_channel("b.nii", brain_image(grid_, 1.0F));
  EXPECT_TRUE(load({other, file}, preparation_for(2)).no_background);
  ScanPreparation preparation = preparation_for(2);
  preparation.skull_stripped = true;
  const std::string refusal = refusal_of([&] { load({other, file}, preparation); });
  EXPECT_EQ(refusal.rfind("a.nii: no background, expected one value on the border", 0), 0U);
  EXPECT_NE(refusal.find("strip it, or multiply it with a brain mask"), std::string::npos);
}

TEST_F(ScanBackground, SaysHowMuchOfTheBrainAllChannelsHave) {
  Image<float> image = brain_image(grid_, 1.0F);
  const auto whole = write_channel("a.nii", brain_image(grid_, 3.0F));
  EXPECT_EQ(load({whole, write_channel("b.nii", image)}, preparation_for(2)).brain_in_all, 1.0);
  std::size_t brain = 0;
  for (float& value : image.values) {
    if (value != 0.0F && ++brain % 2 == 0) value = 0.0F;
  }
  const PreparedScan scan = load({whole, write_channel("b.nii", image)}, preparation_for(2));
  EXPECT_NEAR(scan.brain_in_all, 0.5, 1e-4);
}

TEST_F(ScanBackground, RefusesTheSameImageTwiceInWhateverFiles) {
  Image<float> image = brain_image(grid_, 1.0F);
  const auto first = write_channel("a.nii.gz", image);
  const std::string expected =
      ": the same image as a.nii.gz, voxel by voxel, expected another for each channel; put the "
      "right file in its place";
  EXPECT_EQ(load_refusal({first, write_channel("b.nii", image)}), "b.nii" + expected);
  NiftiFixture whole_numbers;
  whole_numbers.set_grid(image.grid);
  whole_numbers.set_voxels(std::vector<std::int16_t>(image.values.begin(), image.values.end()), 4);
  EXPECT_EQ(load_refusal({first, write("c.nii", whole_numbers)}), "c.nii" + expected);
  image.values[image.values.size() / 2] += 1.0F;
  EXPECT_NO_THROW(load({first, write_channel("d.nii", image)}, preparation_for(2)));
}

TEST_F(ScanBackground, NotesWhereSformAndQformDisagree) {
  const Image<float> image = brain_image(grid_, 1.0F);
  NiftiFixture fixture;
  fixture.set_grid(image.grid);
  fixture.set_voxels(image.values, 16);
  fixture.qform_code = 1;
  const PreparedScan scan = load({write("a.nii", fixture)}, preparation_for(1));
  ASSERT_EQ(scan.notes.size(), 1U);
  EXPECT_EQ(scan.notes[0].rfind("a.nii: its sform and qform place the image up to ", 0), 0U);
}

}  // namespace
}  // namespace mcvol
