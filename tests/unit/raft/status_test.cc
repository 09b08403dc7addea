// What a server says of itself, and of a command that it does not take.

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

ServerId LeaderOf(const RaftFixture& f) { return f.raft->GetStatus().leader; }

TEST(Status, TheLeaderIsTheOneThatIsKnownInThisTerm) {
  RaftFixture f;
  EXPECT_EQ(LeaderOf(f), kNobody);
  f.Append(/*term=*/1, 0, 0, {});  // from server 1
  EXPECT_EQ(LeaderOf(f), 1);

  f.AskVote(/*term=*/2, /*candidate=*/2, 0, 0);
  EXPECT_EQ(LeaderOf(f), kNobody);
  f.Append(/*term=*/2, 0, 0, {});
  EXPECT_EQ(LeaderOf(f), 1);

  f.raft->StartElection();
  EXPECT_EQ(LeaderOf(f), kNobody);
  f.Elect();
  EXPECT_EQ(LeaderOf(f), 0);
}

TEST(Start, ARefusedCommandHasNoIndexButTheTerm) {
  RaftFixture f;
  f.Append(/*term=*/3, 0, 0, {{3, "x"}});
  for (const std::string& command :
       {std::string("y"), std::string(kMaxCommandBytes + 1, 'y')}) {
    const StartResult refused = f.raft->Start(command);
    EXPECT_EQ(refused.index, 0u);
    EXPECT_EQ(refused.term, 3u);
    EXPECT_FALSE(refused.is_leader);
  }
}

TEST(LogName, TheGroupPrecedesTheServer) {
  RaftServer raft({nullptr}, /*me=*/0,
                  std::make_shared<persister::SimulatedDisk>(),
                  std::make_shared<ApplyChannel>(1), Options{.name = "G101"});
  testing::internal::CaptureStderr();
  raft.Start(std::string(kMaxCommandBytes + 1, 'x'));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("] G101/S0: a command"), std::string::npos) << log;
}

}  // namespace
}  // namespace raft
