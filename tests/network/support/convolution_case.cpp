#include "network/support/convolution_case.h"

#include <optional>

#include "network/convolutions/convolutions.h"
#include "network/support/scripted_graph.h"

namespace mcvol::testing {

std::string ConvolutionCase::text() const {
  return list(input) + ", kernel " + list(kernel) + ", padding " + list(padding) + ", dilation " +
         std::to_string(dilation) + ", " + std::to_string(in) + " to " + std::to_string(out) +
         " channels" + (bias ? ", bias" : "");
}

at::Tensor ConvolutionCase::random_input(std::int64_t rows) const {
  return normal_values({rows, in, input[0], input[1], input[2]}, 5);
}

std::vector<at::Tensor> ConvolutionCase::parameters() const {
  return {normal_values({out, in, kernel[0], kernel[1], kernel[2]}, 2), normal_values({out}, 3)};
}

std::shared_ptr<torch::jit::Graph> ConvolutionCase::graph() const {
  const auto made =
      scripted_graph("x, w, b",
                     std::string("torch.conv3d(x, w, ") + (bias ? "b" : "None") + ", 1, " +
                         list(padding) + ", " + std::to_string(dilation) + ")",
                     parameters());
  use_invariant_convolutions(made);
  return made;
}

at::Tensor ConvolutionCase::exact(const at::Tensor& x) const {
  const std::vector<at::Tensor> fixed = parameters();
  return at::conv3d(x.to(at::kDouble), fixed[0].to(at::kDouble),
                    bias ? std::optional<at::Tensor>(fixed[1].to(at::kDouble)) : std::nullopt,
                    {1, 1, 1}, padding, {dilation, dilation, dilation});
}

std::int64_t random_whole(std::mt19937& generator, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(generator() % (most - least + 1));
}

}  // namespace mcvol::testing
