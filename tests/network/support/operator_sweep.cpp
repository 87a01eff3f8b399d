#include "network/support/operator_sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "network/jit/graph_runner.h"
#include <ATen/Parallel.h>

namespace mcvol::testing {
namespace {

constexpr std::array kThreads = {1, 2, 3, 5};
/// Values in one dimension: enough for PyTorch to share them between five threads.
constexpr std::int64_t kLongValues = 200003;
/// Of those, values that are cut into short strips and tensors.
constexpr std::int64_t kShortValues = 30000;
constexpr std::int64_t kLongestStrip = 70;
/// Where a tensor begins in its storage, in values: one more than the longest vector holds.
constexpr std::int64_t kOffsets = 17;

at::Tensor bits_of(const at::Tensor& values) {
  switch (values.element_size()) {
    case 1:
      return values.view(at::kChar);
    case 2:
      return values.view(at::kShort);
    case 4:
      return values.view(at::kInt);
    default:
      return values.view(at::kLong);
  }
}

/// One NaN is as good as another: nothing that is measured tells them apart.
std::int64_t differing_values(const at::Tensor& found, const at::Tensor& expected) {
  if (found.sizes() != expected.sizes() || found.scalar_type() != expected.scalar_type()) {
    return std::max<std::int64_t>(found.numel(), 1);
  }
  const at::Tensor a = found.contiguous(), b = expected.contiguous();
  if (std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0) return 0;
  const at::Tensor differ = bits_of(a).ne(bits_of(b));
  return differ.logical_and(a.isnan().logical_and(b.isnan()).logical_not()).sum().item<int64_t>();
}

/// The same values in other places of the memory.
struct Layout {
  const char* name;
  at::Tensor (*of)(const at::Tensor&);
};

/// @param last the dimension whose values are neighbours.
at::Tensor with_last(const at::Tensor& x, std::int64_t last) {
  return x.movedim(last, -1).contiguous().movedim(-1, last);
}

at::Tensor channels_last(const at::Tensor& x) { return with_last(x, 1); }
at::Tensor batch_last(const at::Tensor& x) { return with_last(x, 0); }
at::Tensor reversed(const at::Tensor& x) { return with_last(x, 2); }
at::Tensor as_is(const at::Tensor& x) { return x.contiguous().clone(); }

at::Tensor every_second(const at::Tensor& x) { return at::stack({x, x}, -1).select(-1, 1); }

at::Tensor shifted(const at::Tensor& x) {
  return at::cat({at::zeros({3}, x.options()), x.flatten()}).narrow(0, 3, x.numel()).view_as(x);
}

/// What is left of a larger tensor.
at::Tensor cropped(const at::Tensor& x) {
  std::vector<std::int64_t> sizes = x.sizes().vec();
  for (std::int64_t& size : sizes) size += 2;
  at::Tensor part = at::zeros(sizes, x.options());
  for (std::int64_t d = 0; d < x.dim(); ++d) part = part.narrow(d, 1, x.size(d));
  return part.copy_(x);
}

constexpr std::array<Layout, 7> kLayouts = {{{"contiguous", as_is},
                                             {"channels last", channels_last},
                                             {"batch last", batch_last},
                                             {"first axis last", reversed},
                                             {"every second value", every_second},
                                             {"shifted", shifted},
                                             {"cropped", cropped}}};

class Sweep {
 public:
  explicit Sweep(const std::shared_ptr<torch::jit::Graph>& graph) : runner_(graph) {}

  at::Tensor run(std::vector<at::Tensor> operands, int threads = 1) {
    if (threads != threads_) at::set_num_threads(threads);
    threads_ = threads;
    return runner_.run(std::move(operands)).front();
  }

  /// @param where tells it, if they differ.
  template <typename Where>
  void compare(const at::Tensor& found, const at::Tensor& expected, const Where& where) {
    result_.compared += expected.numel();
    const std::int64_t differing = differing_values(found, expected);
    if (differing > 0 && result_.differing == 0) result_.first = where();
    result_.differing += differing;
  }

  const SweepResult& result() const { return result_; }

 private:
  GraphRunner runner_;
  int threads_ = 0;
  SweepResult result_;
};

/// Each operand by the same function.
template <typename Change>
std::vector<at::Tensor> each(std::vector<at::Tensor> operands, const Change& change) {
  for (at::Tensor& operand : operands) operand = change(operand);
  return operands;
}

std::string numbered(const std::string& what, std::int64_t number) {
  return what + " " + std::to_string(number);
}

class ElementSweep {
 public:
  ElementSweep(const std::shared_ptr<torch::jit::Graph>& graph, at::ScalarType type)
      : sweep_(graph) {
    for (unsigned n = 0; n < graph->inputs().size(); ++n) {
      operands_.push_back(values_of_all_kinds(kLongValues, n + 1, type));
    }
    expected_ = sweep_.run(operands_);
  }

  SweepResult run() {
    sweep_strips();
    sweep_short_tensors();
    sweep_long_tensors();
    sweep_layouts();
    if (operands_.size() > 1) sweep_broadcasts();
    return sweep_.result();
  }

 private:
  /// Strips with gaps between them: the loop over each has its remainder.
  void sweep_strips() {
    for (std::int64_t length = 1; length <= kLongestStrip; ++length) {
      const auto strips = [&](const at::Tensor& flat) {
        const std::int64_t count = kShortValues / (length + 1);
        return flat.narrow(0, length % kOffsets, count * (length + 1))
            .view({count, length + 1})
            .narrow(1, 0, length);
      };
      sweep_.compare(sweep_.run(each(operands_, strips)), strips(expected_),
                     [&] { return numbered("in strips of", length); });
    }
  }

  void sweep_short_tensors() {
    std::int64_t begin = 0;
    for (std::int64_t n = 0; begin + kLongestStrip <= kShortValues; ++n) {
      const std::int64_t length = 1 + n % kLongestStrip;
      const auto part = [&](const at::Tensor& flat) { return flat.narrow(0, begin, length); };
      const auto copy = [&](const at::Tensor& flat) { return part(flat).clone(); };
      sweep_.compare(sweep_.run(each(operands_, part)), part(expected_),
                     [&] { return numbered("in views of", length); });
      sweep_.compare(sweep_.run(each(operands_, copy)), part(expected_),
                     [&] { return numbered("in tensors of", length); });
      begin += length;
    }
  }

  void sweep_long_tensors() {
    for (std::int64_t n = 0; n < 8; ++n) {
      const std::int64_t offset = n * n % kOffsets;
      const int threads = kThreads[static_cast<std::size_t>(n) % kThreads.size()];
      const auto part = [&](const at::Tensor& flat) {
        return flat.narrow(0, offset, kLongValues - 3 * offset);
      };
      sweep_.compare(sweep_.run(each(operands_, part), threads), part(expected_),
                     [&] { return numbered("in long tensors on threads:", threads); });
    }
  }

  static at::Tensor batch_of(const at::Tensor& flat) {
    return flat.narrow(0, 0, 5 * 8 * 13 * 11 * 9).view({5, 8, 13, 11, 9});
  }

  void sweep_layouts() {
    const std::vector<at::Tensor> batch = each(operands_, batch_of);
    const at::Tensor expected = batch_of(expected_);
    for (const Layout& layout : kLayouts) {
      const auto where = [&] { return std::string(layout.name); };
      const std::vector<at::Tensor> laid = each(batch, layout.of);
      for (const int threads : kThreads) {
        sweep_.compare(sweep_.run(laid, threads), expected, where);
      }
      std::vector<at::Tensor> mixed = batch;
      mixed.front() = laid.front();
      sweep_.compare(sweep_.run(mixed), expected, where);
      for (std::int64_t row = 0; row < expected.size(0); ++row) {
        const auto alone = [&](const at::Tensor& x) { return x.narrow(0, row, 1); };
        sweep_.compare(sweep_.run(each(laid, alone)), alone(expected), where);
      }
      const auto repeated = [](const at::Tensor& x) { return x.narrow(0, 2, 1).expand_as(x); };
      sweep_.compare(sweep_.run(each(laid, repeated), 2), repeated(expected), where);
    }
  }

  /// One value of the other operands for many of the first.
  void sweep_broadcasts() {
    const at::Tensor x = batch_of(operands_.front());
    const std::vector<std::vector<std::int64_t>> shapes = {
        {}, {1, 8, 1, 1, 1}, {5, 1, 1, 1, 1}, {5, 8, 1, 1, 1}, {1, 1, 13, 11, 9}, {9}, {11, 1}};
    for (const auto& shape : shapes) {
      const std::int64_t count =
          std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
      std::vector<at::Tensor> few = each(
          operands_, [&](const at::Tensor& flat) { return flat.narrow(0, 0, count).view(shape); });
      few.front() = x;
      const at::Tensor expected = sweep_.run(
          each(few, [&](const at::Tensor& t) { return t.expand_as(x).contiguous().clone(); }));
      for (const Layout& layout : kLayouts) {
        few.front() = layout.of(x);
        sweep_.compare(sweep_.run(few, 2), expected,
                       [&] { return std::string("broadcast, ") + layout.name; });
      }
    }
  }

  Sweep sweep_;
  std::vector<at::Tensor> operands_;
  at::Tensor expected_;
};

}  // namespace

SweepResult& SweepResult::operator+=(const SweepResult& other) {
  if (differing == 0) first = other.first;
  compared += other.compared;
  differing += other.differing;
  return *this;
}

at::Tensor values_of_all_kinds(std::int64_t count, unsigned seed, at::ScalarType type) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> special = {0.0,    -0.0,      1.0,        -1.0,  1e-45,  1e-40,
                                       -1e-39, 0.5,       88.7,       -88.7, -103.9, 2e38,
                                       -3e38,  kInfinity, -kInfinity, NAN};
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0.0, 3.0);
  std::uniform_real_distribution<double> exponent(-130.0, 127.0);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) {
    const auto kind = generator() % 16;
    if (kind == 0) {
      value = special[generator() % special.size()];
    } else if (kind < 4) {
      value = std::copysign(std::exp2(exponent(generator)), normal(generator));
    } else {
      value = normal(generator);
    }
  }
  return at::tensor(values, at::kDouble).to(type);
}

SweepResult sweep_elements(const std::shared_ptr<torch::jit::Graph>& graph, at::ScalarType type) {
  return ElementSweep(graph, type).run();
}

SweepResult sweep_rows(const std::shared_ptr<torch::jit::Graph>& graph, const at::Tensor& rows,
                       RepeatedRows repeated) {
  Sweep sweep(graph);
  const std::int64_t count = rows.size(0);
  for (const Layout& layout : kLayouts) {
    std::vector<at::Tensor> alone;
    for (std::int64_t row = 0; row < count; ++row) {
      alone.push_back(sweep.run({layout.of(rows.narrow(0, row, 1))}));
    }
    const at::Tensor expected = at::cat(alone);
    const at::Tensor batch = layout.of(rows), flipped = layout.of(rows.flip(0));
    for (const int threads : kThreads) {
      const auto where = [&] { return numbered(std::string(layout.name) + ", threads:", threads); };
      const std::int64_t size = 1 + threads % count;
      sweep.compare(sweep.run({batch}, threads), expected, where);
      sweep.compare(sweep.run({batch.narrow(0, count - size, size)}, threads),
                    expected.narrow(0, count - size, size), where);
      sweep.compare(sweep.run({flipped}, threads), expected.flip(0), where);
      if (repeated == RepeatedRows::kNo) continue;
      sweep.compare(sweep.run({batch.narrow(0, 0, 1).expand_as(rows)}, threads),
                    alone.front().expand_as(expected), where);
    }
  }
  return sweep.result();
}

}  // namespace mcvol::testing
