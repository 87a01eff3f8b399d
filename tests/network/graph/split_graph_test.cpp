#include <string>
#include <vector>

#include "network/convolutions/convolutions.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/graph_fixture.h"
#include "network/jit/graph_runner.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing;

std::vector<MaskDraw> passes(int count) {
  std::vector<MaskDraw> rows(static_cast<std::size_t>(count));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row].pass = static_cast<std::uint32_t>(row);
  }
  return rows;
}

std::vector<at::Tensor> run_prefix(const DropoutGraph& network) {
  return GraphRunner(network.prefix).run({image().clone()});
}

at::Tensor run_suffix(const DropoutGraph& network, const std::vector<at::Tensor>& cut,
                      const std::vector<MaskDraw>& rows) {
  std::vector<at::Tensor> inputs;
  for (const at::Tensor& tensor : cut) {
    std::vector<std::int64_t> sizes = tensor.sizes().vec();
    sizes[0] = static_cast<std::int64_t>(rows.size());
    inputs.push_back(tensor.expand(sizes));
  }
  inputs.push_back(make_draws(rows, 0));
  inputs.push_back(at::empty({0}, at::kLong));
  return GraphRunner(network.suffix).run(inputs).front();
}

struct Form {
  const char* name;
  const char* forward;
};

class SplitEqualsWhole : public ::testing::TestWithParam<Form> {};

// Every form must give the same bits cut in two as whole, pass by pass, and passes must differ.
TEST_P(SplitEqualsWhole, BitForBitForEveryPass) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    DropoutGraph network = load(GetParam().forward, scope);
    ASSERT_TRUE(network.suffix) << "no active dropout";
    for (const auto& graph : {network.whole, network.prefix, network.suffix}) {
      use_invariant_convolutions(graph);
    }
    const auto rows = passes(3);
    // One prefix for all passes, as in a run: no pass may change what the next one reads.
    const std::vector<at::Tensor> cut = run_prefix(network);
    std::vector<at::Tensor> before;
    for (const at::Tensor& tensor : cut) before.push_back(tensor.clone());
    for (const MaskDraw& row : rows) {
      EXPECT_TRUE(run_suffix(network, cut, {row}).equal(run_whole(network, row)));
    }
    const at::Tensor batch = run_suffix(network, cut, rows);
    EXPECT_FALSE(batch[0].equal(batch[1]) && batch[0].equal(batch[2]));
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const at::Tensor row = batch.narrow(0, static_cast<std::int64_t>(n), 1);
      EXPECT_TRUE(row.allclose(run_whole(network, rows[n]), 1e-4, 1e-4));
    }
    for (std::size_t n = 0; n < cut.size(); ++n) EXPECT_TRUE(cut[n].equal(before[n]));
  }
}

const Form kForms[] = {
    {"FunctionalOff",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    return torch.dropout(x, 0.5, False)\n"},
    {"FunctionalOn",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    return torch.dropout(x, 0.5, True)\n"},
    {"FunctionalAsTheModule", "def forward(self, x):\n    x = " MCVOL_CONV1
                              "\n    return torch.dropout(x, 0.5, self.training)\n"},
    {"InPlace",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    x = torch.dropout_(x, 0.5, True)\n"
     "    return torch.conv3d(x, self.w2, self.b2)\n"},
    {"InPlaceResultThrownAway",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    torch.dropout_(x, 0.5, True)\n"
     "    return torch.conv3d(x, self.w2, self.b2)\n"},
    {"Feature", "def forward(self, x):\n    x = " MCVOL_CONV1
                "\n    return torch.feature_dropout(x, 0.5, True)\n"},
    {"Alpha", "def forward(self, x):\n    x = " MCVOL_CONV1
              "\n    return torch.alpha_dropout(x, 0.5, True)\n"},
    {"FeatureAlpha", "def forward(self, x):\n    x = " MCVOL_CONV1
                     "\n    return torch.feature_alpha_dropout(x, 0.5, True)\n"},
    // must not become one draw
    {"SameTensorTwice",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    return torch.dropout(x, 0.5, False) - torch.dropout(x, 0.5, False)\n"},
    {"SkipConnectionAndSizes",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    y = torch.cat([torch.dropout(x, 0.5, False), x], 1)\n"
     "    return y.view(y.size(0), 16, x.size(2), x.size(3), x.size(4))\n"},
    {"LoopOfConstantLength",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    for i in range(3):\n        x = torch.dropout(x, 0.3, False) + 0.5\n    return x\n"},
    // checks that raise, on both sides of the cut
    {"ChecksThatRaise",
     "def forward(self, x):\n"
     "    assert x.size(2) % 2 == 0, 'odd'\n"
     "    x = " MCVOL_CONV1 "\n    y = torch.dropout(x, 0.5, False)\n"
     "    assert y.size(3) > 3, 'small'\n"
     "    y = torch.relu(y) + x\n"
     "    assert x.size(1) == 8, 'channels'\n    return y\n"},
    {"DropoutInARowOfChecks", "def forward(self, x):\n    x = " MCVOL_CONV1 "\n"
                              "    for p in [0.2, 0.3]:\n"
                              "        assert x.dim() == 5, 'rank'\n"
                              "        x = torch.feature_dropout(x, p, False)\n    return x\n"},
    {"InPlaceAfterAnotherInPlace",
     "def forward(self, x):\n    c = " MCVOL_CONV1 "\n"
     "    d = torch.dropout_(torch.relu_(c), 0.5, True)\n    return d * 2 + c\n"},
    {"InPlaceOnTheImage", "def forward(self, x):\n    x.mul_(2)\n    y = torch.dropout(" MCVOL_CONV1
                          ", 0.5, True)\n    return torch.cat([y, x], 1)\n"},
    {"InPlaceDropoutOfTheImage",
     "def forward(self, x):\n    torch.dropout_(x, 0.5, True)\n    return torch.cat([x, x], 1)\n"},
    // a draw put into a list or dictionary that is read again
    {"ListThatGrows",
     "def forward(self, x):\n    s = [" MCVOL_CONV1 "]\n    for i in range(3):\n"
     "        s.append(torch.dropout(torch.cat(s, 1)[:, -8:], 0.3, True) + s[0])\n    "
     "return s[-1] + s[1]\n"},
    {"ListItemReplacedUnderACondition",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y, y * 2]\n    t = s\n"
     "    if x.size(2) > 4:\n        s[0] = torch.dropout(y, 0.5, True)\n    return t[0] + y\n"},
    {"AppendedUnderACondition",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y]\n    if x.size(2) > 4:\n"
     "        s.append(torch.dropout(y, 0.5, True))\n    return torch.stack(s).sum(0)\n"},
    {"Dictionary",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    d = {'a': y, 'b': y * 2}\n"
     "    d['a'] = torch.dropout(y, 0.5, True)\n    e = d['b'] * 3\n    return d['a'] + e\n"},
    {"ListExtendedTwice", "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y]\n"
                          "    s.extend([torch.dropout(y, 0.5, True)])\n    s += [y * 2]\n"
                          "    return torch.cat(s, 1)\n"},
    {"InPlaceOnWhatPassesShare",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    y = torch.dropout(x, 0.5, False)\n    x.add_(y)\n    return x * 2\n"},
};

INSTANTIATE_TEST_SUITE_P(Forms, SplitEqualsWhole, ::testing::ValuesIn(kForms),
                         [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace mcvol
