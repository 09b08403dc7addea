// When a server does what: every delay in this Raft, with its reason.
//
// The paper's 150-300 ms election time-outs presume heart-beats every few
// milliseconds; here at most about ten a second are allowed, on a network that
// may lose a fifth of all round trips (5.2, 5.6, 9.3).

#ifndef RAFT_TIMING_H_
#define RAFT_TIMING_H_

#include <chrono>
#include <cstddef>

namespace raft {

using Clock = std::chrono::steady_clock;

// A leader lets no peer go longer than this without an AppendEntries. What has
// had no answer for so long is sent again.
inline constexpr std::chrono::milliseconds kHeartbeatInterval{120};

// A follower that hears nothing for a random time in this range stands for
// election. The shortest one outlasts a lost heart-beat; the range is far wider
// than a round trip, so that two servers rarely stand at once.
inline constexpr std::chrono::milliseconds kMinElectionTimeout{300};
inline constexpr std::chrono::milliseconds kMaxElectionTimeout{600};

// A leader that has nothing else to send tells its followers of a new commit
// index after this time; until then the news may ride on the next entries.
inline constexpr std::chrono::milliseconds kCommitNoticeDelay{10};

// A majority decides when an entry commits (5.3), so entries go at once to as
// many peers as that takes. The others get theirs in batches, at most one in
// this time: fewer messages, and nobody waits for them.
inline constexpr std::chrono::milliseconds kLaggardInterval{20};

// A peer that has left entries unanswered for so long is not counted on for a
// majority: others get the entries at once instead of it.
inline constexpr std::chrono::milliseconds kResponsiveTime{30};

// How many bytes of entries one AppendEntries carries, and how many may wait
// for kLaggardInterval. One entry is sent whatever its size.
// With what stands around them they stay below a million bytes.
inline constexpr size_t kMaxBatchBytes = 999'000;
inline constexpr size_t kMaxLaggardBytes = size_t{64} << 10;

// How many bytes of committed entries the applier copies at a time: as messages
// they are several times as long, and should not leave the cache.
inline constexpr size_t kMaxApplyBytes = size_t{64} << 10;

}  // namespace raft

#endif  // RAFT_TIMING_H_
