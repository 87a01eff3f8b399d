#include "file_kind.h"

#include "mcvol/files/stand_in.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>

#include <torch/version.h>

namespace mcvol {
namespace {

constexpr const char* kExport =
    "save the network itself with torch.jit.save(torch.jit.script(net), …), as docs/bundle.md says";

/// With what files begin that people take for networks.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kBeginnings{
    {{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
      "was saved with torch.save by an old PyTorch: weights (a state_dict) or a pickled module"},
     {"\x80", "is a pickle, such as torch.save of long ago or pickle.dump makes"},
     {"\x89HDF", "is an HDF5 file, as of Keras"},
     {"\x1f\x8b", "is compressed (gzip), and mcvol reads the file inside"},
     {"BZh", "is compressed (bzip2), and mcvol reads the file inside"},
     {"\xfd\x37zXZ", "is compressed (xz), and mcvol reads the file inside"}}};

std::string beginning_of(const std::filesystem::path& path) {
  std::array<char, 64> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return {bytes.data(), static_cast<std::size_t>(file.gcount())};
}

/// The fields of ONNX's ModelProto: ir_version first, a small number, then another field's tag.
bool is_onnx(std::string_view beginning) {
  constexpr std::string_view kTags = "\x12\x1a\x22\x2a\x32\x3a\x42";
  return beginning.size() > 2 && beginning[0] == '\x08' && beginning[1] > 0 && beginning[1] < 32 &&
         kTags.find(beginning[2]) != std::string_view::npos;
}

/// Eight bytes of a length, then JSON.
bool is_safetensors(std::string_view beginning) {
  return beginning.size() > 9 && beginning.substr(8, 2) == "{\"" && beginning[7] == '\0';
}

bool any_ends_with(const std::vector<std::string>& records, std::string_view end) {
  return std::any_of(records.begin(), records.end(),
                     [&](const std::string& record) { return record.ends_with(end); });
}

}  // namespace

std::string other_kind_of(const std::filesystem::path& path) {
  if (const std::string stand_in = stand_in_of_file(path); !stand_in.empty()) {
    return "is " + stand_in;
  }
  const std::string beginning = beginning_of(path);
  // In place of a ZIP archive's version: a FlatBuffer, which LibTorch would run unseen.
  const bool flat = beginning.size() >= 8 && beginning.substr(4, 4) == "PTMF";
  if (beginning.starts_with("PK\x03\x04") && !flat) return {};
  if (beginning.empty())
    return "is empty, expected a network saved with torch.jit.save; copy it again";
  for (const auto& [bytes, what] : kBeginnings) {
    if (beginning.starts_with(bytes)) return std::string(what) + "; " + kExport;
  }
  if (flat) return std::string("is a TorchScript file for mobile phones; ") + kExport;
  if (is_onnx(beginning))
    return std::string("is an ONNX model, which mcvol does not run; ") + kExport;
  if (is_safetensors(beginning)) {
    return std::string("holds weights alone (safetensors), and mcvol needs the network; ") +
           kExport;
  }
  return std::string("is no TorchScript file; ") + kExport;
}

std::string what_archive_holds(const std::vector<std::string>& records) {
  if (any_ends_with(records, "model.json") && any_ends_with(records, "constants.pkl")) {
    return std::string("was saved by PyTorch 1.3 or older; ") + kExport;
  }
  if (any_ends_with(records, "archive_format") || any_ends_with(records, "exported_program.json")) {
    return std::string("was saved with torch.export, which mcvol does not run; ") + kExport;
  }
  if (any_ends_with(records, "data.pkl")) {
    return std::string(
               "was saved with torch.save: weights (a state_dict) or a pickled module, without the "
               "code of the network; load it in Python and ") +
           kExport;
  }
  return std::string("is a ZIP archive, but no TorchScript file; ") + kExport;
}

std::string damage_in(const std::exception& error) {
  const std::string text = error.what();
  if (text.find("not in a subdirectory") != std::string::npos) return what_archive_holds({});
  if (text.find("StreamReader") != std::string::npos || text.find("zip archive") != text.npos) {
    return "is a damaged or cut-off file, as an unfinished copy leaves; copy it again";
  }
  const std::size_t begin = std::min(text.find_first_not_of(" \n"), text.size());
  const std::string first = text.substr(begin, text.find('\n', begin) - begin);
  return "LibTorch cannot read the network (" + first.substr(0, first.find(". ")) +
         "); export it with PyTorch " TORCH_VERSION " or older, and with PyTorch's own operators";
}

}  // namespace mcvol
