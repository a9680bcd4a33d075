#include "policy/analysis/solver.h"

#include <z3++.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace nacre::policy {

struct Solver::State {
  z3::context context;
  // Booleans and bit-vectors, decided by the SAT solver.
  z3::solver solver{context, "QF_FD"};
  std::vector<z3::expr> formulas;
  std::vector<z3::expr> numbers;
  std::optional<z3::model> model;
  std::vector<Z3_ast> scratch;

  Formula Keep(z3::expr formula) {
    formulas.push_back(std::move(formula));
    return {static_cast<uint32_t>(formulas.size() - 1)};
  }
  const std::vector<Z3_ast>& Asts(const std::vector<Formula>& of) {
    scratch.clear();
    for (const Formula formula : of) {
      scratch.push_back(formulas[formula.index]);
    }
    return scratch;
  }
  Formula Join(const std::vector<Formula>& of, decltype(&Z3_mk_and) join) {
    if (of.size() == 1) {
      return of[0];
    }
    const std::vector<Z3_ast>& asts = Asts(of);
    return Keep(z3::expr(context, join(context, static_cast<unsigned>(asts.size()), asts.data())));
  }
};

namespace {

template <typename Work>
auto Translated(Work work) {
  try {
    return work();
  } catch (const z3::exception& error) {
    throw std::runtime_error(std::string("the solver failed: ") + error.msg());
  }
}

unsigned BitsOf(uint32_t greatest) {
  unsigned bits = 1;
  while (bits < 32 && (greatest >> bits) != 0) {
    ++bits;
  }
  return bits;
}

}  // namespace

Solver::Solver() : state_(Translated([] { return std::make_unique<State>(); })) {
  state_->formulas.push_back(state_->context.bool_val(true));
  state_->formulas.push_back(state_->context.bool_val(false));
}

Solver::~Solver() = default;

Formula Solver::NewBoolean() {
  return Translated([&] {
    const std::string name = "b" + std::to_string(state_->formulas.size());
    return state_->Keep(state_->context.bool_const(name.c_str()));
  });
}

Number Solver::NewNumber(uint32_t greatest) {
  return Translated([&] {
    const auto index = static_cast<uint32_t>(state_->numbers.size());
    state_->numbers.push_back(
        state_->context.bv_const(("n" + std::to_string(index)).c_str(), BitsOf(greatest)));
    const Number number{index, greatest};
    Require(InRange(number, 0, greatest));
    return number;
  });
}

Formula Solver::InRange(const Number& number, uint32_t first, uint32_t last) {
  return Translated([&] {
    const unsigned bits = BitsOf(number.greatest);
    const z3::expr& value = state_->numbers[number.index];
    const uint32_t top = bits == 32 ? UINT32_MAX : (1U << bits) - 1;
    last = std::min(last, top);
    if (first > last) {
      return False();
    }
    z3::context& context = state_->context;
    if (first == last) {
      return state_->Keep(value == context.bv_val(first, bits));
    }
    if (first == 0 && last == top) {
      return True();
    }
    if (first == 0) {
      return state_->Keep(z3::ule(value, context.bv_val(last, bits)));
    }
    if (last == top) {
      return state_->Keep(z3::uge(value, context.bv_val(first, bits)));
    }
    return state_->Keep(z3::uge(value, context.bv_val(first, bits)) &&
                        z3::ule(value, context.bv_val(last, bits)));
  });
}

Formula Solver::Equal(const Number& a, const Number& b) {
  return Translated([&] {
    const unsigned bits = std::max(BitsOf(a.greatest), BitsOf(b.greatest));
    const auto wide = [&](const Number& number) {
      return z3::zext(state_->numbers[number.index], bits - BitsOf(number.greatest));
    };
    return state_->Keep(wide(a) == wide(b));
  });
}

Formula Solver::AllOf(const std::vector<Formula>& formulas) {
  return Translated([&] { return state_->Join(formulas, &Z3_mk_and); });
}

Formula Solver::AnyOf(const std::vector<Formula>& formulas) {
  return Translated([&] { return state_->Join(formulas, &Z3_mk_or); });
}

Formula Solver::Not(Formula formula) {
  return Translated([&] { return state_->Keep(!state_->formulas[formula.index]); });
}

void Solver::Require(Formula formula) {
  Translated([&] { state_->solver.add(state_->formulas[formula.index]); });
}

Solver::Answer Solver::Check(const std::vector<Formula>& also, std::chrono::milliseconds timeout) {
  state_->model.reset();
  if (timeout.count() <= 0) {
    why_unknown_ = "timeout";
    return Answer::kUnknown;
  }
  return Translated([&] {
    z3::solver& solver = state_->solver;
    z3::params params(state_->context);
    params.set("timeout", static_cast<unsigned>(std::min<int64_t>(timeout.count(), INT32_MAX)));
    solver.set(params);
    solver.push();
    for (const Formula formula : also) {
      solver.add(state_->formulas[formula.index]);
    }
    const z3::check_result result = solver.check();
    if (result == z3::sat) {
      state_->model = solver.get_model();
    } else if (result == z3::unknown) {
      const std::string why = solver.reason_unknown();
      why_unknown_ =
          why == "canceled" || why.find("interrupt") != std::string::npos ? "timeout" : why;
    }
    solver.pop();
    return result == z3::sat     ? Answer::kCan
           : result == z3::unsat ? Answer::kCannot
                                 : Answer::kUnknown;
  });
}

bool Solver::Holds(Formula formula) const {
  return Translated(
      [&] { return state_->model->eval(state_->formulas[formula.index], true).is_true(); });
}

uint32_t Solver::Value(const Number& number) const {
  return Translated(
      [&] { return state_->model->eval(state_->numbers[number.index], true).get_numeral_uint(); });
}

}  // namespace nacre::policy
