#include "network/archive/pickle_check.h"

#include "mcvol/error/error.h"

#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/archive/module_file.h"
#include "network/support/segmenter_fixtures.h"
#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>

// What a file's objects would do to LibTorch as it makes them.

namespace mcvol {
namespace {

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int n = 0; n < count; ++n) all += text;
  return all;
}

const std::string kHead("\x80\x02", 2);

std::string danger_in(std::string_view pickle) { return findings_in_pickle(pickle).danger; }

std::string names(int first, int count) {
  std::string all;
  for (int n = first; n < first + count; ++n) {
    all += std::string("Nq") + static_cast<char>(n);
  }
  return all;
}

TEST(PickleCheck, LetsWhatPyTorchWritesBe) {
  const Bundle bundle = testing::tiny_bundle({testing::branching_network()});
  caffe2::serialize::PyTorchStreamReader reader((bundle.folder / "network.pt").string());
  for (const char* record : {"data.pkl", "constants.pkl"}) {
    const auto [data, size] = reader.getRecord(record);
    EXPECT_EQ(danger_in({static_cast<const char*>(data.get()), size}), "") << record;
  }
  // A list, named, in a tuple twice; a dictionary with a number and a text in it.
  EXPECT_EQ(
      danger_in(kHead + "](K\1K\2eq" + std::string(1, '\0') + "h" + std::string(1, '\0') + "\x86."),
      "");
  EXPECT_EQ(danger_in(kHead + "}(X" + std::string("\1\0\0\0", 4) + "aJ" +
                      std::string("\1\0\0\0", 4) + "u."),
            "");
}

TEST(PickleCheck, RefusesDepthThatNoStackHolds) {
  const auto nested = [](const std::string& opens, const std::string& closes, int depth) {
    return kHead + repeated(opens, depth) + "N" + repeated(closes, depth) + ".";
  };
  for (const auto& [opens, closes] : {std::pair{"", "\x85"}, {"(", "t"}, {"(", "l"}, {"](", "e"}}) {
    SCOPED_TRACE(closes);
    EXPECT_EQ(danger_in(nested(opens, closes, 900)), "");
    EXPECT_NE(danger_in(nested(opens, closes, 1100)).find("1,000 deep"), std::string::npos);
  }
}

TEST(PickleCheck, RefusesValuesThatStandForMillionsOfOthers) {
  // Each is a pair of the one before, twice.
  std::string pairs = kHead + "N";
  for (int n = 0; n < 30; ++n) {
    const std::string name(1, static_cast<char>(n));
    pairs += "q" + name + "h" + name + "\x86";
  }
  EXPECT_NE(danger_in(pairs + ".").find("more than 10^7"), std::string::npos);
}

TEST(PickleCheck, RefusesListsThatAreFilledAfterTheyWereNamed) {
  const std::string zero(1, '\0');
  EXPECT_NE(danger_in(kHead + "]q" + zero + "(h" + zero + "e.").find("hold themselves"),
            std::string::npos);
  EXPECT_NE(danger_in(kHead + "]q" + zero + "h" + zero + "a.").find("hold themselves"),
            std::string::npos);
  // By what a function gives back, which may be its argument.
  EXPECT_NE(danger_in(kHead + "cm\nf\n]\x85RNa.").find("hold themselves"), std::string::npos);
}

TEST(PickleCheck, RefusesKeysThatTablesGrowBy) {
  std::string small = kHead + "}(", large = small;
  for (int n = 0; n < 200; ++n) {
    small += "M" + std::string(1, static_cast<char>(n)) + std::string(1, '\0') + "N";
    large += "\x8a\x08" + std::string(7, static_cast<char>(n)) + "\x01" + "N";
  }
  EXPECT_EQ(danger_in(small + "u."), "");
  EXPECT_NE(danger_in(large + "u.").find("large numbers as keys"), std::string::npos);
}

TEST(PickleCheck, RefusesTextsThatATypeParserWouldRunOutOfStackBy) {
  const std::string type = repeated("List[", 50) + "int" + repeated("]", 50);
  const auto text = [](const std::string& of) {
    return kHead + "X" + std::string(1, static_cast<char>(of.size() % 256)) +
           std::string(1, static_cast<char>(of.size() / 256)) + std::string(2, '\0') + of + ".";
  };
  EXPECT_EQ(danger_in(text(type)), "");
  EXPECT_NE(danger_in(text(repeated("List[", 200))).find("100 brackets"), std::string::npos);
}

TEST(PickleCheck, RefusesMoreObjectsThanAnyNetworkHas) {
  EXPECT_NE(danger_in(kHead + repeated("}", 10'100'000)).find("more than 10^7 objects"),
            std::string::npos);
}

TEST(PickleCheck, CountsWhatTensorsRead) {
  const std::string five("\5\0\0\0", 4), one("\1\0\0\0", 4);
  const std::string storage = "(X" + five + "store" + "N" + "X" + one + "7NK\1tQ";
  const PickleFindings found = findings_in_pickle(kHead + storage + storage + "\x86.");
  EXPECT_EQ(found.danger, "");
  EXPECT_EQ(found.records, (std::vector<std::string>{"7", "7"}));
}

TEST(PickleCheck, RefusesNamesBeyondAllThatWereGiven) {
  EXPECT_EQ(danger_in(kHead + "(" + names(0, 5) + "t."), "");
  EXPECT_NE(danger_in(kHead + names(0, 5) + "Nr" + std::string("\0\0\0\x0b", 4) + ".")
                .find("a name for the 184549376th object of 5"),
            std::string::npos);
}

TEST(PickleCheck, RefusesWhatPyTorchDoesNotWrite) {
  const std::string whole = kHead + "](X" + std::string("\3\0\0\0", 4) + "abcK\1Gabcdefgh" +
                            "cm\nn\n)\x81}(K\1Nub\x85" + std::string("q\0", 2) + "e.";
  EXPECT_EQ(danger_in(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(danger_in(whole.substr(0, size)), "") << size;
  }
  for (const std::string& unknown : {"\x8d", "\x94", "i", "0", "N\x81", "NN.", "(N", "u", "h\5"}) {
    EXPECT_NE(danger_in(kHead + unknown + "N."), "") << unknown;
  }
}

/// The archive with another data.pkl.
void write_with_objects(const std::filesystem::path& from, const std::filesystem::path& to,
                        const std::string& pickle, bool compressed) {
  caffe2::serialize::PyTorchStreamReader reader(from.string());
  caffe2::serialize::PyTorchStreamWriter writer(to.string());
  for (const std::string& record : reader.getAllRecords()) {
    if (record == "data.pkl" || record == "version" || record == "byteorder" ||
        record.starts_with(".")) {
      continue;
    }
    const auto [data, size] = reader.getRecord(record);
    writer.writeRecord(record, data.get(), size);
  }
  writer.writeRecord("data.pkl", pickle.data(), pickle.size(), compressed);
  writer.writeEndOfFile();
}

TEST(PickleCheck, FilesThatWouldFillMemoryAreRefusedAsTheyAreLoaded) {
  const Bundle bundle = testing::tiny_bundle({testing::pointwise_network()});
  const auto file = bundle.folder / "hostile.pt";
  const auto refusal = [&](const std::string& pickle, bool compressed) -> std::string {
    write_with_objects(bundle.folder / "network.pt", file, pickle, compressed);
    try {
      load_module(file, "hostile.pt");
    } catch (const ModelError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(kHead + "N" + repeated("\x85", 100'000) + ".", false),
            "hostile.pt: holds objects more than 1,000 deep within each other, which no export of "
            "PyTorch has; export the network anew");
  EXPECT_EQ(
      refusal(std::string(50'000'000, '\0'), true),
      "hostile.pt: holds records more than a hundred times as large as the file, which no export "
      "of PyTorch has; export the network anew");
}

}  // namespace
}  // namespace mcvol
