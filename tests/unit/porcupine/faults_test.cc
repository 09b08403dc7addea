// Histories that are linearizable but for one read: each fault is found, named,
// and explained with few operations.

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "porcupine/check.h"
#include "porcupine/report.h"
#include "tests/unit/porcupine/brute_force.h"
#include "tests/unit/porcupine/histories.h"

namespace porcupine {
namespace {

// A value as its elements, which all end with 'y'.
std::vector<std::string> Split(const std::string& value) {
  std::vector<std::string> elements;
  for (size_t at = 0; at < value.size();) {
    const size_t end = value.find('y', at) + 1;
    elements.push_back(value.substr(at, end - at));
    at = end;
  }
  return elements;
}

bool Precedes(const Record& a, const Record& b) { return *a.returned < b.call; }

// Puts a fault into a history; false: it has no place for it.
using Fault = std::function<bool(History*)>;

class Injector {
 public:
  explicit Injector(History* history) : history_(*history) {}

  // Calls `change` with the reads of the second half that show at least three
  // elements until one will do.
  bool ChangeRead(const std::function<bool(Record*)>& change) {
    for (size_t i = history_.size() / 2; i < history_.size(); ++i) {
      Record& record = history_[i];
      if (record.kind == Kind::kGet && Split(record.result).size() >= 3 &&
          change(&record)) {
        return true;
      }
    }
    return false;
  }

  const Record& WriteOf(const std::string& element) const {
    return *std::find_if(
        history_.begin(), history_.end(),
        [&](const Record& record) { return record.argument == element; });
  }

  // Replaces a text in all reads but `except`.
  void ReplaceInReads(const std::string& text, const std::string& by) {
    for (Record& record : history_) {
      if (record.kind != Kind::kGet) continue;
      const size_t at = record.result.find(text);
      if (at != std::string::npos) record.result.replace(at, text.size(), by);
    }
  }

  History& history_;
};

bool FromNowhere(History* history) {
  return Injector(history).ChangeRead([](Record* read) {
    read->result += "x 99 99 y";
    return true;
  });
}

bool Duplicate(History* history) {
  return Injector(history).ChangeRead([](Record* read) {
    read->result += Split(read->result).back();
    return true;
  });
}

bool FromTheFuture(History* history) {
  return Injector(history).ChangeRead([&](Record* read) {
    for (const Record& later : *history) {
      if (later.kind != Kind::kAppend || !Precedes(*read, later)) continue;
      read->result += later.argument;
      return true;
    }
    return false;
  });
}

// One read does not show what was there when it was called.
bool Stale(History* history) {
  Injector injector(history);
  return injector.ChangeRead([&](Record* read) {
    const std::string last = Split(read->result).back();
    if (!Precedes(injector.WriteOf(last), *read)) return false;
    const bool is_shown_elsewhere =
        std::any_of(history->begin(), history->end(), [&](const Record& other) {
          return &other != read && other.result.find(last) != std::string::npos;
        });
    if (!is_shown_elsewhere) return false;
    read->result.resize(read->result.size() - last.size());
    return true;
  });
}

// No read shows an append that was answered.
bool Lost(History* history) {
  Injector injector(history);
  return injector.ChangeRead([&](Record* read) {
    const std::string first = Split(read->result).front();
    const std::string last = Split(read->result).back();
    if (!Precedes(injector.WriteOf(last), *read) ||
        !Precedes(injector.WriteOf(first), injector.WriteOf(last))) {
      return false;  // it may have been executed before the first one
    }
    injector.ReplaceInReads(last, "");
    return true;
  });
}

// A read does not show what an earlier one did, though it is still being
// appended.
bool Shrinking(History* history) {
  Injector injector(history);
  return injector.ChangeRead([&](Record* read) {
    const std::string last = Split(read->result).back();
    const Record& write = injector.WriteOf(last);
    if (Precedes(write, *read) || write.kind != Kind::kAppend) return false;
    const bool was_shown =
        std::any_of(history->begin(), history->end(), [&](const Record& other) {
          return other.result.find(last) != std::string::npos &&
                 Precedes(other, *read);
        });
    if (was_shown) read->result.resize(read->result.size() - last.size());
    return was_shown;
  });
}

// All reads show two appends in an order that they cannot have had.
bool WrongOrder(History* history) {
  Injector injector(history);
  return injector.ChangeRead([&](Record* read) {
    const std::vector<std::string> elements = Split(read->result);
    const std::string first = elements[elements.size() - 2];
    const std::string second = elements.back();
    if (injector.WriteOf(first).kind != Kind::kAppend ||
        !Precedes(injector.WriteOf(first), injector.WriteOf(second))) {
      return false;
    }
    injector.ReplaceInReads(first + second, second + first);
    return true;
  });
}

// Two reads show the same two appends in different orders.
bool TwoOrders(History* history) {
  Injector injector(history);
  return injector.ChangeRead([&](Record* read) {
    const std::vector<std::string> elements = Split(read->result);
    const std::string first = elements[elements.size() - 2];
    const std::string second = elements.back();
    if (injector.WriteOf(first).kind != Kind::kAppend ||
        Precedes(injector.WriteOf(first), injector.WriteOf(second))) {
      return false;
    }
    const bool is_shown_before =
        std::any_of(history->begin(), history->end(), [&](const Record& other) {
          return other.result.find(first + second) != std::string::npos &&
                 Precedes(other, *read);
        });
    if (!is_shown_before) return false;
    read->result.resize(read->result.size() - first.size() - second.size());
    read->result += second + first;
    return true;
  });
}

// The counterexample as a history of its own: only what its operations wrote.
History CounterexampleOf(const History& history,
                         const Explanation& explanation) {
  History part;
  for (const size_t place : explanation.counterexample) {
    part.push_back(history[place]);
  }
  for (Record& record : part) {
    std::string left;
    for (const std::string& element : Split(record.result)) {
      const bool is_known =
          std::none_of(
              history.begin(), history.end(),
              [&](const Record& other) { return other.argument == element; }) ||
          std::any_of(part.begin(), part.end(), [&](const Record& other) {
            return other.argument == element;
          });
      if (is_known) left += element;
    }
    record.result = left;
  }
  return part;
}

void ExpectFound(const Fault& fault, Violation violation) {
  int found = 0;
  for (const int clients : {1, 2, 3, 5, 8, 12, 16, 20}) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      History history = ValidHistory({.clients = clients,
                                      .operations = 300,
                                      .put_percent = 3,
                                      .seed = seed});
      if (!fault(&history)) continue;
      ++found;
      const Verdict verdict = MustCheck(history);
      ASSERT_EQ(verdict.outcome, Outcome::kIllegal) << clients << " " << seed;
      const Explanation& explanation = verdict.explanations.front();
      const std::string text = ReportOf(history, verdict);
      EXPECT_EQ(explanation.violation, violation)
          << clients << " " << seed << "\n"
          << text;
      ASSERT_LE(explanation.counterexample.size(), 6) << text;
      EXPECT_TRUE(explanation.proven) << text;
      EXPECT_FALSE(IsLinearizable(CounterexampleOf(history, explanation)))
          << text;
      EXPECT_NE(text.find(NameOf(violation)), std::string::npos);
    }
  }
  EXPECT_GT(found, 8);
}

TEST(PorcupineFaults, ValueFromNowhere) {
  ExpectFound(FromNowhere, Violation::kValueFromNowhere);
}
TEST(PorcupineFaults, DuplicateExecution) {
  ExpectFound(Duplicate, Violation::kDuplicateExecution);
}
TEST(PorcupineFaults, ReadFromTheFuture) {
  ExpectFound(FromTheFuture, Violation::kReadFromTheFuture);
}
TEST(PorcupineFaults, StaleRead) { ExpectFound(Stale, Violation::kStaleRead); }
TEST(PorcupineFaults, LostWrite) { ExpectFound(Lost, Violation::kLostWrite); }
TEST(PorcupineFaults, ReadThatShowsLessThanOneBefore) {
  ExpectFound(Shrinking, Violation::kStaleRead);
}
TEST(PorcupineFaults, OrderAgainstRealTime) {
  ExpectFound(WrongOrder, Violation::kReordering);
}
TEST(PorcupineFaults, TwoOrdersOfTheSameAppends) {
  ExpectFound(TwoOrders, Violation::kReordering);
}

// The sizes at which the course's checker says Unknown.
TEST(PorcupineFaults, SearchAloneDecidesToo) {
  for (const auto& [clients, operations] : {std::pair(5, 1000), {10, 200}}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      History history = ValidHistory(
          {.clients = clients, .operations = operations, .seed = seed});
      EXPECT_EQ(SearchAlone(history), Outcome::kOk);
      if (!Stale(&history)) continue;
      EXPECT_EQ(SearchAlone(history), OutcomeOf(history));
    }
  }
}

Violation ViolationOf(const History& history) {
  const Verdict verdict = MustCheck(history);
  EXPECT_EQ(verdict.outcome, Outcome::kIllegal);
  if (verdict.explanations.empty()) return Violation::kNoOrder;
  EXPECT_TRUE(verdict.explanations.front().proven)
      << ReportOf(history, verdict);
  return verdict.explanations.front().violation;
}

TEST(PorcupineFaults, Versions) {
  const Record first = VersionedPut(1, 2, "a", 0);
  const Record second = VersionedPut(3, 4, "b", 1);
  EXPECT_EQ(ViolationOf({first, VersionedPut(3, 4, "b", 0)}),
            Violation::kLostWrite);
  EXPECT_EQ(ViolationOf({first, VersionedGet(5, 6, "b", 1)}),
            Violation::kValueFromNowhere);
  EXPECT_EQ(ViolationOf({first, VersionedGet(5, 6, "b", 2)}),
            Violation::kValueFromNowhere);
  EXPECT_EQ(ViolationOf({first, second, VersionedGet(5, 6, "a", 1)}),
            Violation::kStaleRead);
  EXPECT_EQ(ViolationOf({VersionedGet(-2, -1, "a", 1), first}),
            Violation::kReadFromTheFuture);
  EXPECT_EQ(
      ViolationOf({VersionedPut(3, 4, "b", 0), VersionedPut(1, 2, "a", 1)}),
      Violation::kReordering);
}

std::string SentenceAbout(const History& history) {
  const Verdict verdict = MustCheck(history);
  EXPECT_EQ(verdict.outcome, Outcome::kIllegal);
  if (verdict.explanations.empty()) return "";
  EXPECT_TRUE(verdict.explanations.front().proven)
      << ReportOf(history, verdict);
  return verdict.explanations.front().sentence;
}

TEST(PorcupineFaults, APutIsRefusedByTheVersionItReplaces) {
  const Record refused = VersionedPut(5, 6, "c", 2, Answer::kErrVersion);
  const History history = {VersionedPut(1, 2, "a", 0),
                           VersionedPut(3, 4, "b", 1), refused};
  EXPECT_EQ(ViolationOf(history), Violation::kNoOrder);
  EXPECT_EQ(SentenceAbout(history),
            "client 0's versioned_put (5 to 6) was refused, but the key had "
            "version 2, which it was to replace");
}

// The version that refused the first one lasts because of the second one, and
// that one's because of the read.
TEST(PorcupineFaults, ARefusedPutKeepsTheVersionOfAnother) {
  const History history = {VersionedPut(1, 2, "a", 0),
                           VersionedPut(3, 20, "b", 1),
                           VersionedPut(4, 40, "c", 2),
                           VersionedPut(5, 6, "d", 1, Answer::kErrVersion),
                           VersionedPut(7, 8, "e", 2, Answer::kErrVersion),
                           VersionedGet(29, 30, "b", 2)};
  EXPECT_EQ(SentenceAbout(history),
            "client 0's versioned_put (5 to 6) was refused, but the key had "
            "version 1, which it was to replace");
  EXPECT_EQ(MustCheck(history).explanations.front().counterexample,
            (std::vector<size_t>{0, 1, 3, 4, 5}));
}

// A put that may have been executed, and was, as a later read shows.
TEST(PorcupineFaults, APutThatMayHaveBeenExecutedComesTooEarly) {
  const Record first = VersionedPut(1, 2, "a", 0);
  const Record maybe = VersionedPut(10, 20, "b", 1, Answer::kErrMaybe);
  const History stale = {first, maybe, VersionedGet(100, 110, "a", 1),
                         VersionedGet(200, 210, "b", 2)};
  EXPECT_EQ(ViolationOf(stale), Violation::kStaleRead);
  EXPECT_EQ(SentenceAbout(stale),
            "client 0's versioned_get (100 to 110) shows 'a' of version 1, but "
            "before it was called, client 0's versioned_put (10 to 20) wrote "
            "'b' as version 2");
  const History refused = {first, maybe, VersionedGet(100, 110, "b", 2),
                           VersionedPut(200, 210, "c", 2, Answer::kErrVersion)};
  EXPECT_EQ(SentenceAbout(refused),
            "client 0's versioned_put (200 to 210) was refused, but the key "
            "had version 2, which it was to replace");
}

TEST(PorcupineFaults, AValueOfVersion0) {
  for (const History& history : {
           History{VersionedGet(1, 2, "x", 0)},
           History{VersionedGet(-2, -1, "", 0), VersionedGet(1, 2, "x", 0)},
           History{VersionedPut(0, 3, "x", 0), VersionedGet(1, 2, "x", 0)},
       }) {
    EXPECT_EQ(ViolationOf(history), Violation::kValueFromNowhere);
    EXPECT_EQ(SentenceAbout(history),
              "client 0's versioned_get (1 to 2) shows 'x' as version 0, but a "
              "key of version 0 holds ''");
  }
}

TEST(PorcupineFaults, RegistersOfUniqueValues) {
  EXPECT_EQ(ViolationOf({Put(1, 2, "a"), Put(3, 4, "b"), Get(5, 6, "a")}),
            Violation::kLostWrite);
  EXPECT_EQ(ViolationOf({Put(1, 2, "a"), Put(3, 4, "b"), Get(5, 6, "a"),
                         Get(7, 8, "b")}),
            Violation::kStaleRead);
  EXPECT_EQ(ViolationOf({Put(1, 9, "a"), Put(1, 9, "b"), Get(2, 3, "a"),
                         Get(4, 5, "b"), Get(6, 7, "a")}),
            Violation::kStaleRead);
}

// Values are written twice here, so that no rule can tell.
TEST(PorcupineFaults, WithoutUniqueValuesOperationsAreTakenAway) {
  History history;
  for (int i = 0; i < 100; ++i) {
    history.push_back(Put(10 * i, 10 * i + 1, i % 2 == 0 ? "a" : "b"));
    history.push_back(Get(10 * i + 2, 10 * i + 3, i % 2 == 0 ? "a" : "b"));
  }
  history[121].result = "b";
  const Verdict verdict = MustCheck(history);
  ASSERT_EQ(verdict.outcome, Outcome::kIllegal);
  const Explanation& explanation = verdict.explanations.front();
  EXPECT_EQ(explanation.first_impossible, 121);
  EXPECT_EQ(explanation.counterexample, (std::vector<size_t>{121}));
  EXPECT_EQ(explanation.possible_states,
            (std::vector<State>{{.value = "a", .version = 61}}));
  EXPECT_TRUE(explanation.proven);
}

TEST(PorcupineFaults, WindowBeginsWhereNothingIsInProgress) {
  const History history = {Put(1, 2, "a"),    Append(3, 6, "b"),
                           Append(4, 5, "c"), Get(8, 9, "abc"),
                           Get(12, 13, "ab"), Get(14, 15, "ab")};
  const Verdict verdict = MustCheck(history);
  ASSERT_EQ(verdict.outcome, Outcome::kIllegal);
  const Explanation& explanation = verdict.explanations.front();
  EXPECT_EQ(explanation.first_impossible, 4);
  EXPECT_EQ(explanation.window, (std::vector<size_t>{4}));
  EXPECT_EQ(explanation.possible_states,
            (std::vector<State>{{.value = "abc", .version = 3}}));
}

TEST(PorcupineFaults, LogSaysWhereOperationsStand) {
  History history = {Put(1, 2, "a"), Append(3, 4, "b"), Get(5, 6, "a")};
  history[0].log_index = 7;
  history[1].log_index = 9;
  history[2].log_index = 8;
  Verdict verdict = MustCheck(history);
  ASSERT_EQ(verdict.outcome, Outcome::kIllegal);
  EXPECT_EQ(
      verdict.explanations.front().log_note,
      "client 0's append (3 to 4), at index 9, had returned before client "
      "0's get (5 to 6), at index 8, was called");
  history[2].log_index = 0;
  verdict = MustCheck(history);
  EXPECT_EQ(verdict.explanations.front().log_note,
            "client 0's get (5 to 6) was answered, but its place in the log is "
            "not known");
}

}  // namespace
}  // namespace porcupine
