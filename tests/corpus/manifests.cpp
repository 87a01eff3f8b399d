#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

class ManifestCases {
 public:
  explicit ManifestCases(Kind& kind) : kind_(kind) {
    write_usual_case(kind.folder(), "one");
    write_usual_case(kind.folder(), "two");
    write_bytes(kind.folder() / "x.mgz", "x");
    // A folder with a comma in its name, of which the path has to be quoted.
    fs::create_directories(kind.folder() / "Doe, J");
    fs::copy_file(kind.folder() / "one/one_t1.nii.gz", kind.folder() / "Doe, J/12.nii.gz");
    // As the Medical Segmentation Decathlon has them.
    const Head& head = usual_head();
    std::vector<float> both = head.flair;
    both.insert(both.end(), head.t1.begin(), head.t1.end());
    test::NiftiFixture file = nifti_of(head.grid, both);
    file.dim[0] = 4;
    file.dim.push_back(2);
    write_nifti(kind.folder() / "both.nii.gz", file);
  }

  fs::path put(const std::string& name, const std::string& text) const {
    write_bytes(kind_.folder() / (name + ".csv"), text);
    return kind_.folder() / (name + ".csv");
  }
  void refused(const std::string& name, const std::string& what, const std::string& text,
               const Expected& expected) const {
    kind_.command(name, what, kind_.predict(put(name, text), "unused"), expected);
  }
  /// A manifest whose one row is refused.
  void row(const std::string& name, const std::string& what, const std::string& fields,
           const std::string& message, const std::string& case_id = "p1") const {
    kind_.listed(put(name, "case_id,t1,flair\n" + fields + "\n"),
                 {{case_id, what, failed(message), name}});
  }

 private:
  Kind& kind_;
};

const std::string kManifestHeader = "case_id,t1,flair\n";
const std::string kManifestRow = "p1,one/one_t1.nii.gz,one/one_flair.nii.gz\n";

}  // namespace

void manifests(Kind& kind) {
  const ManifestCases cases(kind);
  kind.batch(
      cases.put("excel",
                "\xef\xbb\xbf"
                "case_id,t1,flair,site\r\n"
                "p1,one/one_t1.nii.gz,one/one_flair.nii.gz,north\r\n"
                "p2,\"Doe, J/12.nii.gz\", one/one_flair.nii.gz ,south\r\n,,,\r\n\r\n"
                "p3,one/one_t1.nii.gz,,\r\n"),
      "out",
      {{"p1", "byte order mark, CRLF, a further column", as_good(), "excel"},
       {"p2", "a quoted path with a comma, blanks around another", as_good(), "quoted"},
       {"p3", "a channel without a path", failed("channel flair: no file given"), "no_path"}});
  kind.batch(
      cases.put("four_d", kManifestHeader + "p1,both.nii.gz[1],both.nii.gz[0]\n"
                                            "p2,both.nii.gz[2],both.nii.gz[0]\n"
                                            "p3,both.nii.gz[1],both.nii.gz[1]\n"
                                            "p4,one/one_t1.nii.gz[0],one/one_flair.nii.gz\n"),
      "four_d_out",
      {{"p1", "channels in one 4-D file", as_good(), "four_d"},
       {"p2", "an image that the 4-D file does not have",
        failed("in which there is no both.nii.gz[2], expected an index from 0 to 1"),
        "four_d_index"},
       {"p3", "one image of a 4-D file for both channels",
        failed("channel flair: the same image as channel t1"), "four_d_same"},
       {"p4", "a 3-D file as if it were 4-D",
        failed("3-D image (40x45x38), expected a 4-D one, to take one_t1.nii.gz[0] of it"),
        "four_d_none"}});
  cases.row("path_missing", "a path to no file", "p1,one/one_t1.nii.gz,gone.nii.gz",
            "channel flair: gone.nii.gz is not there; correct its path (path_missing.csv, line 2)");
  cases.row("path_folder", "a path to a folder", "p1,one/one_t1.nii.gz,one",
            "channel flair: one is a folder; expected an image file");
  cases.row("same_file", "one file for both channels", "p1,one/one_t1.nii.gz,one/one_t1.nii.gz",
            "channel flair: the same file as channel t1 (same_file.csv, line 2)");
  cases.row("foreign", "a .mgz", "p1,one/one_t1.nii.gz,x.mgz",
            "channel flair: x.mgz is FreeSurfer .mgz; convert with mri_convert");
  cases.row("backslashes", "paths of Windows", "p1,one\\one_t1.nii.gz,one\\one_flair.nii.gz",
            "channel t1: one\\one_t1.nii.gz is not there; correct its path");
  cases.row("address", "an address on the web",
            "p1,one/one_t1.nii.gz,https://host.org/flair.nii.gz",
            "channel flair: flair.nii.gz is not there; correct its path");
  cases.row("no_id", "a row without a case_id", ",one/one_t1.nii.gz,one/one_flair.nii.gz",
            "no case_id given (no_id.csv, line 2)", "line_2");
  cases.refused(
      "id_twice", "a row given twice", kManifestHeader + kManifestRow + kManifestRow,
      exits(2, "id_twice.csv, line 3: given twice, here and by id_twice.csv, line 2 (case_id"));
  cases.refused("column_missing", "a channel of the model has no column",
                "case_id,t1,T2\np1,a.nii.gz,b.nii.gz\n",
                exits(2,
                      "expected one column 'flair' (case_id, then one for each channel of the "
                      "model), found: case_id, t1, T2"));
  cases.refused("column_twice", "two columns of one name", "case_id,t1,flair,t1\np1,a,b,c\n",
                exits(2, "line 1: two columns are called 't1'; rename or remove one"));
  cases.refused("semicolons", "semicolons, as a spreadsheet in German writes them",
                "case_id;t1;flair\np1;a.nii.gz;b.nii.gz\n",
                exits(2, "line 1: looks like it is separated by ';'; save it with commas"));
  cases.refused("tabs", "tabs", "case_id\tt1\tflair\np1\ta\tb\n",
                exits(2, "line 1: looks like it is separated by tabs; save it with commas"));
  cases.refused("field_missing", "a row of fewer fields", kManifestHeader + "p1,a.nii.gz\n",
                exits(2, "line 2: expected 3 fields as in the header, found 2; quote fields that"));
  cases.refused("comma_unquoted", "a path with a comma, not quoted",
                kManifestHeader + "p1,Doe, J/12.nii.gz,b.nii.gz\n",
                exits(2, "line 2: expected 3 fields as in the header, found 4; quote fields that"));
  cases.refused("quote_open", "a quote that is never closed",
                kManifestHeader + "p1,\"a.nii.gz,b.nii.gz\n",
                exits(2, "line 2: the quote opened here is never closed"));
  cases.refused("utf_16", "UTF-16, as \"Unicode text\" of a spreadsheet",
                std::string("\xff\xfe"
                            "c\0a\0",
                            6),
                exits(2, "not a UTF-8 text; save it as CSV"));
  cases.refused("no_row", "a header and no row", kManifestHeader,
                exits(1, "no case found: no row below"));
  cases.refused("empty", "an empty file", "", exits(2, "empty; expected a header row"));
  cases.refused("lfs", "a Git LFS pointer in the place of the manifest",
                "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 99\n",
                exits(2, "a Git LFS pointer, not the file itself; fetch it (git lfs pull)"));
  cases.refused("web_page", "a web page in the place of the manifest",
                "<html>\n<body></body></html>\n",
                exits(2, "a web page (HTML or XML), not the file itself"));
  const fs::path spreadsheet = kind.folder() / "list.xlsx";
  write_bytes(spreadsheet, "PK\3\4");
  kind.command("xlsx", "a spreadsheet, .xlsx", kind.predict(spreadsheet, "unused"),
               exits(2, "expected a folder of scans or a manifest .csv, found a file"));
}

}  // namespace mcvol::testing
