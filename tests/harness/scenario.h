// A cluster with a tap, and the moves that a scenario is made of.
//
//   Scenario scenario(/*servers=*/3, "Test (2B+): ...");
//   const raft::Term term = scenario.Elect(0);
//   const raft::Index index = scenario.Submit(0, 7);
//   scenario.AwaitApplied(index, 7, /*servers=*/3);
//
// It asks nothing of a Raft but the lab's messages and GetState() and Start(),
// and of its clocks only this: heartbeats at most 200 ms apart, election
// timeouts between 200 ms and 2 s. A scenario never sleeps and hopes: it waits
// for a message or a state, kScenarioLimit at most, and then fails.
//
// Such a failure is the Raft's, of the kind kLiveness, if a rule of the paper
// asks for what did not come (Require(), and what Elect() and AwaitApplied()
// find), or if the cluster, left alone then, commits nothing within 10 s
// either. Otherwise it is of the kind kHarness: a right Raft may have other
// timers than these, or send other messages, or the machine was too slow.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_HARNESS_SCENARIO_H_
#define TESTS_HARNESS_SCENARIO_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "raft/types.h"
#include "tests/harness/failure.h"
#include "tests/harness/raft_cluster.h"
#include "tests/harness/tap.h"

namespace harness {

class Scenario {
 public:
  // Makes the cluster and prints the title. The options' tap is its own.
  Scenario(int servers, std::string_view title, RaftClusterOptions options = {},
           Place place = Place::Here());

  // Waits, by looking every few milliseconds, until `is_so`. Fails after
  // kScenarioLimit, or if a reader or an observer has found an error. `what`
  // completes "expected ...".
  void WaitUntil(const std::string& what, const std::function<bool()>& is_so,
                 Place place = Place::Here());

  // Fails, as what could not be set up, unless `is_so`: a right Raft may have
  // other timers, or the machine was too slow. `what` as WaitUntil()'s.
  void Expect(bool is_so, const std::string& what, Place place = Place::Here());

  // As WaitUntil(), for what a right Raft does here, by `rule`.
  void Require(const std::string& what, const std::string& rule,
               const std::function<bool()>& is_so, Place place = Place::Here());

  // Makes `server` the leader of a term in which all other connected servers,
  // or only `followers`, have answered it; returns the term. Meanwhile no
  // other server is elected, and an old leader is heard only if all follow it.
  raft::Term Elect(raft::ServerId server, Place place = Place::Here());
  raft::Term Elect(raft::ServerId server,
                   const std::vector<raft::ServerId>& followers,
                   Place place = Place::Here());

  // Waits until one of the connected servers leads a term above `above`;
  // returns it, or of several that of the newest term. A majority must be
  // connected.
  raft::ServerId AwaitLeader(raft::Term above, Place place = Place::Here());

  // Gives the command to the leader; fails if it does not take it.
  raft::Index Submit(raft::ServerId leader, const Command& command,
                     Place place = Place::Here());

  // Waits until `servers` servers have applied the command at that index; fails
  // if it is another command.
  void AwaitApplied(raft::Index index, const Command& command, int servers,
                    Place place = Place::Here());

  // Fails if any server has applied something at that index.
  void CheckNotApplied(raft::Index index, Place place = Place::Here());

  // Waits until `leader` has had time to act on all it was told so far: two
  // more of its AppendEntries, made from now on, were answered by `follower`.
  void AwaitTwoHeartbeats(raft::ServerId leader, raft::ServerId follower,
                          Place place = Place::Here());

  // Lets a held request go on, and returns the reply to it. Its receiver is up.
  TapMessage Answer(const TapMessage& request, Place place = Place::Here());

  // Starts and connects all servers that are not, lets their services go on,
  // forgets all rules and releases all that is held.
  void Heal();

  Tap tap;  // outlives the cluster
  RaftCluster cluster;

 private:
  // What Start() said when it took a command.
  struct Taker {
    raft::ServerId leader = 0;
    raft::Term term = 0;
  };

  bool ComesTrue(const std::string& what, const std::function<bool()>& is_so,
                 Place place);
  Blame FindBlame();
  bool CommitsUndisturbed();
  std::string ElectionFault(raft::ServerId server, size_t begin);
  bool HasLeader(const std::vector<raft::ServerId>& servers);
  bool IsFollowed(raft::ServerId leader,
                  const std::vector<raft::ServerId>& followers, size_t begin);
  void ReleaseRequestVotes(const Match& asks,
                           std::map<size_t, raft::Term>* terms);

  std::map<raft::Index, Taker> takers_;  // the newest
};

}  // namespace harness

#endif  // TESTS_HARNESS_SCENARIO_H_
