#include "corpus/kinds.h"
#include "corpus/known_results.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class PairCases {
 public:
  explicit PairCases(Kind& kind) : kind_(kind) {
    std::string table = "case_id,region,volume_ml\n";
    for (const KnownCase& one : write_known_results(path("results"))) {
      table += one.case_id + ",whole_tumour," + std::to_string(one.reference.whole_ml) + "\n";
      table += one.case_id + ",tumour_core," + std::to_string(one.reference.core_ml) + "\n";
    }
    write_bytes(path("references.csv"), table);
    run_mcvol({"calibrate", path("results"), "--references", path("references.csv"), "--output",
               path("calibration.json")});
  }
  std::string path(const std::string& name) const { return (kind_.folder() / name).string(); }

  void pairs(const std::string& name, const std::string& what, const std::string& text,
             const Expected& expected, const std::vector<std::string>& more = {}) const {
    write_bytes(path(name + ".csv"), text);
    std::vector<std::string> arguments{
        "change",        path("results"),          "--pairs",  path(name + ".csv"),
        "--calibration", path("calibration.json"), "--output", path("change.csv")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    kind_.command(name, what, arguments, expected);
  }
  void groups(const std::string& name, const std::string& what, const std::string& text,
              const Expected& expected) const {
    write_bytes(path(name + ".csv"), text);
    kind_.command(name, what,
                  {"calibrate", path("results"), "--references", path("references.csv"), "--output",
                   path("grouped.json"), "--group", path(name + ".csv")},
                  expected);
  }

 private:
  Kind& kind_;
};

const std::string kPairsHeader = "subject_id,baseline,followup\n";

void add_pairs(const PairCases& cases) {
  cases.pairs("pairs", "two scans of a subject", kPairsHeader + "ann,001,009\n", exits(0, ""));
  cases.pairs("several", "three scans of a subject, a pair each",
              kPairsHeader + "ann,001,009\nann,009,020\nann,001,020\n", exits(0, ""));
  cases.pairs("unknown_case", "a follow-up that was not measured",
              kPairsHeader + "ann,001,009\nbob,002,999\n", exits(3, "999"));
  cases.pairs(
      "column_missing", "no column followup", "subject_id,baseline,follow_up\nann,001,009\n",
      exits(2, "expected one column 'followup' (subject_id, baseline and followup), found"));
  cases.pairs("field_empty", "a pair without its follow-up", kPairsHeader + "ann,001,\n",
              exits(2, "line 2: expected a subject_id and the case_ids of baseline and followup"));
  cases.pairs("same_case", "one case for both", kPairsHeader + "ann,001,001\n",
              exits(2, "line 2: 001 is baseline and followup; give two cases"));
  cases.pairs("twice", "a pair twice", kPairsHeader + "ann,001,009\nann,001,009\n",
              exits(2, "line 3: the same pair is given twice; keep one of them"));
  cases.pairs("no_pair", "a header and no pair", kPairsHeader,
              exits(2, "no pair; expected a row for"));
  cases.pairs("semicolons", "semicolons", "subject_id;baseline;followup\nann;001;009\n",
              exits(2, "line 1: looks like it is separated by ';'; save it with commas"));
  cases.pairs("annex", "a pointer of git-annex", "/annex/objects/MD5E-s99--0a.csv\n",
              exits(2, "annex.csv: a git-annex pointer, not the file itself; fetch it"));
  cases.pairs("correlation_2", "a correlation beyond 1", kPairsHeader + "ann,001,009\n",
              exits(2, "--correlation"), {"--correlation", "2"});
  cases.pairs("both_sources", "--correlation and --references", kPairsHeader + "ann,001,009\n",
              exits(2, "--correlation"),
              {"--correlation", "0.5", "--references", cases.path("references.csv")});
  cases.pairs("few_pairs", "--references of one pair, where 20 are needed",
              kPairsHeader + "ann,001,009\n", exits(2, "20"),
              {"--references", cases.path("references.csv")});
}

void add_groups(const PairCases& cases) {
  cases.groups("groups", "two cases of one patient", "case_id,group\n001,ann\n002,ann\n",
               exits(0, "1 case(s) left out for another one of their group"));
  cases.groups("other_groups", "a table that names none of the cases", "case_id,group\n1,ann\n",
               exits(2, "names none of the 40"));
  cases.groups("group_empty", "a case without its group", "case_id,group\n001,\n",
               exits(2, "has no group; leave its row out, or name one"));
}

void add_calibrations(Kind& kind, const PairCases& cases) {
  kind.command("uncalibrated", "change of results without a calibration",
               {"change", cases.path("results"), "--pairs", cases.path("pairs.csv")},
               exits(2, "calibration"));
  std::string few = "case_id,region,volume_ml\n";
  for (const char* id : {"001", "002", "003", "004", "005"}) {
    few += std::string(id) + ",whole_tumour,10\n" + id + ",tumour_core,2\n";
  }
  write_bytes(cases.path("few.csv"), few);
  kind.command("few_references", "5 references, where level 0.9 takes 19",
               {"calibrate", cases.path("results"), "--references", cases.path("few.csv"),
                "--accept-references", "--output", cases.path("few.json")},
               exits(0, "5 references do not reach level 0.9, which takes 19"));
  const fs::path scans = kind.folder() / "scans";
  write_usual_case(scans, "p1");
  kind.command("other_network", "a calibration of another network",
               kind.predict(scans, "unused", {"--calibration", cases.path("calibration.json")}),
               exits(2, "calibration.json"));
  EXPECT_FALSE(fs::exists(kind.folder() / "unused"));
}

}  // namespace

void pairs(Kind& kind) {
  const PairCases cases(kind);
  add_pairs(cases);
  add_groups(cases);
  add_calibrations(kind, cases);
}

}  // namespace mcvol::testing
