#include "porcupine/parts.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace porcupine {
namespace {

// Numbers versions by those that the puts among the operations have created.
void RenumberVersions(Operations* operations) {
  std::set<uint64_t> created;
  for (const Operation& operation : *operations) {
    const bool is_put = operation.write == Write::kPut;
    if (operation.rule == VersionRule::kIs && operation.version + is_put > 0) {
      created.insert(operation.version + is_put);
    }
  }
  const auto number = [&](uint64_t version) -> uint64_t {
    return std::distance(created.begin(), created.upper_bound(version));
  };
  for (Operation& operation : *operations) {
    if (operation.rule == VersionRule::kIsNot && operation.version > 0 &&
        created.count(operation.version) == 0) {
      operation.version = created.size() + 1;  // none of these
      continue;
    }
    const bool is_put = operation.write == Write::kPut;
    operation.version = number(operation.version + is_put) - is_put;
  }
}

bool Executes(const Operation& operation, const State& state) {
  if (operation.reads && operation.result != state.value) return false;
  return operation.rule == VersionRule::kAny ||
         (operation.rule == VersionRule::kIs) ==
             (operation.version == state.version);
}

State After(const Operation& operation, State state) {
  if (operation.write == Write::kNone) return state;
  if (operation.write == Write::kPut) state.value.clear();
  state.value += operation.argument;
  ++state.version;
  return state;
}

// Each operation that no other one left must precede is tried as the next.
bool HasOrderFrom(const Operations& left, const State& state) {
  const bool done =
      std::all_of(left.begin(), left.end(),
                  [](const Operation& one) { return one.optional; });
  if (done) return true;
  for (size_t i = 0; i < left.size(); ++i) {
    // Optional ones that returned before it are left out.
    Operations rest;
    bool is_next = true;
    for (size_t j = 0; j < left.size() && is_next; ++j) {
      if (j == i) continue;
      const bool precedes = left[j].returned < left[i].call;
      if (precedes && !left[j].optional) is_next = false;
      if (!precedes) rest.push_back(left[j]);
    }
    if (is_next && Executes(left[i], state) &&
        HasOrderFrom(rest, After(left[i], state))) {
      return true;
    }
  }
  return false;
}

}  // namespace

Operations Before(const Operations& operations, Rank moment) {
  Operations before;
  for (const Operation& operation : operations) {
    if (operation.call > moment) break;
    const bool pending = operation.returned > moment;
    if (pending && operation.write == Write::kNone) continue;
    before.push_back(operation);
    if (!pending) continue;
    Operation& last = before.back();
    last.returned = kNever;
    last.optional = true;
    // What an append returns is not known before.
    if (last.write == Write::kAppend) last.reads = false;
  }
  return before;
}

Part PartOf(const Operations& operations, const std::vector<size_t>& places,
            const Elements& elements) {
  Part part;
  std::vector<bool> executed(operations.size(), false);
  bool versions = true;
  for (const size_t i : places) {
    executed[i] = true;
    versions = versions && operations[i].rule != VersionRule::kAny;
  }
  for (const size_t i : places) {
    Operation operation = operations[i];
    if (operation.reads && !operation.optional && elements.unique() &&
        !versions) {
      part.texts.push_back(elements.Project(i, executed));
      operation.result = part.texts.back();
    }
    part.operations.push_back(operation);
  }
  if (versions) RenumberVersions(&part.operations);
  return part;
}

bool HasOrder(const Operations& operations, const std::vector<State>& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](const State& start) {
    return HasOrderFrom(operations, start);
  });
}

}  // namespace porcupine
