// The rules that the oracle judges by, with their sections in the extended Raft
// paper.

#ifndef TESTS_ORACLE_RULES_H_
#define TESTS_ORACLE_RULES_H_

namespace oracle {

struct Rule {
  const char* name;
  const char* section;
};

// A term has one leader (Figure 3, election safety).
inline constexpr Rule kElectionSafety{"election safety", "5.2"};
// Whoever leads got votes from a majority in that very term.
inline constexpr Rule kElectedByMajority{"elected by a majority", "5.2"};
// A server gives one vote in a term, also across restarts.
inline constexpr Rule kOneVote{"one vote per term", "5.2"};
// A vote goes only to who has a log at least as up-to-date as the voter's.
inline constexpr Rule kElectionRestriction{"election restriction", "5.4.1"};
// A server's term never goes back, also across restarts.
inline constexpr Rule kTermsGrow{"terms never go back", "5.1"};
// An answer is given in a term not below the request's, and agrees only to
// requests of its own term.
inline constexpr Rule kAnswersInTerm{"answers in its term", "5.1, Figure 2"};
// Who has heard of a newer term sends nothing in an older one.
inline constexpr Rule kStepsDown{"steps down", "5.1"};
// A server that has just voted or heard a leader stays quiet for a while.
inline constexpr Rule kStandsAfterSilence{"stands after silence", "5.2"};
// An AppendEntries is refused by who has the entry that it builds on only for
// its term.
inline constexpr Rule kTakesWhatFits{"takes what fits", "5.3, Figure 2"};
// A follower stores only what the leader of its own term has sent it.
inline constexpr Rule kStoresWhatIsSent{"stores what is sent", "5.1, 5.3"};
// Two entries with the same index and term are the same, and so are all before
// them (Figure 3).
inline constexpr Rule kLogMatching{"log matching", "5.3"};
// What was committed is in the logs of all later leaders (Figure 3).
inline constexpr Rule kLeaderCompleteness{"leader completeness", "5.4"};
// Nothing counts as committed but what a leader knows to be on a majority, and
// by counting only what is of its own term.
inline constexpr Rule kCommitByMajority{"commit by majority", "5.3, 5.4.2"};
// A follower takes for committed only what a leader's request vouches for: up
// to its commit index, and not beyond its last entry.
inline constexpr Rule kVouchedFor{"commit as vouched for", "5.3, Figure 2"};
// A server applies each entry once in a life, in the order of the indexes.
inline constexpr Rule kAppliesInOrder{"applies in order, once",
                                      "5.3, Figure 2"};
// No server applies another command at an index than what is committed there
// (Figure 3).
inline constexpr Rule kStateMachineSafety{"state machine safety", "5.4.3"};
// What others may see of term, vote and log is on the disk before.
inline constexpr Rule kSavedBefore{"saved before visible", "Figure 2"};
// A log holds what its server has acknowledged in this term.
inline constexpr Rule kAcknowledgedStays{"acknowledged stays", "5.3"};
// A leader with nothing to say sends at most so many messages.
inline constexpr Rule kHeartbeatRate{"heart-beat rate", "lab 2A, 5.2"};
// Messages and saved states say nothing that cannot be.
inline constexpr Rule kWellFormed{"well-formed", "Figure 2"};

}  // namespace oracle

#endif  // TESTS_ORACLE_RULES_H_
