// Solver: Boolean formulas over Booleans and small unsigned numbers, and whether they can hold. The one
// place that knows Z3 (4.8), which sees bit-vectors and Booleans only: no strings, no arithmetic.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nacre::policy {

// Handles of one Solver; worth nothing to another.
struct Formula {
  uint32_t index = 0;
};
struct Number {
  uint32_t index = 0;
  uint32_t greatest = 0;
};

// Not thread-safe; several may live side by side. Z3's errors are std::runtime_error here: there is no
// formula that a policy could name which causes one, but memory may end.
class Solver final {
 public:
  Solver();
  ~Solver();
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;

  Formula True() const { return {0}; }
  Formula False() const { return {1}; }
  Formula NewBoolean();
  Number NewNumber(uint32_t greatest);  // 0 to greatest, both included
  Formula InRange(const Number& number, uint32_t first, uint32_t last);
  Formula Equal(const Number& a, const Number& b);
  Formula AllOf(const std::vector<Formula>& formulas);
  Formula AnyOf(const std::vector<Formula>& formulas);
  Formula Not(Formula formula);
  Formula Implies(Formula a, Formula b) { return AnyOf({Not(a), b}); }

  void Require(Formula formula);

  enum class Answer { kUnknown = 0, kCannot, kCan };
  // Whether all that is required can hold together with `also`.
  Answer Check(const std::vector<Formula>& also, std::chrono::milliseconds timeout);
  // After kUnknown: "timeout", ...
  const std::string& why_unknown() const { return why_unknown_; }
  // Of the assignment that the last Check() with kCan found.
  bool Holds(Formula formula) const;
  uint32_t Value(const Number& number) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string why_unknown_;
};

}  // namespace nacre::policy
