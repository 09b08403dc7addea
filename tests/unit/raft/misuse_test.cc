// What an embedder can do wrong, and what comes from outside: the limits of
// docs/engineers.md.

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;

constexpr AppendEntriesReply Success(Term term) {
  return {term, /*success=*/true, 0, 0};
}

// --- Commands ---------------------------------------------------------------

TEST(Start, ACommandAboveTheLimitIsRefused) {
  RaftFixture f(/*servers=*/1);
  f.Elect();
  const StartResult refused =
      f.raft->Start(std::string(kMaxCommandBytes + 1, 'x'));
  EXPECT_TRUE(refused.too_large);
  EXPECT_FALSE(refused.is_leader);
  EXPECT_EQ(refused.term, 1u);
  EXPECT_TRUE(f.Terms().empty());

  const StartResult taken = f.raft->Start(std::string(kMaxCommandBytes, 'x'));
  EXPECT_FALSE(taken.too_large);
  EXPECT_TRUE(taken.is_leader);
  EXPECT_EQ(taken.index, 1u);
}

// So that no client goes from server to server with it.
TEST(Start, EveryServerSaysThatACommandIsTooLarge) {
  RaftFixture f;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        f.raft->Start(std::string(kMaxCommandBytes + 1, 'x')).too_large);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string line = "S0: a command of 1048577 bytes is refused: 1048576";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_EQ(log.find(line), log.rfind(line)) << "once: " << log;
  EXPECT_FALSE(f.raft->Start("x").too_large);
}

// --- Requests that no peer can have sent ------------------------------------

TEST(Malformed, RequestsOfNoPeerAreDroppedAndCounted) {
  for (const ServerId id : {-1, 0, 3, 1'000'000}) {
    SCOPED_TRACE(id);
    RaftFixture f;  // server 0 of 3
    const auto deadline = f.raft->election_deadline();
    f.now += std::chrono::milliseconds(1);
    EXPECT_EQ(f.AskVote(/*term=*/5, id, 9, 4).term, 0u);
    const AppendEntriesReply reply =
        f.raft->AppendEntries({.term = 5,
                               .leader_id = id,
                               .leader_commit = 1,
                               .entries = {{5, "x"}}});
    EXPECT_EQ(reply.term, 0u);
    EXPECT_FALSE(reply.success);

    EXPECT_EQ(f.raft->GetState().term, 0u);
    EXPECT_TRUE(f.Terms().empty());
    EXPECT_EQ(f.raft->election_deadline(), deadline);
    EXPECT_EQ(f.raft->GetStatus().malformed_requests, 2u);
  }
}

TEST(Malformed, TheFirstOneIsLogged) {
  RaftFixture f;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) f.AskVote(/*term=*/5, /*candidate=*/7, 9, 4);
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string line = "] S0 T0 F TERM drops a malformed RequestVote of S7";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_EQ(log.find(line), log.rfind(line)) << "once: " << log;
}

TEST(Malformed, EntriesOfImpossibleTermsAreDroppedAndCounted) {
  const struct {
    const char* what;
    Term prev_term;
    Entries entries;
  } kCases[] = {
      {"terms decrease", 1, {{2, "x"}, {1, "y"}}},
      {"terms decrease, and grow again", 1, {{2, "x"}, {1, "y"}, {3, "z"}}},
      {"older than the one before", 2, {{1, "x"}}},
      {"newer than the leader's term", 1, {{2, "x"}, {4, "y"}}},
      {"after an entry newer than the leader's term", 4, {}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    RaftFixture f;
    f.Append(/*term=*/c.prev_term, 0, 0, {{c.prev_term, "first"}});
    const AppendEntriesReply reply =
        f.Append(/*term=*/3, /*prev_index=*/1, c.prev_term, c.entries);
    EXPECT_FALSE(reply.success);
    EXPECT_EQ(f.Terms(), std::vector<Term>{c.prev_term});
    EXPECT_EQ(f.raft->GetStatus().malformed_requests, 1u);
  }
  RaftFixture f;
  EXPECT_TRUE(
      f.Append(/*term=*/3, 0, 0, {{1, "x"}, {1, "y"}, {3, "z"}}).success);
  EXPECT_EQ(f.raft->GetStatus().malformed_requests, 0u);
}

// Counting on from there would wrap.
TEST(Malformed, TermsAndIndexesThatNoClusterComesTo) {
  const auto snapshot = [](Term term, Index index) {
    return InstallSnapshotArgs{.term = term,
                               .leader_id = 1,
                               .last_included_index = index,
                               .last_included_term = 1,
                               .offset = 0,
                               .data = "snapshot",
                               .done = true};
  };
  RaftFixture f;
  f.AskVote(kMaxTerm + 1, /*candidate=*/1, 9, 4);
  f.Append(kMaxTerm + 1, 0, 0, {});
  f.raft->InstallSnapshot(snapshot(kMaxTerm + 1, 5));
  f.raft->InstallSnapshot(snapshot(1, kMaxIndex + 1));
  EXPECT_EQ(f.raft->GetStatus().malformed_requests, 4u);
  EXPECT_EQ(f.raft->GetState().term, 0u);

  EXPECT_TRUE(f.AskVote(kMaxTerm, /*candidate=*/1, 9, 4).vote_granted);
  EXPECT_TRUE(f.Append(kMaxTerm, 0, 0, {}).success);
  EXPECT_TRUE(f.raft->InstallSnapshot(snapshot(kMaxTerm, kMaxIndex)).installed);
}

TEST(Malformed, AReplyOfATermThatNoClusterComesTo) {
  RaftFixture f;
  f.raft->StartElection();
  f.ends[1]->Answer(kRequestVote, RequestVoteReply{kMaxTerm + 1, false});
  EXPECT_EQ(f.raft->GetState().term, 1u);
  f.ends[2]->Answer(kRequestVote, RequestVoteReply{kMaxTerm, false});
  EXPECT_EQ(f.raft->GetState().term, kMaxTerm);
}

// --- What Make() is given ---------------------------------------------------

class MakeDeathTest : public testing::Test {
 protected:
  std::shared_ptr<Raft> MakeOf(const Ends& peers, ServerId me) {
    return Make(peers, me, disk_, channel_);
  }
  const std::shared_ptr<rpc::ClientEnd> end_ = std::make_shared<RecordingEnd>();
  std::shared_ptr<persister::Persister> disk_ =
      std::make_shared<persister::SimulatedDisk>();
  std::shared_ptr<ApplyChannel> channel_ = std::make_shared<ApplyChannel>(1);
};

TEST_F(MakeDeathTest, MeIsNoPeer) {
  EXPECT_DEATH(MakeOf({end_}, 1), "me is 1, which is none of 1 peers");
  EXPECT_DEATH(MakeOf({end_}, -1), "me is -1");
  EXPECT_DEATH(MakeOf({}, 0), "none of 0 peers");
}

TEST_F(MakeDeathTest, APeerIsNull) {
  EXPECT_DEATH(MakeOf({end_, nullptr}, 0), "peer 1 is null");
  EXPECT_DEATH(MakeOf({nullptr, end_}, 1), "peer 0 is null");
  MakeOf({nullptr}, 0)->Kill();  // its own is not used
}

TEST_F(MakeDeathTest, TheDiskIsNull) {
  disk_ = nullptr;
  EXPECT_DEATH(MakeOf({end_}, 0), "the persister is null");
}

TEST_F(MakeDeathTest, TheChannelIsNull) {
  channel_ = nullptr;
  EXPECT_DEATH(MakeOf({end_}, 0), "the apply channel is null");
}

TEST_F(MakeDeathTest, OptionsThatCannotBe) {
  Options options;
  options.clock = nullptr;
  EXPECT_DEATH(Make({end_}, 0, disk_, channel_, options), "the clock is null");
  options = Options();
  options.timing.min_election_timeout = std::chrono::seconds(1);
  EXPECT_DEATH(Make({end_}, 0, disk_, channel_, options),
               "the shortest election timeout is above the longest");
  options = Options();
  for (const int interval : {0, 300}) {
    options.timing.heartbeat_interval = std::chrono::milliseconds(interval);
    EXPECT_DEATH(Make({end_}, 0, disk_, channel_, options),
                 "the heartbeat interval is not between 0");
  }
}

// --- The disk ---------------------------------------------------------------

// Throws what it is told to.
class FailingDisk : public persister::SimulatedDisk {
 public:
  void SaveRaftState(base::Rope raft_state) override {
    if (full) throw std::runtime_error("No space left on device");
    if (odd) throw 28;
    SimulatedDisk::SaveRaftState(std::move(raft_state));
  }
  base::Rope ReadRaftState() const override {
    if (unreadable) throw std::runtime_error("Input/output error");
    return SimulatedDisk::ReadRaftState();
  }

  bool full = false;
  bool odd = false;
  bool unreadable = false;
};

TEST(DiskDeathTest, ASaveThatFailsEndsTheProcessWithTheDisksOwnWords) {
  const auto disk = std::make_shared<FailingDisk>();
  RaftFixture f(/*servers=*/3, disk);
  f.Elect();
  disk->full = true;
  EXPECT_DEATH(f.raft->Start("x"),
               "S0: the raft state was not saved: No space left on device");
  EXPECT_DEATH(f.AskVote(9, 1, 9, 9), "not saved: No space left on device");
  disk->full = false;
  disk->odd = true;
  EXPECT_DEATH(f.raft->Start("x"), "not saved: .* no std::exception");
}

TEST(DiskDeathTest, AStateThatCannotBeRead) {
  const auto disk = std::make_shared<FailingDisk>();
  disk->unreadable = true;
  EXPECT_DEATH(RaftFixture(/*servers=*/1, disk),
               "S0: the raft state cannot be read: Input/output error");
}

// Of several groups in one process, which it was.
TEST(DiskDeathTest, TheLineNamesTheGroup) {
  const auto disk = std::make_shared<FailingDisk>();
  disk->unreadable = true;
  EXPECT_DEATH(RaftFixture(/*servers=*/1, disk, Options{.name = "G7"}),
               "G7/S0: the raft state cannot be read");
}

TEST(DiskDeathTest, AStateThatIsDamaged) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "abc"}});
  std::string state = f.disk->ReadRaftState().ToString();
  state.back() = 'd';
  f.disk->SaveRaftState(state);
  EXPECT_DEATH(f.Restart(),
               "S0: the saved raft state is damaged: the checksum is wrong");
  state.pop_back();
  f.disk->SaveRaftState(state);
  EXPECT_DEATH(f.Restart(), "damaged: the log entries are cut short");
  f.disk->SaveRaftState("short");
  EXPECT_DEATH(f.Restart(), "the saved raft state is damaged");
}

// --- A follower without its disk --------------------------------------------

TEST(LostLog, IsSeenByTheLeaderThatHadItsAcknowledgement) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "x"}, {1, "y"}});
  f.Elect();
  f.ends[1]->Answer(kAppendEntries, Success(2));
  f.raft->Start("z");
  EXPECT_FALSE(f.follower(1).lost_log);
  // It is back, with nothing.
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    f.ends[1]->Answer(kAppendEntries, {.term = 2, .conflict_index = 1});
    f.Beat(std::chrono::milliseconds(120));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string line = "S1 lacks entries that it had acknowledged, up to 2";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_EQ(log.find(line), log.rfind(line)) << "once: " << log;
  EXPECT_TRUE(f.follower(1).lost_log);
  EXPECT_FALSE(f.follower(2).lost_log);
}

// It was sent before the acknowledgement: the log may have been repaired since.
TEST(LostLog, ALateRejectionIsNone) {
  RaftFixture f;
  f.Append(/*term=*/1, 0, 0, {{1, "x"}, {1, "y"}});
  f.Elect();
  const RecordingEnd::Sent late = f.ends[1]->Take();  // after (2,1)
  testing::internal::CaptureStderr();
  f.Beat(std::chrono::milliseconds(120));
  f.ends[1]->Answer(kAppendEntries, {.term = 2, .conflict_index = 1});
  f.ends[1]->Answer(kAppendEntries, Success(2));
  EXPECT_EQ(f.follower(1).match_index, 2u);
  late.done(rpc::Encode(AppendEntriesReply{.term = 2, .conflict_index = 1}));
  EXPECT_FALSE(f.follower(1).lost_log);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace raft
