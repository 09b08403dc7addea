// A history: what clients called, what they were answered, and when.
//
// The objects are the keys of a key/value store; each holds a string, at first
// "", and a version, at first 0, which every write raises by one. A key of
// version 0 has never been written: it does not exist.
//
// Thread safety: plain data.

#ifndef PORCUPINE_HISTORY_H_
#define PORCUPINE_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace porcupine {

// What times are, for texts.
enum class Unit : uint8_t {
  kUnknown,  // printed as they are
  kNanoseconds,
};

// What can be checked; more is refused with an error.
inline constexpr size_t kMaxKeyBytes = 4096;
inline constexpr size_t kMaxValueBytes = size_t{1} << 26;
inline constexpr size_t kMaxOperations = 100'000'000;

enum class Kind : uint8_t {
  kGet,           // reads the value
  kPut,           // sets the value
  kAppend,        // appends to the value
  kGetAndAppend,  // appends, and returns the value before
  kCas,           // sets the value if it is the one in `result`
  kVersionedGet,  // reads the value and its version
  kVersionedPut,  // sets the value if its version is the given one
};

enum class Answer : uint8_t {
  kOk,
  kErrNoKey,    // the key does not exist; reads and versioned puts
  kErrVersion,  // not executed: the version is another; versioned puts
  // Executed between call and return, or never; not reads. An operation that
  // may still be executed after its return has none: it is pending.
  kErrMaybe,
};

struct Record {
  int64_t client = 0;
  std::string key;
  Kind kind = Kind::kGet;
  std::string argument;  // the value that is put or appended
  std::string result;    // the value that was read; kCas: that it expects
  uint64_t version = 0;  // kVersionedPut: the version that it replaces
  uint64_t result_version = 0;  // kVersionedGet
  Answer answer = Answer::kOk;

  // On one clock, in any unit. At equal times calls are before returns. None:
  // the operation is pending, and may be executed at any time after its call,
  // or never; its answer and result (but for kCas) do not count.
  int64_t call = 0;
  std::optional<int64_t> returned;

  // Where the operation stands in the replicated log; 0: not known.
  uint64_t log_index = 0;
};

// The value and version of a key.
struct State {
  std::string value;
  uint64_t version = 0;

  bool operator==(const State& other) const = default;
};

// In any order. An operation is named by its place in here.
using History = std::vector<Record>;

// Says what is wrong with a record, or with the number of records: one line.
absl::Status Validate(const Record& record);
absl::Status Validate(const History& history);

// "get", "put", ...: the words of the history format (README.md).
const char* NameOf(Kind kind);
std::optional<Kind> KindOf(const std::string& name);
const char* NameOf(Answer answer);
std::optional<Answer> AnswerOf(const std::string& name);

}  // namespace porcupine

#endif  // PORCUPINE_HISTORY_H_
