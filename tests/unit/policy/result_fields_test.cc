// What a result is made of. A stranger's text must never get another field's key.
#include "policy/result_fields.h"

#include <catch2/catch.hpp>
#include <map>

namespace nacre::policy {
namespace {

// "sender=a|body=b c": keys joined by ".", white space in texts as it is.
std::string Shown(ResultFormat format, const std::string& text) {
  const auto fields = ReadResultFields(format, text);
  if (!fields.has_value()) {
    return "(none)";
  }
  std::string shown;
  for (const ResultField& field : *fields) {
    std::string keys;
    for (const std::string& key : field.keys) {
      keys += (keys.empty() ? "" : ".") + key;
    }
    shown += (shown.empty() ? "" : "|") + keys + "=" + field.text;
  }
  return shown;
}

TEST_CASE("YAML as encoders write it is taken apart") {
  struct Row {
    const char* text;
    const char* shown;
  };
  const Row row = GENERATE(values<Row>({
      {"1810.0", "=1810.0"},
      {"- a\n- b\n", "=a|=b"},
      {"- id: 1\n  who: x@y\n- id: 2\n  who: z\n", "id=1|who=x@y|id=2|who=z"},
      {"cc: []\nto:\n- a@b\n- c@d\nend: x\n", "to=a@b|to=c@d|end=x"},
      {"text: one\n  two\nnext: 3", "text=one two|next=3"},
      {"body: 'Hi,\n\n\n  it''s\n\n  sender: evil'\nsender: a",
       "body=Hi,\nit's\nsender: evil|sender=a"},
      {"body: \"a\\nsender: evil\\\n  \\ b\"\nsender: a", "body=a\nsender: evil\n b|sender=a"},
      {"body: |-\n  sender: evil\n  x\nsender: a", "body=sender: evil\nx\n|sender=a"},
      {"shared:\n  a@b: r\n  c@d: rw\nsize: 3", "shared.a@b=r|shared.c@d=rw|size=3"},
      {"{'a': 'x', 'b': None, 'c': [1, \"it's\"]}", "a=x|b=null|c=1|c=it's"},
      {"'quoted key': v", "quoted key=v"},
      {"a:\nb: 1", "a=|b=1"},
      {"- - a\n  - b\n- c", "=a|=b|=c"},
  }));
  CAPTURE(row.text);
  CHECK(Shown(ResultFormat::kYaml, row.text) == row.shown);
}

TEST_CASE("what no encoder writes is not taken apart at all") {
  const char* text = GENERATE(values<const char*>({
      "Dear tenant,\nsender: bank\n",      // free text with a line that looks like a field
      "body: hi sender: bank",             // a colon inside a plain scalar
      "body: hi # sender",                 //
      "a: &x 1\nb: *x",                    //
      "a: !!str 1",                        //
      "body: 'not closed\nsender: bank",   //
      "body: 'closed' sender: bank",       //
      "body: 'Hi\nsender: bank'",          // a quoted line at the column of its key
      "body: |\nsender: bank\nbody2: |x",  //
      "? a\n: b",                          //
      "{a: b}",                            //
      "[1, 2",                             //
      "<<- a: b\n  c: d>>",                //
      "",                                  //
      "a: 1\n b: 2",                       //
      "- a\nb: 1",                         //
  }));
  CAPTURE(text);
  CHECK(Shown(ResultFormat::kYaml, text) == "(none)");
}

TEST_CASE("JSON is taken apart, in Python's spelling as well") {
  CHECK(Shown(ResultFormat::kJson, R"([{"a":{"b":[1,true,null]}},"x"])") ==
        "a.b=1|a.b=true|a.b=null|=x");
  CHECK(Shown(ResultFormat::kJson, "{'a': 'say \"hi\"'}") == "a=say \"hi\"");
  CHECK(Shown(ResultFormat::kJson, "no json") == "(none)");
  CHECK(Shown(ResultFormat::kText, "a: b") == "=a: b");
}

TEST_CASE("depth, size and number are bounded") {
  CHECK(Shown(ResultFormat::kJson, std::string(40, '[') + std::string(40, ']')) == "(none)");
  std::string deep;
  for (int i = 0; i < 40; ++i) {
    deep += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  }
  CHECK(Shown(ResultFormat::kYaml, deep + std::string(41, ' ') + "b") == "(none)");
  CHECK(Shown(ResultFormat::kYaml, "a: " + std::string(2U << 20, 'x')) == "(none)");
  std::string many;
  for (int i = 0; i < 70'000; ++i) {
    many += "- a\n";
  }
  CHECK(Shown(ResultFormat::kYaml, many) == "(none)");
}

}  // namespace
}  // namespace nacre::policy
