#include "mcvol/pipeline/map_choice.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <sstream>

namespace mcvol {

MapChoice MapChoice::parse(const std::vector<std::string>& words) {
  MapChoice choice;
  for (const std::string& several : words) {
    std::istringstream stream(several);
    for (std::string word; std::getline(stream, word, ',');) {
      word = trimmed(word);
      if (word == "segmentation") {
        choice.segmentation = true;
      } else if (word == "probability") {
        choice.probability = true;
      } else if (word == "bounds") {
        choice.bounds = choice.probability = true;
      } else {
        throw UsageError("--save: expected segmentation, probability or bounds, found \"" + word +
                         "\"");
      }
    }
  }
  return choice;
}

}  // namespace mcvol
