#include "mcvol/error/error.h"

#include <filesystem>
#include <string>

#include "network/archive/module_file.h"
#include "network/graph/graph_fixture.h"
#include "network/support/tiny_network.h"
#include <gtest/gtest.h>

// A bundle is a program of somebody else's: what it may do, and that nothing of one that may not
// runs.

namespace mcvol {
namespace {

struct Refused {
  std::string forward;  ///< FILE stands for a file that must not come to be
  std::string message;
};

std::string with(std::string text, const std::string& word, const std::string& value) {
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word)) {
    text.replace(at, word.size(), value);
  }
  return text;
}

class Effects : public ::testing::TestWithParam<Refused> {};

TEST_P(Effects, AreRefusedBeforeTheyHappen) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "mcvol_effect_of_a_network";
  std::filesystem::remove(file);
  const std::string error =
      testing::error_of(with(GetParam().forward, "FILE", '"' + file.string() + '"'));
  EXPECT_NE(error.find(GetParam().message), std::string::npos) << error;
  EXPECT_FALSE(std::filesystem::exists(file));
}

constexpr const char* kState =
    "def forward(self, x):\n    return torch.dropout(x, 0.5, False)\n"
    "def __getstate__(self):\n    return (1, self.training)\n";

INSTANTIATE_TEST_SUITE_P(
    Of, Effects,
    ::testing::Values(
        Refused{"def forward(self, x):\n    torch.save(x, FILE)\n"
                "    return torch.dropout(x, 0.5, False)\n",
                "aten::save in 'TinyNetwork.forward', which reads or writes a file"},
        Refused{"def forward(self, x):\n    y = torch.from_file(FILE, True, 10)\n"
                "    return torch.dropout(x, 0.5, False) + y.sum()\n",
                "aten::from_file in 'TinyNetwork.forward', which reads or writes a file"},
        Refused{"def forward(self, x):\n    if x.sum() > 1e9:\n        torch.save(x, FILE)\n"
                "    return torch.dropout(x, 0.5, False)\n",
                "aten::save"},
        Refused{"def forward(self, x):\n    return torch.dropout(x, 0.5, False)\n"
                "def aside(self, x):\n    torch.save(x, FILE)\n    return x\n",
                "aten::save in 'TinyNetwork.aside'"},
        Refused{"def forward(self, x):\n    torch.manual_seed(3)\n"
                "    return torch.dropout(x, 0.5, False)\n",
                "aten::manual_seed in 'TinyNetwork.forward', which changes more than its"},
        Refused{std::string(kState) +
                    "def __setstate__(self, state: Tuple[int, bool]):\n"
                    "    self.training = state[1]\n    torch.save(torch.ones([2]), FILE)\n",
                "aten::save in 'TinyNetwork.__setstate__'"},
        Refused{std::string(kState) + "def __setstate__(self, state: Tuple[int, bool]):\n"
                                      "    self.training = state[1]\n    self.spin(state[0])\n"
                                      "def spin(self, n: int):\n    while n > 0:\n        n += 1\n",
                "prim::Loop in 'TinyNetwork.spin' would run where mcvol cannot stop it"},
        Refused{std::string(kState) + "def __setstate__(self, state: Tuple[int, bool]):\n"
                                      "    self.training = state[1]\n    print('hello')\n",
                "prim::Print in 'TinyNetwork.__setstate__'"}));

TEST(CodeCheck, OperatorsThatWriteIntoTheirArgumentsPrintAndRaiseAreHarmless) {
  const DropoutGraph network = testing::load(
      "def forward(self, x):\n"
      "    assert x.dim() == 5, 'of rank 5'\n"
      "    y = []\n    y.append(x.clone().add_(1))\n"
      "    print(len(y))\n"
      "    return torch.dropout(y[0], 0.5, False)\n");
  ASSERT_EQ(network.layers.size(), 1U);
  EXPECT_EQ(network.layers[0].fate, "active");
}

/// Each method calls the one before it twice.
TEST(CodeCheck, MethodsThatGrowWithoutBoundWhereTheyStandInOneAnotherAreRefused) {
  std::string code = "def f0(self, x):\n    return x + 1\n";
  for (int n = 1; n <= 40; ++n) {
    const std::string before = "self.f" + std::to_string(n - 1);
    code +=
        "def f" + std::to_string(n) + "(self, x):\n    return " + before + "(" + before + "(x))\n";
  }
  const std::string error = testing::error_of(
      code + "def forward(self, x):\n    return torch.dropout(self.f40(x), 0.5, False)\n");
  EXPECT_NE(error.find("comes to more than 1000000 operators"), std::string::npos) << error;
}

TEST(CodeCheck, LoopsThatGrowWithoutBoundWhereTheyAreWrittenOutAreRefused) {
  std::string code = "def forward(self, x):\n    n = int(self.slope.numel()) * 7\n";
  std::string indent = "    ";
  for (int depth = 0; depth < 5; ++depth) {
    code += indent + "for i" + std::to_string(depth) + " in range(" +
            (depth % 2 == 0 ? "60" : "n") + "):\n";
    indent += "    ";
  }
  const std::string error =
      testing::error_of(code + indent + "x = x + 1\n    return torch.dropout(x, 0.5, False)\n");
  EXPECT_NE(error.find("with its loops written out"), std::string::npos) << error;
}

TEST(CodeCheck, LoopsOverTheSizeOfAnImageRun) {
  const DropoutGraph network = testing::load(
      "def forward(self, x):\n    y = torch.zeros_like(x)\n"
      "    for i in range(x.size(2)):\n        for j in range(x.size(3)):\n"
      "            for k in range(x.size(4)):\n                y[:, :, i, j, k] = x[:, :, i, j, "
      "k]\n"
      "    return torch.dropout(y, 0.5, False)\n");
  const at::Tensor output = testing::run_whole(network, {.dropout_off = true});
  EXPECT_TRUE(output.equal(testing::image()));
}

TEST(CodeCheck, ALoopWithoutEndIsStopped) {
  const DropoutGraph network = testing::load(
      "def forward(self, x):\n    x = torch.dropout(x, 0.5, False)\n"
      "    while bool(x.sum() < 1e30):\n        x = x * 1.0\n    return x\n");
  try {
    testing::run_whole(network, {.dropout_off = true});
    FAIL() << "expected an error";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("did not end within 100000 rounds"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace mcvol
