// One Raft server: the state and the rules of Figure 2 and Figure 13.
//
// All state stands under one mutex, held from the first to the last line of
// every handler and never across a wait. RPCs are asynchronous, so that a call
// to an unreachable peer, which may take seconds, delays nothing, and so is the
// storage: an answer waits for the disk without the lock. Three threads belong
// to an instance: the election ticker, the heartbeat ticker and the applier.
//
// Where things are: server.cc life cycle and role transitions, election.cc 5.2
// and 5.4.1, replication.cc 5.3 and 5.4.2, snapshot.cc 7, heartbeat.cc when a
// leader sends, applier.cc delivery, persistence.cc the storage, invariants.cc
// what must always hold, log.h the log.
//
// Private to raft/ and its unit tests; users include raft/raft.h.
//
// Thread safety: safe. Lock order: RaftServer -> Storage, RaftServer -> the
// network's queue; never two RaftServers.

#ifndef RAFT_SERVER_H_
#define RAFT_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/brief_cond_var.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "persister/storage.h"
#include "raft/durable_index.h"
#include "raft/invariants.h"
#include "raft/log.h"
#include "raft/messages.h"
#include "raft/progress.h"
#include "raft/raft.h"
#include "raft/timing.h"
#include "raft/types.h"
#include "rpc/rpc.h"

namespace raft {

class RaftServer final : public Raft,
                         public std::enable_shared_from_this<RaftServer> {
 public:
  // Reads the state back from `storage`. Starts no thread: such an instance
  // answers its handlers and nothing else, which suits their tests.
  RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
             std::shared_ptr<persister::Storage> storage,
             std::shared_ptr<ApplyChannel> apply_channel, Options options);

  // The same with the lab's disk (raft/persister_storage.h).
  RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
             std::shared_ptr<persister::Persister> persister,
             std::shared_ptr<ApplyChannel> apply_channel, Options options);
  ~RaftServer() override;

  // As in raft/raft.h.
  StartResult Start(std::string_view command) override EXCLUDES(mu_);
  void Snapshot(Index index, base::Rope snapshot) override EXCLUDES(mu_);
  State GetState() const override EXCLUDES(mu_);
  Status GetStatus() const override EXCLUDES(mu_);
  std::vector<rpc::Service> Services() override;
  void Kill() override EXCLUDES(mu_);

  // Starts the election and heartbeat tickers and the applier; Make() does it.
  // REQUIRES: called once at most, before Kill().
  void StartThreads();

  // The RPC handlers of Figures 2 and 13; Services() exports them.
  // Each waits for the storage, and gives the empty answer of a killed server
  // if that is closed.
  RequestVoteReply RequestVote(const RequestVoteArgs& args) EXCLUDES(mu_) {
    return AnswerWhenDurable(args, &RaftServer::RequestVoteLocked);
  }
  AppendEntriesReply AppendEntries(const AppendEntriesArgs& args)
      EXCLUDES(mu_) {
    return AnswerWhenDurable(args, &RaftServer::AppendEntriesLocked);
  }
  InstallSnapshotReply InstallSnapshot(const InstallSnapshotArgs& args)
      EXCLUDES(mu_) {
    return AnswerWhenDurable(args, &RaftServer::InstallSnapshotLocked);
  }

  // What each thread does when its time has come. Tests of an instance without
  // threads call them.
  void StartElection() EXCLUDES(mu_);
  void SendDueCalls() EXCLUDES(mu_);
  bool Deliver() EXCLUDES(mu_);  // waits for what is due; false: closed
  Clock::time_point election_deadline() const EXCLUDES(mu_);
  Log log() const EXCLUDES(mu_);  // a copy

 private:
  // One AppendEntries, filled under the lock, sent without it.
  struct AppendEntriesCall {
    ServerId peer;
    Progress::Request request;
    AppendEntriesArgs args;
  };
  // One InstallSnapshot, in the same way.
  struct InstallSnapshotCall {
    ServerId peer;
    Progress::Chunk chunk;
    InstallSnapshotArgs args;
  };
  struct DueCalls {
    std::vector<AppendEntriesCall> append_entries;
    std::vector<InstallSnapshotCall> install_snapshot;
    bool empty() const {
      return append_entries.empty() && install_snapshot.empty();
    }
  };

  // What a follower has of a snapshot that is not complete. A leader has one
  // snapshot of an index, so term and index tell which it is.
  struct IncomingSnapshot {
    Term term = 0;  // the leader's
    Index last_included_index = 0;
    Term last_included_term = 0;
    base::Rope bytes;
  };

  void CheckArguments() const;

  // "Updated on stable storage before responding to RPCs" (Figure 2): always
  // all that has changed, for the term in the reply may be what another handler
  // has just learned.
  template <typename Args, typename Reply>
  Reply AnswerWhenDurable(const Args& args,
                          Reply (RaftServer::*handle_locked)(const Args&))
      EXCLUDES(mu_) {
    Reply reply;
    persister::Storage::Ticket ticket = 0;
    {
      base::MutexLock lock(&mu_);
      if (killed_ || IsMalformedLocked(args)) return {};
      reply = (this->*handle_locked)(args);
      ticket = storage_->last();
    }
    return storage_->WaitDurable(ticket) ? reply : Reply();
  }

  // Calls `peer`. Its reply, or nothing if none came, is for `on_reply`, under
  // the lock, while this server is still in the term it asked in; then what has
  // become due is sent.
  template <typename Args, typename Reply, typename OnReplyLocked>
  void CallPeer(ServerId peer, const rpc::Method<Args, Reply>& method,
                const Args& args, OnReplyLocked on_reply) EXCLUDES(mu_) {
    // Capturing this is safe: Kill() closes the ends, which drains callbacks.
    peers_[static_cast<size_t>(peer)]->CallAsync(
        method, args,
        [this, term = args.term, on_reply](std::optional<Reply> reply) {
          if (reply.has_value() && reply->term > kMaxTerm) reply.reset();
          DueCalls calls;
          {
            base::MutexLock lock(&mu_);
            if (reply.has_value() && reply->term > current_term_) {
              BecomeFollowerLocked(reply->term);  // Figure 2, all servers
            } else if (term == current_term_) {   // else old news: seconds late
              on_reply(reply);
            }
            calls = TakeDueCallsLocked();
          }
          SendCalls(calls);
        });
  }

  // server.cc: roles, and small questions. Becoming follower in a newer term
  // clears the vote and persists.
  void BecomeFollowerLocked(Term term) REQUIRES(mu_);
  void BecomeCandidateLocked() REQUIRES(mu_);
  void BecomeLeaderLocked() REQUIRES(mu_);
  StartResult RefuseTooLargeLocked(size_t bytes) REQUIRES(mu_);
  bool HasRoomLocked() REQUIRES(mu_);
  bool IsMalformedLocked(const RequestVoteArgs& args) REQUIRES(mu_);
  bool IsMalformedLocked(const AppendEntriesArgs& args) REQUIRES(mu_);
  bool IsMalformedLocked(const InstallSnapshotArgs& args) REQUIRES(mu_);
  void CountMalformedLocked(const char* request, ServerId from) REQUIRES(mu_);
  State StateLocked() const REQUIRES(mu_);
  void AnnounceStateLocked() REQUIRES(mu_);
  size_t Majority() const { return peers_.size() / 2 + 1; }
  bool IsPeer(size_t server) const {
    return server != static_cast<size_t>(me_);
  }
  bool IsOther(ServerId server) const {
    return 0 <= server && static_cast<size_t>(server) < peers_.size() &&
           server != me_;
  }
  enum class Topic {
    kTerm,
    kVote,
    kLead,
    kAppend,
    kSnapshot,
    kCommit,
    kApply,
    kPersist
  };
  std::string TraceLocked(Topic topic) const REQUIRES(mu_);

  // election.cc
  void ElectionLoop() EXCLUDES(mu_);
  std::optional<RequestVoteArgs> AwaitElectionTimeout() EXCLUDES(mu_);
  void ResetElectionDeadlineLocked() REQUIRES(mu_);
  RequestVoteArgs StartElectionLocked() REQUIRES(mu_);
  bool AwaitOwnVote(Term term) EXCLUDES(mu_);
  void SendRequestVotes(const RequestVoteArgs& args) EXCLUDES(mu_);
  void OnRequestVoteReplyLocked(ServerId voter, bool granted) REQUIRES(mu_);
  RequestVoteReply RequestVoteLocked(const RequestVoteArgs& args) REQUIRES(mu_);

  // heartbeat.cc
  void HeartbeatLoop() EXCLUDES(mu_);
  bool AwaitDueCalls(DueCalls* calls) EXCLUDES(mu_);
  DueCalls TakeDueCallsLocked(Index discard_to = 0) REQUIRES(mu_);
  void FillDueCallLocked(ServerId peer, Clock::time_point now, DueCalls* calls)
      REQUIRES(mu_);
  void SendCalls(const DueCalls& calls) EXCLUDES(mu_);
  bool LastEntryHastensLocked() const REQUIRES(mu_);

  // replication.cc, leader
  AppendEntriesCall FillAppendEntriesLocked(ServerId peer,
                                            Clock::time_point now)
      REQUIRES(mu_);
  void SendAppendEntries(const AppendEntriesCall& call) EXCLUDES(mu_);
  void OnAppendEntriesReplyLocked(
      ServerId peer, const Progress::Request& request,
      const std::optional<AppendEntriesReply>& reply) REQUIRES(mu_);
  void ReportLostLogLocked(ServerId peer) REQUIRES(mu_);
  void AdvanceLeaderCommitLocked() REQUIRES(mu_);

  // replication.cc, follower
  AppendEntriesReply AppendEntriesLocked(const AppendEntriesArgs& args)
      REQUIRES(mu_);
  void FollowLocked(ServerId leader) REQUIRES(mu_);
  void StoreEntriesLocked(const AppendEntriesArgs& args) REQUIRES(mu_);
  void SetCommitIndexLocked(Index index) REQUIRES(mu_);

  // snapshot.cc
  DueCalls SnapshotLocked(Index index, base::Rope snapshot) REQUIRES(mu_);

  // snapshot.cc, leader
  InstallSnapshotCall FillInstallSnapshotLocked(ServerId peer,
                                                Clock::time_point now)
      REQUIRES(mu_);
  void SendInstallSnapshot(const InstallSnapshotCall& call) EXCLUDES(mu_);
  void OnInstallSnapshotReplyLocked(
      ServerId peer, const Progress::Chunk& chunk,
      const std::optional<InstallSnapshotReply>& reply) REQUIRES(mu_);

  // snapshot.cc, follower
  InstallSnapshotReply InstallSnapshotLocked(const InstallSnapshotArgs& args)
      REQUIRES(mu_);
  bool TakeChunkLocked(const InstallSnapshotArgs& args) REQUIRES(mu_);
  void InstallLocked() REQUIRES(mu_);

  // applier.cc
  void ApplyLoop() EXCLUDES(mu_);
  struct Delivery {
    std::optional<ApplyMsg> snapshot;  // otherwise:
    Index first = 0;
    Entries entries = {};
    std::optional<State> state = {};  // after either
  };
  std::optional<Delivery> AwaitDelivery() EXCLUDES(mu_);
  bool HasNewStateLocked() const REQUIRES(mu_);
  static std::vector<ApplyMsg> MakeMessages(Delivery delivery);

  // persistence.cc: each gives the storage what has changed.
  void PersistVoteLocked() REQUIRES(mu_);                   // and the term
  void PersistTruncationLocked(Index index) REQUIRES(mu_);  // from there on
  void PersistEntriesLocked(Index first) REQUIRES(mu_);     // from there on
  void PersistSnapshotLocked(base::Rope snapshot) REQUIRES(mu_);
  void NotePersistedLocked(persister::Storage::Ticket ticket) REQUIRES(mu_);
  void OnDurable(persister::Storage::Ticket ticket) EXCLUDES(mu_);
  void RestoreLocked() REQUIRES(mu_);

  // invariants.cc
  void CheckInvariantsLocked() REQUIRES(mu_);

  // Immutable after construction.
  const std::string log_name_;  // "S2", "G101/S2"
  const Timing timing_;
  const bool announce_state_;
  const std::function<Clock::time_point()> clock_;
  const std::vector<std::shared_ptr<rpc::ClientEnd>> peers_;
  const ServerId me_;
  const std::shared_ptr<persister::Storage> storage_;
  const std::shared_ptr<ApplyChannel> apply_channel_;

  mutable base::Mutex mu_;
  base::BriefCondVar delivery_due_;   // wakes ApplyLoop()
  base::CondVar leadership_lost_;     // wakes ElectionLoop()
  base::CondVar append_entries_due_;  // wakes HeartbeatLoop()
  base::CondVar stopped_;             // wakes a second Kill()

  // Persistent on all servers: Persist...Locked() with each change, and durable
  // before anything that follows from it is visible to others.
  Term current_term_ ABSL_GUARDED_BY(mu_) = 0;         // never decreases
  ServerId voted_for_ ABSL_GUARDED_BY(mu_) = kNobody;  // in current_term_
  Log log_ ABSL_GUARDED_BY(mu_);
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);   // up to the last included entry
  DurableIndex durable_ ABSL_GUARDED_BY(mu_);  // of log_

  // Volatile on all servers.
  Index commit_index_ ABSL_GUARDED_BY(mu_) = 0;  // never decreases
  Index last_applied_ ABSL_GUARDED_BY(mu_) = 0;  // given to the applier
  State announced_ ABSL_GUARDED_BY(mu_);         // likewise
  Role role_ ABSL_GUARDED_BY(mu_) = Role::kFollower;
  ServerId leader_ ABSL_GUARDED_BY(mu_) =
      kNobody;  // of current_term_, if known
  Clock::time_point election_deadline_ ABSL_GUARDED_BY(mu_);
  base::Random random_ ABSL_GUARDED_BY(mu_);
  std::optional<IncomingSnapshot> incoming_
      ABSL_GUARDED_BY(mu_);  // a leader sends it: the chunks so far
  Index state_follows_ ABSL_GUARDED_BY(mu_) =
      0;  // was committed when the state changed that is to be announced
  uint64_t malformed_requests_ ABSL_GUARDED_BY(mu_) = 0;
  bool refused_too_large_ ABSL_GUARDED_BY(mu_) = false;

  // Volatile on candidates: the servers that granted a vote in current_term_.
  std::vector<bool> votes_ ABSL_GUARDED_BY(mu_);

  // Volatile on leaders, new after each election; by server, me_ unused.
  std::vector<Progress> followers_ ABSL_GUARDED_BY(mu_);
  Clock::time_point commit_advanced_at_ ABSL_GUARDED_BY(mu_);
  Clock::time_point heartbeat_wakes_at_ ABSL_GUARDED_BY(mu_);
  uint64_t calls_filled_ ABSL_GUARDED_BY(mu_) = 0;

  // The end of the instance.
  bool killed_ ABSL_GUARDED_BY(mu_) = false;
  bool all_joined_ ABSL_GUARDED_BY(mu_) = false;

  CheckedState checked_
      ABSL_GUARDED_BY(mu_);  // what was true at the last release

  // Started by StartThreads(), joined by Kill().
  std::thread election_ticker_;
  std::thread heartbeat_ticker_;
  std::thread applier_;
};

}  // namespace raft

#endif  // RAFT_SERVER_H_
