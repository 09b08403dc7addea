// The recorder of `make trace`: what it writes of hand-made events.

#include "tests/harness/recorder.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "raft/messages.h"
#include "tests/harness/commands.h"
#include "tests/harness/observers.h"

namespace harness {
namespace {

using nlohmann::json;
using Fate = Message::Fate;

raft::AppendEntriesArgs Beat(raft::Term term) {
  raft::AppendEntriesArgs args;
  args.term = term;
  return args;
}

class Recording : public testing::Test {
 protected:
  Recording() {
    recorder_.OnCluster({.test = "TestX"}, /*servers=*/3);
    for (raft::ServerId i = 0; i < 3; ++i) recorder_.OnIncarnationBegin(i, 1);
    Take();
  }

  // The events since the last call.
  std::vector<json> Take() { return std::exchange(events_, {}); }

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

  void Send(const Link& link, MessageBody body, Fate fate = Fate::kDelivered,
            int delay_ms = 0) {
    const bool is_reply =
        std::holds_alternative<raft::RequestVoteReply>(body) ||
        std::holds_alternative<raft::AppendEntriesReply>(body) ||
        std::holds_alternative<raft::InstallSnapshotReply>(body);
    recorder_.OnMessage({.link = link,
                         .call = 7,
                         .is_reply = is_reply,
                         .rpc = "AppendEntries",
                         .fate = fate,
                         .sent = Recorder::Clock::now(),
                         .delay = std::chrono::milliseconds(delay_ms),
                         .body = std::move(body)});
  }

  std::vector<json> events_;
  Recorder recorder_{[this](const nlohmann::ordered_json& event) {
    events_.push_back(json::parse(EventLine(event)));
  }};
};

TEST_F(Recording, BeginsWithTheRun) {
  recorder_.OnCluster({.test = "TestX", .seed = 7, .profile = "harsh"}, 5);
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["event"], "run");
  EXPECT_EQ(events[0]["schema"], 1);
  EXPECT_EQ(events[0]["servers"], 5);
  EXPECT_EQ(events[0]["mode"], "real");
  EXPECT_EQ(events[0]["test"], "TestX");
  EXPECT_EQ(events[0]["seed"], 7);
  EXPECT_EQ(events[0]["profile"], "harsh");
}

TEST_F(Recording, RolesFollowFromMessages) {
  Send({0, 0, 1, 1}, raft::RequestVoteArgs{.term = 2});
  ExpectRole(0, 2, "candidate");
  Send({0, 0, 1, 1}, raft::RequestVoteReply{.term = 2, .vote_granted = true});
  ExpectRole(1, 2, "follower");
  Send({0, 0, 1, 1}, Beat(2));
  ExpectRole(0, 2, "leader");
  Send({0, 1, 1, 0}, raft::AppendEntriesReply{.term = 3});
  ExpectRole(0, 3, "follower");
}

TEST_F(Recording, OldNewsShowsNoRole) {
  Send({0, 0, 1, 1}, raft::RequestVoteArgs{.term = 4});
  Take();
  Send({0, 0, 1, 1}, Beat(3));
  // A refusal is given by a candidate, too.
  Send({0, 1, 1, 0}, raft::RequestVoteReply{.term = 4});
  ExpectNoRole();
}

TEST_F(Recording, ALeaderIsNoCandidateInItsTerm) {
  Send({0, 0, 1, 1}, Beat(5));
  Take();
  Send({0, 0, 1, 2}, raft::RequestVoteArgs{.term = 5}, Fate::kUndeliverable);
  ExpectNoRole();
  Send({0, 0, 1, 2}, raft::RequestVoteArgs{.term = 6});
  ExpectRole(0, 6, "candidate");
}

TEST_F(Recording, AStaleIncarnationShowsNothing) {
  recorder_.OnIncarnationEnd(0);
  recorder_.OnIncarnationBegin(0, 2);
  Take();
  Send({0, 0, 1, 1}, raft::RequestVoteArgs{.term = 4});
  recorder_.OnState(0, 1, /*floor=*/0, {.term = 4, .is_leader = true});
  recorder_.OnSave(0, 1, DiskState{.current_term = 5, .voted_for = 0});
  ExpectNoRole();
  Send({0, 0, 1, 1}, raft::RequestVoteArgs{.term = 4}, Fate::kUndeliverable);
  EXPECT_TRUE(Take().empty());
}

TEST_F(Recording, MessagesSayWhatBecameOfThem) {
  raft::AppendEntriesArgs args = Beat(1);
  args.entries.Append(1, "x");
  Send({0, 2, 1, 0}, args, Fate::kLost);
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

  Send({0, 2, 1, 0}, raft::AppendEntriesReply{.success = true},
       Fate::kReordered, /*delay_ms=*/1500);
  const json reply = Take().back();
  EXPECT_EQ(reply["server"], 0);
  EXPECT_EQ(reply["peer"], 2);
  EXPECT_EQ(reply["call"], request["call"]);
  EXPECT_EQ(reply["fate"], "late");
  EXPECT_GE(reply["arrives"].get<double>(), reply["t"].get<double>() + 1.5);
  EXPECT_FALSE(reply["fields"].contains("conflict_term"));
}

TEST_F(Recording, AFlushSaysHowLongItTookAndWhatIsDurable) {
  DiskState state{.current_term = 5, .last_included_index = 7};
  state.entries.Append(5, "x");
  recorder_.OnSave(1, 1, state);
  recorder_.OnFlush(1, 1, std::chrono::milliseconds(20));
  const json flush = Take().back();
  EXPECT_EQ(flush["event"], "flush");
  EXPECT_EQ(flush["server"], 1);
  EXPECT_EQ(flush["fields"]["durable"], 8);
  EXPECT_NEAR(flush["t"].get<double>() - flush["began"].get<double>(), 0.02,
              0.01);
  recorder_.OnFlush(1, 2, std::chrono::milliseconds(20));
  EXPECT_TRUE(Take().empty());
}

TEST_F(Recording, SavesAndApplies) {
  recorder_.OnSave(1, 1, DiskState{.current_term = 5, .voted_for = 1});
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 2U);  // and the role: it votes for itself
  EXPECT_EQ(events[0]["role"], "candidate");
  EXPECT_EQ(events[1]["fields"]["current_term"], 5);
  EXPECT_EQ(events[1]["fields"]["voted_for"], 1);
  recorder_.OnSave(1, 1, std::nullopt);
  EXPECT_TRUE(Take().empty());

  raft::ApplyMsg message;
  message.index = 3;
  message.command = EncodeCommand(int64_t{42});
  recorder_.OnApply(1, message);
  const json applied = Take().back();
  EXPECT_EQ(applied["fields"]["index"], 3);
  EXPECT_EQ(applied["fields"]["command"], "42");
}

TEST_F(Recording, SnapshotsAreTakenSentSavedAndDelivered) {
  recorder_.OnSnapshot(1, /*index=*/9, base::Rope("a snapshot"));
  const json taken = Take().back();
  EXPECT_EQ(taken["event"], "snapshot");
  EXPECT_EQ(taken["server"], 1);
  EXPECT_EQ(taken["fields"],
            json::parse(R"({"last_included_index":9,"bytes":10})"));

  Send({0, 0, 1, 1}, raft::InstallSnapshotArgs{.term = 2,
                                               .leader_id = 0,
                                               .last_included_index = 9,
                                               .last_included_term = 1,
                                               .offset = 4,
                                               .data = "chunk",
                                               .done = true});
  const json sent = Take().back();
  EXPECT_EQ(sent["role"], "leader");
  EXPECT_EQ(sent["fields"], json::parse(R"({"term":2,"last_included_index":9,
      "last_included_term":1,"offset":4,"bytes":5,"done":true})"));
  Send({0, 0, 1, 1}, raft::InstallSnapshotReply{.term = 2, .next_offset = 4});
  EXPECT_EQ(Take().back()["fields"],
            json::parse(R"({"term":2,"installed":false,"next_offset":4})"));
  Send({0, 0, 1, 1}, raft::InstallSnapshotReply{.term = 2, .installed = true});
  EXPECT_EQ(Take().back()["fields"],
            json::parse(R"({"term":2,"installed":true})"));

  recorder_.OnSave(1, 1,
                   DiskState{.current_term = 2, .last_included_index = 9});
  const json saved = Take().back();
  EXPECT_EQ(saved["fields"]["last_included_index"], 9);
  EXPECT_EQ(saved["fields"]["log"], 9);

  raft::ApplyMsg message;
  message.kind = raft::ApplyMsg::Kind::kSnapshot;
  message.index = 9;
  message.term = 1;
  message.snapshot = "a snapshot";
  recorder_.OnApply(1, message);
  const json delivered = Take().back();
  EXPECT_EQ(delivered["event"], "restore");
  EXPECT_EQ(delivered["fields"], json::parse(R"({"last_included_index":9,
      "last_included_term":1,"bytes":10})"));
}

TEST_F(Recording, StepsNestByNumber) {
  const Observers observers(
      {std::shared_ptr<ClusterObserver>(&recorder_, [](ClusterObserver*) {})});
  {
    const Step outer(observers, "Agree", std::string(500, 'x'), Place::Here());
    const Step inner(observers, "Wait", "", Place::Here());
  }
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0]["phase"], "begin");
  EXPECT_LT(events[0]["text"].get<std::string>().size(), 100U);
  EXPECT_TRUE(
      events[0]["where"].get<std::string>().starts_with("recorder_test.cc:"));
  EXPECT_NE(events[1]["step"], events[0]["step"]);
  EXPECT_EQ(events[2]["phase"], "end");
  EXPECT_EQ(events[2]["step"], events[1]["step"]);
  EXPECT_EQ(events[3]["step"], events[0]["step"]);
}

TEST_F(Recording, OperationsOfClients) {
  const std::string value(1000, 'v');
  OperationEvent operation{.client = 2,
                           .number = 7,
                           .time = Recorder::Clock::now(),
                           .is_begin = true,
                           .kind = "versioned_put",
                           .key = "k",
                           .value = value,
                           .version = 0};
  recorder_.OnOperation(operation);
  const json begin = Take().back();
  EXPECT_EQ(begin["event"], "operation");
  EXPECT_EQ(begin["client"], 2);
  EXPECT_EQ(begin["operation"], 7);
  EXPECT_EQ(begin["phase"], "begin");
  EXPECT_EQ(begin["key"], "k");
  EXPECT_EQ(begin["version"], 0);
  const std::string shown = begin["value"];
  EXPECT_TRUE(shown.starts_with("vv") && shown.ends_with("vv"));
  EXPECT_NE(shown.find("... 1000 bytes ..."), std::string::npos);
  EXPECT_LT(shown.size(), 500U);
  EXPECT_FALSE(begin.contains("answer"));

  operation.time += std::chrono::seconds(3);
  operation.is_begin = false;
  operation.answer = "ErrVersion";
  recorder_.OnOperation(operation);
  const json end = Take().back();
  EXPECT_EQ(end["phase"], "end");
  EXPECT_EQ(end["answer"], "ErrVersion");
  EXPECT_FALSE(end.contains("result"));
  EXPECT_NEAR(end["t"].get<double>() - begin["t"].get<double>(), 3, 1e-5);
}

TEST_F(Recording, AHistoryThatIsNotLinearizable) {
  recorder_.OnHistory({.text = "a stale read",
                       .key = "k",
                       .first_impossible = 5,
                       .counterexample = {3, 5},
                       .window = {3, 4, 5}});
  json event = Take().back();
  event.erase("t");
  EXPECT_EQ(event, json::parse(R"({"event":"history","text":"a stale read",
      "key":"k","first_impossible":5,"counterexample":[3,5],
      "window":[3,4,5]})"));
}

TEST_F(Recording, SeveralGroups) {
  const std::shared_ptr<Recorder> other = recorder_.OnGroup(100, 2);
  other->OnTitle("a title");
  other->OnNetwork("reliable", true);
  other->OnIncarnationBegin(1, 1);
  other->OnShards(1, {.config = 3,
                      .served = {0, 1},
                      .to_confirm = {2},
                      .coming = {3},
                      .leaving = {4}});
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["event"], "group");
  EXPECT_EQ(events[0]["group"], 100);
  EXPECT_EQ(events[0]["servers"], 2);
  EXPECT_EQ(events[1]["event"], "life");
  EXPECT_EQ(events[1]["group"], 100);
  EXPECT_EQ(events[2]["event"], "shards");
  EXPECT_EQ(events[2]["fields"], json({{"config", 3},
                                       {"served", {0, 1}},
                                       {"to_confirm", {2}},
                                       {"coming", {3}},
                                       {"leaving", {4}}}));
  recorder_.OnState(0, 1, 0, {.term = 1, .is_leader = true});
  EXPECT_FALSE(Take().at(0).contains("group"));
}

// Each server of the controller tells of it.
TEST_F(Recording, AConfigurationIsWrittenOnce) {
  const ConfigEvent config = {.num = 1, .shards = {7, 0}, .groups = {7}};
  for (int server = 0; server < 3; ++server) recorder_.OnConfig(config);
  const std::vector<json> events = Take();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["config"], 1);
  EXPECT_EQ(events[0]["shards"], json({7, 0}));
  EXPECT_EQ(events[0]["groups"], json({7}));
}

TEST_F(Recording, Partitions) {
  recorder_.OnPartition({{0, 2}, {1}});
  recorder_.OnPartition({});
  const std::vector<json> events = Take();
  EXPECT_EQ(events[0]["event"], "partition");
  EXPECT_EQ(events[0]["parts"], json::parse("[[0,2],[1]]"));
  EXPECT_EQ(events[1]["parts"], json::parse("[]"));
}

TEST_F(Recording, CommandsReadAsTheServiceSays) {
  recorder_.OnService([](std::string_view command) {
    return command == "odd" ? std::string() : std::string("put");
  });
  raft::ApplyMsg message;
  message.command = "odd";
  recorder_.OnApply(1, message);
  EXPECT_EQ(Take().back()["fields"]["command"], "?");
  message.command = EncodeCommand(int64_t{42});
  recorder_.OnApply(1, message);
  EXPECT_EQ(Take().back()["fields"]["command"], "put");
  recorder_.OnCluster({.test = "TestX"}, /*servers=*/3);  // of another service
  recorder_.OnApply(1, message);
  EXPECT_EQ(Take().back()["fields"]["command"], "42");
}

TEST_F(Recording, WritesWhatIsNoText) {
  recorder_.OnFailure("bytes \xff and a\nline", "a_test.cc:7");
  const json failure = Take().back();
  EXPECT_EQ(failure["event"], "failure");
  EXPECT_EQ(failure["where"], "a_test.cc:7");
}

TEST_F(Recording, WritesTheVerdict) {
  recorder_.OnViolation("one vote per term", "5.2", "S1 votes twice");
  recorder_.OnTestEnd(false);
  const std::vector<json> events = Take();
  EXPECT_EQ(events[0]["event"], "violation");
  EXPECT_EQ(events[0]["rule"], "one vote per term");
  EXPECT_EQ(events[0]["section"], "5.2");
  EXPECT_EQ(events[1]["passed"], false);
}

}  // namespace
}  // namespace harness
