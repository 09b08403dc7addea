// What the tests ask a Clerk of the shard controller in another process; one of
// the sharded service is asked as in service_wire.h.

#ifndef TESTS_ISOLATION_SHARDED_WIRE_H_
#define TESTS_ISOLATION_SHARDED_WIRE_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "shardctrler/config.h"

namespace isolation {

struct CtrlerCall {
  enum class Method : uint8_t { kQuery, kJoin, kLeave, kMove };

  Method method = Method::kQuery;
  int64_t num = 0;
  shardctrler::Groups groups = {};
  std::vector<shardctrler::Gid> gids = {};
  int32_t shard = 0;
  shardctrler::Gid gid = shardctrler::kNoGroup;

  auto Fields() { return std::tie(method, num, groups, gids, shard, gid); }
};

struct CtrlerAnswer {
  bool failed = false;
  std::string error = {};
  shardctrler::Config config = {};

  auto Fields() { return std::tie(failed, error, config); }
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_SHARDED_WIRE_H_
