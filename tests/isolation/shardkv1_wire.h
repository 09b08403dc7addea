// What the tests ask a controller of 2025's sharded service in another process;
// a Clerk of it is asked as in service_wire.h.

#ifndef TESTS_ISOLATION_SHARDKV1_WIRE_H_
#define TESTS_ISOLATION_SHARDKV1_WIRE_H_

#include <cstdint>
#include <string>
#include <tuple>

#include "shardkv1/config.h"
#include "shardkv1/messages.h"

namespace isolation {

struct LibraryCall {
  enum class Method : uint8_t {
    kInitConfig,
    kInitController,
    kQuery,
    kChangeConfigTo
  };

  Method method = Method::kQuery;
  shardkv1::Config config = {};

  auto Fields() { return std::tie(method, config); }
};

struct LibraryAnswer {
  bool failed = false;
  std::string error = {};
  shardkv1::Config config = {};

  auto Fields() { return std::tie(failed, error, config); }
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_SHARDKV1_WIRE_H_
