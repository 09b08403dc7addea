// Histories of clients of a store that is right: none is refused, and what is
// said to be their linearization is one.

#include <algorithm>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "porcupine/check.h"
#include "tests/unit/porcupine/histories.h"

namespace porcupine {
namespace {

// Executes each key in that order, on strings.
void ExpectLinearization(const History& history, const Verdict& verdict) {
  for (const KeyVerdict& key : verdict.keys) {
    State state;
    int64_t latest_call = INT64_MIN;
    for (const size_t place : key.linearization) {
      const Record& record = history[place];
      ASSERT_GE(record.returned.value_or(INT64_MAX), latest_call);
      latest_call = std::max(latest_call, record.call);
      if (record.kind == Kind::kGet) {
        ASSERT_EQ(record.result, state.value);
        continue;
      }
      if (record.kind == Kind::kPut) state.value.clear();
      state.value += record.argument;
    }
    ASSERT_EQ(key.linearization.size(), key.operations);
  }
}

TEST(PorcupineValidHistories, OneKeyAtAnyWidth) {
  for (int clients = 1; clients <= 20; ++clients) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const History history =
          ValidHistory({.clients = clients, .operations = 400, .seed = seed});
      const Verdict verdict = MustCheck(history);
      ASSERT_EQ(verdict.outcome, Outcome::kOk) << clients << " " << seed;
      EXPECT_EQ(verdict.keys[0].width, clients);
      ExpectLinearization(history, verdict);
    }
  }
}

TEST(PorcupineValidHistories, RegistersAtAnyWidth) {
  for (int clients = 1; clients <= 20; ++clients) {
    const History history = ValidHistory({.clients = clients,
                                          .operations = 400,
                                          .put_percent = 50,
                                          .append_percent = 0});
    const Verdict verdict = MustCheck(history);
    ASSERT_EQ(verdict.outcome, Outcome::kOk) << clients;
    ExpectLinearization(history, verdict);
  }
}

TEST(PorcupineValidHistories, ManyKeys) {
  const History history =
      ValidHistory({.clients = 15, .operations = 5000, .keys = 15});
  const Verdict verdict = MustCheck(history);
  EXPECT_EQ(verdict.outcome, Outcome::kOk);
  EXPECT_EQ(verdict.keys.size(), 15);
  ExpectLinearization(history, verdict);
}

TEST(PorcupineValidHistories, LogOrderNeedsNoSearch) {
  const History history = ValidHistory(
      {.clients = 20, .operations = 2000, .put_percent = 30, .logged = true});
  const Verdict verdict = MustCheck(history);
  EXPECT_EQ(verdict.outcome, Outcome::kOk);
  EXPECT_EQ(verdict.keys[0].steps, 0);
  ExpectLinearization(history, verdict);
}

// What the course's checker leaves undecided.
TEST(PorcupineValidHistories, TwentyClientsOnOneVersionedKey) {
  EXPECT_EQ(OutcomeOf(ValidHistory({.clients = 20,
                                    .operations = 16000,
                                    .put_percent = 50,
                                    .versioned = true})),
            Outcome::kOk);
}

}  // namespace
}  // namespace porcupine
