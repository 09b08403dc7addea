// The checker against all orders of thousands of small histories.

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "porcupine/check.h"
#include "tests/unit/porcupine/brute_force.h"
#include "tests/unit/porcupine/histories.h"

namespace porcupine {
namespace {

class SmallHistories {
 public:
  SmallHistories(std::vector<Kind> kinds, bool unique_values, uint64_t seed)
      : kinds_(std::move(kinds)),
        unique_values_(unique_values),
        random_(seed) {}

  // Up to 6 operations of 3 clients. Some are in progress at once, some at
  // equal times, some pending; what they show is more likely right than not.
  History Next() {
    const int operations = 1 + Below(6);
    std::vector<int64_t> free_at(3, 0);
    History history;
    for (int i = 0; i < operations; ++i) {
      const int client = Below(3);
      Record record = Get(free_at[client] + Below(4), 0, "");
      record.client = client;
      record.kind = kinds_[Below(kinds_.size())];
      record.returned = record.call + Below(6);
      free_at[client] = *record.returned + Below(2);
      record.argument = unique_values_ ? std::string(1, 'a' + i) : Text(1);
      history.push_back(record);
    }
    // Executes them at some moments, mostly of their own time, of which the
    // results are taken.
    std::vector<std::pair<int64_t, size_t>> moments;
    for (size_t i = 0; i < history.size(); ++i) {
      moments.emplace_back(history[i].call + Below(6), i);
    }
    std::sort(moments.begin(), moments.end());
    State state;
    for (const auto& [moment, i] : moments) Execute(&history[i], &state);
    return history;
  }

 private:
  int Below(int n) { return random_() % n; }

  std::string Text(int length) {
    std::string text;
    for (int i = 0; i < length; ++i) text += 'a' + Below(2);
    return text;
  }

  void Execute(Record* record, State* state) {
    const bool wrong = Below(8) == 0;
    const std::string shown = wrong ? Text(Below(3)) : state->value;
    const uint64_t version = wrong ? Below(3) : state->version;
    record->result = shown;
    record->result_version = version;
    record->version = version;
    bool writes = true;
    switch (record->kind) {
      case Kind::kGet:
      case Kind::kVersionedGet:
        writes = false;
        if (state->version == 0 && Below(2) == 0) {
          record->answer = Answer::kErrNoKey;
        }
        break;
      case Kind::kVersionedPut:
        if (Below(3) == 0) {
          record->answer =
              Below(3) == 0 ? Answer::kErrNoKey : Answer::kErrVersion;
          record->version = Below(3);
          writes = false;
        }
        break;
      default:
        break;
    }
    if (writes && Below(6) == 0) record->answer = Answer::kErrMaybe;
    if (Below(8) == 0) record->returned.reset();
    const bool unsure =
        !record->returned.has_value() || record->answer == Answer::kErrMaybe;
    if (!writes || (unsure && Below(2) == 0)) return;
    if (record->kind == Kind::kAppend || record->kind == Kind::kGetAndAppend) {
      state->value += record->argument;
    } else {
      state->value = record->argument;
    }
    ++state->version;
  }

  const std::vector<Kind> kinds_;
  const bool unique_values_;
  std::mt19937_64 random_;
};

std::string TextOf(const History& history) {
  std::string text;
  for (const Record& record : history) {
    absl::StrAppend(&text, NameOf(record.kind), " [", record.call, ", ",
                    record.returned.value_or(-1), "] '", record.argument, "' v",
                    record.version, " -> '", record.result, "' v",
                    record.result_version, " ", NameOf(record.answer), "\n");
  }
  return text;
}

// Compares on `count` histories, and that both verdicts are common.
void Compare(std::vector<Kind> kinds, bool unique_values, int count) {
  SmallHistories histories(std::move(kinds), unique_values, /*seed=*/1);
  int legal = 0;
  for (int i = 0; i < count; ++i) {
    const History history = histories.Next();
    const bool expected = IsLinearizable(history);
    ASSERT_EQ(OutcomeOf(history) == Outcome::kOk, expected)
        << TextOf(history) << "of history " << i;
    ASSERT_EQ(SearchAlone(history) == Outcome::kOk, expected)
        << TextOf(history) << "of history " << i;
    legal += expected ? 1 : 0;
  }
  EXPECT_GT(legal, count / 20);
  EXPECT_LT(legal, count - count / 20);
}

TEST(PorcupineRandomHistories, Registers) {
  for (const bool unique : {false, true}) {
    Compare({Kind::kGet, Kind::kGet, Kind::kPut}, unique, 3000);
  }
}

TEST(PorcupineRandomHistories, PutsAndAppends) {
  for (const bool unique : {false, true}) {
    Compare({Kind::kGet, Kind::kGet, Kind::kPut, Kind::kAppend, Kind::kAppend},
            unique, 3000);
  }
}

TEST(PorcupineRandomHistories, AppendsThatReturnTheOldValueAndCas) {
  for (const bool unique : {false, true}) {
    Compare({Kind::kGet, Kind::kPut, Kind::kGetAndAppend, Kind::kCas}, unique,
            3000);
  }
}

TEST(PorcupineRandomHistories, VersionedRegisters) {
  for (const bool unique : {false, true}) {
    Compare({Kind::kVersionedGet, Kind::kVersionedPut, Kind::kVersionedPut},
            unique, 3000);
  }
}

TEST(PorcupineRandomHistories, EverythingOnOneKey) {
  for (const bool unique : {false, true}) {
    Compare({Kind::kGet, Kind::kPut, Kind::kAppend, Kind::kGetAndAppend,
             Kind::kCas, Kind::kVersionedGet, Kind::kVersionedPut},
            unique, 3000);
  }
}

}  // namespace
}  // namespace porcupine
