#include "corpus/kinds.h"

namespace mcvol::testing {

namespace fs = std::filesystem;

void options(Kind& kind) {
  const fs::path scans = kind.folder() / "scans";
  write_usual_case(scans, "p1");
  const auto refused = [&](const std::string& name, const std::string& what,
                           const std::vector<std::string>& more, const std::string& message) {
    kind.command(name, what, kind.predict(scans, "unused", more), exits(2, message));
  };
  kind.command("no_command", "no command", {}, exits(2, "see mcvol --help"));
  kind.command("unknown_command", "a command that there is not", {"segment", scans.string()},
               exits(2, "no command is called 'segment'"));
  refused("unknown_option", "a misspelt option", {"--calibratoin", "none"},
          "--calibratoin; see mcvol predict --help");
  kind.command("no_model", "predict without --model",
               {"predict", scans.string(), "--out", (kind.folder() / "unused").string()},
               exits(2, "--model"));
  kind.command("no_out", "predict without --out",
               {"predict", scans.string(), "--model", kind.model().string()}, exits(2, "--out"));
  refused("level_90", "a level in per cent", {"--level", "90"}, "\"90\"");
  refused("level_twice", "levels that are no numbers", {"--level", "0.9;0.5"}, "\"0.9;0.5\"");
  refused("threads_0", "no thread", {"--threads", "0"},
          "--threads: expected a whole number from 1 to 1024, found \"0\"");
  refused("memory_small", "less memory than there can be", {"--memory", "1M"},
          "--memory: expected a size from 64M to 1024T, such as 4G, 512M, 2.5GiB or a number of");
  refused("memory_blank", "a size with a blank", {"--memory", "4 G"}, "found \"4 G\"");
  refused("seed_negative", "a negative seed", {"--seed", "-1"}, "--seed: expected a whole number");
  refused("shard_3_of_2", "a shard beyond the last", {"--shard", "3/2"}, "3/2");
  std::vector<std::string> on_tpu = kind.predict(scans, "unused");
  on_tpu.at(7) = "tpu";
  kind.command("device_tpu", "a device that mcvol does not know", on_tpu,
               exits(2, "--device: expected auto, cpu, cuda or cuda:N, found \"tpu\""));
  refused("layout_dicom", "a layout that there is not", {"--layout", "dicom"}, "--layout");
  refused("print_xml", "a format that there is not", {"--print", "xml"}, "--print");
  refused("save_maps", "a kind of image that there is not", {"--save", "maps"}, "found \"maps\"");
  refused("case_unknown", "a case that is not among the scans", {"--case", "p2"}, "p2");
  refused("participant_unknown", "a BIDS subject that is not among the scans",
          {"--participant-label", "02"}, "02");
  refused("quiet_verbose", "--quiet and --verbose", {"--quiet", "--verbose"}, "--verbose");
  refused("tolerance_alone", "--mc-tolerance with a number of passes", {"--mc-tolerance", "0.1"},
          "--mc-tolerance: goes with --passes auto, found --passes 4; leave one of them out");
  refused("half_precision_on_cpu", "--precision fp16 on a CPU", {"--precision", "fp16"},
          "--precision fp16: on a GPU only");
  refused("no_calibration", "a calibration that is not there",
          {"--calibration", (kind.folder() / "gone.json").string()}, "gone.json");
  const fs::path config = kind.folder() / "run.toml";
  write_bytes(config, "passes = 4\nmodle = \"x\"\n");
  kind.command(
      "config_key", "a misspelt key in --config", {"predict", "--config", config.string()},
      exits(2, "run.toml, line 2: no option is called \"modle\"; see mcvol predict --help"));
  write_bytes(kind.folder() / "type.toml", "passes = true\n");
  kind.command("config_type", "a value of another type in --config",
               {"predict", "--config", (kind.folder() / "type.toml").string()},
               exits(2, "type.toml, line 1: passes: expected a number or \"auto\", found true"));
  kind.command("rho_alone", "--rho without --sampler copula",
               {"interval", kind.folder().string(), "--rho", "0.5"}, exits(2, "--rho"));
  kind.command(
      "label_map_pairs", "a --label-map of no pairs",
      {"calibrate", kind.folder().string(), "--references", scans.string(), "--label-map", "3:4"},
      exits(2, "--label-map: expected pairs such as 3=4,10=1, found \"3:4\""));
  EXPECT_FALSE(fs::exists(kind.folder() / "unused")) << "refused, and yet it wrote";
}

}  // namespace mcvol::testing
