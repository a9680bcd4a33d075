#include "base/json.h"

#include <set>
#include <vector>

namespace nacre {
namespace {

// A SAX consumer that builds the value while it counts depth and sees duplicate keys, which the
// DOM parser would silently let win: two readers of one document must never see two values.
template <typename AnyJson>
class BoundedBuilder final : public nlohmann::json_sax<AnyJson> {
  using Sax = nlohmann::json_sax<AnyJson>;

 public:
  explicit BoundedBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(typename Sax::number_integer_t value) override { return Add(value); }
  bool number_unsigned(typename Sax::number_unsigned_t value) override { return Add(value); }
  bool number_float(typename Sax::number_float_t value, const typename Sax::string_t&) override {
    return Add(value);
  }
  bool string(typename Sax::string_t& value) override { return Add(std::move(value)); }
  bool binary(typename Sax::binary_t&) override { return Fail("binary value"); }
  bool start_object(size_t) override { return Open(AnyJson::object()); }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(AnyJson::array()); }
  bool end_array() override { return Close(); }
  bool key(typename Sax::string_t& value) override {
    if (stack_.back()->contains(value)) {
      return Fail("duplicate key \"" + value.substr(0, 64) + "\"");
    }
    key_ = std::move(value);
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    (void)exception;  // its text quotes the hostile input at length
    return Fail("syntax error at byte " + std::to_string(position));
  }

  AnyJson Take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  AnyJson* Place(AnyJson value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    AnyJson& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool Add(AnyJson value) {
    Place(std::move(value));
    return true;
  }
  bool Open(AnyJson container) {
    if (static_cast<int>(stack_.size()) >= limits_.depth_max) {
      return Fail("nested deeper than " + std::to_string(limits_.depth_max) + " levels");
    }
    stack_.push_back(Place(std::move(container)));
    return true;
  }
  bool Close() {
    stack_.pop_back();
    return true;
  }
  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  const JsonLimits& limits_;
  AnyJson root_;
  // Pointers stay valid: only the innermost open container grows, and it owns none of the others.
  std::vector<AnyJson*> stack_;
  std::string key_;
  std::string problem_;
};

template <typename AnyJson>
Result<AnyJson> Parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{ErrorCode::kResourceExhausted, "JSON of " + std::to_string(text.size()) +
                                                    " bytes exceeds the limit of " +
                                                    std::to_string(limits.bytes_max)};
  }
  BoundedBuilder<AnyJson> builder(limits);
  if (!AnyJson::sax_parse(text.begin(), text.end(), &builder)) {
    return Error{ErrorCode::kInvalidArgument, "not valid JSON: " + builder.problem()};
  }
  return builder.Take();
}

template <typename AnyJson>
std::string Dump(const AnyJson& value) {
  return value.dump(-1, ' ', false, AnyJson::error_handler_t::replace);
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  return Parse<Json>(text, limits);
}

Result<OrderedJson> ParseOrderedJson(std::string_view text, const JsonLimits& limits) {
  return Parse<OrderedJson>(text, limits);
}

std::string DumpJson(const Json& value) {
  return Dump(value);
}
std::string DumpJson(const OrderedJson& value) {
  return Dump(value);
}

const Json* FindMember(const Json& object, std::string_view key) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto found = object.find(std::string(key));
  return found == object.end() ? nullptr : &*found;
}

std::string StringMember(const Json& object, std::string_view key, std::string fallback) {
  const Json* member = FindMember(object, key);
  return member != nullptr && member->is_string() ? member->get<std::string>() : fallback;
}

int64_t IntMember(const Json& object, std::string_view key, int64_t fallback) {
  const Json* member = FindMember(object, key);
  return member != nullptr && member->is_number_integer() ? member->get<int64_t>() : fallback;
}

bool BoolMember(const Json& object, std::string_view key, bool fallback) {
  const Json* member = FindMember(object, key);
  return member != nullptr && member->is_boolean() ? member->get<bool>() : fallback;
}

}  // namespace nacre
