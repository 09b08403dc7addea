// What the tests ask a replicated service and its clients in other processes.

#ifndef TESTS_ISOLATION_SERVICE_WIRE_H_
#define TESTS_ISOLATION_SERVICE_WIRE_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "kvraft/messages.h"
#include "rsm/rsm.h"
#include "tests/isolation/raw_bytes.h"

namespace isolation {

// A client's call of its Clerk, and what the Clerk returns.
struct ClerkCall {
  enum class Method : uint8_t {
    kGet,
    kPut,
    kAppend,
    kGetVersioned,
    kPutVersioned
  };

  Method method = Method::kGet;
  std::string key = {};
  std::string value = {};
  uint64_t version = 0;

  auto Fields() { return std::tie(method, key, value, version); }
};

struct ClerkAnswer {
  bool failed = false;  // a call of 2022
  std::string error = {};
  kvraft::Err err = kvraft::Err::kOk;  // of a call of 2025
  std::string value = {};
  uint64_t version = 0;

  auto Fields() { return std::tie(failed, error, err, value, version); }
};

// What an Rsm has submitted, and what came of it.
struct SubmitAnswer {
  rsm::Outcome outcome = rsm::Outcome::kLost;
  std::string value = {};

  auto Fields() { return std::tie(outcome, value); }
};

// What an Rsm's process calls of its last peer, the machine in the tests.
inline constexpr RawMethod kMachineApply{"Machine.Apply"};
inline constexpr RawMethod kMachineSnapshot{"Machine.Snapshot"};
inline constexpr RawMethod kMachineRestore{"Machine.Restore"};

}  // namespace isolation

#endif  // TESTS_ISOLATION_SERVICE_WIRE_H_
