// Operations prepared for the search: strings become numbers (states.h), calls
// and returns a list, and what cannot matter is left out.
//
// Thread safety: compatible.

#ifndef PORCUPINE_PROBLEM_H_
#define PORCUPINE_PROBLEM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "porcupine/operations.h"
#include "porcupine/seen.h"
#include "porcupine/states.h"

namespace porcupine {

// The state of a key, as far as reads can tell.
struct StateId {
  States::Id value = States::kUnread;
  uint64_t version = 0;
};

class Problem {
 public:
  // An epoch begins with a put, or with the start. All reads that show its
  // value, extended or not, must come before the next one, if no other write
  // can have made what they show.
  using Epoch = uint32_t;
  static constexpr Epoch kNoEpoch = 0xffffffff;

  struct Step {
    Rank call = 0;
    Rank returned = kNever;
    bool optional = false;
    bool reads = false;
    States::Id read = States::kUnread;
    Epoch read_epoch = kNoEpoch;
    VersionRule rule = VersionRule::kAny;
    uint64_t version = 0;
    Write write = Write::kNone;
    States::Id put = States::kUnread;
    Epoch put_epoch = kNoEpoch;
    std::string_view append;
    Hash128 hash;  // of this operation in a set: their exclusive or
  };

  // A call or a return, in order of time. The first one of the list is no
  // event: it only has a successor.
  struct Entry {
    uint32_t step = 0;
    bool is_return = false;
    uint32_t previous = 0;
    uint32_t next = 0;  // 0: none
  };

  // `later`: operations after these whose reads are to be told apart too.
  Problem(const Operations& operations, const std::vector<State>& starts,
          const Operations& later);

  // Returns the state after `step` in `state`; nothing if it cannot have been
  // executed there.
  std::optional<StateId> Apply(const Step& step, StateId state);

  // True for an operation that leaves this state as it is and, wherever else
  // it were executed, would do no read a favor: it may be executed at once.
  bool IsWithoutEffect(const Step& step, StateId state) const;

  States states;
  std::vector<Step> steps;  // as the operations
  std::vector<Entry> entries;
  std::vector<uint32_t> call_entries;    // of each step
  std::vector<uint32_t> return_entries;  // of each step; 0: none
  std::vector<uint32_t> reads_of_epoch;
  std::vector<StateId> starts;  // the epoch of starts[i] is i
  size_t mandatory = 0;         // operations that are not optional

 private:
  void AddStep(const Operation& operation);
  void AddEntries();
  void AssignEpochs();

  bool versions_matter_ = false;
};

}  // namespace porcupine

#endif  // PORCUPINE_PROBLEM_H_
