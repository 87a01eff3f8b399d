#include "mcvol/io/maps/bids_stem.h"

#include "mcvol/files/sha256.h"

#include <algorithm>
#include <iterator>
#include <regex>
#include <sstream>

namespace mcvol {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether an id stands for itself. Not where it looks like one that was made of another id, and
/// not where its desc- looks like that of a bound.
bool is_stem(const std::string& case_id) {
  // In the order of BIDS; of those that it has for masks and segmentations, but for ce-, which is a
  // channel's.
  static const std::regex entities(
      "sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?(_task-[A-Za-z0-9]+)?(_acq-[A-Za-z0-9]+)?"
      "(_rec-[A-Za-z0-9]+)?(_run-[0-9]+)?(_echo-[0-9]+)?(_space-[A-Za-z0-9]+)?(_chunk-[0-9]+)?"
      "(_res-[A-Za-z0-9]+)?(_desc-[A-Za-z0-9]+)?");
  static const std::regex made_of_another("sub-[A-Za-z0-9]*[xX][0-9a-fA-F]{8}(_.*)?");
  static const std::regex of_a_bound(".*_desc-(lower|upper).*", std::regex::icase);
  return std::regex_match(case_id, entities) && !std::regex_match(case_id, made_of_another) &&
         !std::regex_match(case_id, of_a_bound);
}

}  // namespace

std::string bids_label(const std::string& text) {
  std::string label;
  std::copy_if(text.begin(), text.end(), std::back_inserter(label), is_letter_or_digit);
  return label;
}

std::string bids_stem(const std::string& case_id) {
  if (is_stem(case_id)) return case_id;
  return "sub-" + bids_label(case_id) + "x" + sha256_of_bytes(case_id).substr(0, 8);
}

std::string bids_stem_of_image(const std::string& name) {
  std::istringstream words(name.substr(0, name.rfind('_')));  // without the suffix
  std::string stem;
  for (std::string word; std::getline(words, word, '_');) {
    if (word.starts_with("label-")) continue;
    // "desc-brain+lower0p9" of a case with desc-brain, "desc-lower0p9" of one without.
    if (word.starts_with("desc-lower") || word.starts_with("desc-upper")) continue;
    if (word.starts_with("desc-")) word = word.substr(0, word.find('+'));
    stem += (stem.empty() ? "" : "_") + word;
  }
  return stem;
}

}  // namespace mcvol
