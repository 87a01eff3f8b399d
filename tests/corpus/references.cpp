#include <cstdio>
#include <functional>

#include "corpus/kinds.h"
#include "corpus/known_results.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// A row as it is to stand in a table: case_id, region, volume_ml.
using Row = std::function<std::string(int n, const std::string& id, const std::string& region,
                                      double volume_ml)>;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4f", value);
  return text;
}

std::string row_of(const std::string& id, const std::string& region, double volume) {
  return id + "," + region + "," + number(volume) + "\n";
}

class ReferenceCases {
 public:
  explicit ReferenceCases(Kind& kind)
      : kind_(kind), known_(write_known_results(kind.folder() / "results")) {}

  std::vector<std::string> calibrate(const fs::path& references) const {
    return {"calibrate",    (kind_.folder() / "results").string(),
            "--references", references.string(),
            "--output",     (kind_.folder() / "calibration.json").string()};
  }
  void table(const std::string& name, const std::string& what, const std::string& text,
             const Expected& expected) const {
    const fs::path file = kind_.folder() / (name + ".csv");
    write_bytes(file, text);
    kind_.command(name, what, calibrate(file), expected);
  }
  void rows(const std::string& name, const std::string& what, const Row& row,
            const Expected& expected, const std::string& more = "") const {
    table(name, what, text_of(row) + more, expected);
  }
  std::string text_of(const Row& row) const {
    std::string text = "case_id,region,volume_ml\n";
    int n = 0;
    for (const KnownCase& one : known_) {
      ++n;
      text += row(n, one.case_id, "whole_tumour", one.reference.whole_ml);
      text += row(n, one.case_id, "tumour_core", one.reference.core_ml);
    }
    return text;
  }

 private:
  Kind& kind_;
  std::vector<KnownCase> known_;
};

std::string usual(int, const std::string& id, const std::string& region, double volume_ml) {
  return row_of(id, region, volume_ml);
}

Row times(double factor) {
  return [=](int, const std::string& id, const std::string& region, double volume_ml) {
    return id + "," + region + "," + std::to_string(volume_ml * factor) + "\n";
  };
}

std::string with_line_ends(const std::string& text) {
  std::string changed = "\xef\xbb\xbf";
  for (const char c : text) changed += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return changed;
}

void add_used(const ReferenceCases& cases) {
  const Expected used = exits(0, "(median of 40 cases)");
  cases.rows("right", "reference volumes in ml", usual, used);
  cases.table("excel", "byte order mark and CRLF", with_line_ends(cases.text_of(usual)), used);
  cases.rows("empty_rows", "rows of nothing but commas at the end", usual, used, ",,\n,,\n\n");
  cases.rows(
      "blank_at_end", "a blank behind every other region",
      [](int n, const std::string& id, const std::string& region, double volume_ml) {
        return row_of(id, region + (n % 2 == 0 ? " " : ""), volume_ml);
      },
      used);
  cases.rows("more_cases", "a table of more cases than were measured", usual,
             exits(0, "3 case(s) of the references have not been measured"),
             "900,whole_tumour,3\n901,whole_tumour,3\n902,whole_tumour,3\n");
  cases.rows(
      "fewer_cases", "a table of 30 of the cases",
      [](int n, const std::string& id, const std::string& region, double volume_ml) {
        return n > 30 ? "" : row_of(id, region, volume_ml);
      },
      exits(0, "10 case(s) without a reference left out"));
  cases.rows("more_regions", "a region that the model has not", usual,
             exits(0, "necrosis: no region of the model; passed over"), "001,necrosis,1\n");
}

void add_misfits(const ReferenceCases& cases) {
  cases.rows("mm3", "in mm³", times(1000), exits(2, "mm"));
  cases.rows("litres", "in litres", times(0.001), exits(2, "litres"));
  cases.rows("voxels", "in voxels", times(1 / 0.008), exits(2, "voxel"));
  cases.rows(
      "swapped", "regions exchanged",
      [](int, const std::string& id, const std::string& region, double volume_ml) {
        return row_of(id, region == "tumour_core" ? "whole_tumour" : "tumour_core", volume_ml);
      },
      exits(2, "exchanged"));
  cases.rows(
      "zeros", "0 ml for every core",
      [](int, const std::string& id, const std::string& region, double volume_ml) {
        return row_of(id, region, region == "tumour_core" ? 0.0 : volume_ml);
      },
      exits(2, "tumour_core: every reference is 0 ml"));
}

void add_names(const ReferenceCases& cases) {
  cases.rows(
      "lost_zeros", "ids whose zeros a spreadsheet took away, in half of the cases",
      [](int n, const std::string& id, const std::string& region, double volume_ml) {
        return row_of(n % 2 == 0 ? std::to_string(n) : id, region, volume_ml);
      },
      exits(3, "but for zeros, blanks, capitals or an ending; write them alike"));
  cases.rows(
      "other_ids", "ids of which none was measured",
      [](int n, const std::string&, const std::string& region, double volume_ml) {
        return row_of("pat" + std::to_string(n), region, volume_ml);
      },
      exits(2, "no measured case of results has a reference there; expected its case_id"));
  cases.rows(
      "other_region", "a region written otherwise throughout",
      [](int, const std::string& id, const std::string& region, double volume_ml) {
        return row_of(id, region == "tumour_core" ? "Tumour Core" : region, volume_ml);
      },
      exits(2, "no volume of the region tumour_core; expected some of each region"));
}

void add_damaged(const ReferenceCases& cases) {
  const auto with = [&](const std::string& row) { return cases.text_of(usual) + row + "\n"; };
  cases.table("column_missing", "no column volume_ml",
              "case_id,region,volume\n001,whole_tumour,1\n",
              exits(2,
                    "expected one column 'volume_ml' (case_id, region and volume_ml), found: "
                    "case_id, region, volume"));
  cases.table("negative", "a negative volume", with("041,whole_tumour,-1"),
              exits(2, "line 82: volume_ml: expected a number from 0, found \"-1\""));
  cases.table("no_number", "n/a for a volume", with("041,whole_tumour,n/a"),
              exits(2, "line 82: volume_ml: expected a number from 0, found \"n/a\""));
  cases.table("no_volume", "a row without its volume", with("041,whole_tumour,"),
              exits(2, "line 82: volume_ml: expected a number from 0, found \"\""));
  cases.table("with_unit", "a volume with its unit", with("041,whole_tumour,12 ml"),
              exits(2, "line 82: volume_ml: expected a number from 0, found \"12 ml\""));
  cases.table("decimal_comma", "a comma in decimals", with("041,whole_tumour,12,5"),
              exits(2, "line 82: expected 3 fields as in the header, found 4; quote fields that"));
  cases.table("decimal_comma_quoted", "the same in quotes", with("041,whole_tumour,\"12,5\""),
              exits(2, "line 82: volume_ml: expected a number from 0, found \"12,5\""));
  cases.table("twice", "a case and region twice", with("001,whole_tumour,3"),
              exits(2, "line 82: 001, whole_tumour is given twice; keep one of them"));
  cases.table("semicolons", "semicolons", "case_id;region;volume_ml\n001;whole_tumour;1\n",
              exits(2, "line 1: looks like it is separated by ';'; save it with commas"));
  cases.table("xlsx", "a spreadsheet, .xlsx, under the name .csv",
              std::string("PK\3\4\24\0\6\0", 8),
              exits(2, "not a UTF-8 text; save it as CSV in UTF-8"));
  cases.table("lfs", "a Git LFS pointer",
              "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 99\n",
              exits(2, "lfs.csv: a Git LFS pointer, not the file itself; fetch it (git lfs pull)"));
}

}  // namespace

void references(Kind& kind) {
  const ReferenceCases cases(kind);
  add_used(cases);
  add_misfits(cases);
  add_names(cases);
  add_damaged(cases);
  kind.command("no_such_table", "a table that is not there",
               cases.calibrate(kind.folder() / "gone.csv"),
               exits(2, "gone.csv: no such file or folder of references"));
  const fs::path own = kind.folder() / "own.csv";
  run_mcvol({"interval", (kind.folder() / "results").string(), "--output", own.string()});
  kind.command("own_table", "a table that mcvol wrote", cases.calibrate(own),
               exits(2, "a table of mcvol's own, found the column 'level'; expected reference"));
}

}  // namespace mcvol::testing
