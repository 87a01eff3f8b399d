#include "bundle_sections.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "bundle_fields.h"

namespace mcvol {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxWindow = 4096;
constexpr std::int64_t kMaxOutputs = 1024;
constexpr std::int64_t kMaxLabel = std::numeric_limits<std::uint16_t>::max();

/// One letter of each pair of opposite directions, in any order: 48 words.
bool is_orientation(const std::string& letters) {
  if (letters.size() != 3) return false;
  const std::array<std::string, 3> opposites{"LR", "AP", "IS"};
  return std::all_of(opposites.begin(), opposites.end(), [&](const std::string& pair) {
    return letters.find_first_of(pair) != std::string::npos;
  });
}

std::array<int, 3> read_axes(JsonFields& fields) {
  const std::string letters = fields.text("axes");
  std::string sorted = letters;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != "xyz") {
    fields.fail("axes",
                "expected the letters x, y and z in the order of the network's dimensions, "
                "e.g. \"zyx\", found \"" +
                    letters + '"');
  }
  return {letters[0] - 'x', letters[1] - 'x', letters[2] - 'x'};
}

std::array<std::int64_t, 3> window_size(JsonFields& fields, const std::string& key) {
  require_count(fields, key, 3);
  const std::vector<std::int64_t> sizes = whole_numbers(fields, key, 1, kMaxWindow);
  return {sizes[0], sizes[1], sizes[2]};
}

void check_margins(const JsonFields& fields, const Bundle::Window& window) {
  for (std::size_t d = 0; d < 3; ++d) {
    const std::int64_t margin = window.input[d] - window.output[d];
    const std::string sizes =
        std::to_string(window.output[d]) + " of an input of " + std::to_string(window.input[d]);
    if (margin < 0) {
      fields.fail(item_key("output", d), "expected at most the input's size, found " + sizes);
    }
    if (margin % 2 != 0) {
      fields.fail(item_key("output", d),
                  "expected the same margin on both sides (input less "
                  "output even), found " +
                      sizes);
    }
  }
}

void check_overlap(const JsonFields& fields, const Bundle::Window& window) {
  const std::string overlap = shown_json(json(window.overlap));
  if (window.overlap > 0 && window.blend == Bundle::Window::Blend::kNone) {
    fields.fail("blend", "\"none\" cannot average windows that overlap (overlap " + overlap +
                             "); use \"constant\" or \"gaussian\" or overlap 0");
  }
  if (window.layout == Bundle::Window::Layout::kEven &&
      window.blend == Bundle::Window::Blend::kNone) {
    fields.fail("layout", "\"even\" is of windows that are blended, and \"blend\" is \"none\"");
  }
  const std::int64_t most = window.most_over_a_voxel();
  if (most > Bundle::Window::kMostBlended) {
    fields.fail("overlap", "expected at most " + std::to_string(Bundle::Window::kMostBlended) +
                               " windows over one voxel, found up to " + std::to_string(most) +
                               " with " + overlap + "; use a smaller overlap");
  }
}

/// The most of n outputs, spread evenly along a dimension, over one voxel. They lie more than
/// (n - 2) / (n - 1) of (1 - overlap) outputs apart, from which rounding takes less than a voxel
/// between the first and the last of them.
std::int64_t most_spread_over_a_voxel(double overlap) {
  constexpr std::int64_t kEnough = Bundle::Window::kMostBlended + 1;
  const double outputs_per_step = 1 / (1 - overlap);
  std::int64_t most = 2;
  for (std::int64_t n = 3; n <= kEnough; ++n) {
    const double widening = static_cast<double>(n - 1) / static_cast<double>(n - 2);
    const std::int64_t at_once =
        1 + static_cast<std::int64_t>(std::min(outputs_per_step * widening, 1.0 * kEnough));
    most = std::max(most, std::min(n, at_once));
    if (n >= at_once) break;  // more of them lie no closer
  }
  return most;
}

std::vector<std::optional<int>> read_labels(JsonFields& fields, int channels) {
  require_count(fields, "labels", static_cast<std::size_t>(channels));
  std::vector<std::optional<int>> labels;
  for (const json& item : fields.array("labels")) {
    const std::string key = item_key("labels", labels.size());
    std::optional<int> label;
    if (!item.is_null()) {
      if (!item.is_number_integer() || item.get<double>() < 0 || item.get<double>() > kMaxLabel) {
        fields.fail(key, "expected null or a whole number from 0 to " + std::to_string(kMaxLabel) +
                             ", found " + shown_json(item));
      }
      label = item.get<int>();
      if (std::find(labels.begin(), labels.end(), label) != labels.end()) {
        fields.fail(key, "label " + std::to_string(*label) +
                             " is given twice; join the outputs in the network or use null");
      }
    }
    labels.push_back(label);
  }
  return labels;
}

std::vector<int> read_region_outputs(JsonFields& fields, const Bundle::Output& output) {
  std::vector<int> outputs;
  for (const std::int64_t index : whole_numbers(fields, "outputs", 0, output.channels - 1)) {
    if (!output.labels[static_cast<std::size_t>(index)]) {
      fields.fail("outputs", "output " + std::to_string(index) + " is unused (output.labels[" +
                                 std::to_string(index) + "] is null); remove it");
    }
    if (!outputs.empty() && outputs.back() >= index) {
      fields.fail("outputs", "expected ascending output channels, each once, found " +
                                 shown_json(fields.at("outputs")));
    }
    outputs.push_back(static_cast<int>(index));
  }
  if (outputs.empty()) fields.fail("outputs", "expected at least one output channel, found []");
  if (output.activation == Bundle::Output::Activation::kSigmoid && outputs.size() != 1) {
    fields.fail("outputs", "expected exactly one output channel with \"sigmoid\", found " +
                               shown_json(fields.at("outputs")));
  }
  if (output.activation == Bundle::Output::Activation::kSoftmax &&
      outputs.size() == static_cast<std::size_t>(output.channels)) {
    fields.fail("outputs", "lists every output channel, so nothing is left outside the region");
  }
  return outputs;
}

}  // namespace

std::array<std::int64_t, 3> Bundle::Window::step() const {
  std::array<std::int64_t, 3> step = output;
  if (blend == Blend::kNone) return step;
  for (std::int64_t& voxels : step) {
    const double left = static_cast<double>(voxels) * (1.0 - overlap);
    voxels = std::max<std::int64_t>(1, static_cast<std::int64_t>(left));
  }
  return step;
}

std::int64_t Bundle::Window::most_over_a_voxel() const {
  if (blend == Blend::kNone) return 1;
  if (layout == Layout::kEven) {
    const std::int64_t most = most_spread_over_a_voxel(overlap);
    return most * most * most;
  }
  const std::array<std::int64_t, 3> steps = step();
  std::int64_t most = 1;
  for (std::size_t d = 0; d < 3; ++d) most *= 1 + (output[d] - 1 + steps[d] - 1) / steps[d];
  return most;
}

std::vector<int> read_mirror(JsonFields& fields) {
  const std::string letters = fields.text("mirror");
  std::vector<int> axes;
  for (const char letter : letters) axes.push_back(letter - 'x');
  const bool are_axes = letters.find_first_not_of("xyz") == std::string::npos;
  if (!are_axes ||
      std::adjacent_find(axes.begin(), axes.end(), std::greater_equal<>()) != axes.end()) {
    fields.fail("mirror", "expected letters of x, y and z in this order, such as \"xy\", found \"" +
                              letters + '"');
  }
  return axes;
}

void read_grid(JsonFields& fields, Bundle& bundle) {
  using Interpolation = GridSpec::Interpolation;
  JsonFields grid = fields.object("grid");
  allow_only(grid, fields.at("grid"), {"orientation", "axes", "spacing_mm", "interpolation"});
  bundle.grid.orientation = grid.text("orientation");
  if (!is_orientation(bundle.grid.orientation)) {
    grid.fail("orientation",
              "expected one letter each of L/R, A/P and I/S, where the indices "
              "increase, e.g. \"LPS\", found \"" +
                  bundle.grid.orientation + '"');
  }
  if (grid.has("axes")) bundle.axes = read_axes(grid);
  if (!grid.at("spacing_mm").is_null()) {
    const std::vector<double> spacing = numbers(grid, "spacing_mm", 3);
    bundle.grid.spacing_mm.emplace();
    std::copy(spacing.begin(), spacing.end(), bundle.grid.spacing_mm->begin());
    // Of others, volumes would be 0 or infinite.
    const auto is_none = [](double mm) { return !(mm >= 1e-6 && mm <= 1e6); };
    if (std::any_of(spacing.begin(), spacing.end(), is_none)) {
      grid.fail("spacing_mm", "expected millimetres > 0 (1e-6 to 1e6), found " +
                                  shown_json(grid.at("spacing_mm")));
    }
  }
  bundle.grid.interpolation = word_or<Interpolation>(grid, "interpolation",
                                                     {{"linear", Interpolation::kLinear},
                                                      {"bspline", Interpolation::kBspline},
                                                      {"nearest", Interpolation::kNearest}},
                                                     bundle.grid.interpolation);
}

void read_window(JsonFields& fields, Bundle& bundle) {
  using Window = Bundle::Window;
  JsonFields section = fields.object("window");
  allow_only(section, fields.at("window"),
             {"input", "output", "overlap", "blend", "layout", "padding", "anchor", "flexible"});
  Window& window = bundle.window;
  window.input = window_size(section, "input");
  window.output = window_size(section, "output");
  check_margins(section, window);
  if (section.has("overlap")) {
    window.overlap = section.number("overlap");
    if (!(window.overlap >= 0 && window.overlap < 1)) {
      section.fail("overlap", "expected a fraction of the output, 0 to below 1, found " +
                                  shown_json(section.at("overlap")));
    }
  }
  window.blend = word_or<Window::Blend>(section, "blend",
                                        {{"none", Window::Blend::kNone},
                                         {"constant", Window::Blend::kConstant},
                                         {"gaussian", Window::Blend::kGaussian},
                                         {"gaussian_nnunet", Window::Blend::kGaussianNnunet}},
                                        window.blend);
  window.layout = word_or<Window::Layout>(
      section, "layout", {{"step", Window::Layout::kStep}, {"even", Window::Layout::kEven}},
      window.layout);
  window.padding = word_or<Window::Padding>(
      section, "padding",
      {{"zero", Window::Padding::kZero}, {"replicate", Window::Padding::kReplicate}},
      window.padding);
  window.anchor = word_or<Window::Anchor>(section, "anchor",
                                          {{"mask_corner", Window::Anchor::kMaskCorner},
                                           {"image_corner", Window::Anchor::kImageCorner}},
                                          window.anchor);
  if (section.has("flexible")) window.flexible = section.boolean("flexible");
  check_overlap(section, window);
}

void read_output(JsonFields& fields, Bundle& bundle) {
  using Output = Bundle::Output;
  JsonFields section = fields.object("output");
  allow_only(section, fields.at("output"), {"channels", "index", "values", "activation", "labels"});
  Output& output = bundle.output;
  output.channels = static_cast<int>(whole_number(section, "channels", 1, kMaxOutputs));
  if (section.has("index")) output.index = whole_number(section, "index", 0, kMaxOutputs);
  output.values = word<Output::Values>(
      section, "values",
      {{"logits", Output::Values::kLogits}, {"probabilities", Output::Values::kProbabilities}});
  output.activation = word<Output::Activation>(
      section, "activation",
      {{"softmax", Output::Activation::kSoftmax}, {"sigmoid", Output::Activation::kSigmoid}});
  output.labels = read_labels(section, output.channels);
}

void read_regions(JsonFields& fields, const JsonFail& fail, Bundle& bundle) {
  const json& array = fields.array("regions");
  if (array.empty()) fields.fail("regions", "expected at least one, found []");
  for (std::size_t i = 0; i < array.size(); ++i) {
    JsonFields one(array[i], fields.path_of(item_key("regions", i)), fail);
    allow_only(one, array[i], {"name", "outputs"});
    Bundle::Region region;
    region.name = one.text("name");
    if (!is_made_of(region.name, kLower, kLowerDigits)) {
      one.fail("name", "expected lower-case letters, digits and '_', the first a letter, found \"" +
                           region.name + '"');
    }
    for (const Bundle::Region& other : bundle.regions) {
      if (other.name == region.name) {
        one.fail("name", '"' + region.name + "\" is the name of an earlier region as well");
      }
    }
    region.outputs = read_region_outputs(one, bundle.output);
    bundle.regions.push_back(std::move(region));
  }
}

}  // namespace mcvol
