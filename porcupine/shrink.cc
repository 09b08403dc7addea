#include "porcupine/shrink.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

#include "porcupine/parts.h"
#include "porcupine/search.h"

namespace porcupine {
namespace {

// An attempt that takes more is given up: smaller ones may take less.
constexpr uint64_t kStepsOfOne = 500'000;

class Shrinker {
 public:
  Shrinker(const Operations& operations, const std::vector<State>& starts,
           const Elements& elements, Budget* budget)
      : operations_(operations),
        starts_(starts),
        elements_(elements),
        budget_(*budget),
        left_(operations.size()) {
    std::iota(left_.begin(), left_.end(), 0);
  }

  // Large pieces first, then smaller ones; reads before writes, since a write
  // can go when no read shows it.
  std::vector<size_t> Shrink() {
    size_t before;
    do {
      before = left_.size();
      for (const bool writes : {false, true}) {
        for (size_t piece = left_.size(); piece > 0; piece /= 2) {
          RemovePieces(piece, writes);
        }
      }
    } while (left_.size() < before && budget_.steps > 0);
    return left_;
  }

 private:
  const Operation& At(size_t i) const { return operations_[i]; }

  void RemovePieces(size_t piece, bool writes) {
    for (size_t begin = 0; begin < left_.size() && budget_.steps > 0;) {
      std::vector<size_t> rest;
      size_t removed = 0;
      for (size_t n = 0; n < left_.size(); ++n) {
        const size_t i = left_[n];
        const bool is_write = At(i).write != Write::kNone;
        const bool chosen = n >= begin && n < begin + piece;
        if (chosen && is_write == writes && CanGo(i)) {
          ++removed;
        } else {
          rest.push_back(i);
        }
      }
      if (removed > 0 && IsIllegal(rest)) {
        left_ = std::move(rest);
        begin += piece - removed;
      } else {
        begin += piece;
      }
    }
  }

  // True if taking it away leaves legal what was legal.
  bool CanGo(size_t i) const {
    const Operation& operation = At(i);
    if (operation.write == Write::kNone) return true;
    const bool versions = std::any_of(
        left_.begin(), left_.end(),
        [this](size_t other) { return At(other).rule != VersionRule::kAny; });
    if (versions) return false;
    return std::none_of(left_.begin(), left_.end(), [&](size_t read) {
      return At(read).reads && Needs(read, i);
    });
  }

  // True if the read shows the write, and would not without it.
  bool Needs(size_t read, size_t write) const {
    if (elements_.unique() && !At(read).optional) {
      if (At(write).write == Write::kAppend) return false;
      return elements_.ChainOf(read).put == write &&
             elements_.CountOf(read) > 0;
    }
    return At(read).result.find(At(write).argument) != std::string_view::npos;
  }

  bool IsIllegal(const std::vector<size_t>& places) {
    const Part part = PartOf(operations_, places, elements_);
    Budget budget = budget_;
    budget.steps = std::min(budget.steps, kStepsOfOne);
    const uint64_t before = budget.steps;
    const Outcome outcome = Search(part.operations, starts_, &budget).outcome;
    budget_.steps -= before - budget.steps;
    return outcome == Outcome::kIllegal;
  }

  const Operations& operations_;
  const std::vector<State>& starts_;
  const Elements& elements_;
  Budget& budget_;
  std::vector<size_t> left_;
};

}  // namespace

std::vector<size_t> Shrink(const Operations& operations,
                           const std::vector<State>& starts,
                           const Elements& elements, Budget* budget) {
  return Shrinker(operations, starts, elements, budget).Shrink();
}

}  // namespace porcupine
