// What the oracle is told beside messages, and how it speaks.

#include "tests/oracle/oracle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/judging.h"

namespace oracle {

using raft::ServerId;
using raft::Term;

std::string Violation::ToString() const {
  return absl::StrCat("oracle: ", rule.name, " (", rule.section, "): ", what,
                      "; the last events:", events);
}

Oracle::Oracle(int servers, Options options)
    : servers_count_(static_cast<size_t>(servers)),
      options_(std::move(options)),
      begin_(options_.now()),
      servers_(servers_count_) {}

std::vector<Rule> Oracle::RulesOfTheDisk() {
  return {kSavedBefore,      kAcknowledgedStays, kElectionRestriction,
          kConsistencyCheck, kStoresWhatIsSent,  kSavedTogether,
          kKeptAfterSnapshot};
}

void Oracle::Record(Event event) {
  event.time = now_;
  history_.Add(event);
}

void Oracle::Violate(const Rule& rule, const std::string& what) {
  if (condemned_) return;  // what follows from the first one tells nothing
  if (rule.is_economy && std::exchange(too_costly_, true)) return;
  condemned_ = !rule.is_economy;
  violation_ = {
      .rule = rule, .what = what, .events = history_.ToString(begin_)};
}

void Oracle::OnIncarnationBegin(ServerId server, int incarnation) {
  Judging judging(this);
  Record({.kind = Event::Kind::kIncarnationBegins,
          .server = server,
          .entries = static_cast<uint64_t>(incarnation)});
  Server& it = ServerLocked(server);
  it.incarnation = incarnation;
  it.running = true;
  it.local_term = 0;
  it.led = false;
  it.has_saved = false;
  it.quiet = {};
  // It begins at its snapshot. Which that is only the disk tells.
  it.applied = it.disk.base.index;
  it.vouched_for = it.disk.base.index;
  if (!options_.reads_disks && !it.snapshots.empty()) {
    it.applied = std::nullopt;
    it.vouched_for = *it.snapshots.rbegin();
  }
  it.heard.clear();
  it.beats.clear();
}

void Oracle::OnIncarnationEnd(ServerId server) {
  Judging judging(this);
  Server& it = ServerLocked(server);
  if (!it.running) return;
  it.running = false;
  Record({.kind = Event::Kind::kIncarnationEnds, .server = server});
}

void Oracle::OnSave(ServerId server, int incarnation,
                    const std::optional<harness::DiskState>& state) {
  if (!options_.reads_disks) return;
  const bool has_snapshot = state.has_value() && state->snapshot.has_value();
  const uint64_t snapshot_hash = has_snapshot ? HashOf(*state->snapshot) : 0;
  Judging judging(this);
  // What a stale instance saves, no other will ever read.
  if (!IsRunningLocked(server, incarnation)) return;
  if (!state.has_value()) {
    Violate(kWellFormed,
            absl::StrCat("S", server, " saved what does not decode"));
    return;
  }
  ReadDiskLocked(server, *state, snapshot_hash);
}

Term Oracle::TermSeen(ServerId server) const {
  base::SpinLockHolder lock(&lock_);
  return TermSeenLocked(server);
}

void Oracle::OnState(ServerId server, int incarnation, Term floor,
                     raft::State state) {
  Judging judging(this);
  if (!IsRunningLocked(server, incarnation)) return;
  Record({.kind = Event::Kind::kState,
          .server = server,
          .term = state.term,
          .yes = state.is_leader});
  if (state.term < floor) {
    Violate(kTermsGrow, absl::StrCat("S", server, " is in term ", state.term,
                                     " after term ", floor));
  }
  ShowsLocallyLocked(server, state.term);
  if (state.is_leader) LeadsLocked(server, state.term);
}

void Oracle::OnStart(ServerId server, int incarnation,
                     std::string_view /*command*/, raft::StartResult result) {
  if (!result.is_leader) return;
  Judging judging(this);
  if (!IsRunningLocked(server, incarnation)) return;
  Record({.kind = Event::Kind::kStart,
          .server = server,
          .term = result.term,
          .index = result.index});
  if (options_.slow_disks) {
    ShowsLocallyLocked(server, result.term);
  } else {
    OnDiskLocked(server, result.term, {result.index, result.term},
                 kSavedBefore);
    ShowsTermLocked(server, result.term);
  }
  LeadsLocked(server, result.term);
}

void Oracle::OnApply(ServerId server, const raft::ApplyMsg& message) {
  const bool is_command = message.kind == raft::ApplyMsg::Kind::kCommand;
  const uint64_t hash =
      is_command ? Hash(message.command) : HashOf(message.snapshot);
  Judging judging(this);
  Record(
      {.kind = is_command ? Event::Kind::kApply : Event::Kind::kApplySnapshot,
       .server = server,
       .index = message.index,
       .index_term = message.term});
  if (is_command) {
    AppliesCommandLocked(server, message, hash);
  } else {
    AppliesSnapshotLocked(server, message, hash);
  }
}

void Oracle::AppliesCommandLocked(ServerId server,
                                  const raft::ApplyMsg& message,
                                  uint64_t hash) {
  const std::optional<raft::Index> before =
      std::exchange(ServerLocked(server).applied, message.index);
  if (before.has_value() && message.index != *before + 1) {
    Violate(kAppliesInOrder,
            absl::StrCat("S", server, " applies index ", message.index,
                         " right after index ", *before,
                         "; an incarnation delivers each entry once, in the "
                         "order of the log, from its snapshot on"));
  }
  if (message.index == 0 || !JudgeAppliedLocked(server, message.index)) return;
  const Committed& committed = committed_[message.index - 1];
  if (committed.term == 0) return;
  // A Raft need not say the term (0).
  const bool same_term = message.term == 0 || message.term == committed.term;
  if (committed.command_hash == hash && same_term) return;
  Violate(
      kStateMachineSafety,
      absl::StrCat("S", server, " applies at index ", message.index,
                   same_term ? " another command than"
                             : " an entry of another term than",
                   " the entry of term ", committed.term,
                   " that the leader of term ", committed.by, " committed"));
}

// The server delivers what is at `index`, or up to there: it has to be
// committed, and the server to know that. Returns false if nothing is known of
// that index.
bool Oracle::JudgeAppliedLocked(ServerId server, raft::Index index) {
  // A cluster of one commits without messages.
  if (servers_count_ == 1) return false;
  if (index > committed_.size()) {
    Violate(kCommitByMajority,
            absl::StrCat(
                "S", server, " applies index ", index, ", but only ",
                committed_.size(), " entries are committed",
                WhyNotCommittedLocked(server, NewestLedTermLocked(), index)));
    return false;
  }
  const Server& it = ServerLocked(server);
  if (!it.led && index > it.vouched_for) {
    Violate(kFollowsCommit,
            absl::StrCat("S", server, " applies index ", index,
                         " as a follower, but leaders' requests committed "
                         "its log only up to index ",
                         it.vouched_for,
                         ", the least of leaderCommit and the last entry that "
                         "a request vouches for"));
  }
  return true;
}

}  // namespace oracle
