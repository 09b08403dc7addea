// A Raft without threads, whose network is a list of what it sent: for testing
// Figure 2 rule by rule. Time passes only as the tests say.
//
// Thread safety: confined to the test's thread.

#ifndef TESTS_UNIT_RAFT_RAFT_FIXTURE_H_
#define TESTS_UNIT_RAFT_RAFT_FIXTURE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "persister/simulated_disk.h"
#include "raft/server.h"
#include "rpc/rpc.h"

namespace raft {

// A client end that keeps what is sent until the test answers it.
class RecordingEnd : public rpc::ClientEnd {
 public:
  void Close() override { pending_.clear(); }

  size_t pending() const { return pending_.size(); }

  // Decodes the arguments of the oldest unanswered call. REQUIRES: there is
  // one, of that method.
  template <typename Args, typename Reply>
  Args Peek(const rpc::Method<Args, Reply>& method) const {
    EXPECT_EQ(pending_.at(0).method, method.name);
    return *rpc::Decode<Args>(pending_.at(0).args);
  }

  // Answers the oldest unanswered call, and returns its arguments.
  template <typename Args, typename Reply>
  Args Answer(const rpc::Method<Args, Reply>& method, const Reply& reply) {
    const Args args = Peek(method);
    Take().done(rpc::Encode(reply));
    return args;
  }

  // Loses the oldest unanswered call.
  void Lose() { Take().done(std::nullopt); }

  // Takes the oldest call out, to be answered later and out of order.
  struct Sent {
    std::string method;
    std::string args;
    DoneBytes done;
  };
  Sent Take() {
    Sent sent = std::move(pending_.at(0));
    pending_.erase(pending_.begin());
    return sent;
  }

 protected:
  std::optional<std::string> CallFrame(std::string_view, rpc::Frame) override {
    ADD_FAILURE() << "Raft must never block in a call";
    return std::nullopt;
  }
  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override {
    pending_.push_back(
        {std::string(method), std::move(args).ToString(), std::move(done)});
  }

 private:
  std::vector<Sent> pending_;
};

// Server 0 of `servers`, without threads, on a disk and recording ends.
struct RaftFixture {
  explicit RaftFixture(size_t servers = 3,
                       std::shared_ptr<persister::SimulatedDisk> saved_state =
                           std::make_shared<persister::SimulatedDisk>(),
                       Options options = {})
      : disk(std::move(saved_state)) {
    for (size_t i = 0; i < servers; ++i) {
      ends.push_back(std::make_shared<RecordingEnd>());
    }
    options.clock = [this] { return now; };
    raft = std::make_unique<RaftServer>(
        std::vector<std::shared_ptr<rpc::ClientEnd>>(ends.begin(), ends.end()),
        /*me=*/0, disk, channel, std::move(options));
  }

  // What the server does at the next beat, `time` from now.
  void Beat(std::chrono::milliseconds time) {
    now += time;
    raft->SendDueCalls();
  }

  Role role() const { return raft->GetStatus().role; }
  Index commit_index() const { return raft->GetStatus().commit_index; }
  Status::Follower follower(size_t peer) const {
    return raft->GetStatus().followers.at(peer);
  }

  // The terms of the whole log, in order: {1, 1, 2}.
  std::vector<Term> Terms() const {
    const Log log = raft->log();
    std::vector<Term> terms;
    for (Index i = log.FirstIndex(); i <= log.LastIndex(); ++i) {
      terms.push_back(log.TermAt(i));
    }
    return terms;
  }

  // Gives it `entries` after (prev_index, prev_term), as the leader of `term`
  // that has committed up to `commit` would.
  AppendEntriesReply Append(Term term, Index prev_index, Term prev_term,
                            Entries entries, Index commit = 0) {
    AppendEntriesArgs args;
    args.term = term;
    args.leader_id = 1;
    args.prev_log_index = prev_index;
    args.prev_log_term = prev_term;
    args.leader_commit = commit;
    args.entries = std::move(entries);
    return raft->AppendEntries(args);
  }

  RequestVoteReply AskVote(Term term, ServerId candidate, Index last_index,
                           Term last_term) {
    return raft->RequestVote({term, candidate, last_index, last_term});
  }

  // Makes it leader by the votes of all. Forgets what was pending; after it the
  // new leader's first AppendEntries are.
  void Elect() {
    for (const auto& end : ends) end->Close();
    raft->StartElection();
    const Term term = raft->GetState().term;
    for (size_t i = 1; i < ends.size(); ++i) {
      ends[i]->Answer(kRequestVote, RequestVoteReply{term, true});
    }
    ASSERT_EQ(role(), Role::kLeader);
  }

  // What a restart from this disk would find.
  std::unique_ptr<RaftFixture> Restart() const {
    return std::make_unique<RaftFixture>(ends.size(), disk->Copy());
  }

  std::shared_ptr<persister::SimulatedDisk> disk;
  std::shared_ptr<ApplyChannel> channel = std::make_shared<ApplyChannel>(1024);
  std::vector<std::shared_ptr<RecordingEnd>> ends;
  Clock::time_point now = Clock::now();
  std::unique_ptr<RaftServer> raft;
};

}  // namespace raft

#endif  // TESTS_UNIT_RAFT_RAFT_FIXTURE_H_
