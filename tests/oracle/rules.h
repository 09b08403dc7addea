// The rules that the oracle judges by, with their sections in the extended Raft
// paper.

#ifndef TESTS_ORACLE_RULES_H_
#define TESTS_ORACLE_RULES_H_

namespace oracle {

struct Rule {
  const char* name;
  const char* section;
  bool is_economy = false;  // what breaks it is right, but costs too much
};

// A term has one leader (Figure 3, election safety).
inline constexpr Rule kElectionSafety{"election safety", "5.2"};
// A leader got votes from a majority in its term.
inline constexpr Rule kElectedByMajority{"elected by a majority", "5.2"};
// A server gives one vote in a term, also across restarts.
inline constexpr Rule kOneVote{"one vote per term", "5.2"};
// A vote goes only to a candidate whose log is at least as up-to-date as the
// voter's.
inline constexpr Rule kElectionRestriction{"election restriction", "5.4.1"};
// A server's term never decreases, also across restarts.
inline constexpr Rule kTermsGrow{"terms never decrease", "5.1"};
// A reply's term is at least the request's; it agrees only to requests of its
// own term.
inline constexpr Rule kRepliesInTerm{"replies in the current term",
                                     "5.1, Figure 2"};
// A server that has heard of a newer term sends nothing in an older one.
inline constexpr Rule kStepsDown{"steps down", "5.1"};
// A server that has just voted or heard from a leader starts no election before
// its election timeout.
inline constexpr Rule kElectionTimeout{"election timeout", "5.2"};
// A follower that has the entry at prevLogIndex and prevLogTerm rejects an
// AppendEntries only for its term.
inline constexpr Rule kConsistencyCheck{"consistency check", "5.3, Figure 2"};
// A follower stores only what the leader of its own term has sent it.
inline constexpr Rule kStoresWhatIsSent{"entries from the leader", "5.1, 5.3"};
// Two entries with the same index and term are the same, and so are all before
// them (Figure 3).
inline constexpr Rule kLogMatching{"log matching", "5.3"};
// What was committed is in the logs of all later leaders (Figure 3).
inline constexpr Rule kLeaderCompleteness{"leader completeness", "5.4"};
// Nothing counts as committed but what a leader knows to be durable on a
// majority, in which it may be itself, and by counting only what is of its own
// term.
inline constexpr Rule kCommitByMajority{"commit by majority", "5.3, 5.4.2"};
// A follower commits only up to leaderCommit, and not beyond the last entry of
// the request (AppendEntries, rule 5).
inline constexpr Rule kFollowsCommit{"commit index from the leader",
                                     "5.3, Figure 2"};
// An incarnation applies each entry once, in the order of the indexes.
inline constexpr Rule kAppliesInOrder{"applies in order, once",
                                      "5.3, Figure 2"};
// No server applies another command at an index than what is committed there
// (Figure 3).
inline constexpr Rule kStateMachineSafety{"state machine safety", "5.4.3"};
// Term, vote and log are on the disk, and durable if flushes take time, before
// another server can see them.
inline constexpr Rule kSavedBefore{"saved before visible", "Figure 2"};
// A log holds what its server has acknowledged in this term.
inline constexpr Rule kAcknowledgedStays{"acknowledged stays", "5.3"};
// An idle leader sends at most a given number of heartbeats a second.
inline constexpr Rule kHeartbeatRate{"heartbeat rate", "lab 2A, 5.2",
                                     /*is_economy=*/true};
// A disk's last included entry is committed, and its server's service has given
// Raft the snapshot, or its leader has sent it.
inline constexpr Rule kSnapshotCovers{"snapshot of what is applied",
                                      "7, Figure 13"};
// What is sent, saved or delivered as the snapshot of an index is what a
// service gave to Raft as that.
inline constexpr Rule kSnapshotContent{"snapshot content", "7, Figure 13"};
// A disk's last included index never decreases, also across restarts, and no
// delivery's does within an incarnation.
inline constexpr Rule kSnapshotsMoveForward{"snapshots move forward", "7"};
// The raft state on a disk follows the snapshot on it.
inline constexpr Rule kSavedTogether{"state and snapshot together", "7"};
// A snapshot replaces only the entries that it covers, if the log has the last
// of them (InstallSnapshot, rule 6).
inline constexpr Rule kKeptAfterSnapshot{"entries after a snapshot stay",
                                         "7, Figure 13"};
// Messages and saved states contain nothing impossible.
inline constexpr Rule kWellFormed{"well-formed", "Figure 2"};

}  // namespace oracle

#endif  // TESTS_ORACLE_RULES_H_
