// What the entries of the key/value service's log have done, as far as the
// tests can read them.

#ifndef TESTS_HARNESS_KV_LOG_H_
#define TESTS_HARNESS_KV_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "porcupine/history.h"

namespace harness {

// Kind, key, value, and the version to replace. A Get of either year is kGet.
using KvCall = std::tuple<porcupine::Kind, std::string, std::string, uint64_t>;

struct KvExecution {
  uint64_t revision = 0;  // 0: it executed nothing
  bool is_write = false;  // it has changed its key
  KvCall call = {};
  uint64_t session = 0;  // rsm/sessions.h; 0: without one
  uint64_t number = 0;   // in the session; 0: executed each time
};

// Whether the tests know how this kvraft writes its log: whether it has a
// kvraft/replicated_store.h.
bool CanReadLog();

// Reads an entry and the result of its execution. REQUIRES: CanReadLog().
KvExecution ReadExecution(std::string_view command, std::string_view result);

// `append("k", "v")`: a command of the log; "" if it cannot be read.
std::string ShowKvCommand(std::string_view command);

}  // namespace harness

#endif  // TESTS_HARNESS_KV_LOG_H_
