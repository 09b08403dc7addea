// Leader election: the election ticker, RequestVote and its answers
// (5.2, and the election restriction of 5.4.1).

#include <utility>

#include "base/logging.h"
#include "raft/server.h"

namespace raft {

using base::MutexLock;

void RaftServer::ElectionLoop() {
  while (const auto args = AwaitElectionTimeout()) SendRequestVotes(*args);
}

void RaftServer::StartElection() {
  RequestVoteArgs args;
  {
    MutexLock lock(&mu_);
    args = StartElectionLocked();
  }
  SendRequestVotes(args);
}

Clock::time_point RaftServer::election_deadline() const {
  MutexLock lock(&mu_);
  return election_deadline_;
}

// Returns the request of a new election, or nothing once the instance is
// killed.
std::optional<RequestVoteArgs> RaftServer::AwaitElectionTimeout() {
  MutexLock lock(&mu_);
  while (!killed_) {
    // A reset deadline wakes no thread: when the old one has passed there is
    // time to look again. So the timeout is the later of the two, at most.
    if (role_ == Role::kLeader) {
      leadership_lost_.Wait(&mu_);
    } else if (clock_() < election_deadline_) {
      leadership_lost_.WaitUntil(&mu_, election_deadline_);
    } else if (!storage_->HasRoom()) {
      ResetElectionDeadlineLocked();  // it could take no command
    } else {
      return StartElectionLocked();
    }
  }
  return std::nullopt;
}

void RaftServer::ResetElectionDeadlineLocked() {
  using std::chrono::microseconds;
  const microseconds timeout(
      random_.Between(microseconds(timing_.min_election_timeout).count(),
                      microseconds(timing_.max_election_timeout).count()));
  election_deadline_ = clock_() + timeout;
}

// Figure 2, candidates: on conversion to candidate, start election.
RequestVoteArgs RaftServer::StartElectionLocked() {
  BecomeCandidateLocked();
  ResetElectionDeadlineLocked();
  VLOG(1) << TraceLocked(Topic::kTerm) << "election last=(" << log_.LastIndex()
          << "," << log_.LastTerm() << ")";
  RequestVoteArgs args;
  args.term = current_term_;
  args.candidate_id = me_;
  args.last_log_index = log_.LastIndex();
  args.last_log_term = log_.LastTerm();
  return args;
}

// A candidate's vote for itself is one like any other: it counts, and others
// hear of it, when it is durable. Returns false if the election is over.
bool RaftServer::AwaitOwnVote(Term term) {
  const Clock::time_point begin = clock_();
  if (!storage_->WaitDurable(storage_->last())) return false;
  MutexLock lock(&mu_);
  if (killed_ || current_term_ != term || role_ != Role::kCandidate) {
    return false;
  }
  // The disks of those that are asked now may take as long as this one did, and
  // longer by as much if they are writing something else.
  election_deadline_ += 3 * (clock_() - begin);
  OnRequestVoteReplyLocked(me_, /*granted=*/true);
  return true;
}

void RaftServer::SendRequestVotes(const RequestVoteArgs& args) {
  if (!AwaitOwnVote(args.term)) return;
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (!IsPeer(i)) continue;
    const auto peer = static_cast<ServerId>(i);
    CallPeer(peer, kRequestVote, args,
             [this, peer](const std::optional<RequestVoteReply>& reply) {
               mu_.AssertHeld();
               // A lost one is asked for again by the next election.
               OnRequestVoteReplyLocked(
                   peer, reply.has_value() && reply->vote_granted);
             });
  }
}

// Of the current term: a vote counts only in the term that it was asked for.
void RaftServer::OnRequestVoteReplyLocked(ServerId voter, bool granted) {
  if (!granted || role_ != Role::kCandidate) return;
  votes_[static_cast<size_t>(voter)] = true;
  size_t votes = 0;
  for (const bool granted : votes_) votes += granted ? 1 : 0;
  VLOG(2) << TraceLocked(Topic::kVote) << "granted by=S" << voter
          << " votes=" << votes << "/" << peers_.size();
  if (votes >= Majority()) BecomeLeaderLocked();
}

// Counts the request if no peer that works can have sent it.
bool RaftServer::IsMalformedLocked(const RequestVoteArgs& args) {
  if (IsOther(args.candidate_id) && args.term <= kMaxTerm) return false;
  CountMalformedLocked("RequestVote", args.candidate_id);
  return true;
}

// Figure 2, RequestVote RPC, receiver implementation.
RequestVoteReply RaftServer::RequestVoteLocked(const RequestVoteArgs& args) {
  if (args.term > current_term_) BecomeFollowerLocked(args.term);

  RequestVoteReply reply;
  reply.term = current_term_;
  // 1. Reply false if term < current_term_ (5.1).
  if (args.term < current_term_) return reply;

  // 2. Grant the vote if none was given in this term, or to this candidate, and
  // its log is at least as up-to-date as this one (5.2, 5.4).
  const bool may_vote =
      voted_for_ == kNobody || voted_for_ == args.candidate_id;
  reply.vote_granted =
      may_vote && log_.IsUpToDate(args.last_log_index, args.last_log_term);
  if (reply.vote_granted) {
    if (voted_for_ != args.candidate_id) {
      voted_for_ = args.candidate_id;
      PersistVoteLocked();
    }
    ResetElectionDeadlineLocked();
  }
  VLOG(2) << TraceLocked(Topic::kVote)
          << (reply.vote_granted ? "grant" : "refuse") << " to=S"
          << args.candidate_id << " last=(" << args.last_log_index << ","
          << args.last_log_term << ")";
  return reply;
}

}  // namespace raft
