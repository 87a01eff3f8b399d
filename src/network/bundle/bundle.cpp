#include "mcvol/network/bundle/bundle.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/stand_in.h"
#include "mcvol/files/text_file.h"

#include <algorithm>

#include "bundle_fields.h"
#include "bundle_sections.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kFormat = 2;
constexpr std::array<std::pair<std::string_view, DropoutScope>, 3> kScopes{
    {{"native", DropoutScope::kNative},
     {"channel", DropoutScope::kChannel},
     {"element", DropoutScope::kElement}}};

std::int64_t checked_format(JsonFields& fields) {
  const std::int64_t format = fields.integer("format");
  if (format > kFormat) {
    fields.fail("format", "this model has format " + std::to_string(format) +
                              ", newer than what this mcvol reads (" + std::to_string(kFormat) +
                              "); update mcvol");
  }
  if (format < 1) fields.fail("format", "expected 1 or 2, found " + std::to_string(format));
  return format;
}

/// What a format does not have yet.
void check_news(const JsonFields& fields, std::int64_t format, const Bundle& bundle) {
  const auto came_with_2 = [&](const char* what) {
    fields.fail("format", "expected 2, with which " + std::string(what) + " came, found " +
                              std::to_string(format));
  };
  if (format < 2 && bundle.channels.front().index_4d) came_with_2("index_4d");
  if (format < 2 && bundle.output.index) came_with_2("output.index");
  if (format < 2 && !bundle.mirror.empty()) came_with_2("mirror");
  if (format < 2 && bundle.window.layout == Bundle::Window::Layout::kEven) {
    came_with_2("window.layout \"even\"");
  }
  if (format < 2 && bundle.window.blend == Bundle::Window::Blend::kGaussianNnunet) {
    came_with_2("window.blend \"gaussian_nnunet\"");
  }
}

/// Whether a relative path stays inside the folder it starts from.
bool stays_inside(const fs::path& path) {
  return !path.empty() && path.is_relative() && path.has_filename() &&
         std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

void check_network_file(const JsonFields& fields, const fs::path& folder,
                        const Bundle::Network& network) {
  constexpr std::size_t kShown = 8;
  const fs::path path = folder / network.file;
  if (!fs::is_regular_file(path)) {
    fields.fail("file", path.string() + " is not there; copy the whole bundle again");
  }
  if (const std::string stand_in = stand_in_of_file(path); !stand_in.empty()) {
    fields.fail("file", path.string() + " is " + stand_in);
  }
  const std::string found = sha256_of_file(path);
  if (found != network.sha256) {
    fields.fail("sha256", path.string() + " has sha256 " + found.substr(0, kShown) +
                              "..., expected " + network.sha256.substr(0, kShown) +
                              "...; it is damaged or another network: copy the bundle again, or "
                              "write its own sha256 here if the change is meant");
  }
}

void read_networks(JsonFields& fields, const JsonFail& fail, Bundle& bundle) {
  const json& array = fields.array("networks");
  if (array.empty()) fields.fail("networks", "expected at least one, found []");
  if (array.size() > Bundle::kMostNetworks) {
    fields.fail("networks", "expected at most " + std::to_string(Bundle::kMostNetworks) +
                                " (an ensemble), found " + std::to_string(array.size()));
  }
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields one(array[i], fields.path_of(item_key("networks", i)), fail);
    allow_only(one, array[i], {"file", "sha256"});
    Bundle::Network network{one.text("file"), one.text("sha256")};
    if (!stays_inside(network.file)) {
      one.fail("file",
               "expected the name of a file inside the bundle, e.g. \"network.pt\", found "
               "\"" +
                   network.file + '"');
    }
    if (network.sha256.size() != 64 ||
        network.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      one.fail("sha256",
               "expected 64 lower-case hexadecimal digits (sha256sum prints them), found "
               "\"" +
                   network.sha256 + '"');
    }
    for (const Bundle::Network& other : bundle.networks) {
      if (other.sha256 == network.sha256) {
        one.fail("sha256", "is the same network as \"" + other.file + '"');
      }
    }
    check_network_file(one, bundle.folder, network);
    bundle.networks.push_back(std::move(network));
  }
}

void read_texts(JsonFields& fields, Bundle& bundle) {
  bundle.name = fields.text("name");
  if (!is_made_of(bundle.name, kAlphanumeric, kFileWord)) {
    fields.fail("name",
                "expected letters, digits, '.', '_' and '-', at most 64, the first a "
                "letter or digit, found \"" +
                    bundle.name + '"');
  }
  if (fields.has("requires")) bundle.required = texts(fields, "requires");
  if (fields.has("licence")) bundle.licence = fields.text("licence");
  if (fields.has("provenance")) bundle.provenance = fields.text("provenance");
  if (fields.has("warning")) bundle.warning = fields.text("warning");
}

void read_dropout(JsonFields& fields, Bundle& bundle) {
  if (!fields.has("dropout")) return;
  JsonFields section = fields.object("dropout");
  allow_only(section, fields.at("dropout"), {"scope"});
  bundle.scope = word<DropoutScope>(section, "scope", {kScopes[0], kScopes[1], kScopes[2]});
}

void require_model_json(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) throw ModelError(folder.string() + ": no such folder");
  if (!fs::is_directory(folder, ignored)) {
    throw ModelError(folder.string() +
                     ": not a folder; a model is the folder that holds model.json");
  }
  if (!fs::is_regular_file(folder / "model.json", ignored)) {
    throw ModelError(folder.string() +
                     ": no model.json in this folder; a model is a bundle as docs/bundle.md says");
  }
}

}  // namespace

std::string to_string(DropoutScope scope) {
  for (const auto& [word, value] : kScopes) {
    if (value == scope) return std::string(word);
  }
  throw UsageError("dropout scope " + std::to_string(static_cast<int>(scope)) + " has no name");
}

DropoutScope dropout_scope_from(const std::string& word) {
  for (const auto& [name, value] : kScopes) {
    if (name == word) return value;
  }
  throw UsageError("dropout scope: expected native, channel or element, found \"" + word + '"');
}

bool Bundle::requires_skull_stripped() const {
  return std::find(required.begin(), required.end(), "skull_stripped") != required.end();
}

bool Bundle::requires_coregistered() const {
  return std::find(required.begin(), required.end(), "coregistered") != required.end();
}

nlohmann::json Bundle::identity() const {
  nlohmann::json fields = json;
  for (const char* text : {"name", "licence", "provenance", "warning"}) fields.erase(text);
  // How it is written, and where a channel lies in a file, change no number: records name the image
  // that each channel was read from.
  fields["format"] = 1;
  for (nlohmann::json& channel : fields["channels"]) channel.erase("index_4d");
  return fields;
}

Bundle read_bundle(const fs::path& folder) {
  require_model_json(folder);
  const fs::path path = folder / "model.json";
  const JsonFail refuse = [](const std::string& message) { throw ModelError(message); };
  const JsonFail fail = [&](const std::string& message) { refuse(path.string() + ": " + message); };
  Bundle bundle;
  bundle.folder = folder;
  const std::string text = read_file(path);
  bundle.sha256 = sha256_of_bytes(text);
  bundle.json = parse_json(text, path.string(), refuse);
  JsonFields fields(bundle.json, "", fail);
  const std::int64_t format = checked_format(fields);
  allow_only(fields, bundle.json,
             {"format", "name", "networks", "channels", "requires", "grid", "measure", "mirror",
              "window", "output", "regions", "dropout", "licence", "provenance", "warning"});
  read_texts(fields, bundle);
  read_channels(fields, fail, bundle);
  read_grid(fields, bundle);
  bundle.measure = word_or<Bundle::Measure>(
      fields, "measure", {{"mask", Bundle::Measure::kMask}, {"all", Bundle::Measure::kAll}},
      bundle.measure);
  if (fields.has("mirror")) bundle.mirror = read_mirror(fields);
  read_window(fields, bundle);
  read_output(fields, bundle);
  check_news(fields, format, bundle);
  read_regions(fields, fail, bundle);
  read_dropout(fields, bundle);
  // Last, because reading a network of some hundred megabytes takes a while.
  read_networks(fields, fail, bundle);
  bundle.has_calibration = fs::is_regular_file(folder / "calibration.json");
  return bundle;
}

}  // namespace mcvol
