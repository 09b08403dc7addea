// A client of the shard controller in a test, and the course's checks of what
// it is told. A call that cannot be completed fails the test.
//
// Thread safety: a client belongs to one thread at a time; Close() from any.

#ifndef TESTS_HARNESS_CTRLER_CLIENT_H_
#define TESTS_HARNESS_CTRLER_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "shardctrler/config.h"
#include "shardctrler/messages.h"
#include "tests/harness/failure.h"
#include "tests/harness/service_stage.h"
#include "tests/harness/shard_service.h"

namespace harness {

class CtrlerClient {
 public:
  // Makes a Clerk that can reach the servers.
  using MakeClerk = std::function<std::unique_ptr<CtrlerClerk>()>;

  CtrlerClient(ServiceStage* stage, MakeClerk make_clerk)
      : stage_(stage),
        make_clerk_(std::move(make_clerk)),
        clerk_(make_clerk_()) {}

  void Join(const shardctrler::Groups& groups, Place place = Place::Here());
  void Leave(const std::vector<shardctrler::Gid>& gids,
             Place place = Place::Here());
  void Move(int shard, shardctrler::Gid gid, Place place = Place::Here());
  shardctrler::Config Query(int64_t num = shardctrler::kLatest,
                            Place place = Place::Here());

  void Close() { clerk_->Close(); }

 private:
  void End(const absl::Status& error, Place place);
  void CheckLasting(const std::vector<shardctrler::Gid>& gids, bool joined,
                    Place place);
  void CheckKnown(const shardctrler::Config& config, Place place);

  ServiceStage* const stage_;
  const MakeClerk make_clerk_;
  const std::unique_ptr<CtrlerClerk> clerk_;
};

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
