// What the recorder's events (tools/trace/README.md) have shown of the cluster,
// and the sentences about it. Three more kinds of events are the demo's own:
// `log`, the entries on a disk; `committed`, of the client; `say`, of the
// story.
//
// Thread safety: confined to one thread.
// Always true: a sentence says nothing that the events did not show.

#ifndef EXAMPLES_DEMO_VIEW_H_
#define EXAMPLES_DEMO_VIEW_H_

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "examples/demo/shard_view.h"
#include "raft/types.h"

namespace demo {

using Json = nlohmann::ordered_json;

inline constexpr int kServers = 5;

// One server. Of one that is down only `term` and what is on its disk mean
// anything.
struct ServerView {
  int incarnation = 0;
  bool up = false;
  bool connected = false;
  std::string role = "follower";
  raft::Term term = 0;
  // The entries' terms; log[0] has index 1. Of the first `discarded`, which a
  // snapshot covers, it is not known, 0.
  std::vector<raft::Term> log = {};
  raft::Index discarded = 0;
  raft::Index commit = 0;
  raft::Index applied = 0;  // by this incarnation

  bool Leads() const { return up && role == "leader"; }
};

// A client of a service, and the operation that it began last.
struct ClientView {
  std::string call = {};    // `append("x", "a7 ")`
  std::string answer = {};  // `: OK in 1.3 ms`; empty while it waits
  bool waiting = false;
  double called = 0;  // in seconds
  int done = 0;       // operations that have returned
};

// An operation that takes longer, in seconds, is worth a sentence.
inline constexpr double kLongWait = 0.5;

// "S3".
std::string Name(raft::ServerId server);

class View {
 public:
  // Takes the next event, and returns the sentence about it, or nothing.
  std::string Take(const Json& event);

  // What that server says of its commit index.
  void TakeCommit(raft::ServerId server, raft::Index commit);

  const std::vector<ServerView>& servers() const { return servers_; }
  const ServerView& at(raft::ServerId server) const {
    return servers_[static_cast<size_t>(server)];
  }

  // By number; those that have called something.
  const std::map<int, ClientView>& clients() const { return clients_; }

  // Of a sharded service; its servers are not among servers().
  const ShardView& shards() const { return shards_; }

  // Not empty once two servers have led one term (Election Safety).
  const std::string& violation() const { return violation_; }

  // Of the servers that are connected, the leader of the newest term.
  std::optional<raft::ServerId> Leader() const;

  // All are connected, hold the same log, and have applied the whole of it.
  bool AllAgree() const;

  // "S4 leads term 2. S2 is cut off; it still believes that it leads term 1."
  std::string Situation() const;

  size_t elections() const { return leaders_.size(); }
  // In milliseconds, from the client to the first server that applied; with
  // clients of a service, of their operations.
  const std::vector<double>& latencies() const { return latencies_; }

 private:
  std::string TakeRole(raft::ServerId id, const Json& event);
  std::string TakeElection(raft::ServerId id, raft::Term term);
  std::string TakeLog(raft::ServerId id, const Json& event);
  std::string TakeRequest(raft::ServerId id, const Json& event);
  std::string TakeRestore(raft::ServerId id, const Json& event);
  std::string TakeCommitted(const Json& event);
  std::string TakeOperation(const Json& event);
  std::string TakePartition(const Json& event);
  std::string TakeOfServer(const std::string& name, const Json& event);

  ServerView& At(raft::ServerId server) {
    return servers_[static_cast<size_t>(server)];
  }

  std::vector<ServerView> servers_ = std::vector<ServerView>(kServers);
  // By term and candidate, without its own.
  std::map<std::pair<raft::Term, raft::ServerId>, std::set<raft::ServerId>>
      votes_;
  std::map<raft::Term, raft::ServerId> leaders_;
  std::map<int, ClientView> clients_;
  ShardView shards_;
  std::string partition_;  // "S0 S1 | S2 S3 S4"; empty: there is none
  std::map<raft::Index, double> first_applied_;
  double sent_ = 0;  // the client's command
  std::vector<double> latencies_;
  std::string violation_;
};

}  // namespace demo

#endif  // EXAMPLES_DEMO_VIEW_H_
