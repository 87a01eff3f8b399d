#pragma once

#include <regex>
#include <string>
#include <vector>

// What every page has to be.

namespace mcvol::testing {

inline bool contains(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

inline int count_of(const std::string& page, const std::string& part) {
  int count = 0;
  for (std::size_t at = 0; (at = page.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

/// Element names whose tags do not pair, in order; void elements aside.
inline std::vector<std::string> unpaired_tags(const std::string& page) {
  static const std::regex kTag("<(/?)([a-z0-9]+)([^>]*)>");
  std::vector<std::string> open, unpaired;
  for (std::sregex_iterator tag(page.begin(), page.end(), kTag), end; tag != end; ++tag) {
    const std::string name = (*tag)[2];
    const std::string more = (*tag)[3];
    if (name == "meta" || name == "br" || (!more.empty() && more.back() == '/')) continue;
    if ((*tag)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      unpaired.push_back(name);
    } else {
      open.pop_back();
    }
  }
  unpaired.insert(unpaired.end(), open.begin(), open.end());
  return unpaired;
}

/// What would make the page need another file or run a script; empty where nothing does. A place in
/// the page and a picture in it are fine.
inline std::string outside_references(const std::string& page) {
  for (const char* reference : {"<script", "src=", "url(", "@import"}) {
    if (contains(page, reference)) return reference;
  }
  const std::string link = "href=\"";
  for (std::size_t at = 0; (at = page.find(link, at)) != std::string::npos; ++at) {
    const std::string target = page.substr(at + link.size(), 40);
    if (!target.starts_with("#") && !target.starts_with("data:image/png;base64,")) return target;
  }
  return "";
}

}  // namespace mcvol::testing
