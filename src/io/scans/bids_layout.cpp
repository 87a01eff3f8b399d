#include "mcvol/files/text.h"

#include <algorithm>
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

/// Subject, session and the folder of both.
using SessionKey = std::tuple<Words, std::string, std::string>;

SessionKey session_of(const BidsFile& bids) {
  static const std::set<std::string> modality_folders{"anat", "perf", "dwi", "func", "fmap"};
  Words folders = bids.file->folders;
  if (!folders.empty() && modality_folders.contains(folders.back())) folders.pop_back();
  return {folders, entity(bids.entities, "sub-"), entity(bids.entities, "ses-")};
}

/// "derivatives/<pipeline>", after what comes before it; empty for raw data.
std::string tree_of(const ScanFile& file) {
  const auto at = std::find(file.folders.begin(), file.folders.end(), "derivatives");
  if (at == file.folders.end()) return {};
  const bool has_pipeline = at + 1 != file.folders.end() && !(at + 1)->starts_with("sub-");
  return joined(std::ranges::subrange(file.folders.begin(), at + (has_pipeline ? 2 : 1)), "/");
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

/// The cases of one session: each set of files with the same entities that has all channels (a
/// space, a run), else all of its files as one case.
void add_session(const BidsFiles& files, const std::vector<ChannelPattern>& channels,
                 LayoutCases& found) {
  std::map<Words, BidsFiles> sets;
  for (const BidsFile& bids : files) sets[bids.entities].push_back(bids);
  std::vector<FoundCase> complete;
  BidsFiles left;
  for (const auto& [entities, set] : sets) {
    FoundCase one = bids_case(set, channels);
    if (one.scan.error.empty()) {
      complete.push_back(std::move(one));
    } else {
      left.insert(left.end(), set.begin(), set.end());
    }
  }
  if (complete.empty()) {
    found.cases.push_back(bids_case(files, channels));
    return;
  }
  std::move(complete.begin(), complete.end(), std::back_inserter(found.cases));
  for (const BidsFile& bids : left) {
    found.passed_over.add(bids.file->shown,
                          "the session has all channels under other BIDS entities");
  }
}

/// One tree of a data set: the raw data or one pipeline's derivatives.
struct BidsTree {
  std::map<SessionKey, BidsFiles> sessions;
  LayoutCases found;
};

/// The tree to measure. @param problem set where several will do.
std::string chosen_tree(const std::map<std::string, BidsTree>& trees, std::string& problem) {
  Words complete, derived;
  for (const auto& [name, tree] : trees) {
    if (name.empty()) continue;
    derived.push_back(name);
    if (tree.found.complete() > 0) complete.push_back(name);
  }
  if (complete.empty() && trees.contains("")) return "";
  const Words& eligible = complete.empty() ? derived : complete;
  if (eligible.size() > 1) {
    problem = "more than one BIDS derivative holds scans: " + joined(eligible) +
              "; name the folder of one of them instead";
  }
  return eligible.front();
}

void pass_over_other_trees(const std::map<std::string, BidsTree>& trees, const std::string& chosen,
                           PassedOver& passed_over) {
  std::set<std::pair<std::string, std::string>> taken;
  const auto subject_of = [](const SessionKey& key) {
    return std::pair{std::get<1>(key), std::get<2>(key)};
  };
  for (const auto& [key, files] : trees.at(chosen).sessions) taken.insert(subject_of(key));
  const std::string measured = chosen.empty() ? "the raw data" : chosen;
  for (const auto& [name, tree] : trees) {
    if (name == chosen) continue;
    for (const auto& [key, files] : tree.sessions) {
      const bool elsewhere = taken.contains(subject_of(key));
      passed_over.add(files.front().file->shown,
                      measured + " is taken instead" +
                          (elsewhere ? "" : ", which does not have this subject and session"));
    }
  }
}

}  // namespace

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

LayoutCases bids_cases(const ScanFiles& files, const std::vector<ChannelPattern>& channels) {
  std::map<std::string, BidsTree> trees;
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
    trees[tree_of(*file)].sessions[session_of(bids)].push_back(bids);
  }
  if (trees.empty()) return result;
  for (auto& [name, tree] : trees) {
    for (const auto& [key, session] : tree.sessions) add_session(session, channels, tree.found);
  }
  const std::string chosen = chosen_tree(trees, result.problem);
  pass_over_other_trees(trees, chosen, result.passed_over);
  result.passed_over.add(trees[chosen].found.passed_over);
  result.cases = std::move(trees[chosen].found.cases);
  return result;
}

}  // namespace mcvol
