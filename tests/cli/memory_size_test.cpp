#include "mcvol/cli/memory_size.h"

#include "mcvol/error/error.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

TEST(MemorySize, UnitsArePowersOf1024) {
  EXPECT_EQ(memory_bytes_from("4096"), 4096);
  EXPECT_EQ(memory_bytes_from("4096B"), 4096);
  EXPECT_EQ(memory_bytes_from("1K"), 1024);
  EXPECT_EQ(memory_bytes_from("800M"), 838860800);
  EXPECT_EQ(memory_bytes_from("2G"), 2147483648);
  EXPECT_EQ(memory_bytes_from("1T"), 1099511627776);
}

TEST(MemorySize, SpellingsOfAUnitMeanTheSame) {
  for (const char* text : {"1.5G", "1.5g", "1.5GB", "1.5GiB", "1536M", "1536mib"}) {
    EXPECT_EQ(memory_bytes_from(text), 1610612736) << text;
  }
}

TEST(MemorySize, WhatIsNoSizeIsRefusedAndQuoted) {
  for (const char* text :
       {"", "G", "-1G", "0", "2X", "2GG", "2 G", "nan", "inf", "1e30G", "0.1B"}) {
    try {
      memory_bytes_from(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("\"" + std::string(text) + "\""), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace mcvol
