#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "network/graph/dropout_graph.h"
#include "network/passes/pass_runner.h"
#include "network/run/torchscript_segmenter.h"
#include "zoo/zoo.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::zoo;
using testing::ZooForm;
using testing::ZooNetwork;

constexpr const char* kBegin = "<!-- made by zoo_test: begin -->\n";
constexpr const char* kEnd = "<!-- made by zoo_test: end -->\n";

std::string read_page() {
  std::ifstream file(MCVOL_NETWORKS_PAGE);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// "scripted (eval, train), traced (eval)" of the exports for which `holds`.
template <typename Holds>
std::string exports_of(const ZooNetwork& network, const Holds& holds) {
  std::vector<std::string> forms;
  for (const std::string form : {"scripted", "traced"}) {
    std::vector<std::string> modes;
    for (const ZooForm& one : network.forms) {
      if (one.form == form && holds(one)) modes.push_back(one.mode);
    }
    if (!modes.empty()) forms.push_back(form + " (" + joined(modes, ", ") + ")");
  }
  return joined(forms, ", ");
}

std::string dropout_of(const ZooNetwork& network) {
  std::vector<std::string> kinds;
  for (const auto& [kind, rate] : network.dropout) {
    const std::string word = '`' + kind + '`';
    if (std::find(kinds.begin(), kinds.end(), word) == kinds.end()) kinds.push_back(word);
  }
  return std::to_string(network.dropout.size()) + " " + joined(kinds, ", ");
}

std::string scopes_of(const ZooNetwork& network) {
  std::vector<std::string> scopes;
  for (const DropoutScope scope : network.scopes) scopes.push_back(to_string(scope));
  return scopes.size() == 3 ? "all" : joined(scopes, ", ");
}

/// What a run would do with its passes.
std::string passes_of(const ZooNetwork& network) {
  const auto form = std::find_if(network.forms.begin(), network.forms.end(),
                                 [](const ZooForm& one) { return !one.file.empty(); });
  const Bundle bundle = network.bundle();
  PassRunner runner(
      load_dropout_graph(testing::zoo_file(form->file), form->file, network.scopes.front()),
      form->file, {.batch_bytes = std::int64_t{1} << 30});
  const PassRunner::Cost& cost = runner.probe(bundle, bundle.window);
  if (cost.pointwise) return "on measured voxels only";
  if (cost.passes_per_batch > 1) return "in batches";
  // "Passes run one at a time: aten::bmm may round differently in a batch."
  const std::string& note = cost.notes.front();
  return "one at a time: " + note.substr(note.find(": ") + 2, note.size() - note.find(": ") - 3);
}

void write_networks(std::ostream& text) {
  text << "| Network | Exports that work | Active dropout | Scopes | Passes run |\n"
       << "|---|---|---|---|---|\n";
  for (const ZooNetwork& network : zoo().networks) {
    if (!network.refused.empty()) continue;
    text << "| " << network.describes << " | "
         << exports_of(network, [](const ZooForm& form) { return !form.file.empty(); }) << " | "
         << dropout_of(network) << " | " << scopes_of(network) << " | " << passes_of(network)
         << " |\n";
  }
}

void write_failed_exports(std::ostream& text) {
  text << "\nExports that PyTorch itself refuses:\n\n| Network | Export | PyTorch says |\n"
       << "|---|---|---|\n";
  for (const ZooNetwork& network : zoo().networks) {
    for (const ZooForm& form : network.forms) {
      if (form.error.empty()) continue;
      text << "| " << network.describes << " | " << form.form << " (" << form.mode << ") | "
           << form.error << " |\n";
    }
  }
}

void write_refusals(std::ostream& text) {
  text << "\nNetworks that mcvol refuses:\n\n| Network | What it says |\n|---|---|\n";
  for (const ZooNetwork& network : zoo().networks) {
    if (network.refused.empty()) continue;
    for (const ZooForm& form : network.forms) {
      if (form.file.empty()) continue;
      Bundle bundle = network.bundle();
      bundle.networks.push_back({form.file, ""});
      try {
        load_torchscript_segmenter(bundle, {.device = "cpu", .scope = DropoutScope::kNative});
        ADD_FAILURE() << form.file << " was not refused";
      } catch (const ModelError& error) {
        const std::string message = error.what();
        text << "| " << network.describes << " | " << message.substr(message.find(": ") + 2)
             << " |\n";
      }
      break;
    }
  }
}

// The page says what this program does today, no more. With MCVOL_UPDATE_DOCS set it is rewritten.
TEST(NetworksPage, SaysWhatIsRunAndWhatIsRefused) {
  std::ostringstream table;
  write_networks(table);
  write_failed_exports(table);
  write_refusals(table);
  const std::string page = read_page();
  const auto begin = page.find(kBegin);
  const auto end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  const auto from = begin + std::string(kBegin).size();
  if (std::getenv("MCVOL_UPDATE_DOCS") != nullptr) {
    std::ofstream(MCVOL_NETWORKS_PAGE) << page.substr(0, from) << table.str() << page.substr(end);
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), table.str())
      << "run zoo_test with MCVOL_UPDATE_DOCS=1 --gtest_filter=NetworksPage.*";
}

}  // namespace
}  // namespace mcvol
