#include "mcvol/files/text.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>
#include <set>
#include <sstream>
#include <tuple>

#include "scan_layouts.h"

namespace mcvol {
namespace {

using Words = std::vector<std::string>;

Words split_entities(const std::string& stem) {
  Words words;
  std::istringstream stream(stem);
  for (std::string word; std::getline(stream, word, '_');) words.push_back(word);
  return words;
}

/// The first word that starts with `key`, such as "ses-"; empty where there is none.
std::string entity(const Words& words, const std::string& key) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const std::string& word) { return word.starts_with(key); });
  return found == words.end() ? "" : *found;
}

/// The words of `name` that `pattern` does not ask for; none where it does not match.
std::optional<Words> other_entities(Words name, const std::string& pattern) {
  Words wanted = split_entities(pattern);
  if (wanted.empty() || name.empty()) return std::nullopt;
  if (lower_case(name.back()) != lower_case(wanted.back())) return std::nullopt;
  name.pop_back();
  wanted.pop_back();
  for (const std::string& word : wanted) {
    const auto found = std::find_if(name.begin(), name.end(), [&](const std::string& one) {
      return lower_case(one) == lower_case(word);
    });
    if (found == name.end()) return std::nullopt;
    name.erase(found);
  }
  // An image with contrast agent taken for one without would be measured without a word.
  if (!entity(name, "ce-").empty()) return std::nullopt;
  return name;
}

/// A file of a channel and the entities that do not tell the channel.
struct BidsFile {
  const ScanFile* file;
  std::size_t channel;
  Words entities;
};
using BidsFiles = std::vector<BidsFile>;

/// A subject's session: the folders of the data set, subject and session.
using SessionKey = std::tuple<Words, std::string, std::string>;

SessionKey session_of(const BidsFile& bids) {
  const auto is_inside = [](const std::string& folder) {
    return folder == "derivatives" || folder.starts_with("sub-");
  };
  const Words& folders = bids.file->folders;
  const auto end = std::find_if(folders.begin(), folders.end(), is_inside);
  Words data_set(folders.begin(), end);
  if (end == folders.end() && !data_set.empty() && is_modality_folder(data_set.back())) {
    data_set.pop_back();
  }
  // Raw data may have a folder of their own beside derivatives/.
  if (!data_set.empty() && data_set.back() == "rawdata") data_set.pop_back();
  return {data_set, entity(bids.entities, "sub-"), entity(bids.entities, "ses-")};
}

/// "derivatives/<pipeline>", after what comes before it; empty for raw data.
std::string tree_of(const ScanFile& file) {
  const auto at = std::find(file.folders.begin(), file.folders.end(), "derivatives");
  if (at == file.folders.end()) return {};
  const bool has_pipeline = at + 1 != file.folders.end() && !(at + 1)->starts_with("sub-");
  return joined(Words(file.folders.begin(), at + (has_pipeline ? 2 : 1)), "/");
}

Words shared_entities(const BidsFiles& files) {
  Words shared;
  for (const std::string& word : files.front().entities) {
    const bool in_all = std::all_of(files.begin(), files.end(), [&](const BidsFile& bids) {
      return std::find(bids.entities.begin(), bids.entities.end(), word) != bids.entities.end();
    });
    if (in_all) shared.push_back(word);
  }
  return shared;
}

FoundCase bids_case(const BidsFiles& files, const std::vector<ChannelPattern>& channels) {
  const std::string case_id = joined(shared_entities(files), "_");
  std::vector<ScanFiles> files_of_channels(channels.size());
  for (const BidsFile& bids : files) files_of_channels[bids.channel].push_back(bids.file);
  std::vector<std::string> looked_for;
  for (const ChannelPattern& channel : channels) {
    Words names;
    for (const std::string& suffix : suffixes_of(channel, false)) {
      names.push_back(case_id + "_" + suffix);
    }
    looked_for.push_back(joined(names));
  }
  return case_of(case_id, files_of_channels, channels, looked_for);
}

/// Its cases: each set of files with the same entities that has all channels (a run), else all of
/// the files as one case. Of sets that differ in their space only, one.
class Session {
 public:
  Session(const BidsFiles& files, const std::vector<ChannelPattern>& channels,
          const std::string& space) {
    std::map<Words, BidsFiles> sets;
    for (const BidsFile& bids : files) sets[bids.entities].push_back(bids);
    std::map<Words, std::vector<Set>> by_run;
    BidsFiles left;
    for (const auto& [entities, set] : sets) {
      FoundCase one = bids_case(set, channels);
      if (one.scan.error.empty()) {
        by_run[without_space(entities)].push_back({entity(entities, "space-"), std::move(one)});
      } else {
        left.insert(left.end(), set.begin(), set.end());
      }
    }
    if (by_run.empty()) {
      found_.cases.push_back(bids_case(files, channels));
      return;
    }
    for (auto& [run, spaces] : by_run) add(std::move(spaces), space);
    for (const BidsFile& bids : left) {
      found_.passed_over.add(bids.file->shown,
                             "the session has all channels under other BIDS entities");
    }
  }

  LayoutCases found() && { return std::move(found_); }

 private:
  struct Set {
    std::string space;  ///< "space-MNI152NLin2009cAsym"
    FoundCase found;
  };

  static Words without_space(Words entities) {
    std::erase_if(entities, [](const std::string& word) { return word.starts_with("space-"); });
    return entities;
  }

  /// How far from the space that the scan was made in, by its name (BIDS, appendix "Coordinate
  /// systems": none, or that of an image of the subject).
  static int distance_from_native(const std::string& space) {
    static const std::set<std::string> own{"space-orig",   "space-native",     "space-t1w",
                                           "space-t2w",    "space-individual", "space-scanner",
                                           "space-subject"};
    if (space.empty()) return 0;
    return own.contains(lower_case(space)) ? 1 : 2;
  }

  static std::string word_for(const std::string& space) {
    return space.empty() ? "no space- in the name" : space;
  }

  void add(std::vector<Set> sets, const std::string& space) {
    Words listed;
    for (const Set& set : sets) listed.push_back(word_for(set.space));
    const auto rank = [&](const Set& set) {
      if (!space.empty()) return lower_case(set.space) == "space-" + lower_case(space) ? 0 : 1;
      return distance_from_native(set.space);
    };
    std::stable_sort(sets.begin(), sets.end(),
                     [&](const Set& a, const Set& b) { return rank(a) < rank(b); });
    FoundCase& first = sets.front().found;
    if (!space.empty() && rank(sets.front()) != 0) {
      refuse(first,
             "not in space-" + space + ", found: " + joined(listed) + "; choose with --space");
    } else if (sets.size() > 1 && rank(sets[0]) == rank(sets[1])) {
      refuse(first, "in " + std::to_string(sets.size()) + " spaces: " + joined(listed) +
                        "; choose one with --space");
    }
    for (std::size_t n = 1; n < sets.size(); ++n) {
      found_.passed_over.add(sets[n].found.shown, word_for(sets.front().space) +
                                                      " of the same session is taken; --space "
                                                      "chooses another");
    }
    found_.cases.push_back(std::move(first));
  }

  static void refuse(FoundCase& found, const std::string& why) {
    found.scan.channel_files.clear();
    found.scan.error = why;
  }

  LayoutCases found_;
};

/// The tree to take of those that have a session: a derivative with all channels, else the raw
/// data.
/// @param problem set where several will do.
std::string chosen_tree(const std::map<std::string, LayoutCases>& trees, std::string& problem) {
  Words complete;
  for (const auto& [name, found] : trees) {
    if (!name.empty() && found.complete() > 0) complete.push_back(name);
  }
  if (complete.size() > 1) {
    problem = "more than one BIDS derivative holds scans: " + joined(complete) +
              "; name the folder of one of them instead";
  }
  return complete.empty() ? trees.begin()->first : complete.front();
}

}  // namespace

bool is_modality_folder(const std::string& name) {
  static const std::set<std::string> names{"anat", "perf", "dwi", "func", "fmap"};
  return names.contains(name);
}

std::optional<SuffixMatch> match_bids(const std::string& stem,
                                      const std::vector<ChannelPattern>& channels) {
  const Words name = split_entities(stem);
  if (entity(name, "sub-") != (name.empty() ? "" : name.front())) return std::nullopt;
  std::optional<SuffixMatch> best;
  std::pair<std::size_t, bool> best_rank{0, false};
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    for (const std::string& suffix : suffixes_of(channels[channel], false)) {
      const std::pair rank{suffix.size(), stem.ends_with(suffix)};
      if (rank <= best_rank) continue;
      const std::optional<Words> others = other_entities(name, suffix);
      if (!others || others->empty()) continue;
      best = SuffixMatch{channel, joined(*others, "_"), false};
      best_rank = rank;
    }
  }
  return best;
}

LayoutCases bids_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels,
                       const std::string& space) {
  std::map<SessionKey, std::map<std::string, BidsFiles>> sessions;  // of a session, by tree
  LayoutCases result;
  for (const ScanFile* file : files) {
    const std::optional<SuffixMatch> match = match_bids(file->stem, channels);
    if (!match || is_label_map(*file)) continue;
    const auto& folders = file->folders;
    if (std::find(folders.begin(), folders.end(), "sourcedata") != folders.end()) {
      result.passed_over.add(file->shown, "BIDS source data");
      continue;
    }
    const BidsFile bids{file, match->channel, split_entities(match->stem)};
    sessions[session_of(bids)][tree_of(*file)].push_back(bids);
  }
  for (const auto& [key, trees] : sessions) {
    std::map<std::string, LayoutCases> found;
    for (const auto& [name, of_tree] : trees) {
      found[name] = Session(of_tree, channels, space).found();
    }
    const std::string chosen = chosen_tree(found, result.problem);
    for (const auto& [name, of_tree] : trees) {
      if (name == chosen) continue;
      result.passed_over.add(of_tree.front().file->shown,
                             (chosen.empty() ? "the raw data" : chosen) + " is taken instead");
      for (const BidsFile& bids : of_tree) result.other_places.push_back(bids.file->folders);
    }
    LayoutCases& taken = found[chosen];
    result.passed_over.add(taken.passed_over);
    std::move(taken.cases.begin(), taken.cases.end(), std::back_inserter(result.cases));
  }
  return result;
}

}  // namespace mcvol
