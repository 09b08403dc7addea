#include "porcupine/log_order.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace porcupine {
namespace {

bool CanExecute(const Operation& operation, const State& state) {
  if (operation.reads && operation.result != state.value) return false;
  return operation.rule == VersionRule::kAny ||
         (operation.rule == VersionRule::kIs) ==
             (operation.version == state.version);
}

// What the log says of an operation that it has, but that does nothing there:
// another put came first.
bool IsSkipped(const Operation& operation, const State& state) {
  return operation.optional && !CanExecute(operation, state);
}

void Execute(const Operation& operation, State* state) {
  if (operation.write == Write::kNone) return;
  if (operation.write == Write::kPut) state->value.clear();
  state->value += operation.argument;
  ++state->version;
}

}  // namespace

bool HasLogOrder(const History& history, const Operations& operations) {
  return std::any_of(operations.begin(), operations.end(),
                     [&](const Operation& operation) {
                       return history[operation.place].log_index != 0;
                     });
}

std::optional<LogFault> CheckLogOrder(const History& history,
                                      const Operations& operations,
                                      std::vector<size_t>* order) {
  using What = LogFault::What;
  const auto index = [&](size_t i) {
    return history[operations[i].place].log_index;
  };
  std::vector<size_t> logged;
  for (size_t i = 0; i < operations.size(); ++i) {
    if (index(i) != 0) {
      logged.push_back(i);
    } else if (!operations[i].optional) {
      return LogFault{What::kMissing, i};
    }
  }
  std::sort(logged.begin(), logged.end(),
            [&](size_t a, size_t b) { return index(a) < index(b); });
  State state;
  order->clear();
  size_t latest = 0;  // of those executed, the one called last
  for (size_t n = 0; n < logged.size(); ++n) {
    const size_t i = logged[n];
    if (n > 0 && index(logged[n - 1]) == index(i)) {
      return LogFault{What::kTwice, logged[n - 1], i};
    }
    if (IsSkipped(operations[i], state)) continue;
    if (!order->empty() && operations[i].returned < operations[latest].call) {
      return LogFault{What::kRealTime, i, latest};
    }
    if (!CanExecute(operations[i], state)) return LogFault{What::kResult, i};
    Execute(operations[i], &state);
    if (order->empty() || operations[i].call > operations[latest].call) {
      latest = i;
    }
    order->push_back(i);
  }
  return std::nullopt;
}

}  // namespace porcupine
