// What the demo sees of its cluster at one look: plain values, for the table,
// for the sentences about it and for the conditions that the story waits for.
//
// Thread safety: plain values.
// Always true: each server's line was read from that server; the lines are a
// few microseconds apart.

#ifndef EXAMPLES_DEMO_VIEW_H_
#define EXAMPLES_DEMO_VIEW_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "raft/types.h"

namespace tests {

enum class Link { kUp, kCutOff, kCrashed };

// One server. Of a crashed one only `link` and `disk_bytes` mean anything.
struct ServerView {
  Link link = Link::kCrashed;
  raft::Role role = raft::Role::kFollower;
  raft::Term term = 0;
  std::vector<raft::Term> log;  // the entries' terms; log[0] has index 1
  raft::Index commit = 0;
  raft::Index applied = 0;  // by the service, in this life of the server
  size_t disk_bytes = 0;    // what its Persister holds
};

using ClusterView = std::vector<ServerView>;  // by ServerId

inline bool Leads(const ServerView& server) {
  return server.link != Link::kCrashed && server.role == raft::Role::kLeader;
}

// The server that leads the newest term, of those that can reach each other;
// nobody if none of these leads.
inline std::optional<raft::ServerId> LeaderOf(const ClusterView& view) {
  std::optional<raft::ServerId> leader;
  for (size_t i = 0; i < view.size(); ++i) {
    if (view[i].link != Link::kUp || !Leads(view[i])) continue;
    if (leader.has_value() &&
        view[static_cast<size_t>(*leader)].term > view[i].term) {
      continue;
    }
    leader = static_cast<raft::ServerId>(i);
  }
  return leader;
}

}  // namespace tests

#endif  // EXAMPLES_DEMO_VIEW_H_
