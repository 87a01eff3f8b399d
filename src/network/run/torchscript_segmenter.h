#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kept_prefixes.h"
#include "network/assembly/region_logits.h"
#include "network/assembly/window_assembly.h"
#include "network/passes/pass_runner.h"
#include "network/windows/window_plan.h"

namespace mcvol {

/// How the work is cut up: results do not depend on it, which tests hold it to.
struct WorkOrder {
  /// A batch of passes much larger than the caches gains nothing on a CPU.
  std::int64_t batch_bytes = std::int64_t{64} << 20;
  int most_passes_per_batch = 4;
  int device_passes = 8;          ///< the same on a GPU, which so many fill
  int most_passes_per_group = 0;  ///< blended together; 0: as many as the memory holds
  /// Puts the windows into another order.
  std::function<void(std::vector<Window>&)> order_windows;
};

/// Monte Carlo dropout of the TorchScript networks of a bundle: pass t runs network t mod n, on the
/// mirror image t / n mod m of the scan where the bundle has m. Where
/// windows overlap, the networks' outputs are blended pass by pass.
class TorchScriptSegmenter final : public Segmenter {
 public:
  TorchScriptSegmenter(const Bundle& bundle, const SegmenterOptions& options,
                       const WorkOrder& order = {});

  const NetworkSummary& summary() const override { return summary_; }
  bool run(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
           const WindowProgress& progress, StageTimings& timings) override;
  /// What windows need only once and is kept for more passes of the scan run last.
  std::int64_t kept_bytes() const { return kept_.bytes(); }

 private:
  std::vector<PassRunner> runners_on(c10::Device device, c10::ScalarType precision) const;
  std::int64_t working_bytes(std::vector<PassRunner>& networks) const;
  void choose_window();
  void probe();
  bool run_groups(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
                  const WindowProgress& progress, StageTimings& timings);
  bool run_windows(const WindowPlan& plan, const ScanWindows& windows, const PassRequest& request,
                   const PassGroup& group, WindowAssembly& assembly, const WindowProgress& progress,
                   StageTimings& timings);
  int passes_per_group(const AssemblyTask& task, std::int64_t room_bytes) const;
  std::int64_t host_room() const;
  std::int64_t device_room(const AssemblyTask& task, const PreparedScan& scan) const;
  std::int64_t prefix_room(const AssemblyTask& task) const;
  /// Passes of a network on one mirror image of a window.
  struct ShownPasses {
    std::vector<int> own;
    const std::vector<int>& averaged;  ///< that without dropout, which is over all of them; or none
    at::Tensor sums;                   ///< for it
  };
  bool run_network(PassRunner::Job& job, std::size_t place, int member, const ShownPasses& passes,
                   WindowAssembly& assembly, const WindowProgress& progress, StageTimings& timings);
  void give_average(const at::Tensor& values, const std::vector<int>& passes,
                    WindowAssembly& assembly) const;

  Bundle bundle_;
  SegmenterOptions options_;
  WorkOrder order_;
  Bundle::Window window_;
  NetworkSummary summary_;
  c10::Device device_{c10::kCPU};
  std::int64_t device_bytes_ = 0;  ///< free on a GPU at load, then beside the weights
  std::int64_t batch_bytes_ = 0;   ///< of a window and the passes that run together
  RegionLogits region_logits_;
  std::vector<PassRunner> networks_;
  KeptPrefixes kept_;  ///< of the scan run last
};

/// As load_segmenter(), where LibTorch is linked.
std::unique_ptr<Segmenter> load_torchscript_segmenter(const Bundle& bundle,
                                                      const SegmenterOptions& options);

}  // namespace mcvol
