// A client of the shard controller in a test, and the course's checks of what
// it is told. A call that cannot be completed fails the test.
//
// Thread safety: a client belongs to one thread at a time; Close() from any.

#ifndef TESTS_HARNESS_CTRLER_CLIENT_H_
#define TESTS_HARNESS_CTRLER_CLIENT_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "persister/persister.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "shardctrler/clerk.h"
#include "shardctrler/config.h"
#include "tests/harness/failure.h"
#include "tests/harness/server_group.h"
#include "tests/harness/service_stage.h"

namespace harness {

class CtrlerClient {
 public:
  // Its ends are enabled.
  CtrlerClient(ServiceStage* stage, Ends servers)
      : stage_(stage), clerk_(std::move(servers)) {}

  void Join(const shardctrler::Groups& groups, Place place = Place::Here());
  void Leave(const std::vector<shardctrler::Gid>& gids,
             Place place = Place::Here());
  void Move(int shard, shardctrler::Gid gid, Place place = Place::Here());
  shardctrler::Config Query(int64_t num = shardctrler::kLatest,
                            Place place = Place::Here());

  void Close() { clerk_.Close(); }

 private:
  void End(const absl::Status& error, Place place);

  ServiceStage* const stage_;
  shardctrler::Clerk clerk_;
};

// Makes a server of the controller, as ServiceGroup's MakeService.
Node MakeCtrler(Ends ends, raft::ServerId me,
                std::shared_ptr<persister::Persister> disk,
                rsm::Options options);

// The course's check(): the latest configuration has exactly these groups, and
// is balanced.
void CheckGroups(CtrlerClient* client,
                 const std::vector<shardctrler::Gid>& groups,
                 Place place = Place::Here());

// The course's check_same_config().
void CheckSameConfig(const shardctrler::Config& a, const shardctrler::Config& b,
                     Place place = Place::Here());

}  // namespace harness

#endif  // TESTS_HARNESS_CTRLER_CLIENT_H_
