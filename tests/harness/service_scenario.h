// A cluster of a service whose leader is the test's choice: where scenarios of
// kvraft/ and rsm/ begin.
//
// Derived classes own the cluster, and give this one's tap to its network.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_HARNESS_SERVICE_SCENARIO_H_
#define TESTS_HARNESS_SERVICE_SCENARIO_H_

#include <functional>
#include <string>

#include "raft/raft.h"
#include "raft/types.h"
#include "tests/harness/failure.h"
#include "tests/harness/service_cluster.h"
#include "tests/harness/tap.h"

namespace harness {

class ServiceScenario {
 public:
  virtual ~ServiceScenario() = default;

  // Waits until `is_so`; fails after 20 s. `what` completes "expected ...".
  void WaitUntil(const std::string& what, const std::function<bool()>& is_so,
                 Place place = Place::Here());

  // Makes that server the leader, and keeps it so: no other is heard by the
  // servers, until there is another choice or none.
  void Elect(raft::ServerId server, Place place = Place::Here());

  // The same, but whichever of the others is elected first: those that only
  // hear each other would vote in vain for long if one of them were meant.
  raft::ServerId ElectAnother(raft::ServerId than, Place place = Place::Here());
  void LeaveFree() { tap_.ForgetAll(); }

  // Waits until every server has the same last entry: then each may lead.
  void AwaitEqualLogs(Place place = Place::Here());

  // Cuts that server off from the others, or none any more. Clients reach all.
  void CutOff(raft::ServerId server);
  void Heal() { stage().ConnectAll(); }

  raft::Status StatusOf(raft::ServerId server) {
    return stage().RaftOf(server)->GetStatus();
  }

 protected:
  virtual ServiceCluster& stage() = 0;

  Tap tap_;  // of Raft's messages
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_SCENARIO_H_
