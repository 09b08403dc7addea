// Options::announce_state: what a service is told of its server's term and
// role, and when.

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

using Kind = ApplyMsg::Kind;

struct AnnouncingFixture : RaftFixture {
  AnnouncingFixture()
      : RaftFixture(/*servers=*/3, std::make_shared<persister::SimulatedDisk>(),
                    Options{.announce_state = true}) {}

  std::vector<ApplyMsg> Deliver() {
    raft->Deliver();
    return channel->ReceiveBatch();
  }
};

void ExpectState(const ApplyMsg& message, const State& state) {
  EXPECT_EQ(message.kind, Kind::kState);
  EXPECT_EQ(message.term, state.term);
  EXPECT_EQ(message.is_leader, state.is_leader);
}

TEST(AnnounceState, ElectionAndDeposition) {
  AnnouncingFixture f;
  f.Elect();
  std::vector<ApplyMsg> messages = f.Deliver();
  ASSERT_EQ(messages.size(), 1u);  // not the candidate that it was before
  ExpectState(messages[0], {.term = 1, .is_leader = true});

  f.AskVote(/*term=*/4, /*candidate=*/2, 0, 0);
  messages = f.Deliver();
  ASSERT_EQ(messages.size(), 1u);
  ExpectState(messages[0], {.term = 4, .is_leader = false});
}

// A leader that lost its term and won the next one between two deliveries.
TEST(AnnounceState, OnlyTheLastOfSeveralChanges) {
  AnnouncingFixture f;
  f.Elect();
  f.Deliver();
  f.AskVote(/*term=*/2, /*candidate=*/2, /*last_index=*/0, /*last_term=*/0);
  f.Elect();
  const std::vector<ApplyMsg> messages = f.Deliver();
  ASSERT_EQ(messages.size(), 1u);
  ExpectState(messages[0], {.term = 3, .is_leader = true});
}

TEST(AnnounceState, WhatIsCommittedComesFirst) {
  AnnouncingFixture f;
  f.Append(/*term=*/3, 0, 0, {{3, "x"}}, /*commit=*/1);
  const std::vector<ApplyMsg> messages = f.Deliver();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].kind, Kind::kCommand);
  EXPECT_EQ(messages[0].index, 1u);
  ExpectState(messages[1], {.term = 3, .is_leader = false});
}

// More than is delivered at a time.
TEST(AnnounceState, AllThatWasCommittedBeforeComesFirst) {
  AnnouncingFixture f;
  const std::string large(40 << 10, 'x');
  f.Append(/*term=*/3, 0, 0, {{3, large}, {3, large}, {3, large}},
           /*commit=*/3);
  f.AskVote(/*term=*/4, /*candidate=*/2, 0, 0);
  std::vector<ApplyMsg> messages;
  while (messages.empty() || messages.back().kind != Kind::kState) {
    for (ApplyMsg& message : f.Deliver()) {
      messages.push_back(std::move(message));
    }
  }
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[2].index, 3u);
}

TEST(AnnounceState, FollowsASnapshot) {
  AnnouncingFixture f;
  f.raft->InstallSnapshot({.term = 3,
                           .leader_id = 1,
                           .last_included_index = 5,
                           .last_included_term = 2,
                           .offset = 0,
                           .data = "s",
                           .done = true});
  const std::vector<ApplyMsg> messages = f.Deliver();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].kind, Kind::kSnapshot);
  ExpectState(messages[1], {.term = 3, .is_leader = false});
}

// Where a server begins is no change.
TEST(AnnounceState, NotTheTermOnTheDisk) {
  AnnouncingFixture f;
  f.AskVote(/*term=*/4, /*candidate=*/2, 0, 0);
  RaftFixture g(/*servers=*/3, f.disk->Copy(), Options{.announce_state = true});
  g.Append(/*term=*/4, 0, 0, {{4, "x"}}, /*commit=*/1);
  g.raft->Deliver();
  EXPECT_EQ(g.channel->ReceiveBatch().size(), 1u);
}

TEST(AnnounceState, NotUnlessAskedFor) {
  RaftFixture f;
  f.Append(/*term=*/3, 0, 0, {{3, "x"}}, /*commit=*/1);
  f.raft->Deliver();
  EXPECT_EQ(f.channel->ReceiveBatch().size(), 1u);
}

// The applier sleeps, and nothing is committed.
TEST(AnnounceState, EachTransitionWakesTheApplier) {
  AnnouncingFixture f;
  const auto expect = [&f](const State& state, auto transition) {
    std::vector<ApplyMsg> messages;
    std::thread applier([&] { messages = f.Deliver(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    transition();
    applier.join();
    ASSERT_EQ(messages.size(), 1u);
    ExpectState(messages[0], state);
  };
  expect({.term = 1, .is_leader = false}, [&f] { f.raft->StartElection(); });
  expect({.term = 1, .is_leader = true}, [&f] {
    f.ends[1]->Answer(kRequestVote, RequestVoteReply{1, true});
  });
  expect({.term = 4, .is_leader = false},
         [&f] { f.AskVote(/*term=*/4, /*candidate=*/2, 0, 0); });
}

}  // namespace
}  // namespace raft
