#include "network/archive/source_check.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

// What LibTorch would run, or run out of stack by, while it only compiles a file's code.

namespace mcvol {
namespace {

std::string danger_in(const std::string& code) {
  return danger_of_compiling(std::make_shared<torch::jit::Source>(code), "code/x.py");
}

std::string function_with_default(const std::string& value) {
  return "def f(x: Tensor,\n    y: float=" + value + ") -> Tensor:\n  return x\n";
}

std::string class_with_constant(const std::string& value) {
  return "class C(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  n : Final[int] = " +
         value + "\n  def forward(self, x: Tensor) -> Tensor:\n    return x\n";
}

TEST(SourceCheck, LetsLiteralsBe) {
  for (const std::string value : {"1", "-1", "0.5", "True", "None", "\"a(((\"", "[1, 2]",
                                  "(1, -2.)", "float(\"inf\")", "torch.device(\"cpu\")", "inf"}) {
    EXPECT_EQ(danger_in(function_with_default(value)), "") << value;
    EXPECT_EQ(danger_in(class_with_constant(value)), "") << value;
  }
}

TEST(SourceCheck, RefusesDefaultsAndConstantsThatAreComputed) {
  for (const std::string value :
       {"torch.size(torch.from_file(\"a\", True, 10), 0)", "1 + 1", "[torch.numel(x)]",
        "float(torch.ones([1]))", "__torch__.f(2)", "-torch.neg(1)", "torch.mul([0], 300000000)"}) {
    EXPECT_NE(danger_in(function_with_default(value)).find("computed in code/x.py"),
              std::string::npos)
        << value;
    EXPECT_NE(danger_in(class_with_constant(value)).find("computed in code/x.py"),
              std::string::npos)
        << value;
  }
}

TEST(SourceCheck, RefusesWhatTheParserWouldRunOutOfStackBy) {
  const auto repeated = [](const std::string& text, int count) {
    std::string all;
    for (int n = 0; n < count; ++n) all += text;
    return all;
  };
  const auto returning = [](const std::string& value) {
    return "def f(p: bool):\n  return " + value + "\n";
  };
  constexpr int kMany = 100'000;
  for (const std::string& code :
       {returning(repeated("not ", kMany) + "p"), returning(repeated("-", kMany) + "p"),
        returning(repeated("p + ", kMany) + "p"),
        returning("[\"" + repeated(")", kMany) + "\", " + repeated("(", kMany) + "p" +
                  repeated(")", kMany) + "]")}) {
    EXPECT_NE(danger_in(code).find("too deep or too long"), std::string::npos)
        << code.substr(0, 60);
  }
  EXPECT_EQ(danger_in(returning("\"" + repeated("(", 600) + "\"")), "");
  EXPECT_EQ(danger_in(returning("[" + repeated("1, ", kMany) + "]")), "");
}

}  // namespace
}  // namespace mcvol
