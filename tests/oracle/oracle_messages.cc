// Messages: what each one shows of its sender.

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "rpc/codec.h"
#include "tests/oracle/judging.h"
#include "tests/oracle/oracle.h"

namespace oracle {

using harness::Link;
using labrpc::Packet;
using raft::Term;

void Oracle::Sees(const Packet& packet) {
  if (packet.kind == Packet::Kind::kReply) {
    SeesReply(packet);
    return;
  }
  const std::optional<Link> link = harness::ParseLink(packet.end);
  if (!link.has_value() || !Known(link->from) || !Known(link->to)) return;
  if (packet.method == raft::kRequestVote.name) SeesRequestVote(packet, *link);
  if (packet.method == raft::kAppendEntries.name) {
    SeesAppendEntries(packet, *link);
  }
}

// An instance that is being killed may go on for a moment, on its own disk and
// cut off; the server is not bound by what nobody hears.
bool Oracle::IsGhostLocked(const Link& link, Fate fate) {
  const Server& it = ServerLocked(link.from);
  return fate == Fate::kUndeliverable && (!it.alive || it.life != link.life);
}

void Oracle::SeesRequestVote(const Packet& packet, const Link& link) {
  const auto args = rpc::Decode<raft::RequestVoteArgs>(packet.bytes);
  Judging judging(this);
  if (IsGhostLocked(link, packet.fate)) return;
  if (!args.ok()) {
    Violate(kWellFormed, absl::StrCat("S", link.from,
                                      " sends a RequestVote that does not "
                                      "decode"));
    return;
  }
  const Position last{args->last_log_index, args->last_log_term};
  Record({.kind = Event::Kind::kRequestVote,
          .server = link.from,
          .peer = link.to,
          .term = args->term,
          .index = last.index,
          .index_term = last.term,
          .fate = packet.fate});
  if (args->candidate_id != link.from || last.term >= args->term ||
      (last.index == 0) != (last.term == 0)) {
    Violate(
        kWellFormed,
        absl::StrCat("S", link.from, " asks in term ", args->term,
                     " for votes for S", args->candidate_id,
                     ", whose log ends at (", last.index, ",", last.term, ")"));
  }
  SpeaksLocked(link, args->term, packet.sent);
  StandsLocked(link, args->term, packet.sent);
  ShowsTermLocked(link.from, args->term);
  VotesLocked(link.from, args->term, link.from);
  OnDiskLocked(link.from, args->term, {}, kSavedBefore);
  const auto& saved = ServerLocked(link.from).disk.votes;
  const auto vote = saved.find(args->term);
  if (options_.decode != nullptr &&
      (vote == saved.end() || vote->second != link.from)) {
    Violate(kSavedBefore,
            absl::StrCat("S", link.from, " stands in term ", args->term,
                         ", but has not saved its own vote"));
  }
  terms_[args->term].candidates[link.from].last = last;
  AwaitReplyLocked(
      packet,
      {.link = link, .is_vote = true, .term = args->term, .position = last});
}

void Oracle::SeesAppendEntries(const Packet& packet, const Link& link) {
  const auto args = rpc::Decode<raft::AppendEntriesArgs>(packet.bytes);
  Judging judging(this);
  if (IsGhostLocked(link, packet.fate)) return;
  if (!args.ok()) {
    Violate(kWellFormed, absl::StrCat("S", link.from,
                                      " sends an AppendEntries that does not "
                                      "decode"));
    return;
  }
  Position last{args->prev_log_index, args->prev_log_term};
  Record({.kind = Event::Kind::kAppendEntries,
          .server = link.from,
          .peer = link.to,
          .term = args->term,
          .index = last.index,
          .index_term = last.term,
          .commit = args->leader_commit,
          .entries = args->entries.size(),
          .fate = packet.fate});
  bool is_well_formed =
      args->leader_id == link.from && (last.index == 0) == (last.term == 0);
  SpeaksLocked(link, args->term, packet.sent);
  ShowsTermLocked(link.from, args->term);
  OnDiskLocked(link.from, args->term, {}, kSavedBefore);
  LeadsLocked(link.from, args->term);
  LeaderHoldsLocked(args->term, link.from, last);
  for (const raft::EntryView entry : args->entries) {
    is_well_formed = is_well_formed && entry.term >= last.term;
    const Position position{last.index + 1, entry.term};
    HoldsLocked(link.from, position, last.term, Hash(entry.command));
    LeaderHoldsLocked(args->term, link.from, position);
    last = position;
  }
  if (!is_well_formed || last.term > args->term) {
    Violate(kWellFormed,
            absl::StrCat("S", link.from, " sends in term ", args->term,
                         " an AppendEntries of S", args->leader_id, " behind (",
                         args->prev_log_index, ",", args->prev_log_term,
                         ") up to (", last.index, ",", last.term, ")"));
  }
  if (servers_count_ > 1 && args->leader_commit > committed_.size()) {
    Violate(kCommitByMajority,
            absl::StrCat("S", link.from, " says in term ", args->term,
                         " that index ", args->leader_commit,
                         " is committed, but only ", committed_.size(),
                         " entries are"));
  }
  if (packet.fate == Fate::kDelivered) {
    raft::Index& vouched_for = ServerLocked(link.to).vouched_for;
    vouched_for =
        std::max(vouched_for, std::min(args->leader_commit, last.index));
    OffersLocked(link.to, args->term, args->prev_log_index + 1, last.index);
  }
  BeatsLocked(link, *args, packet.sent);
  AwaitReplyLocked(packet,
                   {.link = link,
                    .term = args->term,
                    .position = last,
                    .prev = {args->prev_log_index, args->prev_log_term}});
}

void Oracle::AwaitReplyLocked(const Packet& packet, Pending pending) {
  if (packet.fate != Fate::kDelivered) return;
  const Server& receiver = ServerLocked(pending.link.to);
  pending.receiver_life = receiver.life;
  pending.floor = receiver.term;
  pending.voter_last = receiver.disk.Last();
  pending.fits =
      receiver.disk.term == pending.term && receiver.disk.Holds(pending.prev);
  pending_[packet.call] = pending;
}

namespace {

// The parts of both replies that the rules ask for.
struct Answer {
  Term term;
  bool agreed;
};

std::optional<Answer> DecodeAnswer(const Packet& packet) {
  if (packet.method == raft::kRequestVote.name) {
    const auto reply = rpc::Decode<raft::RequestVoteReply>(packet.bytes);
    if (reply.ok()) return Answer{reply->term, reply->vote_granted};
  } else if (packet.method == raft::kAppendEntries.name) {
    const auto reply = rpc::Decode<raft::AppendEntriesReply>(packet.bytes);
    if (reply.ok()) return Answer{reply->term, reply->success};
  }
  return std::nullopt;
}

}  // namespace

void Oracle::SeesReply(const Packet& packet) {
  const std::optional<Answer> answer = DecodeAnswer(packet);
  Judging judging(this);
  const auto found = pending_.extract(packet.call);
  // Nobody hears of a refused one.
  if (found.empty() || packet.fate == Fate::kRefused) return;
  const Pending& pending = found.mapped();
  if (!answer.has_value()) {
    Violate(kWellFormed, absl::StrCat("S", pending.link.to,
                                      " sends a reply that does not decode"));
    return;
  }
  Record({.kind = pending.is_vote ? Event::Kind::kRequestVoteReply
                                  : Event::Kind::kAppendEntriesReply,
          .server = pending.link.to,
          .peer = pending.link.from,
          .term = answer->term,
          .index = pending.position.index,
          .index_term = pending.position.term,
          .yes = answer->agreed,
          .fate = packet.fate});
  JudgeAnswerLocked(pending, answer->term, answer->agreed, packet.fate);
}

void Oracle::JudgeAnswerLocked(const Pending& pending, Term term, bool agreed,
                               Fate fate) {
  // The empty answer of an instance that was just killed.
  if (term == 0 && !agreed) return;
  const raft::ServerId server = pending.link.to;
  if (term < pending.term || (agreed && term != pending.term)) {
    Violate(
        kAnswersInTerm,
        absl::StrCat("S", server, agreed ? " agrees" : " answers", " in term ",
                     term, " to a request of term ", pending.term));
    return;
  }
  if (term < pending.floor) {
    Violate(kTermsGrow, absl::StrCat("S", server, " answers in term ", term,
                                     " behind term ", pending.floor));
  }
  OnDiskLocked(server, term, {}, kSavedBefore);
  ShowsTermLocked(server, term);
  HearsLocked(server, pending.receiver_life, pending.term);
  if (fate == Fate::kDelivered) {
    HearsLocked(pending.link.from, pending.link.life, term);
  }
  Server& it = ServerLocked(server);
  const bool quiets = pending.is_vote ? agreed : term == pending.term;
  if (quiets && it.life == pending.receiver_life && term >= it.quiet.term) {
    it.quiet = {term, options_.now()};
  }
  if (!agreed && !pending.is_vote) JudgeRefusalLocked(pending);
  if (agreed && pending.is_vote) JudgeVoteLocked(pending, fate);
  if (agreed && !pending.is_vote) JudgeSuccessLocked(pending, fate);
}

void Oracle::JudgeVoteLocked(const Pending& pending, Fate fate) {
  const raft::ServerId voter = pending.link.to;
  const raft::ServerId candidate = pending.link.from;
  VotesLocked(voter, pending.term, candidate);
  if (options_.decode != nullptr) {
    const auto& saved = ServerLocked(voter).disk.votes;
    const auto vote = saved.find(pending.term);
    if (vote == saved.end() || vote->second != candidate) {
      Violate(kSavedBefore,
              absl::StrCat("S", voter, " votes in term ", pending.term,
                           " for S", candidate, ", but has not saved that"));
    }
    // How up-to-date a log is never decreases: that the voter's was more so
    // when it was asked is enough.
    const Position own = pending.voter_last;
    const Position other = pending.position;
    if (std::pair(own.term, own.index) > std::pair(other.term, other.index)) {
      Violate(kElectionRestriction,
              absl::StrCat("S", voter, ", whose log ends at (", own.index, ",",
                           own.term, "), votes in term ", pending.term,
                           " for S", candidate, ", whose log ends at (",
                           other.index, ",", other.term, ")"));
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
