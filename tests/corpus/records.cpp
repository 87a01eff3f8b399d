#include "mcvol/files/text_file.h"

#include "corpus/kinds.h"
#include "corpus/known_results.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class RecordCases {
 public:
  explicit RecordCases(Kind& kind) : kind_(kind) {
    write_known_results(kind.folder() / "results");
    write_known_results(kind.folder() / "whole");
  }
  /// A copy of the results with another file in it; a name that begins with / stands for none.
  fs::path copy(const std::string& name, const std::string& file, const std::string& bytes) const {
    const fs::path folder = kind_.folder() / name;
    fs::copy(kind_.folder() / "whole", folder, fs::copy_options::recursive);
    write_bytes(folder / file, bytes);
    return folder;
  }
  /// What `interval` says where the file of a copy is another.
  void check(const std::string& name, const std::string& what, const std::string& file,
             const std::string& bytes, const Expected& expected) const {
    kind_.command(name, what, {"interval", copy(name, file, bytes).string()}, expected);
  }
  std::string text(const std::string& file) const {
    return read_file(kind_.folder() / "whole" / file);
  }

 private:
  Kind& kind_;
};

}  // namespace

void records(Kind& kind) {
  const RecordCases cases(kind);
  const std::string record = cases.text("cases/007.json"), run = cases.text("run.json");
  const std::string file = "cases/007.json";
  cases.check("cut", "a record cut short", file, record.substr(0, 100),
              exits(3, "not valid JSON; left out"));
  cases.check("empty", "an empty record", file, "", exits(3, "007.json, line 1, column 1: not"));
  cases.check("zeros", "a record of zeros, as a crash of the machine leaves it", file,
              std::string(record.size(), '\0'), exits(3, "not valid JSON"));
  cases.check("other_case", "a record under another case's name", file,
              cases.text("cases/008.json"), exits(3, "007"));
  cases.check("newer", "a record of a newer mcvol", file,
              replaced(record, "\"format\": 4", "\"format\": 99"), exits(3, "99"));
  cases.check("annex", "a record that is a pointer of git-annex", file,
              "/annex/objects/MD5E-s123456--0123456789abcdef.json\n",
              exits(3, "a git-annex pointer, not the file itself"));
  cases.check("run_cut", "run.json cut short", "run.json", run.substr(0, 100),
              exits(1, "not valid JSON; move it away and start again with --fresh"));
  cases.check("run_newer", "run.json of a newer mcvol", "run.json",
              replaced(run, "\"format\": 1", "\"format\": 99"),
              exits(1, "format: 99 is newer than this mcvol reads (1); update mcvol"));
  cases.check("calibration_cut", "the calibration of a table cut short", "calibration.json", "{",
              exits(2, "calibration.json"));
  const fs::path no_run = cases.copy("no_run", "unused.txt", "");
  fs::remove(no_run / "run.json");
  kind.command("no_run", "records without run.json", {"report", no_run.string()},
               exits(2, "no run.json; expected a result folder of mcvol predict"));
  fs::create_directories(kind.folder() / "not_results");
  kind.command("not_results", "a folder that holds no results",
               {"interval", (kind.folder() / "not_results").string()},
               exits(2, "no run.json; expected a result folder of mcvol predict"));
  const fs::path foreign = cases.copy(
      "other_run", file, replaced(record, "\"run_identity\": \"", "\"run_identity\": \"0"));
  kind.command("other_run", "a record whose run identity is no hash",
               {"interval", foreign.string()}, exits(3, "007"));
}

}  // namespace mcvol::testing
