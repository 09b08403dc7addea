// When a server does what: every delay, with its reason.
//
// The paper's 150-300 ms election timeouts presume heartbeats every few
// milliseconds; here at most about ten a second are allowed, on a network that
// may lose a fifth of all round trips (5.2, 5.6, 9.3).

#ifndef RAFT_TIMING_H_
#define RAFT_TIMING_H_

#include <chrono>

namespace raft {

using Clock = std::chrono::steady_clock;

struct Timing {
  // A leader lets no follower go longer than this without an AppendEntries.
  // What has had no answer for this time is sent again.
  std::chrono::milliseconds heartbeat_interval{120};

  // A follower that hears nothing for a random time in this range starts an
  // election. The shortest one outlasts a lost heartbeat; the range is far
  // wider than a round trip, so that two servers rarely start one at once.
  std::chrono::milliseconds min_election_timeout{300};
  std::chrono::milliseconds max_election_timeout{600};

  // A leader that has nothing else to send tells its followers of a new commit
  // index after this time; until then the news may ride on the next entries.
  std::chrono::milliseconds commit_notice_delay{10};

  // Entries go at once to as many followers as a majority takes; the others get
  // theirs in batches, at most one in this time.
  std::chrono::milliseconds laggard_interval{20};

  // A follower that has left entries unanswered for this time is not counted on
  // for a majority: others get the entries at once instead of it.
  std::chrono::milliseconds responsive_time{30};
};

}  // namespace raft

#endif  // RAFT_TIMING_H_
