#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_lock.h"

#include "corpus/kinds.h"
#include "corpus/known_results.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Where a table of `interval` goes.
void add_tables(Kind& kind) {
  const fs::path results = kind.folder() / "results";
  write_known_results(results);
  const auto interval = [&](const std::string& output) {
    return std::vector<std::string>{"interval", results.string(), "--output", output};
  };
  const std::string table = run_mcvol(interval("-")).out;
  EXPECT_NE(table.find("\n040,whole_tumour,"), std::string::npos);
  EXPECT_EQ(kind.command("dash", "--output -", interval("-"), exits(0, "")).out, table);
  EXPECT_EQ(
      kind.command("dev_stdout", "--output /dev/stdout", interval("/dev/stdout"), exits(0, "")).out,
      table);
  kind.command("dev_null", "--output /dev/null", interval("/dev/null"), exits(0, ""));
  EXPECT_FALSE(fs::is_regular_file("/dev/null"));
  kind.command("dev_full", "--output /dev/full, a full disk", interval("/dev/full"),
               exits(1, "/dev/full: cannot write: No space left on device"));
  const fs::path link = kind.folder() / "link.csv", target = kind.folder() / "kept" / "table.csv";
  write_bytes(target, "old\n");
  fs::create_symlink(target, link);
  kind.command("link", "--output to a symbolic link: followed", interval(link.string()),
               exits(0, ""));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(read_file(target), table);
  kind.command("new_folder", "--output into a folder that is not there: made",
               interval((kind.folder() / "new" / "table.csv").string()), exits(0, ""));
  kind.command("a_folder", "--output to a folder", interval((kind.folder() / "kept").string()),
               exits(1, "kept: cannot write: "));
  kind.command("in_proc", "--output where nobody can write", interval("/proc/mcvol/table.csv"),
               exits(1, "cannot"));
  kind.command("report_full", "report --output /dev/full",
               {"report", results.string(), "--output", "/dev/full"},
               exits(1, "/dev/full: cannot write: No space left on device"));
  const fs::path references = kind.folder() / "references.csv";
  write_bytes(references, "case_id,region,volume_ml\n");
  const std::string before = read_file(results / "run.json");
  kind.command("calibration_of_table", "calibrate --output to the calibration of a table",
               {"calibrate", results.string(), "--references", references.string(), "--output",
                (results / "calibration.json").string()},
               exits(2, "calibration.json"));
  EXPECT_FALSE(fs::exists(results / "calibration.json"));
  EXPECT_EQ(read_file(results / "run.json"), before);
}

/// Where results of `predict` go.
void add_results(Kind& kind) {
  const fs::path scans = kind.folder() / "scans";
  write_usual_case(scans, "p1");
  const auto out = [&](const fs::path& folder, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = kind.predict(scans, "unused", more);
    arguments[5] = folder.string();
    return arguments;
  };
  kind.batch(scans, "first", {{"p1", "a new folder for --out", as_good(), "new_results"}});
  const std::string table = read_file(kind.folder() / "first" / "volumes.csv");
  kind.command("again", "the same line again: nothing is measured twice",
               out(kind.folder() / "first"), exits(0, "1 of 1 cases measured"));
  EXPECT_EQ(read_file(kind.folder() / "first" / "volumes.csv"), table);
  kind.command("other_run", "--out with results of another seed",
               out(kind.folder() / "first", {"--seed", "7"}), exits(2, "seed"));
  EXPECT_EQ(read_file(kind.folder() / "first" / "volumes.csv"), table);
  const fs::path foreign = kind.folder() / "foreign";
  write_bytes(foreign / "volumes.csv", "patient;volume\nann;12\n");
  kind.command("foreign_table", "--out with a volumes.csv of the user's own", out(foreign),
               exits(2, "volumes.csv"));
  EXPECT_EQ(read_file(foreign / "volumes.csv"), "patient;volume\nann;12\n");
  const fs::path page = kind.folder() / "foreign_page";
  write_bytes(page / "report.html", "<p>mine</p>\n");
  kind.command("foreign_page", "--out with a report.html of the user's own", out(page),
               exits(2, "report.html"));
  EXPECT_EQ(read_file(page / "report.html"), "<p>mine</p>\n");
  const fs::path file = kind.folder() / "file.txt";
  write_bytes(file, "mine\n");
  kind.command("out_is_file", "a file for --out", out(file), exits(1, "file.txt"));
  EXPECT_EQ(read_file(file), "mine\n");
  kind.command("out_in_proc", "--out where nobody can write", out("/proc/mcvol"),
               exits(1, "/proc/mcvol"));
  const fs::path held = kind.folder() / "held";
  {
    const RunLock lock(held);
    kind.command("held", "--out that another run holds", out(held), exits(4, "held"));
  }
  const fs::path same = kind.folder() / "scans_and_results";
  write_usual_case(same, "p1");
  std::vector<std::string> into_itself = kind.predict(same, "unused");
  into_itself[5] = same.string();
  kind.command("out_is_scans", "one folder for SCANS and --out", into_itself, exits(0, "1 of 1"));
  EXPECT_EQ(read_file(same / "volumes.csv"), table);
  const fs::path inside = kind.folder() / "scans_with_results";
  write_usual_case(inside, "p1");
  for (const char* run : {"", " again"}) {
    std::vector<std::string> arguments = kind.predict(inside, "unused");
    arguments[5] = (inside / "results").string();
    kind.command(std::string("out_in_scans") + run,
                 std::string("--out inside SCANS: no case of its own") + run, arguments,
                 exits(0, "1 of 1 cases measured"));
    const std::string found = read_file(inside / "results" / "volumes.csv");
    EXPECT_EQ(found, table);
  }
}

}  // namespace

void outputs(Kind& kind) {
  add_tables(kind);
  add_results(kind);
}

}  // namespace mcvol::testing
