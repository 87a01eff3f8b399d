#include "mcvol/files/text_file.h"

#include "cli/checks.h"
#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>

// What predict's options are refused for, each by name and with what was expected.

namespace mcvol::testing {
namespace {

TEST(Usage, ValuesOutOfRangeNameTheirOption) {
  expect_usage_error({"predict", "x", "--threads", "0"}, "--threads");
  expect_usage_error({"predict", "x", "--scope", "voxel"}, "--scope");
  expect_usage_error({"predict", "x", "--seed", "-1"}, "--seed");
  expect_usage_error({"predict", "x", "--print", "xml"}, "--print");
  expect_usage_error({"predict", "x", "--model", "m", "--out", "o", "--level", "90"}, "\"90\"");
  expect_usage_error({"predict", "x", "--model", "m", "--out", "o", "--shard", "3/2"}, "3/2");
  expect_usage_error({"predict", "x", "--model", "m", "--out", "o", "--passes", "0"}, "--passes");
  expect_usage_error({"predict", "x", "--quiet", "--verbose"}, "--verbose");
  expect_usage_error({"predict", "x", "--model", "m", "--out", "o", "--device", "tpu"},
                     "--device: expected auto, cpu, cuda or cuda:N, found \"tpu\"");
}

TEST(Usage, WhatIsMissingIsSaid) {
  expect_usage_error({"predict", "--model", "m", "--out", "o"}, "SCANS");
  expect_usage_error({"predict", "x", "--out", "o"}, "--model");
  expect_usage_error({"predict", "x", "--model", "m"}, "--out");
}

TEST(Usage, OptionsOfLaterVersionsAreRefusedByName) {
  const std::vector<std::string> base{"predict", "x", "--model", "m", "--out", "o"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  expect_usage_error(with({"--precision", "fp16", "--device", "cpu"}),
                     "--precision fp16: on a GPU only");
  expect_usage_error(with({"--save", "maps"}), "labels or entropy, found \"maps\"");
}

TEST(Usage, AToleranceGoesWithPassesAutoAndIsAskedForWithItsRange) {
  const std::string alone = "--mc-tolerance: goes with --passes auto, found --passes ";
  expect_usage_error({"predict", "x", "--mc-tolerance", "0.1"},
                     alone + "20; leave one of them out");
  expect_usage_error({"predict", "x", "--passes", "40", "--mc-tolerance", "0.1"}, alone + "40");
  for (const char* text : {"0", "-0.1", "1.5", "5%", "nan", ""}) {
    expect_usage_error(
        {"predict", "x", "--passes", "auto", "--mc-tolerance", text},
        "--mc-tolerance: expected a number above 0, up to 1, found \"" + std::string(text) + "\"");
  }
  expect_usage_error({"predict", "x", "--passes", "automatic"}, "--passes: expected");
  EXPECT_TRUE(contains(run_mcvol({"predict", "--help"}).out, "--passes N|auto=20 "));
}

TEST(Usage, AToleranceInAConfigFileIsReadLikeTheOption) {
  const auto file = fresh_folder("config_tolerance") / "run.toml";
  write_file_atomically(file, "mc-tolerance = 0.1\n");
  expect_usage_error({"predict", "x", "--config", file.string()}, "goes with --passes auto");
  write_file_atomically(file, "passes = \"auto\"\nmc-tolerance = 7\n");
  expect_usage_error({"predict", "x", "--config", file.string()}, "above 0, up to 1, found \"7\"");
  write_file_atomically(file, "passes = true\n");
  expect_usage_error({"predict", "x", "--config", file.string()}, "a number or \"auto\"");
}

TEST(Usage, WholeNumbersAreAskedForWithTheirRange) {
  const std::string expected = ": expected a whole number from ";
  for (const char* text : {"x", "2.5", "1025", "0"}) {
    expect_usage_error({"predict", "x", "--threads", text},
                       "--threads" + expected + "1 to 1024, found \"" + text + "\"");
  }
  expect_usage_error({"predict", "x", "--seed", "18446744073709551616"},
                     "--seed" + expected + "0 to 18446744073709551615");
  expect_usage_error({"predict", "x", "--passes", "99999999999"},
                     "--passes" + expected + "1 to 10000");
}

TEST(Usage, MemoryIsAskedForWithItsRangeAndUnits) {
  for (const char* text : {"63M", "much", "4 G", "-1G", ""}) {
    expect_usage_error({"predict", "x", "--model", "m", "--out", "o", "--memory", text},
                       "--memory: expected a size from 64M to 1024T, such as 4G, 512M, 2.5GiB or a "
                       "number of bytes, found \"" +
                           std::string(text) + "\"");
  }
  EXPECT_TRUE(contains(run_mcvol({"predict", "--help"}).out, "--memory SIZE=4G "));
}

TEST(Usage, ConfigFileWithAnUnknownKeyOrABadValueIsAUsageError) {
  const auto file = fresh_folder("config") / "run.toml";
  write_file_atomically(file, "modle = 'x'\n");
  expect_usage_error({"predict", "x", "--config", file.string()}, "\"modle\"");
  write_file_atomically(file, "threads = 0\n");
  expect_usage_error({"predict", "x", "--config", file.string()}, "--threads");
  expect_usage_error({"predict", "x", "--config", file.string() + ".none"}, "run.toml.none");
}

}  // namespace
}  // namespace mcvol::testing
