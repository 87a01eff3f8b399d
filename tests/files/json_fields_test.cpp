#include "mcvol/files/json_fields.h"

#include "mcvol/error/error.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using nlohmann::json;

void throw_model_error(const std::string& message) { throw ModelError("model.json: " + message); }

json parsed(const std::string& text) {
  return parse_json(text, "model.json",
                    [](const std::string& message) { throw ModelError(message); });
}

template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonFields, ReadsEveryKindOfField) {
  const json object =
      parsed(R"({"a": "x", "b": -3, "c": 0.5, "d": true, "e": {"f": 1}, "g": [1, 2]})");
  JsonFields fields(object, "", throw_model_error);
  EXPECT_EQ(fields.text("a"), "x");
  EXPECT_EQ(fields.integer("b"), -3);
  EXPECT_EQ(fields.number("b"), -3.0);
  EXPECT_EQ(fields.number("c"), 0.5);
  EXPECT_TRUE(fields.boolean("d"));
  EXPECT_EQ(fields.object("e").integer("f"), 1);
  EXPECT_EQ(fields.array("g").size(), 2u);
  EXPECT_FALSE(fields.has("h"));
  fields.finish();
}

TEST(JsonFields, MessagesNameThePathAndWhatWasFound) {
  const json object = {{"window", {{"input", "12"}, {"overlap", 1.5}, {"blend", nullptr}}}};
  JsonFields window = JsonFields(object, "", throw_model_error).object("window");
  EXPECT_EQ(error_of([&] { window.integer("input"); }),
            "model.json: window.input: expected an integer, found \"12\"");
  EXPECT_EQ(error_of([&] { window.integer("overlap"); }),
            "model.json: window.overlap: expected an integer, found 1.5");
  EXPECT_EQ(error_of([&] { window.text("blend"); }),
            "model.json: window.blend: expected a text, found null");
  EXPECT_EQ(error_of([&] { window.number("missing"); }), "model.json: window.missing: missing");
  EXPECT_EQ(error_of([&] { JsonFields(json::array(), "output", throw_model_error); }),
            "model.json: output: expected an object, found an array");
}

TEST(JsonFields, AnUnknownFieldIsRefusedWithTheKnownOnes) {
  const json object = {{"name", "x"}, {"drpout", 1}};
  JsonFields fields(object, "", throw_model_error);
  fields.text("name");
  EXPECT_FALSE(fields.has("dropout"));
  EXPECT_EQ(error_of([&] { fields.finish(); }),
            "model.json: drpout: unknown field; known here: dropout, name");
}

TEST(JsonFields, AnIntegerThatDoesNotFitIsRefused) {
  const json object = parsed(R"({"seed": 18446744073709551615})");
  JsonFields fields(object, "", throw_model_error);
  EXPECT_EQ(error_of([&] { fields.integer("seed"); }),
            "model.json: seed: expected an integer, found 18446744073709551615");
}

TEST(ParseJson, NamesLineAndColumn) {
  EXPECT_EQ(error_of([] { parsed("{\n  \"a\": 1,\n  \"b\" 2\n}"); }),
            "model.json, line 3, column 7: not valid JSON");
  EXPECT_EQ(error_of([] { parsed(""); }), "model.json, line 1, column 1: not valid JSON");
}

TEST(ParseJson, RefusesAFieldGivenTwiceInOneObjectOnly) {
  EXPECT_EQ(error_of([] { parsed(R"({"a": {"b": 1, "b": 2}})"); }),
            "model.json: field \"b\" is given twice in one object");
  EXPECT_EQ(parsed(R"([{"b": 1}, {"b": 2}])").size(), 2u);
}

TEST(ParseJson, BracketsAloneDoNotExhaustTheStack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(error_of([&] {
              const json copy = parsed(R"({"identity": )" + deep + "}");
              copy.dump();
            }),
            "model.json: JSON nested more than 64 deep, which no file of mcvol is");
  EXPECT_EQ(parsed(std::string(64, '[') + std::string(64, ']')).size(), 1u);
}

TEST(ParseJson, ANumberBeyondDoubleIsAnErrorOfTheFile) {
  EXPECT_EQ(error_of([] { parsed(R"({"a": 1e999})"); }).find("model.json: not valid JSON: "), 0u);
}

}  // namespace
}  // namespace mcvol
