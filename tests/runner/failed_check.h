// What is known of one failed check, and the words for kinds and ways that
// events use (tests/runner/README.md has the table).
//
// Thread safety: a plain value.

#ifndef TESTS_RUNNER_FAILED_CHECK_H_
#define TESTS_RUNNER_FAILED_CHECK_H_

#include <string>

#include "gtest/gtest.h"

namespace runner {

inline constexpr char kSafety[] = "safety";
inline constexpr char kLiveness[] = "liveness";
inline constexpr char kEconomy[] = "economy";
inline constexpr char kHarness[] = "harness";

inline constexpr char kCheck[] = "check";
inline constexpr char kOracle[] = "oracle";
inline constexpr char kDeadlock[] = "deadlock";
inline constexpr char kSanitizer[] = "sanitizer";
inline constexpr char kHang[] = "hang";
inline constexpr char kCrash[] = "crash";

struct FailedCheck {
  std::string kind = kSafety;
  std::string way = kCheck;  // or kOracle
  std::string place = {};    // "2a_test.cc:33", or empty
  std::string message = {};

  // "2a_test.cc:33: message".
  std::string Text() const {
    return place.empty() ? message : place + ": " + message;
  }
};

// Returns what GoogleTest knows of a check: place and message.
FailedCheck ReadResult(const testing::TestPartResult& result);

}  // namespace runner

#endif  // TESTS_RUNNER_FAILED_CHECK_H_
