#include "porcupine/problem.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace porcupine {
namespace {

std::vector<std::string_view> ValuesRead(const Operations& operations,
                                         const Operations& later) {
  std::vector<std::string_view> values;
  for (const Operations* some : {&operations, &later}) {
    for (const Operation& operation : *some) {
      if (operation.reads) values.push_back(operation.result);
    }
  }
  return values;
}

// Which epoch can have made each of the values that were read.
class EpochsOfValues {
 public:
  explicit EpochsOfValues(size_t values)
      : epochs_(values, kNone), work_left_(64 * values + 1024) {}

  void Add(const States::Node& node, Problem::Epoch epoch) {
    for (uint32_t i = node.first; i < node.last; ++i) AddOne(i, epoch);
  }

  // Of a value by its node; kNoEpoch if several can.
  Problem::Epoch Of(const States::Node& node) const {
    const Problem::Epoch epoch = epochs_[node.first];
    return epoch == kNone || work_left_ == 0 ? Problem::kNoEpoch : epoch;
  }

 private:
  static constexpr Problem::Epoch kNone = Problem::kNoEpoch - 1;

  void AddOne(uint32_t value, Problem::Epoch epoch) {
    if (work_left_ > 0) --work_left_;
    Problem::Epoch& now = epochs_[value];
    now = now == kNone || now == epoch ? epoch : Problem::kNoEpoch;
  }

  std::vector<Problem::Epoch> epochs_;
  size_t work_left_;  // none: epochs are not worth it
};

}  // namespace

Problem::Problem(const Operations& operations,
                 const std::vector<State>& start_states,
                 const Operations& later)
    : states(ValuesRead(operations, later)) {
  for (const State& start : start_states) {
    starts.push_back({states.Of(start.value), start.version});
  }
  steps.reserve(operations.size());
  for (const Operation& operation : operations) AddStep(operation);
  for (const Operation& operation : later) {
    versions_matter_ |= operation.rule != VersionRule::kAny;
  }
  AddEntries();
  AssignEpochs();
}

void Problem::AddStep(const Operation& operation) {
  Step step;
  step.call = operation.call;
  step.returned = operation.returned;
  step.optional = operation.optional;
  step.reads = operation.reads;
  if (step.reads) step.read = states.Of(operation.result);
  step.rule = operation.rule;
  step.version = operation.version;
  step.write = operation.write;
  if (step.write == Write::kPut) step.put = states.Of(operation.argument);
  if (step.write == Write::kAppend) step.append = operation.argument;
  step.hash = HashOf(steps.size());
  mandatory += step.optional ? 0 : 1;
  versions_matter_ |= step.rule != VersionRule::kAny;
  steps.push_back(step);
}

void Problem::AddEntries() {
  std::vector<std::pair<Rank, Entry>> events;
  for (uint32_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    // A put that no read shows need not have been executed.
    if (step.optional && step.write == Write::kPut &&
        step.put == States::kUnread && !versions_matter_) {
      continue;
    }
    events.push_back({step.call, {.step = i, .is_return = false}});
    if (step.returned == kNever) continue;
    events.push_back({step.returned, {.step = i, .is_return = true}});
  }
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  call_entries.assign(steps.size(), 0);
  return_entries.assign(steps.size(), 0);
  entries.resize(1);
  for (auto& [rank, entry] : events) {
    const uint32_t number = entries.size();
    entry.previous = number - 1;
    entries.back().next = number;
    (entry.is_return ? return_entries : call_entries)[entry.step] = number;
    entries.push_back(entry);
  }
}

void Problem::AssignEpochs() {
  EpochsOfValues epochs(states.values());
  std::unordered_set<States::Id> done;
  for (Epoch epoch = 0; epoch < starts.size(); ++epoch) {
    // It makes its own value, which is the first of those that begin with it,
    // and what appends make of that.
    const States::Id start = starts[epoch].value;
    States::Node itself = states.node(start);
    itself.last = std::min(itself.first + 1, itself.last);
    epochs.Add(itself, epoch);
    done.clear();
    for (const Step& step : steps) {
      if (step.write != Write::kAppend) continue;
      const States::Id longer = states.Append(start, step.append);
      if (done.insert(longer).second) epochs.Add(states.node(longer), epoch);
    }
  }
  for (uint32_t i = 0; i < steps.size(); ++i) {
    if (steps[i].write != Write::kPut) continue;
    steps[i].put_epoch = starts.size() + i;
    epochs.Add(states.node(steps[i].put), steps[i].put_epoch);
  }
  reads_of_epoch.assign(starts.size() + steps.size(), 0);
  for (Step& step : steps) {
    if (!step.reads || step.optional) continue;
    step.read_epoch = epochs.Of(states.node(step.read));
    if (step.read_epoch != kNoEpoch) ++reads_of_epoch[step.read_epoch];
  }
}

std::optional<StateId> Problem::Apply(const Step& step, StateId state) {
  if (step.reads && step.read != state.value) return std::nullopt;
  if (step.rule != VersionRule::kAny &&
      (step.rule == VersionRule::kIs) != (step.version == state.version)) {
    return std::nullopt;
  }
  if (step.write == Write::kNone) return state;
  const States::Id value = step.write == Write::kPut
                               ? step.put
                               : states.Append(state.value, step.append);
  return StateId{value, state.version + 1};
}

bool Problem::IsWithoutEffect(const Step& step, StateId state) const {
  if (step.write == Write::kNone) {
    return (!step.reads || step.read == state.value) &&
           (step.rule == VersionRule::kAny ||
            (step.rule == VersionRule::kIs) == (step.version == state.version));
  }
  // Executed later it would only take away a value that reads still show.
  return step.write == Write::kPut && step.put == States::kUnread &&
         !step.reads && state.value == States::kUnread && !versions_matter_;
}

}  // namespace porcupine
