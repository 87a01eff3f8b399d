#include "mcvol/io/maps/map_choice.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <sstream>

namespace mcvol {
namespace {

[[noreturn]] void refuse_kind(const std::string& found) {
  std::string expected;
  for (const MapKind& kind : kMapKinds) {
    if (!expected.empty()) expected += &kind == &kMapKinds.back() ? " or " : ", ";
    expected += kind.word;
  }
  throw UsageError("--save: expected " + expected + ", found \"" + found + "\"");
}

}  // namespace

bool MapChoice::any() const {
  return std::any_of(kMapKinds.begin(), kMapKinds.end(),
                     [this](const MapKind& kind) { return this->*kind.chosen; });
}

std::string MapChoice::text() const {
  std::string words;
  for (const MapKind& kind : kMapKinds) {
    if (this->*kind.chosen) words += (words.empty() ? "" : ",") + std::string(kind.word);
  }
  return words;
}

MapChoice MapChoice::parse(const std::vector<std::string>& words) {
  MapChoice choice;
  for (const std::string& several : words) {
    std::istringstream stream(several);
    for (std::string word; std::getline(stream, word, ',');) {
      word = trimmed(word);
      const auto kind = std::find_if(kMapKinds.begin(), kMapKinds.end(),
                                     [&](const MapKind& one) { return word == one.word; });
      if (kind == kMapKinds.end()) refuse_kind(word);
      choice.*(kind->chosen) = true;
    }
  }
  if (choice.bounds) choice.probability = true;
  return choice;
}

}  // namespace mcvol
