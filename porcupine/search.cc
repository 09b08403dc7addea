#include "porcupine/search.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "porcupine/problem.h"
#include "porcupine/seen.h"
#include "porcupine/states.h"

namespace porcupine {
namespace {

// How far to look for reads that must come soon, in calls and returns.
constexpr int kLookAhead = 128;

class Searcher {
 public:
  // `on_complete` sees each way to execute all operations; true: that will do.
  Searcher(Problem* problem, Budget* budget, std::function<bool()> on_complete)
      : problem_(*problem),
        entries_(problem->entries),
        reads_left_(problem->reads_of_epoch),
        budget_(*budget),
        on_complete_(std::move(on_complete)) {}

  // Searches from one of the problem's starts.
  Outcome Run(uint32_t start) {
    now_ = {.state = problem_.starts[start], .epoch = start};
    mandatory_left_ = problem_.mandatory;
    executed_ = {};
    path_.clear();
    Cursor cursor = Begin();
    while (true) {
      if (budget_.steps == 0 || seen_.bytes() > budget_.bytes) {
        return Outcome::kUnknown;
      }
      if (mandatory_left_ == 0 && on_complete_()) return Outcome::kOk;
      if (Advance(&cursor)) {
        cursor = Begin();
      } else if (path_.empty()) {
        return Outcome::kIllegal;
      } else {
        cursor = TakeBack();
      }
    }
  }

  // The operations executed, in order.
  std::vector<size_t> Order() const {
    std::vector<size_t> order;
    for (const Frame& frame : path_) order.push_back(frame.step);
    return order;
  }
  StateId state() const { return now_.state; }

 private:
  // What is tried next: first what has no effect, then what leads to the value
  // that the next read shows, then the rest.
  enum Phase : uint8_t { kWithoutEffect, kWanted, kOthers, kDone };
  struct Cursor {
    Phase phase;
    uint32_t entry;
  };
  struct Now {
    StateId state;
    Problem::Epoch epoch;
    Rank last_call = 0;  // the latest call of those executed
  };
  struct Frame {
    uint32_t step;
    Cursor cursor;
    Now before;
  };

  Cursor Begin() const { return {kWithoutEffect, entries_[0].next}; }

  // Executes the next operation that the cursor leads to; false: there is none.
  bool Advance(Cursor* cursor) {
    if (cursor->phase == kWithoutEffect) {
      if (const uint32_t entry = FindWithoutEffect(cursor->entry)) {
        cursor->phase = kDone;
        return TryExecute(entries_[entry].step, *cursor, std::nullopt);
      }
      cursor->phase = kWanted;
    }
    for (; cursor->phase != kDone; NextPhase(cursor)) {
      if (AdvanceInPhase(cursor)) return true;
    }
    return false;
  }

  void NextPhase(Cursor* cursor) const {
    cursor->phase = static_cast<Phase>(cursor->phase + 1);
    cursor->entry = entries_[0].next;
  }

  bool AdvanceInPhase(Cursor* cursor) {
    const std::optional<States::Id> target = NextRead();
    while (cursor->entry != 0) {
      const Entry& entry = entries_[cursor->entry];
      const Problem::Step& step = problem_.steps[entry.step];
      if (entry.is_return && !step.optional) return false;
      cursor->entry = entry.next;
      if (entry.is_return || step.returned < now_.last_call) continue;
      const bool wanted = cursor->phase == kWanted;
      if (TryExecute(entry.step, *cursor,
                     Filter{.target = target, .wanted = wanted})) {
        return true;
      }
    }
    return false;
  }

  // The call of an operation that can be executed without effect now, and
  // takes no optional one its chance; 0: none.
  uint32_t FindWithoutEffect(uint32_t at) {
    for (; at != 0; at = entries_[at].next) {
      const Problem::Step& step = problem_.steps[entries_[at].step];
      if (step.returned < now_.last_call) continue;  // optional, and too late
      if (entries_[at].is_return) return 0;
      --budget_.steps;
      if (problem_.IsWithoutEffect(step, now_.state)) return at;
      if (budget_.steps == 0) return 0;
    }
    return 0;
  }

  struct Filter {
    std::optional<States::Id> target;
    bool wanted;
  };

  // Executes an operation unless it cannot be, leads nowhere, or leads to what
  // is explored already; or is not in the filter.
  bool TryExecute(uint32_t number, Cursor cursor,
                  const std::optional<Filter>& filter) {
    const Problem::Step& step = problem_.steps[number];
    if (budget_.steps > 0) --budget_.steps;
    const std::optional<StateId> after = problem_.Apply(step, now_.state);
    if (!after.has_value()) return false;
    if (filter.has_value()) {
      const bool wanted =
          !filter->target.has_value() ||
          problem_.states.CanBecome(after->value, *filter->target);
      if (wanted != filter->wanted) return false;
    }
    path_.push_back({number, cursor, now_});
    Lift(number);
    const Problem::Epoch left = now_.epoch;
    now_.state = *after;
    if (step.write == Write::kPut) now_.epoch = step.put_epoch;
    now_.last_call = std::max(now_.last_call, step.call);
    if (IsHopeful(left) && seen_.Insert(Configuration())) return true;
    TakeBack();
    return false;
  }

  // Undoes the last operation. Returns where to go on.
  Cursor TakeBack() {
    const Frame frame = path_.back();
    path_.pop_back();
    Unlift(frame.step);
    now_ = frame.before;
    return frame.cursor;
  }

  Hash128 Configuration() const {
    return executed_ ^ HashOf(Mix(now_.state.value) ^ now_.state.version);
  }

  // False if some read cannot show what it showed any more, after a step that
  // began in the epoch `left`.
  bool IsHopeful(Problem::Epoch left) const {
    if (reads_left_[left] > 0 &&
        (now_.epoch != left || now_.state.value == States::kUnread)) {
      return false;
    }
    uint32_t at = entries_[0].next;
    for (int i = 0; at != 0 && i < kLookAhead; at = entries_[at].next, ++i) {
      const Problem::Step& step = problem_.steps[entries_[at].step];
      if (step.optional && step.returned < now_.last_call) continue;
      if (!entries_[at].is_return && step.write == Write::kPut) return true;
      if (entries_[at].is_return && step.reads && !step.optional &&
          !problem_.states.CanBecome(now_.state.value, step.read)) {
        return false;
      }
    }
    return true;
  }

  // What the read that must be executed first shows.
  std::optional<States::Id> NextRead() const {
    uint32_t at = entries_[0].next;
    for (int i = 0; at != 0 && i < kLookAhead; at = entries_[at].next, ++i) {
      const Problem::Step& step = problem_.steps[entries_[at].step];
      if (entries_[at].is_return && step.reads && !step.optional) {
        return step.read;
      }
    }
    return std::nullopt;
  }

  void Lift(uint32_t number) {
    Account(number, -1);
    LiftEntry(problem_.call_entries[number]);
    if (const uint32_t at = problem_.return_entries[number]) LiftEntry(at);
  }
  void Unlift(uint32_t number) {
    if (const uint32_t at = problem_.return_entries[number]) UnliftEntry(at);
    UnliftEntry(problem_.call_entries[number]);
    Account(number, 1);
  }
  void Account(uint32_t number, int change) {
    const Problem::Step& step = problem_.steps[number];
    executed_ = executed_ ^ step.hash;
    if (step.read_epoch != Problem::kNoEpoch) {
      reads_left_[step.read_epoch] += change;
    }
    if (!step.optional) mandatory_left_ += change;
  }
  void LiftEntry(uint32_t at) {
    const Entry& entry = entries_[at];
    entries_[entry.previous].next = entry.next;
    if (entry.next != 0) entries_[entry.next].previous = entry.previous;
  }
  void UnliftEntry(uint32_t at) {
    const Entry& entry = entries_[at];
    entries_[entry.previous].next = at;
    if (entry.next != 0) entries_[entry.next].previous = at;
  }

  using Entry = Problem::Entry;

  Problem& problem_;
  std::vector<Entry> entries_;  // without those of executed operations
  std::vector<uint32_t> reads_left_;
  Budget& budget_;
  const std::function<bool()> on_complete_;

  Now now_;
  size_t mandatory_left_ = 0;
  Hash128 executed_;
  std::vector<Frame> path_;
  Seen seen_;
};

// The state after these operations.
State Execute(const Operations& operations, const std::vector<size_t>& order,
              State state) {
  for (const size_t i : order) {
    const Operation& operation = operations[i];
    if (operation.write == Write::kNone) continue;
    if (operation.write == Write::kPut) state.value.clear();
    state.value += operation.argument;
    ++state.version;
  }
  return state;
}

}  // namespace

SearchResult Search(const Operations& operations,
                    const std::vector<State>& starts, Budget* budget) {
  Problem problem(operations, starts, {});
  Searcher searcher(&problem, budget, [] { return true; });
  SearchResult result;
  result.outcome = Outcome::kIllegal;
  for (uint32_t start = 0; start < starts.size(); ++start) {
    result.outcome = searcher.Run(start);
    if (result.outcome == Outcome::kIllegal) continue;
    result.order = searcher.Order();
    break;
  }
  return result;
}

std::vector<State> StatesAfter(const Operations& operations,
                               const std::vector<State>& starts,
                               const Operations& later, size_t limit,
                               Budget* budget) {
  Problem problem(operations, starts, later);
  std::vector<State> found;
  std::vector<StateId> known;
  for (uint32_t start = 0; start < starts.size(); ++start) {
    Searcher* running = nullptr;
    Searcher searcher(&problem, budget, [&] {
      const StateId state = running->state();
      for (const StateId& other : known) {
        if (other.value == state.value && other.version == state.version) {
          return false;
        }
      }
      known.push_back(state);
      found.push_back(Execute(operations, running->Order(), starts[start]));
      return found.size() > limit;
    });
    running = &searcher;
    if (searcher.Run(start) != Outcome::kIllegal) return {};
  }
  return found;
}

}  // namespace porcupine
