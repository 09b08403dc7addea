#include "porcupine/operations.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

namespace porcupine {
namespace {

// What `record` demands and does, without its times.
Operation Meaning(const Record& record) {
  const bool pending = !record.returned.has_value();
  const bool done = !pending && record.answer == Answer::kOk;
  Operation operation;
  operation.optional = pending || record.answer == Answer::kErrMaybe;
  operation.argument = record.argument;
  operation.result = record.result;
  switch (record.kind) {
    case Kind::kGet:
    case Kind::kVersionedGet:
      operation.reads = true;
      if (record.answer == Answer::kErrNoKey) {
        operation.rule = VersionRule::kIs;
        operation.result = {};
      } else if (record.kind == Kind::kVersionedGet) {
        operation.rule = VersionRule::kIs;
        operation.version = record.result_version;
      }
      break;
    case Kind::kPut:
      operation.write = Write::kPut;
      break;
    case Kind::kAppend:
    case Kind::kGetAndAppend:
      operation.write = Write::kAppend;
      operation.reads = record.kind == Kind::kGetAndAppend && done;
      break;
    case Kind::kCas:
      operation.write = Write::kPut;
      operation.reads = true;
      break;
    case Kind::kVersionedPut:
      operation.rule = VersionRule::kIs;
      operation.version = record.version;
      if (operation.optional || done) {
        operation.write = Write::kPut;
      } else if (record.answer == Answer::kErrVersion) {
        operation.rule = VersionRule::kIsNot;
      } else {
        // No key, so version 0, which is not the one asked for.
        operation.version = record.version == 0 ? UINT64_MAX : 0;
      }
      break;
  }
  return operation;
}

struct Event {
  int64_t time;
  bool is_return;
  size_t operation;

  bool operator<(const Event& other) const {
    return std::tie(time, is_return, operation) <
           std::tie(other.time, other.is_return, other.operation);
  }
};

}  // namespace

Operations MakeOperations(const History& history,
                          const std::vector<size_t>& places) {
  Operations operations;
  std::vector<Event> events;
  operations.reserve(places.size());
  events.reserve(2 * places.size());
  for (const size_t place : places) {
    const Record& record = history[place];
    Operation operation = Meaning(record);
    const bool pending = !record.returned.has_value();
    if (pending && operation.write == Write::kNone) continue;
    operation.place = place;
    events.push_back({record.call, false, operations.size()});
    if (!pending) events.push_back({*record.returned, true, operations.size()});
    operations.push_back(operation);
  }
  std::sort(events.begin(), events.end());
  for (size_t rank = 0; rank < events.size(); ++rank) {
    Operation& operation = operations[events[rank].operation];
    (events[rank].is_return ? operation.returned : operation.call) = rank;
  }
  std::sort(
      operations.begin(), operations.end(),
      [](const Operation& a, const Operation& b) { return a.call < b.call; });
  return operations;
}

size_t WidthOf(const Operations& operations) {
  std::vector<Rank> returns;
  for (const Operation& operation : operations) {
    returns.push_back(operation.returned);
  }
  std::sort(returns.begin(), returns.end());
  size_t width = 0;
  size_t ended = 0;
  for (size_t called = 0; called < operations.size(); ++called) {
    while (returns[ended] < operations[called].call) ++ended;
    width = std::max(width, called + 1 - ended);
  }
  return width;
}

}  // namespace porcupine
