// A plain Raft, as a student might write it from Figures 2 and 13: the second
// reference that the tests are held to (README.md).
//
// A thread for each call, which blocks; two tickers that sleep; entries go with
// the heartbeats, or in place of them a snapshot, whole; one mutex for all.
//
// Thread safety: safe. mu_ is never held over a call, a Send() or a join.

#ifndef TESTS_PLAIN_RAFT_SERVER_H_
#define TESTS_PLAIN_RAFT_SERVER_H_

#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "persister/persister.h"
#include "raft/messages.h"
#include "raft/raft.h"
#include "rpc/rpc.h"

namespace raft {

class RaftServer : public Raft,
                   public std::enable_shared_from_this<RaftServer> {
 public:
  RaftServer(std::vector<std::shared_ptr<rpc::ClientEnd>> peers, ServerId me,
             std::shared_ptr<persister::Persister> persister,
             std::shared_ptr<ApplyChannel> apply_channel, bool announce_state,
             base::Random random);
  ~RaftServer() override;

  State GetState() const override EXCLUDES(mu_);
  StartResult Start(std::string_view command) override EXCLUDES(mu_);
  void Snapshot(Index index, base::Rope snapshot) override EXCLUDES(mu_);
  Status GetStatus() const override EXCLUDES(mu_);
  std::vector<rpc::Service> Services() override;
  void Kill() override EXCLUDES(mu_);

  RequestVoteReply RequestVote(const RequestVoteArgs& args) EXCLUDES(mu_);
  AppendEntriesReply AppendEntries(const AppendEntriesArgs& args) EXCLUDES(mu_);
  InstallSnapshotReply InstallSnapshot(const InstallSnapshotArgs& args)
      EXCLUDES(mu_);

  void StartThreads();

 private:
  struct LogEntry {
    Term term = 0;
    std::string command = {};
  };
  // A thread that makes one call.
  struct Caller {
    std::thread thread;
    bool ended = false;
  };

  void ElectionTicker() EXCLUDES(mu_);
  void HeartbeatTicker() EXCLUDES(mu_);
  void Applier() EXCLUDES(mu_);

  void StartElectionLocked() REQUIRES(mu_);
  void SendAppendEntriesLocked(size_t peer) REQUIRES(mu_);
  void SendInstallSnapshotLocked(size_t peer) REQUIRES(mu_);
  void OnReplyLocked(size_t peer, const AppendEntriesArgs& args,
                     const AppendEntriesReply& reply) REQUIRES(mu_);
  void CallLocked(std::function<void()> call) REQUIRES(mu_);
  void JoinEndedCallers() EXCLUDES(mu_);

  State StateLocked() const REQUIRES(mu_);
  void BecomeFollowerLocked(Term term) REQUIRES(mu_);
  void BecomeLeaderLocked() REQUIRES(mu_);
  void AdvanceCommitIndexLocked() REQUIRES(mu_);
  void PersistLocked() REQUIRES(mu_);
  void RestoreLocked() REQUIRES(mu_);
  void DiscardUpToLocked(Index index, Term term) REQUIRES(mu_);
  Index LastIndexLocked() const REQUIRES(mu_) {
    return last_included_index_ + log_.size() - 1;
  }
  LogEntry& AtLocked(Index index) REQUIRES(mu_) {
    return log_[index - last_included_index_];
  }

  const std::vector<std::shared_ptr<rpc::ClientEnd>> peers_;
  const size_t me_;
  const std::shared_ptr<persister::Persister> persister_;
  const std::shared_ptr<ApplyChannel> apply_channel_;
  const bool announce_state_;

  mutable base::Mutex mu_;
  base::CondVar changed_;  // commit index, term or role

  // Persistent.
  Term current_term_ ABSL_GUARDED_BY(mu_) = 0;
  ServerId voted_for_ ABSL_GUARDED_BY(mu_) = kNobody;
  Index last_included_index_ ABSL_GUARDED_BY(mu_) = 0;  // log_[0]
  std::vector<LogEntry> log_ ABSL_GUARDED_BY(mu_) = {LogEntry()};
  base::Rope snapshot_ ABSL_GUARDED_BY(mu_);

  Role role_ ABSL_GUARDED_BY(mu_) = Role::kFollower;
  Index commit_index_ ABSL_GUARDED_BY(mu_) = 0;
  Index last_applied_ ABSL_GUARDED_BY(mu_) = 0;
  State announced_ ABSL_GUARDED_BY(mu_);
  Clock::time_point heard_ ABSL_GUARDED_BY(mu_);  // a leader, or voted
  size_t votes_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Index> next_index_ ABSL_GUARDED_BY(mu_);
  std::vector<Index> match_index_ ABSL_GUARDED_BY(mu_);

  base::Random random_ ABSL_GUARDED_BY(mu_);
  bool killed_ ABSL_GUARDED_BY(mu_) = false;
  std::list<Caller> callers_ ABSL_GUARDED_BY(mu_);

  base::Mutex kill_mu_;  // a second Kill() waits for the first
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(kill_mu_);
};

}  // namespace raft

#endif  // TESTS_PLAIN_RAFT_SERVER_H_
