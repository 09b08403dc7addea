// Entries: what leaders, logs and disks hold, and what is committed (5.3, 5.4).

#include <algorithm>
#include <functional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "tests/oracle/oracle.h"

namespace oracle {

using raft::Index;
using raft::ServerId;
using raft::Term;

namespace {

constexpr size_t kShownCommand = 40;

}  // namespace

Oracle::Position Oracle::Disk::Last() const {
  if (terms.empty()) return base;
  return {base.index + terms.size(), terms.back()};
}

Term Oracle::Disk::TermAt(Index index) const {
  if (index == base.index) return base.term;
  if (index < base.index || index > base.index + terms.size()) return 0;
  return terms[index - base.index - 1];
}

bool Oracle::Disk::Holds(Position position) const {
  return position.index >= base.index &&
         position.index <= base.index + terms.size() &&
         TermAt(position.index) == position.term;
}

// A snapshot that ends there takes the place of the entries up to it: of all,
// if the log had another one there or none.
void Oracle::Disk::DiscardUpTo(Position last_included) {
  const bool is_kept = last_included.index > base.index && Holds(last_included);
  const size_t entries =
      is_kept ? last_included.index - base.index : terms.size();
  terms.erase(terms.begin(), terms.begin() + static_cast<ptrdiff_t>(entries));
  base = last_included;
}

// The log of `server` holds that entry after one of `prev_term`.
void Oracle::HoldsLocked(ServerId server, Position position, Term prev_term,
                         std::string_view command) {
  const uint64_t command_hash = Hash(command);
  const auto [entry, is_new] = entries_.try_emplace(position);
  if (is_new) {
    entry->second = {.command_hash = command_hash,
                     .prev_term = prev_term,
                     .server = server,
                     .command = std::string(command.substr(0, kShownCommand))};
  }
  if (is_new) return;
  if (entry->second.command_hash == command_hash &&
      entry->second.prev_term == prev_term) {
    return;
  }
  const bool same_command = entry->second.command_hash == command_hash;
  const auto content = [&](Term prev, std::string_view bytes) {
    return same_command
               ? absl::StrCat("after (", position.index - 1, ",", prev, ")")
               : absl::StrCat("'", options_.show_command(bytes), "'");
  };
  const std::string at =
      absl::StrCat("(", position.index, ",", position.term, ") ");
  Violate(
      kLogMatching,
      absl::StrCat("S", server, " stores ", at, content(prev_term, command),
                   ", S", entry->second.server, " has ", at,
                   content(entry->second.prev_term, entry->second.command)));
}

// The leader of `term` has that entry; so it must not have another one where an
// earlier leader has committed.
void Oracle::LeaderHoldsLocked(Term term, ServerId leader, Position position) {
  if (position.index == 0 || position.index > committed_.size()) return;
  const Committed& committed = committed_[position.index - 1];
  if (committed.term == 0 || committed.by >= term) return;
  if (committed.term == position.term) return;
  Violate(
      kLeaderCompleteness,
      absl::StrCat("S", leader, " leads term ", term, " with (", position.index,
                   ",", position.term, "), but (", position.index, ",",
                   committed.term, ") was committed in term ", committed.by));
}

// The leader of `term` may know that the server holds that entry.
void Oracle::AcknowledgesLocked(ServerId server, Term term, Position position) {
  Server& it = ServerLocked(server);
  if (term > it.acknowledged_in) it.acknowledged = {};
  it.acknowledged_in = std::max(it.acknowledged_in, term);
  if (term == it.acknowledged_in) {
    it.acknowledged = std::max(it.acknowledged, position);
  }

  Position& known = terms_[term].acknowledged[server];
  known = std::max(known, position);
  CountLocked(term);
}

// Commits what the leader of `term` may know to be durable on a majority. That
// it has an entry itself counts when it is durable there too (as far as is
// known); a majority of the others may have it before.
void Oracle::CountLocked(Term term) {
  TermRecord& record = terms_[term];
  std::vector<Position> all;
  for (const auto& [follower, held] : record.acknowledged) all.push_back(held);
  size_t needed = Majority();
  if (options_.reads_disks) {
    all.push_back(record.candidates[record.leader].durable);
  } else {
    --needed;
  }
  if (all.size() < needed) return;
  std::sort(all.begin(), all.end(), std::greater<>());
  const Position held_by_majority = all[needed - 1];
  // By counting, only entries of the leader's own term commit (Figure 8).
  if (held_by_majority.term != term) return;
  if (held_by_majority.index > committed_.size()) {
    CommitLocked(term, held_by_majority.index);
  }
}

Term Oracle::NewestLedTermLocked() const {
  for (auto it = terms_.rbegin(); it != terms_.rend(); ++it) {
    if (it->second.leader != raft::kNobody) return it->first;
  }
  return 0;
}

// Completes "S1 takes index 3 for committed": why its leader, of `term`, cannot
// know that, as far as the oracle can tell.
std::string Oracle::WhyNotCommittedLocked(ServerId server, Term term,
                                          Index index) const {
  const Disk& disk = servers_[static_cast<size_t>(server)].disk;
  const Term entry_term = disk.TermAt(index);
  if (entry_term != 0 && entry_term != term) {
    return absl::StrCat("; entry ", index, " is of term ", entry_term,
                        "; the leader of term ", term,
                        " counts only entries of term ", term, " (Figure 8)");
  }
  const auto record = terms_.find(term);
  if (record == terms_.end()) return "";
  size_t holders = 0;
  for (const auto& [follower, held] : record->second.acknowledged) {
    if (held.index >= index) ++holders;
  }
  const auto own = record->second.candidates.find(record->second.leader);
  const bool has_itself =
      !options_.reads_disks || (own != record->second.candidates.end() &&
                                own->second.durable.index >= index);
  if (has_itself) ++holders;
  if (holders >= Majority()) {
    return absl::StrCat("; the leader of term ", term,
                        " counts only entries of term ", term, " (Figure 8)");
  }
  return absl::StrCat("; the leader of term ", term, " can know of ", holders,
                      " servers that hold entry ", index,
                      has_itself ? "" : ", not itself before it has saved it",
                      ", and ", Majority(), " are a majority");
}

// Takes all entries up to `index` in, back along their predecessors.
void Oracle::CommitLocked(Term by, Index index) {
  const size_t before = committed_.size();
  committed_.resize(index);
  Term term = by;
  for (Index i = index; i > before && term != 0; --i) {
    const auto entry = entries_.find({i, term});
    if (entry == entries_.end()) return;  // never seen: unknown
    committed_[i - 1] = {term, entry->second.command_hash, by};
    term = entry->second.prev_term;
  }
  if (before == 0 || term == 0 || committed_[before - 1].term == 0) return;
  if (committed_[before - 1].term == term) return;
  Violate(kLeaderCompleteness,
          absl::StrCat("the leader of term ", by, " commits index ", index,
                       " in a log that has an entry of term ", term,
                       " at index ", before, ", where one of term ",
                       committed_[before - 1].term, " is committed"));
}

// A leader's request with these entries reaches a follower.
void Oracle::OffersLocked(ServerId follower, Term term, Index first,
                          Index last) {
  Server& it = ServerLocked(follower);
  if (first > last || term < it.disk.term) return;
  const auto [offered, is_new] =
      it.offered.try_emplace(term, Range{.first = first, .last = last});
  if (is_new) return;
  offered->second.first = std::min(offered->second.first, first);
  offered->second.last = std::max(offered->second.last, last);
}

// The server may have got an entry there in that term: from its leader, or from
// a client.
bool Oracle::WasSentLocked(ServerId server, Term term, Index index) const {
  const Server& it = servers_[static_cast<size_t>(server)];
  const auto vote = it.disk.votes.find(term);
  if (vote != it.disk.votes.end() && vote->second == server) return true;
  const auto offered = it.offered.find(term);
  return offered != it.offered.end() && index >= offered->second.first &&
         index <= offered->second.last;
}

// A log got that entry since the disk was in `term_before`.
void Oracle::StoresLocked(ServerId server, Position position,
                          Term term_before) {
  const Server& it = ServerLocked(server);
  for (Term term = it.disk.term; term > 0 && term >= term_before; --term) {
    if (WasSentLocked(server, term, position.index)) return;
  }
  Violate(kStoresWhatIsSent,
          absl::StrCat("S", server, " stores (", position.index, ",",
                       position.term, ") in term ", it.disk.term,
                       ", but the leader of that term did not send it; what ",
                       "an older leader sends is refused"));
}

// The answer is no, and in the request's own term.
void Oracle::JudgeRefusalLocked(const Pending& pending) {
  const Disk& disk = ServerLocked(pending.link.to).disk;
  if (!options_.reads_disks || !pending.fits) return;
  if (disk.term != pending.term || !disk.Holds(pending.prev)) return;
  Violate(kConsistencyCheck,
          absl::StrCat("S", pending.link.to, " rejects entries of S",
                       pending.link.from, " in term ", pending.term, " after (",
                       pending.prev.index, ",", pending.prev.term,
                       "), which it has: prevLogIndex and prevLogTerm match"));
}

void Oracle::ReadDiskLocked(ServerId server, const harness::DiskState& state,
                            uint64_t snapshot_hash) {
  Server& it = ServerLocked(server);
  Disk& disk = it.disk;
  // What it got in several terms it may save at once, and what a new
  // incarnation finds may be several saves.
  const Term term_before = disk.term;
  const Position last_before = disk.Last();
  if (state.current_term < disk.term) {
    Violate(kTermsGrow,
            absl::StrCat("S", server, " saves term ", state.current_term,
                         " after term ", disk.term));
  }
  const bool takes_back = state.current_term == disk.term &&
                          disk.vote != raft::kNobody &&
                          state.voted_for == raft::kNobody;
  if (takes_back) {
    Violate(kOneVote, absl::StrCat("S", server, " clears its vote for S",
                                   disk.vote, " in term ", disk.term));
  }
  disk.term = state.current_term;
  disk.vote = state.voted_for;
  if (disk.vote != raft::kNobody) {
    disk.votes[disk.term] = disk.vote;
    VotesLocked(server, disk.term, disk.vote);
  }
  ReadSnapshotLocked(server, state, snapshot_hash);
  ReadLogLocked(server, state, term_before);
  it.offered.erase(it.offered.begin(), it.offered.lower_bound(disk.term));
  const Position last = disk.Last();
  if (IsMoreRecent(last_before, last)) RememberEndLocked(server);
  Record({.kind = Event::Kind::kSave,
          .server = server,
          .peer = disk.vote,
          .term = disk.term,
          .index = last.index,
          .index_term = last.term,
          .commit = disk.base.index,
          .entries = disk.terms.size()});
  JudgeDiskLocked(server);
  if (disk.vote != server) return;
  TermRecord& record = terms_[disk.term];
  record.candidates[server].durable = last;
  if (record.leader == server) CountLocked(disk.term);
}

// The log of `server` has lost its end. For the votes that it is asked for this
// is the one that counts, if none before was less up-to-date.
void Oracle::RememberEndLocked(ServerId server) {
  const Position last = ServerLocked(server).disk.Last();
  for (auto& [call, pending] : pending_) {
    if (pending.link.to == server && IsMoreRecent(pending.voter_last, last)) {
      pending.voter_last = last;
    }
  }
}

// Reads the entries after those that were kept.
void Oracle::ReadLogLocked(ServerId server, const harness::DiskState& state,
                           Term term_before) {
  Disk& disk = ServerLocked(server).disk;
  const Position base{state.last_included_index, state.last_included_term};
  const bool is_moved = base != disk.base;  // by a snapshot
  if (is_moved) disk.DiscardUpTo(base);
  const Position last_before = disk.Last();
  CHECK_LE(state.kept, disk.terms.size());

  const size_t size = state.kept + state.entries.size();
  size_t read = state.kept;
  bool has_new = false;
  for (const raft::EntryView entry : state.entries) {
    const Term prev_term = read == 0 ? base.term : disk.terms[read - 1];
    const Position position{base.index + ++read, entry.term};
    if (entry.term < prev_term || entry.term > disk.term) {
      Violate(kWellFormed, absl::StrCat("S", server, " in term ", disk.term,
                                        " saves an entry of term ", entry.term,
                                        " after one of term ", prev_term));
    }
    HoldsLocked(server, position, prev_term, entry.command);
    if (disk.Holds(position)) continue;
    has_new = true;
    disk.terms.resize(read - 1);
    disk.terms.push_back(entry.term);
    StoresLocked(server, position, term_before);
  }
  disk.terms.resize(size);
  // An entry that conflicts takes the place of what it removes.
  if (is_moved && !has_new && disk.Last().index < last_before.index) {
    Violate(kKeptAfterSnapshot,
            absl::StrCat("S", server, " has a snapshot up to (", base.index,
                         ",", base.term,
                         "), which was in its log; what "
                         "followed there, up to (",
                         last_before.index, ",", last_before.term,
                         "), is gone from (", disk.Last().index + 1,
                         ") on, and may be committed"));
  }
}

void Oracle::JudgeDiskLocked(ServerId server) {
  const Server& it = ServerLocked(server);
  if (it.disk.term == it.acknowledged_in) {
    OnDiskLocked(server, it.disk.term, it.acknowledged, kAcknowledgedStays);
  }
}

// The server shows that it is in `term` and, if there is a position, that it
// holds that entry: its disk must say so.
void Oracle::OnDiskLocked(ServerId server, Term term, Position position,
                          const Rule& rule) {
  if (!options_.reads_disks) return;
  const Disk& disk = ServerLocked(server).disk;
  if (disk.term < term) {
    Violate(kSavedBefore,
            absl::StrCat("S", server, " shows term ", term,
                         ", but has saved term ", disk.term,
                         ": after a crash it would be in that term again"));
    return;
  }
  // In a newer term a newer leader may have overwritten it.
  if (disk.term > term || position.index <= disk.base.index) return;
  if (disk.TermAt(position.index) == position.term) return;
  const Position last = disk.Last();
  Violate(rule,
          absl::StrCat("S", server, " acknowledged (", position.index, ",",
                       position.term, ") in term ", term, ", but its disk ",
                       last.index < position.index
                           ? "ends at ("
                           : "has another entry there; it ends at (",
                       last.index, ",", last.term, "): the leader counts on ",
                       "that entry"));
}

}  // namespace oracle
