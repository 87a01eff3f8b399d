#pragma once

#include <string>
#include <vector>

namespace mcvol {

/// An option of a command as its help says it, for pages that are made of it.
struct OptionHelp {
  std::string name;            ///< "--level"; of what goes by its place the placeholder, "SCANS"
  std::string value;           ///< placeholder or the words to choose from, "a|b"; empty of a flag
  std::string default_value;   ///< empty where there is none or the text says it
  std::string group;           ///< heading in the help; empty of those before the first
  std::string text;            ///< one line
  bool required = false;       ///< by this command line; predict may have its own from --config
  bool takes_several = false;  ///< of what goes by its place
};

/// A command and its options, in the order of its help and without --help.
struct CommandHelp {
  std::string name;  ///< "predict"
  std::string text;
  std::vector<OptionHelp> options;
};

/// Help of every command of mcvol.
std::vector<CommandHelp> help_of_commands();

}  // namespace mcvol
