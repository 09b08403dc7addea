#include "tests/unit/porcupine/brute_force.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace porcupine {
namespace {

struct Store {
  std::string value;
  uint64_t version = 0;
};

void Write(const std::string& value, Store* store) {
  store->value = value;
  ++store->version;
}

// Executes a record; false: it cannot have had this result.
bool Execute(const Record& record, Store* store) {
  const bool pending = !record.returned.has_value();
  const Answer answer = pending ? Answer::kOk : record.answer;
  switch (record.kind) {
    case Kind::kGet:
    case Kind::kVersionedGet:
      if (pending) return true;
      if (answer == Answer::kErrNoKey) return store->version == 0;
      return store->value == record.result &&
             (record.kind == Kind::kGet ||
              store->version == record.result_version);
    case Kind::kPut:
      Write(record.argument, store);
      return true;
    case Kind::kAppend:
    case Kind::kGetAndAppend:
      if (record.kind == Kind::kGetAndAppend && !pending &&
          answer == Answer::kOk && store->value != record.result) {
        return false;
      }
      Write(store->value + record.argument, store);
      return true;
    case Kind::kCas:
      if (store->value != record.result) return false;
      Write(record.argument, store);
      return true;
    case Kind::kVersionedPut:
      if (answer == Answer::kErrVersion) {
        return store->version != record.version;
      }
      if (answer == Answer::kErrNoKey) {
        return store->version == 0 && record.version != 0;
      }
      if (store->version != record.version) return false;
      Write(record.argument, store);
      return true;
  }
  return false;
}

// True if `a` had returned when `b` was called.
bool IsBefore(const Record& a, const Record& b) {
  return a.returned.has_value() && *a.returned < b.call;
}

bool IsExecutable(const History& order) {
  Store store;
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (IsBefore(order[i], order[j])) return false;
    }
    if (!Execute(order[i], &store)) return false;
  }
  return true;
}

bool HasOrder(const History& history) {
  std::vector<size_t> places(history.size());
  std::iota(places.begin(), places.end(), 0);
  do {
    History order;
    for (const size_t place : places) order.push_back(history[place]);
    if (IsExecutable(order)) return true;
  } while (std::next_permutation(places.begin(), places.end()));
  return false;
}

}  // namespace

// Operations that need not have been executed are there or not.
bool IsLinearizable(const History& history) {
  for (uint32_t left_out = 0; left_out < (1U << history.size()); ++left_out) {
    History executed;
    bool possible = true;
    for (size_t i = 0; i < history.size(); ++i) {
      const Record& record = history[i];
      if ((left_out >> i & 1) == 0) {
        executed.push_back(record);
      } else if (record.returned.has_value() &&
                 record.answer != Answer::kErrMaybe) {
        possible = false;
      }
    }
    if (possible && HasOrder(executed)) return true;
  }
  return false;
}

}  // namespace porcupine
