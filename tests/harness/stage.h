// The stage of an exact scenario: a cluster, and a tap that decides who may
// speak to whom and who may stand for election.
//
// Scenarios know no time-outs but these: a Raft sends heart-beats at least
// every 250 ms, and stands for election after 200 ms of silence at the earliest
// and 2 s at the latest. They wait for what they need and fail after 20 s.
//
// Thread safety: the test's main thread only.

#ifndef TESTS_HARNESS_STAGE_H_
#define TESTS_HARNESS_STAGE_H_

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "tests/harness/cluster.h"
#include "tests/harness/tap.h"

namespace tests {

class Stage {
 public:
  using Servers = std::vector<raft::ServerId>;

  explicit Stage(int servers, Place place = Place::Here())
      : cluster(servers, {.tap = tap.Handler()}, place) {}

  // Forgets all rules. From now on messages pass among these servers only.
  void OnlyAmong(const Servers& servers);

  // Holds these messages also through what OnlyAmong() and Elect() change.
  void HoldThroughout(Tap::Match match) { held_throughout_ = std::move(match); }

  // As OnlyAmong(). Lets elections go on until `server` leads and all of
  // `servers` are in its term, which is returned: nobody else gets a vote. From
  // then on nobody else's requests pass.
  raft::Term ElectAmong(raft::ServerId server, const Servers& servers,
                        Place place = Place::Here());

  // As ElectAmong(), among all.
  raft::Term Elect(raft::ServerId server, Place place = Place::Here());

  // Forgets all rules; has the cluster find a leader and agree on `command`.
  raft::Index Recover(const Command& command, Place place = Place::Here());

  // Gives `command` to that server; fails if it does not lead.
  raft::Index Start(raft::ServerId server, const Command& command,
                    Place place = Place::Here());

  // Waits until `holds`; fails after 20 s, or `limit`, saying `what` is
  // missing.
  void Await(const std::function<bool()>& holds, const char* what,
             Place place = Place::Here(),
             std::chrono::milliseconds limit = std::chrono::seconds(20));

  // Fails if `index` is applied anywhere within half a second: time enough for
  // whoever wrongly believes that it is committed.
  void ExpectNotApplied(raft::Index index, Place place = Place::Here());

  Tap tap;
  Cluster cluster;

 private:
  std::vector<Tap::Rule> RulesAmong(const Servers& servers) const;

  Tap::Match held_throughout_;
};

}  // namespace tests

#endif  // TESTS_HARNESS_STAGE_H_
