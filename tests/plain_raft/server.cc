// All of it: threads, elections, replication, snapshots, the disk.

#include "tests/plain_raft/server.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/logging.h"
#include "tests/plain_raft/saved_state.h"

namespace raft {

using base::MutexLock;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kHeartbeat(100);
constexpr milliseconds kMinElectionTimeout(300);
constexpr int64_t kElectionTimeoutRange = 300;  // ms

}  // namespace

RaftServer::RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                       ServerId me,
                       std::shared_ptr<persister::Persister> persister,
                       std::shared_ptr<ApplyChannel> apply_channel,
                       bool announce_state, base::Random random)
    : peers_(std::move(peers)),
      me_(static_cast<size_t>(me)),
      persister_(std::move(persister)),
      apply_channel_(std::move(apply_channel)),
      announce_state_(announce_state),
      random_(random) {
  MutexLock lock(&mu_);
  RestoreLocked();
  announced_ = StateLocked();
}

RaftServer::~RaftServer() { Kill(); }

void RaftServer::StartThreads() {
  MutexLock lock(&kill_mu_);
  threads_.emplace_back([this] { ElectionTicker(); });
  threads_.emplace_back([this] { HeartbeatTicker(); });
  threads_.emplace_back([this] { Applier(); });
}

// The tickers are joined when they wake up, after up to 600 ms.
void RaftServer::Kill() {
  MutexLock kill_lock(&kill_mu_);
  std::list<Caller> callers;
  {
    MutexLock lock(&mu_);
    killed_ = true;
    changed_.SignalAll();
  }
  apply_channel_->Close();
  for (const auto& peer : peers_) peer->Close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  {
    MutexLock lock(&mu_);
    callers.swap(callers_);
  }
  for (Caller& caller : callers) caller.thread.join();
}

State RaftServer::GetState() const {
  MutexLock lock(&mu_);
  return StateLocked();
}

State RaftServer::StateLocked() const {
  return {current_term_, role_ == Role::kLeader && !killed_};
}

Status RaftServer::GetStatus() const {
  MutexLock lock(&mu_);
  Status status;
  status.role = role_;
  status.term = current_term_;
  status.voted_for = voted_for_;
  status.first_index = last_included_index_ + 1;
  status.last_index = LastIndexLocked();
  status.last_term = log_.back().term;
  status.commit_index = commit_index_;
  status.last_applied = last_applied_;
  return status;
}

StartResult RaftServer::Start(std::string_view command) {
  MutexLock lock(&mu_);
  if (killed_ || role_ != Role::kLeader) return {0, current_term_, false};
  log_.push_back({current_term_, std::string(command)});
  PersistLocked();
  AdvanceCommitIndexLocked();  // a cluster of one
  return {LastIndexLocked(), current_term_, true};
}

// --- Threads -----------------------------------------------------------------

void RaftServer::ElectionTicker() {
  while (true) {
    const Clock::time_point begin = Clock::now();
    milliseconds timeout = kMinElectionTimeout;
    {
      MutexLock lock(&mu_);
      timeout += milliseconds(random_.Below(kElectionTimeoutRange));
    }
    std::this_thread::sleep_for(timeout);
    MutexLock lock(&mu_);
    if (killed_) return;
    if (role_ != Role::kLeader && heard_ < begin) StartElectionLocked();
  }
}

void RaftServer::HeartbeatTicker() {
  while (true) {
    {
      MutexLock lock(&mu_);
      if (killed_) return;
      if (role_ == Role::kLeader) {
        for (size_t i = 0; i < peers_.size(); ++i) SendAppendEntriesLocked(i);
      }
    }
    JoinEndedCallers();
    std::this_thread::sleep_for(kHeartbeat);
  }
}

void RaftServer::Applier() {
  while (true) {
    ApplyMsg message;
    {
      MutexLock lock(&mu_);
      while (!killed_ && last_applied_ >= commit_index_ &&
             (!announce_state_ || announced_ == StateLocked())) {
        changed_.Wait(&mu_);
      }
      if (killed_) return;
      if (last_applied_ >= commit_index_) {
        announced_ = StateLocked();
        message.kind = ApplyMsg::Kind::kState;
        message.term = announced_.term;
        message.is_leader = announced_.is_leader;
      } else if (last_applied_ < last_included_index_) {
        last_applied_ = last_included_index_;
        message.kind = ApplyMsg::Kind::kSnapshot;
        message.snapshot = snapshot_;
      } else {
        ++last_applied_;
        message.command = AtLocked(last_applied_).command;
      }
      if (message.kind != ApplyMsg::Kind::kState) {
        message.index = last_applied_;
        message.term = AtLocked(last_applied_).term;
      }
    }
    if (!apply_channel_->Send(std::move(message))) return;
  }
}

// Makes a call on a thread of its own.
void RaftServer::CallLocked(std::function<void()> call) {
  if (killed_) return;
  callers_.emplace_back();
  Caller* const caller = &callers_.back();
  caller->thread = std::thread([this, caller, call = std::move(call)] {
    call();
    MutexLock lock(&mu_);
    caller->ended = true;
  });
}

void RaftServer::JoinEndedCallers() {
  std::list<Caller> ended;
  {
    MutexLock lock(&mu_);
    for (auto it = callers_.begin(); it != callers_.end();) {
      const auto caller = it++;
      if (caller->ended) ended.splice(ended.end(), callers_, caller);
    }
  }
  for (Caller& caller : ended) caller.thread.join();
}

// --- Elections ---------------------------------------------------------------

void RaftServer::BecomeFollowerLocked(Term term) {
  role_ = Role::kFollower;
  changed_.SignalAll();
  if (term == current_term_) return;
  current_term_ = term;
  voted_for_ = kNobody;
  PersistLocked();
}

void RaftServer::BecomeLeaderLocked() {
  role_ = Role::kLeader;
  changed_.SignalAll();
  next_index_.assign(peers_.size(), LastIndexLocked() + 1);
  match_index_.assign(peers_.size(), 0);
  for (size_t i = 0; i < peers_.size(); ++i) SendAppendEntriesLocked(i);
}

void RaftServer::StartElectionLocked() {
  role_ = Role::kCandidate;
  ++current_term_;
  changed_.SignalAll();
  voted_for_ = static_cast<ServerId>(me_);
  votes_ = 1;
  PersistLocked();
  if (peers_.size() == 1) BecomeLeaderLocked();
  RequestVoteArgs args;
  args.term = current_term_;
  args.candidate_id = voted_for_;
  args.last_log_index = LastIndexLocked();
  args.last_log_term = log_.back().term;
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (i == me_) continue;
    CallLocked([this, i, args] {
      const auto reply = peers_[i]->Call(kRequestVote, args);
      if (!reply.has_value()) return;
      MutexLock lock(&mu_);
      if (reply->term > current_term_) BecomeFollowerLocked(reply->term);
      if (role_ != Role::kCandidate || current_term_ != args.term) return;
      if (reply->vote_granted) ++votes_;
      if (votes_ > peers_.size() / 2) BecomeLeaderLocked();
    });
  }
}

RequestVoteReply RaftServer::RequestVote(const RequestVoteArgs& args) {
  MutexLock lock(&mu_);
  if (killed_) return {};
  if (args.term > current_term_) BecomeFollowerLocked(args.term);
  if (args.term < current_term_) return {current_term_, false};
  const bool up_to_date = args.last_log_term > log_.back().term ||
                          (args.last_log_term == log_.back().term &&
                           args.last_log_index >= LastIndexLocked());
  if ((voted_for_ != kNobody && voted_for_ != args.candidate_id) ||
      !up_to_date) {
    return {current_term_, false};
  }
  voted_for_ = args.candidate_id;
  heard_ = Clock::now();
  PersistLocked();
  return {current_term_, true};
}

// --- Replication -------------------------------------------------------------

void RaftServer::SendAppendEntriesLocked(size_t peer) {
  if (peer == me_) return;
  if (next_index_[peer] <= last_included_index_) {
    SendInstallSnapshotLocked(peer);
    return;
  }
  AppendEntriesArgs args;
  args.term = current_term_;
  args.leader_id = static_cast<ServerId>(me_);
  args.prev_log_index = next_index_[peer] - 1;
  args.prev_log_term = AtLocked(args.prev_log_index).term;
  args.leader_commit = commit_index_;
  for (Index i = next_index_[peer]; i <= LastIndexLocked(); ++i) {
    args.entries.Append(AtLocked(i).term, AtLocked(i).command);
  }
  CallLocked([this, peer, args = std::move(args)] {
    const auto reply = peers_[peer]->Call(kAppendEntries, args);
    if (!reply.has_value()) return;
    MutexLock lock(&mu_);
    OnReplyLocked(peer, args, *reply);
  });
}

void RaftServer::OnReplyLocked(size_t peer, const AppendEntriesArgs& args,
                               const AppendEntriesReply& reply) {
  if (reply.term > current_term_) BecomeFollowerLocked(reply.term);
  if (role_ != Role::kLeader || current_term_ != args.term) return;
  if (reply.success) {
    match_index_[peer] =
        std::max(match_index_[peer], args.prev_log_index + args.entries.size());
    next_index_[peer] = match_index_[peer] + 1;
    AdvanceCommitIndexLocked();
    return;
  }
  // After the last entry of the conflicting term, or at its first index. An old
  // reply may set it too low; then entries go twice, which does no harm.
  Index next = std::max(args.prev_log_index, last_included_index_);
  while (next > last_included_index_ &&
         AtLocked(next).term > reply.conflict_term) {
    --next;
  }
  const bool has_term =
      reply.conflict_term != 0 && AtLocked(next).term == reply.conflict_term;
  next_index_[peer] =
      std::max<Index>(1, has_term ? next + 1 : reply.conflict_index);
}

void RaftServer::AdvanceCommitIndexLocked() {
  for (Index n = LastIndexLocked();
       n > commit_index_ && AtLocked(n).term == current_term_; --n) {
    size_t holders = 1;
    for (size_t i = 0; i < peers_.size(); ++i) {
      if (i != me_ && match_index_[i] >= n) ++holders;
    }
    if (holders <= peers_.size() / 2) continue;
    commit_index_ = n;
    changed_.SignalAll();
    return;
  }
}

AppendEntriesReply RaftServer::AppendEntries(const AppendEntriesArgs& args) {
  MutexLock lock(&mu_);
  if (killed_) return {};
  AppendEntriesReply reply;
  reply.term = std::max(current_term_, args.term);
  if (args.term < current_term_) return reply;
  BecomeFollowerLocked(args.term);
  heard_ = Clock::now();

  if (args.prev_log_index > LastIndexLocked()) {
    reply.conflict_index = LastIndexLocked() + 1;
    return reply;
  }
  // What the snapshot covers is the same on all.
  const Index prev = std::max(args.prev_log_index, last_included_index_);
  if (const Term term = AtLocked(prev).term;
      prev == args.prev_log_index && term != args.prev_log_term) {
    reply.conflict_term = term;
    reply.conflict_index = prev;
    while (reply.conflict_index > last_included_index_ + 1 &&
           AtLocked(reply.conflict_index - 1).term == term) {
      --reply.conflict_index;
    }
    return reply;
  }
  Index index = args.prev_log_index;
  for (const EntryView entry : args.entries) {
    ++index;
    if (index <= last_included_index_) continue;
    if (index <= LastIndexLocked() && AtLocked(index).term == entry.term) {
      continue;
    }
    // Drops what conflicts, and all that follows it.
    log_.resize(index - last_included_index_);
    log_.push_back({entry.term, std::string(entry.command)});
  }
  if (!args.entries.empty()) PersistLocked();
  if (args.leader_commit > commit_index_) {
    commit_index_ =
        std::max(commit_index_, std::min(args.leader_commit, index));
    changed_.SignalAll();
  }
  reply.success = true;
  return reply;
}

// --- Snapshots ---------------------------------------------------------------

// The entry at `index` is the last one that the snapshot covers.
void RaftServer::DiscardUpToLocked(Index index, Term term) {
  if (index <= LastIndexLocked() && AtLocked(index).term == term) {
    const Index count = index - last_included_index_;
    log_.erase(log_.begin(), log_.begin() + static_cast<ptrdiff_t>(count));
  } else {
    log_ = {LogEntry{.term = term}};
  }
  last_included_index_ = index;
}

void RaftServer::Snapshot(Index index, base::Rope snapshot) {
  MutexLock lock(&mu_);
  if (killed_ || index <= last_included_index_) return;
  DiscardUpToLocked(index, AtLocked(index).term);
  snapshot_ = std::move(snapshot);
  PersistLocked();
}

void RaftServer::SendInstallSnapshotLocked(size_t peer) {
  InstallSnapshotArgs args;
  args.term = current_term_;
  args.leader_id = static_cast<ServerId>(me_);
  args.last_included_index = last_included_index_;
  args.last_included_term = log_.front().term;
  args.data = snapshot_.ToString();
  args.done = true;
  CallLocked([this, peer, args = std::move(args)] {
    const auto reply = peers_[peer]->Call(kInstallSnapshot, args);
    if (!reply.has_value()) return;
    MutexLock lock(&mu_);
    if (reply->term > current_term_) BecomeFollowerLocked(reply->term);
    if (role_ != Role::kLeader || current_term_ != args.term) return;
    if (!reply->installed) return;
    match_index_[peer] = std::max(match_index_[peer], args.last_included_index);
    next_index_[peer] = match_index_[peer] + 1;
  });
}

InstallSnapshotReply RaftServer::InstallSnapshot(
    const InstallSnapshotArgs& args) {
  MutexLock lock(&mu_);
  if (killed_) return {};
  InstallSnapshotReply reply;
  reply.term = std::max(current_term_, args.term);
  if (args.term < current_term_) return reply;
  BecomeFollowerLocked(args.term);
  heard_ = Clock::now();

  reply.installed = true;
  if (args.last_included_index <= commit_index_) return reply;
  DiscardUpToLocked(args.last_included_index, args.last_included_term);
  snapshot_ = args.data;
  PersistLocked();
  commit_index_ = args.last_included_index;
  changed_.SignalAll();
  return reply;
}

// --- The disk ----------------------------------------------------------------

void RaftServer::PersistLocked() {
  SavedState state;
  state.current_term = current_term_;
  state.voted_for = voted_for_;
  state.last_included_index = last_included_index_;
  state.last_included_term = log_.front().term;
  for (size_t i = 1; i < log_.size(); ++i) {
    state.entries.Append(log_[i].term, log_[i].command);
  }
  persister_->Save(base::Rope(rpc::Encode(state)), snapshot_);
}

void RaftServer::RestoreLocked() {
  const auto saved = DecodeSavedState(persister_->ReadRaftState().ToString());
  CHECK(saved.ok()) << saved.status().message();
  current_term_ = saved->current_term;
  voted_for_ = saved->voted_for;
  last_included_index_ = saved->last_included_index;
  log_.front().term = saved->last_included_term;
  snapshot_ = persister_->ReadSnapshot();
  // As in the course, the service has read it too.
  commit_index_ = last_included_index_;
  last_applied_ = last_included_index_;
  for (const EntryView entry : saved->entries) {
    log_.push_back({entry.term, std::string(entry.command)});
  }
}

// --- The outside -------------------------------------------------------------

std::vector<rpc::Service> RaftServer::Services() {
  const std::shared_ptr<RaftServer> self = shared_from_this();
  rpc::Service service("Raft");
  service.Handle(kRequestVote, [self](const RequestVoteArgs& args) {
    return self->RequestVote(args);
  });
  service.Handle(kAppendEntries, [self](const AppendEntriesArgs& args) {
    return self->AppendEntries(args);
  });
  service.Handle(kInstallSnapshot, [self](const InstallSnapshotArgs& args) {
    return self->InstallSnapshot(args);
  });
  return {service};
}

std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
                           ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel,
                           Options options) {
  auto server = std::make_shared<RaftServer>(
      std::move(peers), me, std::move(persister), std::move(apply_channel),
      options.announce_state,
      options.random.has_value() ? *options.random
                                 : base::Random::FromEntropy());
  server->StartThreads();
  return server;
}

}  // namespace raft
