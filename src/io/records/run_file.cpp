#include "mcvol/io/records/run_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"

#include <array>
#include <limits>

namespace mcvol {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kRunFormat = 1;
constexpr std::array kStates = {RunFile::State::kRunning, RunFile::State::kComplete,
                                RunFile::State::kInterrupted};

RunFile::State state_in(JsonFields& fields) {
  const std::string word = fields.text("state");
  for (const RunFile::State state : kStates) {
    if (word == to_string(state)) return state;
  }
  fields.fail("state",
              "expected \"running\", \"complete\" or \"interrupted\", found \"" + word + "\"");
}

int count_in(JsonFields& fields, const std::string& key) {
  const std::int64_t count = fields.integer(key);
  if (count < 0 || count > std::numeric_limits<int>::max()) {
    fields.fail(key, "expected a count, found " + std::to_string(count));
  }
  return static_cast<int>(count);
}

json object_in(JsonFields& fields, const std::string& key) {
  const json& value = fields.at(key);
  if (!value.is_object()) fields.fail(key, "expected an object, found " + value.dump());
  return value;
}

std::vector<std::string> texts_in(JsonFields& fields, const std::string& key) {
  std::vector<std::string> texts;
  for (const json& value : fields.array(key)) {
    if (!value.is_string()) fields.fail(key, "expected texts, found " + value.dump());
    texts.push_back(value);
  }
  return texts;
}

ordered_json object_or_empty(const json& value) {
  return value.is_null() ? ordered_json::object() : ordered_json(value);
}

std::string item_path(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

constexpr std::uint64_t kMostLabel = std::numeric_limits<int>::max();

/// A text, where there is one.
void check_text(JsonFields& fields, const std::string& key) {
  if (fields.has(key)) fields.text(key);
}

/// @returns how many outputs have a label or none; of a model that says nothing of it, 0.
std::size_t checked_labels(JsonFields& model) {
  if (!model.has("output")) return 0;
  JsonFields output = model.object("output");
  check_text(output, "activation");
  const json& labels = output.array("labels");
  for (const json& label : labels) {
    const bool fits = label.is_number_unsigned() && label.get<std::uint64_t>() <= kMostLabel;
    if (!label.is_null() && !fits) {
      output.fail("labels", "expected whole numbers from 0 or null, found " + label.dump());
    }
  }
  return labels.size();
}

/// What pages, label maps and references take from the model, which was model.json once. All of it
/// may be missing.
void check_model(JsonFields model, const JsonFail& fail) {
  check_text(model, "name");
  check_text(model, "warning");
  if (model.has("channels")) {
    const json& channels = model.array("channels");
    for (std::size_t n = 0; n < channels.size(); ++n) {
      JsonFields(channels[n], item_path(model.path_of("channels"), n), fail).text("name");
    }
  }
  const std::size_t outputs = checked_labels(model);
  if (!model.has("regions")) return;
  const json& regions = model.array("regions");
  for (std::size_t n = 0; n < regions.size(); ++n) {
    JsonFields region(regions[n], item_path(model.path_of("regions"), n), fail);
    region.text("name");
    for (const json& output : region.array("outputs")) {
      if (output.is_number_unsigned() && output.get<std::uint64_t>() < outputs) continue;
      region.fail("outputs", "expected numbers of outputs with labels (" + std::to_string(outputs) +
                                 "), found " + output.dump());
    }
  }
}

/// What analysis/batch_check.h makes of it, checked here, where the file is known.
json batch_in(JsonFields& fields) {
  const json whole = fields.at("batch");
  JsonFields batch = fields.object("batch");
  for (const char* key : {"scans", "calibration_scans"}) {
    if (batch.integer(key) < 1) batch.fail(key, "expected a whole number from 1");
  }
  const double p_value = batch.number("p_value");
  if (!(p_value > 0 && p_value <= 1)) batch.fail("p_value", "expected a number above 0, at most 1");
  for (const json& difference : batch.array("differences")) {
    const bool is_one = difference.is_object() && difference.size() == 3 &&
                        difference.contains("number") && difference["number"].is_string() &&
                        difference.contains("scatter") && difference["scatter"].is_boolean() &&
                        difference.contains("z") && difference["z"].is_number();
    if (!is_one) {
      batch.fail("differences", "expected number, scatter and z, found " + difference.dump());
    }
  }
  batch.finish();
  return whole;
}

RunFile run_file_from(const json& whole, const JsonFail& fail) {
  JsonFields fields(whole, "", fail);
  if (fields.integer("format") < 1) fields.fail("format", "expected a whole number from 1");
  RunFile run;
  run.state = state_in(fields);
  run.found = count_in(fields, "found");
  run.done = count_in(fields, "done");
  run.failed = count_in(fields, "failed");
  run.started = fields.text("started");
  run.ended = fields.text("ended");
  run.version = fields.text("version");
  run.commit = fields.text("commit");
  run.libraries = object_in(fields, "libraries");
  run.device = fields.text("device");
  run.identity = object_in(fields, "identity");
  run.levels = texts_in(fields, "levels");
  run.merged_from = texts_in(fields, "merged_from");
  run.options = object_in(fields, "options");
  run.timings_s = object_in(fields, "timings_s");
  if (fields.has("batch")) run.batch = batch_in(fields);
  run.model_sha256 = fields.text("model_sha256");
  run.model = object_in(fields, "model");
  check_model(fields.object("model"), fail);
  fields.finish();
  return run;
}

ordered_json json_of(const RunFile& run) {
  ordered_json whole = {{"format", kRunFormat},
                        {"state", to_string(run.state)},
                        {"found", run.found},
                        {"done", run.done},
                        {"failed", run.failed},
                        {"started", run.started},
                        {"ended", run.ended},
                        {"version", run.version},
                        {"commit", run.commit},
                        {"libraries", object_or_empty(run.libraries)},
                        {"device", run.device},
                        {"identity", object_or_empty(run.identity)},
                        {"levels", run.levels},
                        {"merged_from", run.merged_from},
                        {"options", object_or_empty(run.options)},
                        {"timings_s", object_or_empty(run.timings_s)},
                        {"model_sha256", run.model_sha256},
                        {"model", object_or_empty(run.model)}};
  if (!run.batch.is_null()) whole["batch"] = ordered_json(run.batch);
  return whole;
}

}  // namespace

std::string to_string(RunFile::State state) {
  switch (state) {
    case RunFile::State::kRunning:
      return "running";
    case RunFile::State::kComplete:
      return "complete";
    case RunFile::State::kInterrupted:
      return "interrupted";
  }
  throw Error("run state " + std::to_string(static_cast<int>(state)) + " does not exist");
}

std::optional<RunFile> read_run_file(const std::filesystem::path& folder) {
  const std::filesystem::path path = run_file_path(folder);
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::nullopt;
  const JsonFail refuse = [](const std::string& message) {
    throw Error(message + "; move it away and start again with --fresh, or use another --out");
  };
  const JsonFail fail = [&](const std::string& message) {
    refuse(path.string() + ": damaged: " + message);
  };
  const json whole = parse_json(read_file(path), path.string(), refuse);
  if (!whole.is_object()) fail("expected a JSON object");
  const json format = whole.value("format", json());
  if (format.is_number_integer() && format > kRunFormat) {
    throw Error(path.string() + ": format: " + format.dump() + " is newer than this mcvol reads (" +
                std::to_string(kRunFormat) + "); update mcvol");
  }
  return run_file_from(whole, fail);
}

std::filesystem::path run_file_path(const std::filesystem::path& folder) {
  return folder / "run.json";
}

std::string run_file_text(const RunFile& run) {
  return json_of(run).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

void write_run_file(const RunFile& run, const std::filesystem::path& folder) {
  write_file_atomically(run_file_path(folder), run_file_text(run));
}

}  // namespace mcvol
