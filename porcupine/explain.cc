#include "porcupine/explain.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "porcupine/decide.h"
#include "porcupine/elements.h"
#include "porcupine/log_order.h"
#include "porcupine/parts.h"
#include "porcupine/search.h"
#include "porcupine/shrink.h"
#include "porcupine/words.h"

namespace porcupine {
namespace {

// More possible states at the window's begin are not listed.
constexpr size_t kMaxStates = 8;
// Counterexamples of more operations are not tried in all orders.
constexpr size_t kMaxProven = 8;

class Explainer {
 public:
  Explainer(const History& history, const Operations& operations, Budget budget,
            Unit unit)
      : history_(history), all_(operations), budget_(budget), unit_(unit) {}

  Explanation Explain() {
    const size_t culprit = FirstImpossible();
    explanation_.key = history_[all_[culprit].place].key;
    explanation_.first_impossible = all_[culprit].place;
    operations_ = Before(all_, all_[culprit].returned);
    FindWindow(all_[culprit].returned);
    std::optional<Finding> finding =
        Decide(operations_, {State{}}, &budget_).finding;
    if (finding.has_value() && (finding->rule == Rule::kForeign ||
                                finding->rule == Rule::kVersionUnknown)) {
      finding = LookIntoTheFuture(*std::move(finding));
    }
    if (!finding.has_value()) {
      // It took more than a rule to see it so early; one may see it later.
      finding = Decide(all_, {State{}}, &budget_).finding;
      if (finding.has_value()) operations_ = all_;
    }
    if (finding.has_value()) {
      explanation_.violation = Classify(*finding);
      explanation_.sentence =
          SentenceOf(history_, operations_, *finding, unit_);
      Conclude(operations_, finding->operations, {State{}});
    } else {
      ShrinkToFew();
    }
    std::vector<size_t> order;
    if (HasLogOrder(history_, all_)) {
      const auto fault = CheckLogOrder(history_, all_, &order);
      if (fault.has_value()) {
        explanation_.log_note = SentenceOf(history_, all_, *fault, unit_);
      }
    }
    return std::move(explanation_);
  }

 private:
  // The operation up to whose return the history is not linearizable, and up to
  // no earlier one: what is possible up to a time is so up to all earlier ones.
  size_t FirstImpossible() {
    std::vector<size_t> by_return;
    for (size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].returned != kNever) by_return.push_back(i);
    }
    std::sort(by_return.begin(), by_return.end(), [this](size_t a, size_t b) {
      return all_[a].returned < all_[b].returned;
    });
    return *std::partition_point(
        by_return.begin(), by_return.end() - 1, [this](size_t i) {
          const Operations part = Before(all_, all_[i].returned);
          return Decide(part, {State{}}, &budget_).outcome != Outcome::kIllegal;
        });
  }

  // From the last time at which no operation was in progress.
  void FindWindow(Rank moment) {
    size_t begin = 0;
    Rank latest_return = 0;
    for (size_t i = 0; i < all_.size() && all_[i].call < moment; ++i) {
      if (i > 0 && latest_return < all_[i].call) begin = i;
      latest_return = std::max(latest_return, all_[i].returned);
    }
    const auto at = static_cast<std::ptrdiff_t>(begin);
    Operations before(all_.begin(), all_.begin() + at);
    for (const Operation& operation : all_) {
      if (operation.call < all_[begin].call || operation.call > moment)
        continue;
      explanation_.window.push_back(operation.place);
    }
    window_ = Operations(operations_.begin() + at, operations_.end());
    explanation_.possible_states =
        StatesAfter(before, {State{}}, window_, kMaxStates, &budget_);
  }

  // What seems to come from nowhere may have been written later.
  Finding LookIntoTheFuture(Finding finding) {
    const Operation culprit = operations_[finding.read];
    const bool versioned = finding.rule == Rule::kVersionUnknown;
    Operations more = operations_;
    for (Operation later : all_) {
      const bool shown = versioned ? later.version + 1 == culprit.version
                                   : culprit.result.find(later.argument) !=
                                         std::string_view::npos;
      if (later.call < culprit.returned || later.write == Write::kNone ||
          !shown) {
        continue;
      }
      later.returned = kNever;
      later.optional = true;
      later.reads = false;
      more.push_back(later);
    }
    const Decision decided = Decide(more, {State{}}, &budget_);
    if (!decided.finding.has_value()) return finding;
    const Finding& future = *decided.finding;
    if (future.rule != Rule::kFuture && future.rule != Rule::kVersionOrder) {
      return finding;
    }
    operations_ = std::move(more);
    return future;
  }

  // Without a rule: takes away what is not needed for it to be impossible.
  void ShrinkToFew() {
    const Elements elements(operations_);
    const bool from_window =
        !elements.unique() && !explanation_.possible_states.empty();
    const Operations& operations = from_window ? window_ : operations_;
    const std::vector<State> starts = from_window ? explanation_.possible_states
                                                  : std::vector<State>{State{}};
    const std::vector<size_t> few = Shrink(
        operations, starts, Elements(operations, !from_window), &budget_);
    explanation_.violation = Violation::kNoOrder;
    Conclude(operations, few, starts);
    explanation_.sentence = SentenceOf(few.size(), from_window);
  }

  void Conclude(const Operations& operations, const std::vector<size_t>& few,
                const std::vector<State>& starts) {
    for (const size_t i : few) {
      explanation_.counterexample.push_back(operations[i].place);
    }
    if (few.size() > kMaxProven) return;
    const bool empty_at_first = starts == std::vector<State>{{}};
    const Part part =
        PartOf(operations, few, Elements(operations, empty_at_first));
    explanation_.proven = !HasOrder(part.operations, starts);
  }

  Violation Classify(const Finding& finding) const {
    switch (finding.rule) {
      case Rule::kForeign:
      case Rule::kVersionUnknown:
      case Rule::kVersionValue:
        return Violation::kValueFromNowhere;
      case Rule::kFuture:
        return Violation::kReadFromTheFuture;
      case Rule::kDuplicate:
        return Violation::kDuplicateExecution;
      case Rule::kMissing:
        return IsLost(operations_[finding.write], operations_[finding.read])
                   ? Violation::kLostWrite
                   : Violation::kStaleRead;
      case Rule::kShrinks:
      case Rule::kBetween:
        return Violation::kStaleRead;
      case Rule::kDiverges:
      case Rule::kOrder:
        return Violation::kReordering;
      case Rule::kVersionTwice:
        return Violation::kLostWrite;
      case Rule::kVersionOrder:
        return ClassifyVersions(operations_[finding.read],
                                operations_[finding.other]);
      case Rule::kVersionRefused:
        break;
    }
    return Violation::kNoOrder;
  }

  static Violation ClassifyVersions(const Operation& called,
                                    const Operation& returned) {
    if (called.write == Write::kNone) return Violation::kStaleRead;
    return returned.write == Write::kNone ? Violation::kReadFromTheFuture
                                          : Violation::kReordering;
  }

  // Says whether a write that `read` misses never had an effect, as far as the
  // reads of the whole history show.
  bool IsLost(const Operation& write, const Operation& read) const {
    const Elements elements(all_);
    if (!elements.unique()) return false;
    std::optional<size_t> put;  // that `read` shows
    for (size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].place == read.place) put = elements.ChainOf(i).put;
    }
    for (const Elements::Chain& chain : elements.chains()) {
      for (const size_t other : chain.reads) {
        // The value that a put has set shows by taking the place of another.
        if (write.write == Write::kPut && chain.put != put &&
            all_[other].call > write.returned) {
          return false;
        }
        for (size_t i = 0; i < elements.CountOf(other); ++i) {
          if (all_[chain.writes[i]].place == write.place) return false;
        }
      }
    }
    return true;
  }

  const History& history_;
  const Operations& all_;
  Budget budget_;
  const Unit unit_;
  Operations operations_;  // up to the first impossible moment
  Operations window_;      // of these, those of the window
  Explanation explanation_;
};

}  // namespace

Explanation Explain(const History& history, const Operations& operations,
                    Budget budget, Unit unit) {
  return Explainer(history, operations, budget, unit).Explain();
}

}  // namespace porcupine
