#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <memory>

#include "network/passes/pass_runner.h"
#include "network/windows/scan_windows.h"
#include "region_logits.h"

namespace mcvol {

/// Consecutive passes that are blended together.
struct PassGroup {
  int first = 0;
  int count = 0;
  bool opens = true;  ///< the first group of its request
};

/// What is put together: the outputs of all windows of a scan.
struct AssemblyTask {
  const RegionLogits& region_logits;
  const Bundle::Window& window;
  int channels = 0;  ///< of the network's output
  int regions = 0;
  std::int64_t voxels = 0;  ///< measured
  int first = 0;            ///< pass of the request
  int sampled = 0;          ///< passes with dropout
  int all_passes = 0;       ///< with those without, which come last
  int group = 0;            ///< most passes that are blended together
  std::size_t windows = 0;
};

/// Puts what the network gives for the measured voxels of windows together and hands the logits of
/// regions on: at once where windows abut, at the end of a group of passes where they are blended.
class WindowAssembly {
 public:
  virtual ~WindowAssembly() = default;
  virtual void begin_group(const PassGroup& group) = 0;
  virtual void begin_window(const WindowData& window) = 0;
  /// Of the window begun last. May be called from several threads at once, with disjoint voxels.
  virtual void take(const PassRunner::Outputs& outputs) = 0;
  virtual void end_group() = 0;
  /// After the last group.
  virtual void finish() = 0;
};

/// Logits go to the sink block by block.
std::unique_ptr<WindowAssembly> host_assembly(const AssemblyTask& task, LogitSink& sink);
/// Whether a voxel may have several windows.
bool is_blended(const AssemblyTask& task);
/// Bytes of memory on the host for each pass of a group, and on a device.
std::int64_t blend_bytes(const AssemblyTask& task);

/// Bytes on a device beside blend_bytes() for each pass of a group.
std::int64_t device_assembly_bytes(const AssemblyTask& task);
/// Everything stays on the device; the sink gets the sums of the scan at the end.
std::unique_ptr<WindowAssembly> device_assembly(const AssemblyTask& task, c10::Device device,
                                                LogitSink& sink);

}  // namespace mcvol
