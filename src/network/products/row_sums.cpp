#include "row_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "network/device/block_loop.h"
#include "network/jit/graph_nodes.h"
#include <ATen/WrapDimUtils.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Values that are added up in a row, and the least of a task.
constexpr std::int64_t kPart = 32768;

/// Sum of value(n) for 0 <= n < count, by eights.
template <typename ValueAt>
double sum_of(std::int64_t count, const ValueAt& value) {
  constexpr std::int64_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  std::int64_t n = 0;
  for (; n + kLanes <= count; n += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<std::size_t>(lane)] += value(n + lane);
    }
  }
  for (; n < count; ++n) lanes[static_cast<std::size_t>(n % kLanes)] += value(n);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

/// What is reduced as rows [rows, length], one after the other in memory.
struct Rows {
  at::Tensor values;
  std::int64_t rows = 1, length = 1;
  std::vector<std::int64_t> sizes;  ///< of the result
};

Rows rows_of(const at::Tensor& x, at::IntArrayRef dims, bool keepdim) {
  std::vector<bool> reduced(static_cast<std::size_t>(x.dim()));
  for (const std::int64_t dim : dims) {
    reduced[static_cast<std::size_t>(at::maybe_wrap_dim(dim, x.dim()))] = true;
  }
  Rows of;
  std::vector<std::int64_t> order, last;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (reduced[static_cast<std::size_t>(d)]) {
      last.push_back(d);
      of.length *= x.size(d);
      if (keepdim) of.sizes.push_back(1);
    } else {
      order.push_back(d);
      of.rows *= x.size(d);
      of.sizes.push_back(x.size(d));
    }
  }
  order.insert(order.end(), last.begin(), last.end());
  of.values = x.permute(order).contiguous();
  return of;
}

/// @param value of an element of a row: value(row, element).
template <typename ValueAt>
std::vector<double> sums_of(const Rows& of, const ValueAt& value) {
  const std::int64_t parts = (of.length + kPart - 1) / kPart;
  std::vector<double> found(static_cast<std::size_t>(of.rows * parts));
  const std::int64_t together =
      std::max<std::int64_t>(kPart / std::max<std::int64_t>(of.length, 1), 1);
  const auto count = static_cast<std::int64_t>(found.size());
  for_each_block(at::kCPU, 0, (count + together - 1) / together, [&](std::int64_t task) {
    for (std::int64_t n = task * together; n < std::min((task + 1) * together, count); ++n) {
      const std::int64_t row = n / parts, begin = n % parts * kPart;
      found[static_cast<std::size_t>(n)] =
          sum_of(std::min(kPart, of.length - begin),
                 [&](std::int64_t element) { return value(row, begin + element); });
    }
  });
  if (parts == 1) return found;
  std::vector<double> sums(static_cast<std::size_t>(of.rows));
  for (std::size_t n = 0; n < found.size(); ++n) {
    sums[n / static_cast<std::size_t>(parts)] += found[n];
  }
  return sums;
}

/// What becomes of a row's sum, of its length, and of the squares of what it deviates by.
enum class Reduction { kSum, kMean, kVariance, kDeviation };

template <typename T>
at::Tensor reduced_rows(const Rows& of, Reduction what, double correction,
                        const at::TensorOptions& options) {
  const T* const values = of.values.const_data_ptr<T>();
  const auto at = [&](std::int64_t row, std::int64_t element) {
    return static_cast<double>(values[row * of.length + element]);
  };
  std::vector<double> sums = sums_of(of, at);
  const auto length = static_cast<double>(of.length);
  if (what != Reduction::kSum) {
    for (double& sum : sums) sum /= length;
  }
  if (what == Reduction::kVariance || what == Reduction::kDeviation) {
    std::vector<double> squares = sums_of(of, [&](std::int64_t row, std::int64_t element) {
      const double deviation = at(row, element) - sums[static_cast<std::size_t>(row)];
      return deviation * deviation;
    });
    for (double& square : squares) square /= std::max(length - correction, 0.0);
    sums = std::move(squares);
  }
  if (what == Reduction::kDeviation) {
    for (double& variance : sums) variance = std::sqrt(variance);
  }
  at::Tensor output = at::empty(of.sizes, options.dtype(at::kDouble));
  std::copy(sums.begin(), sums.end(), output.data_ptr<double>());
  return output.to(options.dtype());
}

at::Tensor reduced(const at::Tensor& x, at::IntArrayRef dims, bool keepdim, Reduction what,
                   double correction) {
  if (!x.is_floating_point()) {  // exact in any order, or refused, or complex
    if (what == Reduction::kSum) return at::sum(x, dims, keepdim);
    if (what == Reduction::kMean) return at::mean(x, dims, keepdim);
    return what == Reduction::kVariance ? at::var(x, dims, correction, keepdim)
                                        : at::std(x, dims, correction, keepdim);
  }
  if (x.dim() == 0) return reduced(x.unsqueeze(0), {0}, false, what, correction);
  const at::TensorOptions options = x.options().memory_format(std::nullopt);
  if (x.scalar_type() == at::kFloat) {
    return reduced_rows<float>(rows_of(x, dims, keepdim), what, correction, options);
  }
  return reduced_rows<double>(rows_of(x.to(at::kDouble), dims, keepdim), what, correction, options);
}

template <Reduction what>
void run_reduction(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 4);
  at::Tensor output = reduced(arguments[0].toTensor(), arguments[1].toIntVector(),
                              arguments[2].toBool(), what, arguments[3].toDouble());
  torch::jit::drop(stack, 4);
  torch::jit::pack(stack, std::move(output));
}

torch::jit::Operator reduction(const std::string& name, torch::jit::Operation run) {
  return {"mcvol::row_" + name + "(Tensor x, int[] dims, bool keepdim, float correction) -> Tensor",
          std::move(run), c10::AliasAnalysisKind::PURE_FUNCTION};
}

void register_reductions() {
  static const torch::jit::RegisterOperators registered(
      {reduction("sum", run_reduction<Reduction::kSum>),
       reduction("mean", run_reduction<Reduction::kMean>),
       reduction("var", run_reduction<Reduction::kVariance>),
       reduction("std", run_reduction<Reduction::kDeviation>)});
}

/// A reduction as it stands in a graph.
struct Call {
  std::string name;
  std::vector<std::int64_t> dims;
  bool keepdim = false;
  double correction = 0.0;
};

/// (x, dims, keepdim, dtype) of sum and mean, (x, dims, unbiased, keepdim) and (x, dims,
/// correction, keepdim) of var and std.
std::optional<Call> reduction_of(const Node* node) {
  const c10::FunctionSchema* schema = node->maybeSchema();
  if (schema == nullptr || node->inputs().size() != 4) return std::nullopt;
  const std::string name = node->kind().toUnqualString(), form = schema->overload_name();
  const auto dims = torch::jit::toIValue(node->input(1));
  const auto third = torch::jit::toIValue(node->input(2));
  const auto fourth = torch::jit::toIValue(node->input(3));
  if (!dims || !dims->isIntList() || !third || !fourth) return std::nullopt;
  Call call{.name = name, .dims = dims->toIntVector()};
  if ((name == "sum" && form == "dim_IntList") || (name == "mean" && form == "dim")) {
    if (!fourth->isNone()) return std::nullopt;
    call.keepdim = third->toBool();
  } else if ((name == "var" || name == "std") && form == "dim") {
    call.correction = third->toBool() ? 1.0 : 0.0;
    call.keepdim = fourth->toBool();
  } else if ((name == "var" || name == "std") && form == "correction") {
    call.correction = third->isNone() ? 1.0 : third->toScalar().toDouble();
    call.keepdim = fourth->toBool();
  } else {
    return std::nullopt;
  }
  return call;
}

std::optional<Call> pooling_of(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::adaptive_avg_pool3d")) return std::nullopt;
  const auto size = torch::jit::toIValue(node->input(1));
  if (!size || !size->isIntList()) return std::nullopt;
  const std::vector<std::int64_t> voxels = size->toIntVector();
  if (std::any_of(voxels.begin(), voxels.end(), [](std::int64_t n) { return n != 1; })) {
    return std::nullopt;
  }
  return Call{.name = "mean", .dims = {-3, -2, -1}, .keepdim = true};
}

}  // namespace

at::Tensor row_sums(const at::Tensor& x, at::IntArrayRef dims, bool keepdim) {
  return reduced(x, dims, keepdim, Reduction::kSum, 0.0);
}

void use_row_sums(const std::shared_ptr<Graph>& graph) {
  register_reductions();
  for_each_node(graph->block(), [&](Node* node) {
    if (writes_into_arguments(node)) return;
    auto call = reduction_of(node);
    if (!call) call = pooling_of(node);
    if (!call || call->dims.empty()) return;
    if (std::find(call->dims.begin(), call->dims.end(), 0) != call->dims.end()) return;
    const torch::jit::WithInsertPoint at(node);
    Node* rows = graph->create(c10::Symbol::fromQualString("mcvol::row_" + call->name), 1);
    rows->copyMetadata(node);
    rows->addInput(node->input(0));
    for (const c10::IValue& value :
         {c10::IValue(call->dims), c10::IValue(call->keepdim), c10::IValue(call->correction)}) {
      rows->addInput(graph->insertConstant(value));
    }
    rows->insertBefore(node);
    rows->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(rows->output());
    node->destroy();
  });
}

}  // namespace mcvol
