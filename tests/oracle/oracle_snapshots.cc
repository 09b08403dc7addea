// Snapshots: what services give, leaders send, and disks hold (7, Figure 13).

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/judging.h"
#include "tests/oracle/oracle.h"

namespace oracle {

using harness::Link;
using harness::Message;
using raft::Index;
using raft::ServerId;

namespace {

// Of older snapshots only the hashes are kept.
constexpr size_t kMostRememberedBytes = size_t{64} << 20;

}  // namespace

std::vector<Rule> Oracle::RulesOfTheService() {
  return {kSnapshotContent, kSnapshotCovers, kSavedTogether};
}

void Oracle::OnSnapshot(ServerId server, Index index,
                        const base::Rope& snapshot) {
  const uint64_t hash = HashOf(snapshot);
  Judging judging(this);
  Record({.kind = Event::Kind::kSnapshot, .server = server, .index = index});
  Server& it = ServerLocked(server);
  if (it.applied.has_value() && index > *it.applied) {
    Violate(kSnapshotCovers,
            absl::StrCat("S", server, " takes a snapshot up to index ", index,
                         ", but has applied only up to ", *it.applied));
  }
  it.snapshots.insert(index);
  RememberLocked(index,
                 {.hash = hash, .size = snapshot.size(), .bytes = snapshot});
}

void Oracle::RememberLocked(Index index, Snapshot snapshot) {
  if (IsGivenLocked(index, snapshot.hash)) return;
  remembered_bytes_ += snapshot.size;
  snapshots_[index].push_back(std::move(snapshot));
  for (auto& [of, given] : snapshots_) {
    for (Snapshot& old : given) {
      if (remembered_bytes_ <= kMostRememberedBytes) return;
      if (!std::exchange(old.bytes, std::nullopt).has_value()) continue;
      remembered_bytes_ -= old.size;
    }
  }
}

bool Oracle::IsGivenLocked(Index index, uint64_t hash) const {
  const auto given = snapshots_.find(index);
  return given != snapshots_.end() &&
         std::any_of(given->second.begin(), given->second.end(),
                     [hash](const Snapshot& snapshot) {
                       return snapshot.hash == hash;
                     });
}

bool Oracle::IsPartOfGivenLocked(const raft::InstallSnapshotArgs& args) const {
  const auto given = snapshots_.find(args.last_included_index);
  if (given == snapshots_.end()) return false;
  const auto has_part = [&args](const Snapshot& snapshot) {
    const size_t size = args.data.size();
    if (args.offset > snapshot.size || size > snapshot.size - args.offset ||
        args.done != (args.offset + size == snapshot.size)) {
      return false;
    }
    if (!snapshot.bytes.has_value()) return true;  // as far as is known
    std::string part;
    snapshot.bytes->CopyTo(args.offset, size, &part);
    return part == args.data;
  };
  return std::any_of(given->second.begin(), given->second.end(), has_part);
}

void Oracle::OnInstallSnapshot(const Message& message,
                               const raft::InstallSnapshotArgs& args) {
  const Link& link = message.link;
  Judging judging(this);
  if (IsStaleLocked(message)) return;
  const Position last{args.last_included_index, args.last_included_term};
  Record({.kind = Event::Kind::kInstallSnapshot,
          .server = link.from,
          .peer = link.to,
          .term = args.term,
          .index = last.index,
          .index_term = last.term,
          .yes = args.done,
          .fate = message.fate});
  if (args.leader_id != link.from || last.index == 0 || last.term == 0 ||
      last.term > args.term) {
    Violate(kWellFormed,
            absl::StrCat("S", link.from, " sends in term ", args.term,
                         " an InstallSnapshot of S", args.leader_id, " up to (",
                         last.index, ",", last.term, ")"));
  }
  SpeaksLocked(link, args.term, message.sent);
  ShowsTermLocked(link.from, args.term);
  OnDiskLocked(link.from, args.term, {}, kSavedBefore);
  LeadsLocked(link.from, args.term);
  LeaderHoldsLocked(args.term, link.from, last);
  JudgeIncludedLocked(link.from, last, "sends");
  if (options_.sees_services && !IsPartOfGivenLocked(args)) {
    Violate(
        kSnapshotContent,
        absl::StrCat("S", link.from, " sends ", args.data.size(), " bytes at ",
                     args.offset, args.done ? ", the last," : "",
                     " of a snapshot up to ", last.index,
                     ", but no service has given a snapshot up to there ",
                     "that has them in that place"));
  }
  if (message.fate == Fate::kDelivered && args.done) {
    Server& follower = ServerLocked(link.to);
    follower.snapshots.insert(last.index);
    follower.vouched_for = std::max(follower.vouched_for, last.index);
  }
  AwaitReplyLocked(message,
                   {.link = link, .term = args.term, .position = last});
}

// What the snapshot covers stays covered, whatever is sent later, and the
// leader counts on it.
void Oracle::OnReply(const Message& message,
                     const raft::InstallSnapshotReply& reply) {
  const Answer answer{reply.term, reply.installed, message.fate};
  Judging judging(this);
  const std::optional<Pending> pending = TakePendingLocked(message);
  if (!pending.has_value()) return;
  RecordReplyLocked(Event::Kind::kInstallSnapshotReply, *pending, answer);
  if (!JudgeTermLocked(*pending, answer)) return;
  if (answer.term == pending->term) QuietLocked(*pending, answer.term);
  if (answer.agrees) JudgeSuccessLocked(*pending, answer.fate);
}

// The server has, or sends, a snapshot that ends there.
void Oracle::JudgeIncludedLocked(ServerId server, Position last_included,
                                 std::string_view does) {
  // A cluster of one commits without messages.
  if (servers_count_ == 1 || last_included.index == 0) return;
  const std::string of =
      absl::StrCat("S", server, " ", std::string(does), " a snapshot up to (",
                   last_included.index, ",", last_included.term, "), but ");
  if (last_included.index > committed_.size()) {
    Violate(kSnapshotCovers, absl::StrCat(of, "only ", committed_.size(),
                                          " entries are committed"));
    return;
  }
  const Committed& committed = committed_[last_included.index - 1];
  if (committed.term == 0 || committed.term == last_included.term) return;
  Violate(kSnapshotCovers,
          absl::StrCat(of, "the entry that is committed there is of term ",
                       committed.term));
}

void Oracle::AppliesSnapshotLocked(ServerId server,
                                   const raft::ApplyMsg& message,
                                   uint64_t hash) {
  const Index index = message.index;
  const std::optional<Index> before =
      std::exchange(ServerLocked(server).applied, index);
  if (before.has_value() && index < *before) {
    Violate(kSnapshotsMoveForward,
            absl::StrCat("S", server, " delivers a snapshot up to index ",
                         index, " after index ", *before,
                         ": its service would return to an older state"));
  }
  if (!IsGivenLocked(index, hash)) {
    Violate(kSnapshotContent,
            absl::StrCat("S", server, " delivers as the snapshot up to index ",
                         index, " ", message.snapshot.size(),
                         " bytes that no service has given as that"));
  }
  if (index == 0 || !JudgeAppliedLocked(server, index)) return;
  const Committed& committed = committed_[index - 1];
  // A Raft need not say the term (0).
  if (committed.term == 0 || message.term == 0) return;
  if (committed.term == message.term) return;
  Violate(kStateMachineSafety,
          absl::StrCat("S", server, " delivers a snapshot up to (", index, ",",
                       message.term,
                       "), but the entry that is committed "
                       "there is of term ",
                       committed.term));
}

// Reads the snapshot of a disk, and what the raft state says of it, before the
// log.
void Oracle::ReadSnapshotLocked(ServerId server,
                                const harness::DiskState& state,
                                uint64_t hash) {
  Server& it = ServerLocked(server);
  Disk& disk = it.disk;
  if (state.snapshot.has_value()) {
    disk.snapshot_hash = hash;
    disk.snapshot_size = state.snapshot->size();
  }
  const Position last{state.last_included_index, state.last_included_term};
  if (last.index < disk.base.index) {
    Violate(kSnapshotsMoveForward,
            absl::StrCat("S", server, " saves a snapshot up to index ",
                         last.index, " after one up to ", disk.base.index));
  } else if (last != disk.base) {
    JudgeIncludedLocked(server, last, "saves");
    if (options_.sees_services && !it.snapshots.contains(last.index)) {
      Violate(kSnapshotCovers,
              absl::StrCat("S", server, " saves a snapshot up to index ",
                           last.index,
                           ", but its service has given none up to "
                           "there, and no leader has sent one to its end"));
    }
  }
  const bool fits = last.index == 0
                        ? disk.snapshot_size == 0
                        : IsGivenLocked(last.index, disk.snapshot_hash);
  if (options_.sees_services && !fits) {
    Violate(kSavedTogether,
            absl::StrCat("S", server, " saves a log that follows index ",
                         last.index, ", but the snapshot on its disk, of ",
                         disk.snapshot_size,
                         " bytes, is not one up to there: after a crash what "
                         "is between them would be missing"));
  }
  // What it found when it began.
  if (std::exchange(it.has_saved, true)) return;
  it.applied = std::max(it.applied.value_or(0), last.index);
  it.vouched_for = std::max(it.vouched_for, last.index);
}

}  // namespace oracle
