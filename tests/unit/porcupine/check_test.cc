// Unit tests of porcupine/check.h: small histories of which the verdict is
// known.

#include "porcupine/check.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "porcupine/history.h"
#include "tests/unit/porcupine/histories.h"

namespace porcupine {
namespace {

constexpr Outcome kOk = Outcome::kOk;
constexpr Outcome kIllegal = Outcome::kIllegal;

TEST(PorcupineCheck, EmptyHistory) {
  const Verdict verdict = MustCheck({});
  EXPECT_EQ(verdict.outcome, kOk);
  EXPECT_TRUE(verdict.keys.empty());
}

TEST(PorcupineCheck, KeyNeverWritten) {
  EXPECT_EQ(OutcomeOf({Get(1, 2, ""), Get(3, 4, "")}), kOk);
  EXPECT_EQ(OutcomeOf({Get(1, 2, "a")}), kIllegal);
  Record no_key = Get(1, 2, "");
  no_key.answer = Answer::kErrNoKey;
  EXPECT_EQ(OutcomeOf({no_key}), kOk);
  EXPECT_EQ(OutcomeOf({Put(-2, -1, ""), no_key}), kIllegal);
}

// Porcupine's first published example.
TEST(PorcupineCheck, ReadsOnBothSidesOfAPut) {
  EXPECT_EQ(OutcomeOf({Of(0, Put(0, 100, "100")), Of(1, Get(25, 75, "100")),
                       Of(2, Get(30, 60, "0")), Of(3, Put(-2, -1, "0"))}),
            kOk);
}

// Its second one: the value of a put is read, and then the one before.
TEST(PorcupineCheck, ReadsInTheWrongOrder) {
  EXPECT_EQ(OutcomeOf({Of(0, Put(0, 100, "200")), Of(1, Get(10, 30, "200")),
                       Of(2, Get(40, 90, "0")), Of(3, Put(-2, -1, "0"))}),
            kIllegal);
}

TEST(PorcupineCheck, CallsComeBeforeReturnsAtEqualTimes) {
  EXPECT_EQ(OutcomeOf({Put(1, 5, "a"), Get(5, 6, "")}), kOk);
  EXPECT_EQ(OutcomeOf({Put(1, 5, "a"), Get(6, 6, "")}), kIllegal);
  EXPECT_EQ(OutcomeOf({Put(3, 3, "a"), Get(3, 3, ""), Get(3, 3, "a")}), kOk);
}

TEST(PorcupineCheck, PendingWriteIsExecutedAtAnyTimeOrNever) {
  const Record put = Pending(Put(1, 0, "a"));
  EXPECT_EQ(OutcomeOf({put, Get(2, 3, "")}), kOk);
  EXPECT_EQ(OutcomeOf({put, Get(2, 3, "a")}), kOk);
  EXPECT_EQ(OutcomeOf({put, Get(2, 3, ""), Get(4, 5, "a")}), kOk);
  EXPECT_EQ(OutcomeOf({put, Get(2, 3, "a"), Get(4, 5, "")}), kIllegal);
  EXPECT_EQ(OutcomeOf({Get(-2, -1, "a"), put}), kIllegal);
  EXPECT_EQ(OutcomeOf({Pending(Get(1, 0, "never written"))}), kOk);
}

TEST(PorcupineCheck, WriteAnsweredMaybeIsExecutedBeforeItsReturnOrNever) {
  Record put = Put(1, 5, "a");
  put.answer = Answer::kErrMaybe;
  EXPECT_EQ(OutcomeOf({put, Get(6, 7, "")}), kOk);
  EXPECT_EQ(OutcomeOf({put, Get(6, 7, "a")}), kOk);
  EXPECT_EQ(OutcomeOf({put, Get(6, 7, ""), Get(8, 9, "a")}), kIllegal);
}

TEST(PorcupineCheck, AppendThatReturnsTheOldValue) {
  Record append = Append(3, 4, "b");
  append.kind = Kind::kGetAndAppend;
  append.result = "a";
  EXPECT_EQ(OutcomeOf({Put(1, 2, "a"), append, Get(5, 6, "ab")}), kOk);
  EXPECT_EQ(OutcomeOf({append, Put(5, 6, "a")}), kIllegal);
}

TEST(PorcupineCheck, CompareAndSet) {
  Record cas = Put(3, 4, "b");
  cas.kind = Kind::kCas;
  cas.result = "a";
  EXPECT_EQ(OutcomeOf({Put(1, 2, "a"), cas, Get(5, 6, "b")}), kOk);
  EXPECT_EQ(OutcomeOf({Put(1, 2, "c"), cas}), kIllegal);
}

TEST(PorcupineCheck, Versions) {
  EXPECT_EQ(OutcomeOf({VersionedPut(1, 2, "a", 0), VersionedGet(3, 4, "a", 1)}),
            kOk);
  // The right value with a wrong version.
  EXPECT_EQ(OutcomeOf({VersionedPut(1, 2, "a", 0), VersionedGet(3, 4, "a", 2)}),
            kIllegal);
  // Two puts that replaced the same version.
  EXPECT_EQ(OutcomeOf({VersionedPut(1, 5, "a", 0), VersionedPut(2, 6, "b", 0)}),
            kIllegal);
  const Record refused = VersionedPut(5, 6, "b", 0, Answer::kErrVersion);
  EXPECT_EQ(OutcomeOf({VersionedPut(1, 2, "a", 0), refused}), kOk);
  EXPECT_EQ(OutcomeOf({refused}), kIllegal);
}

TEST(PorcupineCheck, EachKeyForItself) {
  History history = {Put(1, 2, "a"), Get(3, 4, "a"), Put(5, 6, "b"),
                     Get(7, 8, "")};
  history[2].key = history[3].key = "other";
  const Verdict verdict = MustCheck(history);
  EXPECT_EQ(verdict.outcome, kIllegal);
  ASSERT_EQ(verdict.keys.size(), 2);
  EXPECT_EQ(verdict.keys[0].key, "k");
  EXPECT_EQ(verdict.keys[0].outcome, kOk);
  EXPECT_EQ(verdict.keys[0].linearization, (std::vector<size_t>{0, 1}));
  EXPECT_EQ(verdict.keys[1].key, "other");
  EXPECT_EQ(verdict.keys[1].outcome, kIllegal);
}

TEST(PorcupineCheck, RefusesWhatIsNoHistory) {
  const auto error = [](const Record& record) {
    return std::string(Check({record}).status().message());
  };
  EXPECT_EQ(error(Put(2, 1, "a")),
            "operation 0: the operation returns at 1, before its call at 2; "
            "take both times from one monotonic clock");
  Record record = Put(1, 2, "a");
  record.answer = Answer::kErrVersion;
  EXPECT_EQ(error(record), "operation 0: a put is not answered err_version");
  record = Put(1, 2, "a");
  record.key = std::string(kMaxKeyBytes + 1, 'k');
  EXPECT_EQ(error(record),
            "operation 0: the key has 4097 bytes; at most 4096 are checked");
  record.key.pop_back();
  EXPECT_EQ(error(record), "");
}

// An ending budget says so, and always at the same place.
TEST(PorcupineCheck, BudgetIsCounted) {
  const History history = ValidHistory({.clients = 5, .operations = 300});
  Options options;
  options.budget.steps = 100;
  const Verdict verdict = MustCheck(history, options);
  EXPECT_EQ(verdict.outcome, Outcome::kUnknown);
  ASSERT_EQ(verdict.keys.size(), 1);
  EXPECT_EQ(verdict.keys[0].operations, 300);
  EXPECT_EQ(verdict.keys[0].width, 5);
  EXPECT_EQ(verdict.keys[0].steps, 100);
  options.budget = {.steps = 1'000'000, .bytes = 1000};
  EXPECT_EQ(MustCheck(history, options).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace porcupine
