// Histories for the tests of the checker: written out, or made by clients of a
// store that is right.
//
// Thread safety: compatible.

#ifndef TESTS_UNIT_PORCUPINE_HISTORIES_H_
#define TESTS_UNIT_PORCUPINE_HISTORIES_H_

#include <cstdint>
#include <random>
#include <string>

#include "porcupine/check.h"
#include "porcupine/history.h"

namespace porcupine {

// Records from `call` to `returned`; `client` is 0 and the key "k".
Record Get(int64_t call, int64_t returned, const std::string& value);
Record Put(int64_t call, int64_t returned, const std::string& value);
Record Append(int64_t call, int64_t returned, const std::string& value);
Record VersionedGet(int64_t call, int64_t returned, const std::string& value,
                    uint64_t version);
Record VersionedPut(int64_t call, int64_t returned, const std::string& value,
                    uint64_t version, Answer answer = Answer::kOk);
Record Pending(Record record);
Record Of(int64_t client, Record record);

// Check(), which must take the history.
Verdict MustCheck(const History& history, const Options& options = {});
Outcome OutcomeOf(const History& history);
// By the search, without the checks that come before it; one key.
Outcome SearchAlone(const History& history);

// What clients do that call one operation after another, without a pause.
struct Load {
  int clients = 5;
  int operations = 1000;
  int keys = 1;
  int put_percent = 5;
  int append_percent = 50;  // the rest are gets
  bool versioned = false;   // gets and puts of versions; no appends
  bool logged = false;      // with log indexes
  uint64_t seed = 1;
};

// A history that is linearizable: an operation takes 2,000 to 20,000 units, and
// is executed at a random moment of them. Each value is written once.
History ValidHistory(const Load& load);

}  // namespace porcupine

#endif  // TESTS_UNIT_PORCUPINE_HISTORIES_H_
