#include "network/archive/file_kind.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "network/archive/module_file.h"
#include "network/support/tiny_network.h"
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

// What people take for a TorchScript file, and what they are told: one line, and what to do.

namespace mcvol {
namespace {

namespace fs = std::filesystem;

fs::path file_of_test() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  fs::path folder = fs::path(::testing::TempDir()) / ("file_kind_" + std::string(test->name()));
  fs::create_directories(folder);
  return folder / "network.pt";
}

std::string what_is_said_of(const std::string& bytes) {
  const fs::path file = file_of_test();
  write_file_atomically(file, bytes);
  try {
    load_module(file, "network.pt");
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

struct Kind {
  std::string bytes, message;
};

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

TEST(FileKind, IsSaidOfEveryFileThatIsNoArchive) {
  const std::vector<Kind> kinds = {
      {"", "is empty"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n", "Git LFS pointer"},
      {"<!DOCTYPE html><html>", "web page"},
      {bytes_of(
           {0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e}),
       "torch.save by an old PyTorch"},
      {bytes_of({0x80, 4, 0x95}), "is a pickle"},
      {bytes_of({8, 8, 0x12, 7}) + "pytorch", "is an ONNX model"},
      {bytes_of({16, 0, 0, 0, 0, 0, 0, 0}) + "{\"weight\":{}}  ", "safetensors"},
      {bytes_of({0x89}) + "HDF\r\n", "HDF5"},
      {bytes_of({0x1f, 0x8b, 8, 0}), "gzip"},
      {"PK\x03\x04PTMF and so on", "mobile phones"},
      {"hello, world", "is no TorchScript file"}};
  for (const auto& [bytes, message] : kinds) {
    const std::string found = what_is_said_of(bytes);
    EXPECT_NE(found.find(message), std::string::npos) << found;
    EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 0) << found;
  }
}

TEST(FileKind, OfArchivesIsToldByTheirRecords) {
  EXPECT_NE(what_archive_holds({"data.pkl", "data/0", "version"}).find("torch.save"),
            std::string::npos);
  EXPECT_NE(what_archive_holds({"archive_format", "models/model.json"}).find("torch.export"),
            std::string::npos);
  EXPECT_NE(what_archive_holds({"model.json", "constants.pkl"}).find("PyTorch 1.3"),
            std::string::npos);
  EXPECT_NE(what_archive_holds({"arr_0.npy"}).find("ZIP archive"), std::string::npos);
}

TEST(FileKind, WeightsSavedByTorchSaveAreCalledThat) {
  const std::vector<char> pickled = torch::jit::pickle_save(at::ones({3}));
  const std::string found = what_is_said_of({pickled.begin(), pickled.end()});
  EXPECT_NE(found.find("was saved with torch.save"), std::string::npos) << found;
}

TEST(FileKind, AFileCutOffIsCalledDamagedWhereverItEnds) {
  testing::save_network(testing::pointwise_network(), file_of_test());
  const std::string whole = read_file(file_of_test());
  for (const std::size_t length : {whole.size() / 100, whole.size() / 2, whole.size() - 30}) {
    const std::string found = what_is_said_of(whole.substr(0, length));
    EXPECT_NE(found.find("damaged or cut-off"), std::string::npos) << found;
    EXPECT_EQ(found.find("miniz"), std::string::npos) << found;
  }
}

TEST(FileKind, CodeThatLibTorchCannotReadIsSaidInOneLine) {
  const std::runtime_error error(
      "Unknown builtin op: torchvision::nms.\nCould not find any similar ops to torchvision::nms.");
  EXPECT_TRUE(damage_in(error).starts_with(
      "LibTorch cannot read the network (Unknown builtin op: torchvision::nms.); export it"))
      << damage_in(error);
}

}  // namespace
}  // namespace mcvol
