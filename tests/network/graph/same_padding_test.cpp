// Convolutions whose padding is a word.

#include <string>
#include <vector>

#include "network/graph/graph_fixture.h"
#include "network/run/torchscript_segmenter.h"
#include "network/support/rewritten_network.h"
#include "network/support/segmenter_fixtures.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/serialization/import.h>

namespace mcvol {
namespace {

using namespace testing;

/// A convolution of x by w, once before and once after a dropout.
std::string padded_forward(const std::string& convolution) {
  return "def forward(self, x):\n    w = self.w1\n    y = " + convolution +
         "\n    y = torch.dropout(torch.relu(y), 0.4, True)\n    x = y[:, 2:4]\n    y = " +
         convolution +
         "\n    return torch.conv3d(torch.conv3d(y, self.w2, self.b2), self.w3, self.b3)\n";
}

struct Padding {
  std::string by_word, by_numbers;
};

std::vector<Padding> paddings() {
  return {
      {"torch.conv3d(x, w, self.b1, [1, 1, 1], 'same', [1, 1, 1])",
       "torch.conv3d(x, w, self.b1, [1, 1, 1], [1, 1, 1], [1, 1, 1])"},
      {"torch._convolution_mode(x, w, self.b1, [1, 1, 1], 'same', [1, 2, 3], 1)",
       "torch.conv3d(x, w, self.b1, [1, 1, 1], [1, 2, 3], [1, 2, 3])"},
      {"torch.conv3d(x, w[:, :, :, :, :2], self.b1, [1, 1, 1], 'same', [1, 1, 1])",
       "torch.conv3d(torch.constant_pad_nd(x, [0, 1, 0, 0, 0, 0], 0), w[:, :, :, :, :2], self.b1, "
       "[1, 1, 1], [1, 1, 0], [1, 1, 1])"},
      {"torch.conv3d(x, w[:, :, :2, :2], self.b1, [1, 1, 1], 'same', [3, 2, 1])",
       "torch.conv3d(torch.constant_pad_nd(x, [0, 0, 0, 0, 0, 1], 0), w[:, :, :2, :2], self.b1, "
       "[1, 1, 1], [1, 1, 1], [3, 2, 1])"},
  };
}

TEST(SamePadding, GivesTheBitsOfTheNumbersItStandsFor) {
  const PreparedScan scan = random_scan({16, 16, 16}, 3);
  for (const Padding& padding : paddings()) {
    const Bundle bundle = tiny_bundle({{padded_forward(padding.by_word)}});
    const auto by_word = load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 2});
    EXPECT_EQ(by_word->summary().notes, std::vector<std::string>{}) << padding.by_word;
    EXPECT_GT(by_word->summary().passes_per_batch, 1) << padding.by_word;
    const PassRequest request{.passes = 3, .seed = 5};
    const Logits found = logits_of(*by_word, bundle, scan, request);
    const Bundle numbers = tiny_bundle({{padded_forward(padding.by_numbers)}});
    EXPECT_EQ(differing_values(found, logits_of(numbers, scan, request, 1)), 0u) << padding.by_word;
  }
}

/// PyTorch runs the file as it was saved; no dropout has a part in what is looked at.
TEST(SamePadding, GivesWhatPyTorchGivesForTheWord) {
  for (const Padding& padding : paddings()) {
    const std::string forward =
        "def forward(self, x):\n    w = self.w1\n    x = " + padding.by_word +
        "\n    return x + 0.0 * torch.dropout(x, 0.5, True)\n";
    const auto file = folder_of_test() / "network.pt";
    save_network({forward}, file);
    torch::jit::Module original = torch::jit::load(file.string());
    const at::Tensor expected = original.forward({image()}).toTensor().detach();
    const at::Tensor found = run_whole(load(forward), {});
    ASSERT_EQ(found.sizes(), expected.sizes()) << padding.by_word;
    EXPECT_TRUE(at::allclose(found, expected, 1e-5, 1e-5)) << padding.by_word;
  }
}

TEST(SamePadding, ValidIsNoPadding) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    x = torch.conv3d(x, self.w1, self.b1, [2, 1, 1], 'valid', [1, 2, "
      "1])\n    return torch.dropout(x, 0.5, True)\n");
  for (const torch::jit::Node* node : network.whole->nodes()) {
    if (node->kind() != c10::aten::conv3d) continue;
    EXPECT_EQ(torch::jit::toIValue(node->input(4))->toIntVector(),
              (std::vector<std::int64_t>{0, 0, 0}));
  }
}

}  // namespace
}  // namespace mcvol
