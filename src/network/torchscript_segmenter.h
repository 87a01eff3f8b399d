#pragma once

#include "mcvol/network/segmenter.h"
#include "mcvol/network/window_plan.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "pass_runner.h"
#include "region_logits.h"

namespace mcvol {

class WindowBlend;

/// How the work is cut up: results do not depend on it, which tests hold it to.
struct WorkOrder {
  /// A batch of passes much larger than the caches gains nothing on a CPU.
  std::int64_t batch_bytes = std::int64_t{64} << 20;
  int most_passes_per_batch = 4;
  int most_passes_per_group = 0;  ///< blended together; 0: as many as the memory holds
  /// Puts the windows into another order.
  std::function<void(std::vector<Window>&)> order_windows;
};

/// Monte Carlo dropout of the TorchScript networks of a bundle: pass t runs network t mod n. Where
/// windows overlap, the networks' outputs are blended pass by pass.
class TorchScriptSegmenter final : public Segmenter {
 public:
  TorchScriptSegmenter(const Bundle& bundle, const SegmenterOptions& options,
                       const WorkOrder& order = {});

  const NetworkSummary& summary() const override { return summary_; }
  bool run(const PreparedScan& scan, const PassRequest& request, LogitSink& sink,
           const WindowProgress& progress) override;

 private:
  struct Passes {
    int first;
    int count;
  };
  /// What is done with the outputs of a window's measured voxels.
  using TakeWindow = std::function<void(const WindowVoxels&, const PassRunner::Outputs&)>;

  std::vector<PassRunner> runners_on(c10::Device device) const;
  void describe_networks();
  std::int64_t working_bytes(std::vector<PassRunner>& networks) const;
  void choose_window();
  void probe();
  bool run_windows(const PreparedScan& scan, const WindowPlan& plan, const PassRequest& request,
                   Passes passes, const std::function<void(const WindowVoxels&)>& begin_window,
                   const TakeWindow& take, const WindowProgress& progress);
  bool run_abutting(const PreparedScan& scan, const WindowPlan& plan, const PassRequest& request,
                    LogitSink& sink, const WindowProgress& progress);
  bool run_blended(const PreparedScan& scan, const WindowPlan& plan, const PassRequest& request,
                   LogitSink& sink, const WindowProgress& progress);
  void give_blended(const WindowBlend& blend, std::int64_t voxels, Passes passes,
                    LogitSink& sink) const;
  int passes_per_group(std::int64_t voxels, int passes) const;
  void give(const at::Tensor& values, std::span<const std::int64_t> voxels,
            std::span<const int> passes, LogitSink& sink) const;

  Bundle bundle_;
  SegmenterOptions options_;
  WorkOrder order_;
  Bundle::Window window_;
  NetworkSummary summary_;
  c10::Device device_{c10::kCPU};
  RegionLogits region_logits_;
  std::vector<PassRunner> networks_;
};

}  // namespace mcvol
