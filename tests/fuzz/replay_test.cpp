// Every input kept in corpus/ (seeds, and what fuzzing has found) goes through the reader that it
// is for, in any build: what is called refused… is refused, all else is read.
#include <fstream>
#include <iterator>
#include <vector>

#include "files/temporary_folder.h"
#include "targets.h"
#include <gtest/gtest.h>

namespace mcvol::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = MCVOL_FUZZ_CORPUS;

std::vector<fs::path> inputs_of(const Target& target) {
  std::vector<fs::path> inputs;
  for (const auto& entry : fs::directory_iterator(kCorpus / target.name)) {
    inputs.push_back(entry.path());
  }
  return inputs;
}

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, EveryInputIsReadOrRefusedAsItsNameSays) {
  const TemporaryFolder folder;
  const std::vector<fs::path> inputs = inputs_of(GetParam());
  EXPECT_FALSE(inputs.empty());
  for (const fs::path& input : inputs) {
    std::ifstream file(input, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const bool is_read = !input.filename().string().starts_with("refused");
    EXPECT_NO_THROW(EXPECT_EQ(feed(GetParam(), bytes, folder.path()), is_read)) << input;
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, FuzzCorpus,
                         ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace mcvol::fuzz
