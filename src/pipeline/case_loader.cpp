#include "mcvol/pipeline/case_loader.h"

#include "mcvol/error/error.h"
#include "mcvol/pipeline/input_files.h"

#include <algorithm>
#include <chrono>
#include <new>

namespace mcvol {

namespace {

constexpr const char* kOutOfMemory = "not enough memory for this scan; give the run more";

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  if (what.empty()) return;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::vector<float> brain_intensities(const PreparedScan& scan, std::size_t channel) {
  std::vector<float> values;
  for (std::size_t voxel = 0; voxel < scan.brain.values.size(); ++voxel) {
    if (scan.brain.values[voxel] != 0) values.push_back(scan.channels[channel].values[voxel]);
  }
  return values;
}

}  // namespace

std::string case_error(const std::exception& exception, const ScanCase& scan) {
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) return kOutOfMemory;
  std::string text = message_of(exception);
  for (const ImageSource& source : scan.channel_files) {
    const std::filesystem::path& file = source.file;
    const std::string name = file.filename().string();
    std::error_code ignored;
    // A relative path may be the end of an absolute one, hence last.
    replace_all(text, std::filesystem::weakly_canonical(file, ignored).string(), name);
    replace_all(text, std::filesystem::absolute(file, ignored).string(), name);
    replace_all(text, file.string(), name);
  }
  const auto breaks_line = [](char c) { return c == '\n' || c == '\r' || c == '\t'; };
  std::replace_if(text.begin(), text.end(), breaks_line, ' ');
  return text.empty() ? "failed without a reason" : text;
}

CaseLoader::CaseLoader(ScanLoader loader, ScanPreparation preparation,
                       std::vector<std::string> channels, std::vector<std::size_t> shown)
    : loader_(std::move(loader)),
      preparation_(std::move(preparation)),
      channels_(std::move(channels)),
      shown_(std::move(shown)) {}

void CaseLoader::start(const ScanCase& scan) {
  started_.push_back({scan, std::async(std::launch::async, [this, scan] { return load(scan); })});
}

LoadedCase CaseLoader::take(const ScanCase& scan) {
  if (started_.empty()) return load(scan);
  LoadedCase loaded = started_.front().loaded.get();
  started_.pop_front();
  if (loaded.out_of_memory) {
    // The scans after it make room, and are loaded when they are asked for.
    for (Started& other : started_) {
      const bool waits =
          other.loaded.wait_for(std::chrono::seconds(0)) == std::future_status::deferred;
      if (waits) continue;
      other.loaded.get();
      other.loaded =
          std::async(std::launch::deferred, [this, again = other.scan] { return load(again); });
    }
  }
  // Loaded ahead, it shared the memory with the scan before it, which is gone by now.
  if (loaded.out_of_memory) loaded = load(scan);
  return loaded;
}

LoadedCase CaseLoader::load(const ScanCase& scan) const {
  LoadedCase loaded;
  try {
    loaded.inputs = timed(loaded.timings.read_s,
                          [&] { return describe_inputs(channels_, scan.channel_files); });
    ScanPreparation preparation = preparation_;
    preparation.before_normalising = [&](const PreparedScan& before) {
      for (const std::size_t channel : shown_) {
        loaded.shown.push_back(brain_intensities(before, channel));
      }
    };
    loaded.scan = loader_(scan.channel_files, preparation, loaded.timings);
    loaded.image_quality =
        timed(loaded.timings.prepare_s, [&] { return image_quality(loaded.scan); });
  } catch (const std::bad_alloc& error) {
    loaded.error = case_error(error, scan);
    loaded.out_of_memory = true;
  } catch (const std::exception& error) {
    // Whatever a file makes a library throw is this scan's fault, never the end of the batch.
    loaded.error = case_error(error, scan);
  }
  if (!loaded.error.empty()) loaded.scan = PreparedScan{};
  return loaded;
}

}  // namespace mcvol
