#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"

#include <functional>

#include "corpus/kinds.h"
#include <nlohmann/json.hpp>
#include <zlib.h>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Little-endian, so many bytes.
std::string number(std::uint32_t value, int bytes) {
  std::string text;
  for (int n = 0; n < bytes; ++n) text += static_cast<char>(value >> (8 * n) & 0xFFU);
  return text;
}

/// An archive of stored files, as torch.save writes one.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive, directory;
  for (const auto& [name, bytes] : files) {
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const std::string common = number(0, 2) + number(0, 2) + number(0, 2) + number(0, 2) +
                               number(crc, 4) + number(size, 4) + number(size, 4) +
                               number(static_cast<std::uint32_t>(name.size()), 2) + number(0, 2);
    directory += "PK\1\2" + number(20, 2) + number(20, 2) + common + number(0, 2) + number(0, 2) +
                 number(0, 2) + number(0, 4) +
                 number(static_cast<std::uint32_t>(archive.size()), 4) + name;
    archive += "PK\3\4" + number(20, 2) + common + name + bytes;
  }
  const auto count = static_cast<std::uint32_t>(files.size());
  const std::string end = "PK\5\6" + number(0, 2) + number(0, 2) + number(count, 2) +
                          number(count, 2) +
                          number(static_cast<std::uint32_t>(directory.size()), 4) +
                          number(static_cast<std::uint32_t>(archive.size()), 4) + number(0, 2);
  return archive + directory + end;
}

class ModelCases {
 public:
  explicit ModelCases(Kind& kind) : kind_(kind) { write_usual_case(kind.folder() / "scans", "p1"); }

  void check(const std::string& name, const std::string& what, const fs::path& model,
             const Expected& expected) const {
    std::vector<std::string> arguments = kind_.predict(kind_.folder() / "scans", "out_" + name);
    arguments[3] = model.string();
    kind_.command(name, what, arguments, expected);
    // Refused before any work: there is no result folder of it.
    EXPECT_FALSE(fs::exists(kind_.folder() / ("out_" + name) / "volumes.csv")) << name;
  }
  /// A copy of the model whose files `change` has had its way with.
  void changed(const std::string& name, const std::string& what,
               const std::function<void(const fs::path& folder)>& change,
               const Expected& expected) const {
    const fs::path folder = kind_.folder() / name;
    fs::copy(kind_.model(), folder);
    change(folder);
    check(name, what, folder, expected);
  }
  /// A copy with another model.json.
  void described(const std::string& name, const std::string& what,
                 const std::function<void(json& model)>& change, const Expected& expected) const {
    changed(
        name, what,
        [&](const fs::path& folder) {
          json model = json::parse(read_file(folder / "model.json"));
          change(model);
          write_bytes(folder / "model.json", model.dump(2));
        },
        expected);
  }
  /// A copy whose network consists of these bytes, and whose model.json knows their sha256.
  void network(const std::string& name, const std::string& what, const std::string& bytes,
               const Expected& expected) const {
    described(
        name, what,
        [&](json& model) {
          write_bytes(kind_.folder() / name / "network.pt", bytes);
          model["networks"][0]["sha256"] = sha256_of_bytes(bytes);
        },
        expected);
  }

 private:
  Kind& kind_;
};

const std::string kLfsPointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 99\n";

void add_folders(Kind& kind, const ModelCases& cases) {
  cases.check("no_folder", "a folder that is not there", kind.folder() / "gone",
              exits(2, "gone: no such folder"));
  cases.check("network_file", "the network in the place of its folder", kind.model() / "network.pt",
              exits(2, "network.pt: not a folder; a model is the folder that holds model.json"));
  fs::create_directories(kind.folder() / "empty_folder");
  cases.check("empty_folder", "a folder without model.json", kind.folder() / "empty_folder",
              exits(2, "empty_folder: no model.json in this folder; a model is a bundle as"));
  cases.changed(
      "network_gone", "the network is not in the folder",
      [](const fs::path& folder) { fs::remove(folder / "network.pt"); },
      exits(2, "network.pt is not there; copy the whole bundle again"));
  cases.changed(
      "sha256", "another network than model.json says",
      [](const fs::path& folder) { write_bytes(folder / "network.pt", "other"); },
      exits(2, "it is damaged or another network: copy the bundle again"));
  cases.changed(
      "network_lfs", "the network is a Git LFS pointer",
      [](const fs::path& folder) { write_bytes(folder / "network.pt", kLfsPointer); },
      exits(2, "network.pt is a Git LFS pointer, not the file itself; fetch it"));
  cases.changed(
      "network_page", "the network is a web page",
      [](const fs::path& folder) { write_bytes(folder / "network.pt", "<html></html>"); },
      exits(2, "network.pt is a web page (HTML or XML), not the file itself"));
}

void add_networks(const ModelCases& cases) {
  cases.network("text", "a network that is text", "no network",
                exits(2, "network.pt: is no TorchScript file; save the network itself"));
  cases.network("onnx", "a network in ONNX",
                std::string("\x08\x07\x12\x07pytorch\x1a\x03"
                            "2.1:",
                            20) +
                    std::string(400, '\5'),
                exits(2, "network.pt: is an ONNX model, which mcvol does not run; save"));
  cases.network(
      "state_dict", "weights alone, of torch.save(net.state_dict())",
      zip_of({{"network/data.pkl", std::string("\x80\2}q\0.", 6)}, {"network/version", "3\n"}}),
      exits(2, "network.pt: was saved with torch.save: weights (a state_dict) or a pickled"));
  cases.network("keras", "weights in HDF5, as of Keras",
                "\x89HDF\r\n\x1a\n" + std::string(500, '\3'),
                exits(2, "network.pt: is an HDF5 file, as of Keras; save"));
  cases.network("safetensors", "weights alone, as safetensors",
                std::string("\x10\0\0\0\0\0\0\0", 8) + R"({"w":{"dtype":"F32"}})",
                exits(2, "network.pt: holds weights alone (safetensors)"));
  cases.network("empty", "a network of no bytes", "", exits(2, "network.pt: is empty"));
  const fs::path zoo = MCVOL_ZOO_FIXTURES;
  cases.network("saves", "a network that writes a file",
                read_file(zoo / "refused_saves-scripted-eval.pt"),
                exits(2, "calls aten::save in 'refused_networks.Saves.forward', which reads or"));
  cases.network("quantized", "a network quantized by PyTorch",
                read_file(zoo / "refused_quantized-scripted-eval.pt"), exits(2, "the C++ class"));
  cases.network("no_dropout", "a network without dropout",
                read_file(zoo / "refused_no_dropout-scripted-eval.pt"), exits(2, "dropout"));
  cases.network("rates_0", "a network whose dropout rates are 0",
                read_file(zoo / "refused_rates_zero-scripted-eval.pt"), exits(2, "dropout"));
}

void add_descriptions(const ModelCases& cases) {
  cases.changed(
      "json_lfs", "model.json is a Git LFS pointer",
      [](const fs::path& folder) { write_bytes(folder / "model.json", kLfsPointer); },
      exits(2, "model.json: a Git LFS pointer, not the file itself; fetch it"));
  cases.changed(
      "json_damaged", "a comma too many in model.json",
      [](const fs::path& folder) { write_bytes(folder / "model.json", "{\"format\": 1,}"); },
      exits(2, "model.json, line 1, column 14: not valid JSON"));
  cases.changed(
      "json_empty", "an empty model.json",
      [](const fs::path& folder) { write_bytes(folder / "model.json", ""); },
      exits(2, "model.json, line 1, column 1: not valid JSON"));
  cases.described(
      "field_unknown", "a misspelt field", [](json& model) { model["chanels"] = 2; },
      exits(2, "chanels"));
  cases.described(
      "field_missing", "a field that is missing", [](json& model) { model.erase("regions"); },
      exits(2, "regions: missing"));
  cases.described(
      "field_type", "a text in the place of a number",
      [](json& model) { model["window"]["input"][2] = "16"; },
      exits(2, "window.input[2]: expected a whole number from 1 to 4096, found \"16\""));
  cases.described(
      "format_3", "a format of a newer mcvol", [](json& model) { model["format"] = 3; },
      exits(2, "format: this model has format 3, newer than what this mcvol reads (2)"));
  cases.described(
      "suffix_twice", "a suffix of two channels",
      [](json& model) { model["channels"][1]["suffixes"] = {"T1"}; }, exits(2, "suffixes"));
  cases.described(
      "region_output", "a region of an output that there is not",
      [](json& model) { model["regions"][1]["outputs"] = {5}; }, exits(2, "regions[1]"));
  cases.described(
      "outside", "a network outside of the folder",
      [](json& model) { model["networks"][0]["file"] = "../network.pt"; },
      exits(2, "expected the name of a file inside the bundle"));
  cases.described(
      "three_outputs", "fewer output channels than the network has",
      [](json& model) {
        model["output"]["channels"] = 2;
        model["output"]["labels"] = {0, 1};
        model["regions"] = {{{"name", "whole_tumour"}, {"outputs", {1}}}};
      },
      exits(2, "network.pt: "));
}

}  // namespace

void models(Kind& kind) {
  const ModelCases cases(kind);
  add_folders(kind, cases);
  add_networks(cases);
  add_descriptions(cases);
}

}  // namespace mcvol::testing
