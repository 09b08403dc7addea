// Messages: what each one shows of its sender.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/judging.h"
#include "tests/oracle/oracle.h"

namespace oracle {

using harness::Link;
using harness::Message;
using raft::ServerId;
using raft::Term;

void Oracle::OnMessage(const Message& message) {
  if (!Known(message.link.from) || !Known(message.link.to)) return;
  std::visit(
      harness::Overloaded{
          [&](const raft::RequestVoteArgs& args) {
            OnRequestVote(message, args);
          },
          [&](const raft::AppendEntriesArgs& args) {
            OnAppendEntries(message, args);
          },
          [&](const raft::RequestVoteReply& reply) { OnReply(message, reply); },
          [&](const raft::AppendEntriesReply& reply) {
            OnReply(message, reply);
          },
          [&](const raft::InstallSnapshotArgs& args) {
            OnInstallSnapshot(message, args);
          },
          [&](const raft::InstallSnapshotReply& reply) {
            OnReply(message, reply);
          },
          [&](const harness::Undecodable&) { OnUndecodable(message); },
      },
      message.body);
}

// An instance that is being killed may go on for a moment, on its own disk and
// cut off; no other server can hear it, so the server is not bound by it.
bool Oracle::IsStaleLocked(const Message& message) {
  return message.fate == Fate::kUndeliverable &&
         !IsRunningLocked(message.link.from, message.link.incarnation);
}

void Oracle::OnUndecodable(const Message& message) {
  Judging judging(this);
  if (message.is_reply ? !TakePendingLocked(message).has_value()
                       : IsStaleLocked(message)) {
    return;
  }
  Violate(
      kWellFormed,
      absl::StrCat("S", message.from(), " sends a ", std::string(message.rpc),
                   message.is_reply ? " reply" : "", " that does not decode"));
}

void Oracle::OnRequestVote(const Message& message,
                           const raft::RequestVoteArgs& args) {
  const Link& link = message.link;
  Judging judging(this);
  if (IsStaleLocked(message)) return;
  const Position last{args.last_log_index, args.last_log_term};
  Record({.kind = Event::Kind::kRequestVote,
          .server = link.from,
          .peer = link.to,
          .term = args.term,
          .index = last.index,
          .index_term = last.term,
          .fate = message.fate});
  if (args.candidate_id != link.from || last.term >= args.term ||
      (last.index == 0) != (last.term == 0)) {
    Violate(kWellFormed, absl::StrCat("S", link.from, " sends in term ",
                                      args.term, " a RequestVote of S",
                                      args.candidate_id, " with last entry (",
                                      last.index, ",", last.term, ")"));
  }
  SpeaksLocked(link, args.term, message.sent);
  StandsLocked(link, args.term, message.sent);
  ShowsTermLocked(link.from, args.term);
  VotesLocked(link.from, args.term, link.from);
  OnDiskLocked(link.from, args.term, {}, kSavedBefore);
  if (options_.reads_disks &&
      !HasSavedVoteLocked(link.from, args.term, link.from)) {
    Violate(
        kSavedBefore,
        absl::StrCat("S", link.from, " starts an election in term ", args.term,
                     ", but has not saved its vote for itself: after a "
                     "crash it could vote for another"));
  }
  terms_[args.term].candidates[link.from].last = last;
  AwaitReplyLocked(message,
                   {.link = link, .term = args.term, .position = last});
}

void Oracle::OnAppendEntries(const Message& message,
                             const raft::AppendEntriesArgs& args) {
  const Link& link = message.link;
  Judging judging(this);
  if (IsStaleLocked(message)) return;
  const Position prev{args.prev_log_index, args.prev_log_term};
  Record({.kind = Event::Kind::kAppendEntries,
          .server = link.from,
          .peer = link.to,
          .term = args.term,
          .index = prev.index,
          .index_term = prev.term,
          .commit = args.leader_commit,
          .entries = args.entries.size(),
          .fate = message.fate});
  SpeaksLocked(link, args.term, message.sent);
  ShowsTermLocked(link.from, args.term);
  OnDiskLocked(link.from, args.term, {}, kSavedBefore);
  LeadsLocked(link.from, args.term);
  const Position last = JudgeEntriesLocked(link, args);
  if (servers_count_ > 1 && args.leader_commit > committed_.size()) {
    Violate(
        kCommitByMajority,
        absl::StrCat(
            "S", link.from, " sends leaderCommit ", args.leader_commit,
            " in term ", args.term, ", but only ", committed_.size(),
            " entries are committed",
            WhyNotCommittedLocked(link.from, args.term, args.leader_commit)));
  }
  if (message.fate == Fate::kDelivered) {
    raft::Index& vouched_for = ServerLocked(link.to).vouched_for;
    vouched_for =
        std::max(vouched_for, std::min(args.leader_commit, last.index));
    OffersLocked(link.to, args.term, args.prev_log_index + 1, last.index);
  }
  if (!message.is_duplicate) BeatsLocked(link, args, message.sent);
  AwaitReplyLocked(
      message,
      {.link = link, .term = args.term, .position = last, .prev = prev});
}

// Judges what the request carries; returns the last entry that it vouches for.
Oracle::Position Oracle::JudgeEntriesLocked(
    const Link& link, const raft::AppendEntriesArgs& args) {
  Position last{args.prev_log_index, args.prev_log_term};
  bool is_well_formed =
      args.leader_id == link.from && (last.index == 0) == (last.term == 0);
  LeaderHoldsLocked(args.term, link.from, last);
  for (const raft::EntryView entry : args.entries) {
    is_well_formed = is_well_formed && entry.term >= last.term;
    const Position position{last.index + 1, entry.term};
    HoldsLocked(link.from, position, last.term, entry.command);
    LeaderHoldsLocked(args.term, link.from, position);
    last = position;
  }
  if (!is_well_formed || last.term > args.term) {
    Violate(kWellFormed,
            absl::StrCat("S", link.from, " sends in term ", args.term,
                         " an AppendEntries of S", args.leader_id, " after (",
                         args.prev_log_index, ",", args.prev_log_term,
                         ") up to (", last.index, ",", last.term, ")"));
  }
  return last;
}

void Oracle::AwaitReplyLocked(const Message& message, Pending pending) {
  if (message.fate != Fate::kDelivered) return;
  const Server& receiver = ServerLocked(pending.link.to);
  pending.receiver_incarnation = receiver.incarnation;
  pending.arrived = now_;
  pending.floor = TermSeenLocked(pending.link.to);
  pending.voter_last = receiver.disk.Last();
  pending.fits =
      receiver.disk.term == pending.term && receiver.disk.Holds(pending.prev);
  pending_[message.call] = pending;
}

// The request that this answers; nothing if the caller never gets the reply.
std::optional<Oracle::Pending> Oracle::TakePendingLocked(const Message& reply) {
  auto found = pending_.extract(reply.call);
  if (found.empty() || reply.fate == Fate::kRefused) return std::nullopt;
  return found.mapped();
}

void Oracle::OnReply(const Message& message,
                     const raft::RequestVoteReply& reply) {
  const Answer answer{reply.term, reply.vote_granted, message.fate};
  Judging judging(this);
  const std::optional<Pending> pending = TakePendingLocked(message);
  if (!pending.has_value()) return;
  RecordReplyLocked(Event::Kind::kRequestVoteReply, *pending, answer);
  if (!JudgeTermLocked(*pending, answer) || !answer.agrees) return;
  QuietLocked(*pending, answer.term);
  JudgeVoteLocked(*pending, answer.fate);
}

void Oracle::OnReply(const Message& message,
                     const raft::AppendEntriesReply& reply) {
  const Answer answer{reply.term, reply.success, message.fate};
  Judging judging(this);
  const std::optional<Pending> pending = TakePendingLocked(message);
  if (!pending.has_value()) return;
  RecordReplyLocked(Event::Kind::kAppendEntriesReply, *pending, answer);
  if (!JudgeTermLocked(*pending, answer)) return;
  if (answer.term == pending->term) QuietLocked(*pending, answer.term);
  if (answer.agrees) {
    JudgeSuccessLocked(*pending, answer.fate);
  } else {
    JudgeRefusalLocked(*pending);
  }
}

void Oracle::RecordReplyLocked(Event::Kind kind, const Pending& pending,
                               const Answer& answer) {
  Record({.kind = kind,
          .server = pending.link.to,
          .peer = pending.link.from,
          .term = answer.term,
          .index = pending.position.index,
          .index_term = pending.position.term,
          .yes = answer.agrees,
          .fate = answer.fate});
}

// Judges in which term the server replies, and what terms both sides learn of.
// Returns false if the reply shows nothing else.
bool Oracle::JudgeTermLocked(const Pending& pending, const Answer& answer) {
  // The empty answer of an instance that was just killed.
  if (answer.term == 0 && !answer.agrees) return false;
  const ServerId server = pending.link.to;
  const Term term = answer.term;
  if (term < pending.term || (answer.agrees && term != pending.term)) {
    Violate(
        kRepliesInTerm,
        absl::StrCat("S", server, answer.agrees ? " agrees" : " replies",
                     " in term ", term, " to a request of term ", pending.term,
                     term < pending.term
                         ? "; a newer term is adopted before the answer"
                         : "; a request of an older term is refused"));
    return false;
  }
  if (term < pending.floor) {
    Violate(kTermsGrow, absl::StrCat("S", server, " replies in term ", term,
                                     " after term ", pending.floor));
  }
  OnDiskLocked(server, term, {}, kSavedBefore);
  ShowsTermLocked(server, term);
  HearsLocked(server, pending.receiver_incarnation, pending.term);
  if (answer.fate == Fate::kDelivered) {
    HearsLocked(pending.link.from, pending.link.incarnation, term);
  }
  return true;
}

// The server voted, or answered a leader of its term: it is to be quiet.
void Oracle::QuietLocked(const Pending& pending, Term term) {
  Server& it = ServerLocked(pending.link.to);
  if (it.incarnation != pending.receiver_incarnation) return;
  if (term < it.quiet.term) return;
  it.quiet = {term, std::max(it.quiet.time, pending.arrived)};
}

bool Oracle::HasSavedVoteLocked(ServerId voter, Term term, ServerId candidate) {
  const auto& votes = ServerLocked(voter).disk.votes;
  const auto vote = votes.find(term);
  return vote != votes.end() && vote->second == candidate;
}

void Oracle::JudgeVoteLocked(const Pending& pending, Fate fate) {
  const ServerId voter = pending.link.to;
  const ServerId candidate = pending.link.from;
  VotesLocked(voter, pending.term, candidate);
  if (options_.reads_disks) {
    if (!HasSavedVoteLocked(voter, pending.term, candidate)) {
      Violate(kSavedBefore, absl::StrCat("S", voter, " votes in term ",
                                         pending.term, " for S", candidate,
                                         ", but has not saved its vote: after "
                                         "a crash it could vote again"));
    }
    // A log that is being repaired may be less up-to-date for a moment: the
    // voter's has to be more so all the time since it was asked.
    const Position own = pending.voter_last;
    const Position other = pending.position;
    if (IsMoreRecent(own, other)) {
      Violate(kElectionRestriction,
              absl::StrCat(
                  "S", voter, ", whose log ends at (", own.index, ",", own.term,
                  "), votes in term ", pending.term, " for S", candidate,
                  ", whose log ends at (", other.index, ",", other.term, "): ",
                  own.term > other.term
                      ? "the voter's last term is newer"
                      : "of equal last terms the voter's log is longer",
                  ", and so its log more up-to-date"));
    }
  }
  if (fate == Fate::kLost) return;
  terms_[pending.term].candidates[candidate].voters |= uint64_t{1} << voter;
}

void Oracle::JudgeSuccessLocked(const Pending& pending, Fate fate) {
  OnDiskLocked(pending.link.to, pending.term, pending.position, kSavedBefore);
  if (fate == Fate::kLost) return;
  AcknowledgesLocked(pending.link.to, pending.term, pending.position);
}

}  // namespace oracle
