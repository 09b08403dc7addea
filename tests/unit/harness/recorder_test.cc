// The recorder of `make trace`: what it writes of hand-made events.

#include "tests/harness/recorder.h"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "raft/messages.h"
#include "rpc/codec.h"
#include "tests/harness/commands.h"
#include "tests/harness/link.h"

namespace harness {
namespace {

using nlohmann::json;
using Packet = labrpc::Packet;
using Kind = Packet::Kind;
using Fate = Packet::Fate;

raft::AppendEntriesArgs Beat(raft::Term term) {
  raft::AppendEntriesArgs args;
  args.term = term;
  return args;
}

// What every disk is taken to hold, but a bad one.
std::optional<oracle::DiskState> DecodeTestDisk(std::string_view bytes) {
  if (bytes == "bad") return std::nullopt;
  oracle::DiskState state;
  state.current_term = 5;
  state.voted_for = 1;
  return state;
}

class Recording : public testing::Test {
 protected:
  Recording() {
    recorder_.ClusterBegins(/*servers=*/3);
    for (raft::ServerId i = 0; i < 3; ++i) recorder_.LifeBegins(i, 1);
    Take();
  }
  ~Recording() override { close(fd_); }

  // The lines written since the last call.
  std::vector<json> Take() {
    std::string text(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    std::istringstream lines(text.substr(taken_));
    taken_ = text.size();
    std::vector<json> events;
    for (std::string line; std::getline(lines, line);) {
      events.push_back(json::parse(line));
    }
    return events;
  }

  // "term role" of a server, as the last line about its role says.
  void ExpectRole(raft::ServerId server, raft::Term term,
                  const std::string& role) {
    const std::vector<json> events = Take();
    json found;
    for (const json& event : events) {
      if (event["event"] == "role") found = event;
    }
    ASSERT_TRUE(found.is_object());
    EXPECT_EQ(found["server"], server);
    EXPECT_EQ(found["term"], term);
    EXPECT_EQ(found["role"], role);
  }

  void ExpectNoRole() {
    for (const json& event : Take()) EXPECT_NE(event["event"], "role");
  }

  template <typename Message>
  void Send(Kind kind, const Link& link, Message message,
            Fate fate = Fate::kDelivered, int delay_ms = 0) {
    constexpr bool kIsVote = std::is_same_v<Message, raft::RequestVoteArgs> ||
                             std::is_same_v<Message, raft::RequestVoteReply>;
    const std::string end = LinkName(link);
    const std::string bytes = rpc::Encode(message);
    recorder_.Sees({.kind = kind,
                    .fate = fate,
                    .call = 7,
                    .sent = Recorder::Clock::now(),
                    .end = end,
                    .server = "",
                    .method = kIsVote ? raft::kRequestVote.name
                                      : raft::kAppendEntries.name,
                    .bytes = bytes,
                    .delay = std::chrono::milliseconds(delay_ms)});
  }

  const int fd_ = memfd_create("trace", 0);
  size_t taken_ = 0;
  Recorder recorder_{fd_, DecodeTestDisk};
};

TEST_F(Recording, BeginsWithTheRun) {
  recorder_.ClusterBegins(/*servers=*/5);
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["event"], "run");
  EXPECT_EQ(events[0]["schema"], 1);
  EXPECT_EQ(events[0]["servers"], 5);
  EXPECT_EQ(events[0]["mode"], "real");
  EXPECT_EQ(events[0]["test"], "TestUnitRecordingBeginsWithTheRun");
}

TEST_F(Recording, RolesFollowFromMessages) {
  Send(Kind::kRequest, {0, 1, 1}, raft::RequestVoteArgs{.term = 2});
  ExpectRole(0, 2, "candidate");
  Send(Kind::kReply, {0, 1, 1},
       raft::RequestVoteReply{.term = 2, .vote_granted = true});
  ExpectRole(1, 2, "follower");
  Send(Kind::kRequest, {0, 1, 1}, Beat(2));
  ExpectRole(0, 2, "leader");
  Send(Kind::kReply, {1, 1, 0}, raft::AppendEntriesReply{.term = 3});
  ExpectRole(0, 3, "follower");
}

TEST_F(Recording, OldNewsShowsNoRole) {
  Send(Kind::kRequest, {0, 1, 1}, raft::RequestVoteArgs{.term = 4});
  Take();
  Send(Kind::kRequest, {0, 1, 1}, Beat(3));
  // A refusal is given by a candidate, too.
  Send(Kind::kReply, {1, 1, 0}, raft::RequestVoteReply{.term = 4});
  ExpectNoRole();
}

TEST_F(Recording, ADeadLifeShowsNothing) {
  recorder_.LifeEnds(0);
  recorder_.LifeBegins(0, 2);
  Take();
  Send(Kind::kRequest, {0, 1, 1}, raft::RequestVoteArgs{.term = 4});
  recorder_.Stated(0, 1, {.term = 4, .is_leader = true});
  recorder_.Saved(0, 1, "old");
  ExpectNoRole();
  Send(Kind::kRequest, {0, 1, 1}, raft::RequestVoteArgs{.term = 4},
       Fate::kUndeliverable);
  EXPECT_TRUE(Take().empty());
}

TEST_F(Recording, MessagesSayWhatBecameOfThem) {
  raft::AppendEntriesArgs args = Beat(1);
  args.entries.Append(1, "x");
  Send(Kind::kRequest, {2, 1, 0}, args, Fate::kLost);
  std::vector<json> events = Take();
  const json request = events.back();
  EXPECT_EQ(request["event"], "request");
  EXPECT_EQ(request["server"], 2);
  EXPECT_EQ(request["peer"], 0);
  EXPECT_EQ(request["role"], "leader");
  EXPECT_EQ(request["rpc"], "AppendEntries");
  EXPECT_EQ(request["fate"], "lost");
  EXPECT_EQ(request["fields"]["entries"], 1);
  EXPECT_LE(request["sent"], request["t"]);

  Send(Kind::kReply, {2, 1, 0}, raft::AppendEntriesReply{.success = true},
       Fate::kReordered, /*delay_ms=*/1500);
  const json reply = Take().back();
  EXPECT_EQ(reply["server"], 0);
  EXPECT_EQ(reply["peer"], 2);
  EXPECT_EQ(reply["call"], request["call"]);
  EXPECT_EQ(reply["fate"], "late");
  EXPECT_GE(reply["arrives"].get<double>(), reply["t"].get<double>() + 1.5);
  EXPECT_FALSE(reply["fields"].contains("conflict_term"));
}

TEST_F(Recording, SavesAndApplies) {
  recorder_.Saved(1, 1, "good");
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 2U);  // and the role: it votes for itself
  EXPECT_EQ(events[0]["role"], "candidate");
  EXPECT_EQ(events[1]["fields"]["current_term"], 5);
  EXPECT_EQ(events[1]["fields"]["voted_for"], 1);
  recorder_.Saved(1, 1, "bad");
  EXPECT_TRUE(Take().empty());

  raft::ApplyMsg message;
  message.index = 3;
  message.command = EncodeCommand(int64_t{42});
  recorder_.Applied(1, message);
  const json applied = Take().back();
  EXPECT_EQ(applied["fields"]["index"], 3);
  EXPECT_EQ(applied["fields"]["command"], "42");
}

TEST_F(Recording, StepsNestByNumber) {
  const uint64_t outer =
      recorder_.StepBegins("Agree", std::string(500, 'x'), Place::Here());
  const uint64_t inner = recorder_.StepBegins("Wait", "", Place::Here());
  EXPECT_NE(outer, inner);
  recorder_.StepEnds(inner, "Wait");
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["phase"], "begin");
  EXPECT_LT(events[0]["text"].get<std::string>().size(), 100U);
  EXPECT_TRUE(
      events[0]["where"].get<std::string>().starts_with("recorder_test.cc:"));
  EXPECT_EQ(events[2]["phase"], "end");
  EXPECT_EQ(events[2]["step"], inner);
}

TEST_F(Recording, WritesWhatIsNoText) {
  recorder_.Failed("bytes \xff and a\nline", "a_test.cc:7");
  const json failure = Take().back();
  EXPECT_EQ(failure["event"], "failure");
  EXPECT_EQ(failure["where"], "a_test.cc:7");
}

TEST_F(Recording, WritesTheVerdict) {
  recorder_.Violated(
      {.rule = oracle::kOneVote, .what = "S1 votes twice", .events = ""});
  recorder_.TestEnds(false);
  const std::vector<json> events = Take();
  EXPECT_EQ(events[0]["event"], "violation");
  EXPECT_EQ(events[0]["rule"], "one vote per term");
  EXPECT_EQ(events[0]["section"], "5.2");
  EXPECT_EQ(events[1]["passed"], false);
}

}  // namespace
}  // namespace harness
