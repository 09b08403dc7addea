// Unit tests of tests/harness/kv_history.h: histories that are right or wrong,
// with the logs of servers that are.

#include "tests/harness/kv_history.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "kvraft/replicated_store.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"

namespace harness {
namespace {

using kvraft::Err;
using kvraft::Reply;
using porcupine::Kind;
using porcupine::Outcome;
using CommandKind = kvraft::Command::Kind;
using Machine = rsm::Typed<kvraft::Store>;

// A server that executes what it is told, and the history that learns of it.
class KvHistoryTest : public testing::Test {
 protected:
  // Executes the command as the next entry of the log, once for the session's
  // number if there is one.
  Reply Execute(const kvraft::Command& command, uint64_t session = 0,
                uint64_t number = 0) {
    const std::string result = Apply(
        rsm::Sessions::EncodeCommand(session, number, rpc::Encode(command)));
    return Machine::Decode(rsm::Sessions::Decode(result)->value).value();
  }

  std::string Apply(const std::string& bytes) {
    raft::ApplyMsg message;
    message.index = ++index_;
    message.term = 1;
    message.command = bytes;
    const std::string result = machine_.Apply(bytes);
    EXPECT_EQ(history_.OnExecuted(0, message, result), std::nullopt);
    last_ = message;
    last_result_ = result;
    return result;
  }

  // An operation that is executed by itself.
  void Do(int client, Kind kind, const std::string& value = "") {
    const size_t operation =
        history_.Begin(BeginRecord(client, kind, "k", value));
    const CommandKind command = kind == Kind::kGet   ? CommandKind::kGet
                                : kind == Kind::kPut ? CommandKind::kPut
                                                     : CommandKind::kAppend;
    history_.End(operation, Execute({command, "k", value}));
  }

  KvHistory history_;
  rsm::Sessions machine_{std::make_unique<Machine>()};
  raft::Index index_ = 0;
  raft::ApplyMsg last_;
  std::string last_result_;
};

TEST(ShowKvCommand, ReadsAsTheCall) {
  const auto show = [](const kvraft::Command& command) {
    return ShowKvCommand(
        rsm::Sessions::EncodeCommand(3, 7, rpc::Encode(command)));
  };
  EXPECT_EQ(show({CommandKind::kGet, "k"}), "get(\"k\")");
  EXPECT_EQ(show({CommandKind::kAppend, "k", "v"}), "append(\"k\", \"v\")");
  EXPECT_EQ(show({CommandKind::kPutVersion, "k", "v", 2}),
            "versioned_put(\"k\", \"v\", version 2)");
  EXPECT_EQ(ShowKvCommand(rsm::Sessions::EncodeOpen()), "open session");
  EXPECT_EQ(ShowKvCommand("odd"), "");
}

TEST_F(KvHistoryTest, Right) {
  EXPECT_EQ(history_.Check().outcome, Outcome::kOk);
  Do(0, Kind::kGet);
  Do(0, Kind::kPut, "a");
  Do(1, Kind::kAppend, "b");
  Do(2, Kind::kGet);
  const KvHistory::Verdict verdict = history_.Check();
  EXPECT_EQ(verdict.outcome, Outcome::kOk);
  EXPECT_EQ(verdict.text, "");
  EXPECT_EQ(history_.size(), 4u);
}

// The answer is of a revision that a write had followed before the call.
TEST_F(KvHistoryTest, StaleRead) {
  Do(0, Kind::kPut, "a");
  const Reply stale = Execute({CommandKind::kGet, "k"});
  Do(0, Kind::kPut, "b");
  const size_t read = history_.Begin(BeginRecord(1, Kind::kGet, "k"));
  history_.End(read, stale);
  const KvHistory::Verdict verdict = history_.Check();
  EXPECT_EQ(verdict.outcome, Outcome::kIllegal);
  EXPECT_TRUE(verdict.text.starts_with("history is not linearizable"))
      << verdict.text;
}

// A call that never returns may be executed later, or not at all.
TEST_F(KvHistoryTest, PendingWrites) {
  history_.Begin(BeginRecord(0, Kind::kAppend, "k", "a"));
  history_.Begin(BeginRecord(1, Kind::kAppend, "k", "b"));
  Do(2, Kind::kGet);
  Execute({CommandKind::kAppend, "k", "b"});
  Do(2, Kind::kGet);
  EXPECT_EQ(history_.Check().outcome, Outcome::kOk);
}

// A write that nothing reads afterwards: only the log shows that it was
// executed twice.
TEST_F(KvHistoryTest, ExecutedTwice) {
  const size_t write = history_.Begin(BeginRecord(0, Kind::kPut, "k", "a"));
  Execute({CommandKind::kPut, "k", "a"});
  history_.End(write, Execute({CommandKind::kPut, "k", "a"}));
  const KvHistory::Verdict verdict = history_.Check();
  EXPECT_EQ(verdict.outcome, Outcome::kIllegal);
  EXPECT_NE(verdict.text.find("executed more often than clients asked for"),
            std::string::npos)
      << verdict.text;
}

// In a session a repetition executes nothing, and has the same answer.
TEST_F(KvHistoryTest, RepeatedInASession) {
  const std::string opened = Apply(rsm::Sessions::EncodeOpen());
  const uint64_t session =
      rsm::Sessions::DecodeId(rsm::Sessions::Decode(opened)->value).value();
  const kvraft::Command command{CommandKind::kAppend, "k", "a"};
  const size_t write = history_.Begin(BeginRecord(0, Kind::kAppend, "k", "a"));
  Execute(command, session, 1);
  history_.End(write, Execute(command, session, 1));
  Do(0, Kind::kGet);
  EXPECT_EQ(history_.Check().outcome, Outcome::kOk);
}

// 2025: ErrMaybe leaves open whether the Put was executed; the log knows.
// A snapshot that lacks what its session has executed.
TEST_F(KvHistoryTest, ASessionThatGoesBack) {
  const uint64_t session = *rsm::Sessions::DecodeId(
      rsm::Sessions::Decode(Apply(rsm::Sessions::EncodeOpen()))->value);
  const base::Rope opened = machine_.Snapshot();
  const kvraft::Command put{CommandKind::kPut, "k", "a"};
  const kvraft::Command get{CommandKind::kGet, "k"};
  Execute(put, session, 1);
  Execute(get, session, 2);
  Execute(get, session, 2);  // answered again
  EXPECT_EQ(history_.Check().text.find("decreases"), std::string::npos);
  ASSERT_TRUE(machine_.Restore(opened).ok());
  for (int i = 0; i < 3; ++i) Execute(get);
  Execute(get, session, 2);
  EXPECT_NE(history_.Check().text.find(
                "session 1 decreases: index 8 of the log executes its number 2 "
                "though number 2 was executed before"),
            std::string::npos)
      << history_.Check().text;
}

TEST_F(KvHistoryTest, MaybeExecuted) {
  for (const bool executed : {true, false}) {
    const std::string value = executed ? "a" : "b";
    const uint64_t version = executed ? 0 : 7;
    const size_t put = history_.Begin(
        BeginRecord(0, Kind::kVersionedPut, "k", value, version));
    Execute({CommandKind::kPutVersion, "k", value, version});
    history_.End(put, {.err = Err::kMaybe});
  }
  const size_t read = history_.Begin(BeginRecord(1, Kind::kVersionedGet, "k"));
  history_.End(read, Execute({CommandKind::kGet, "k"}));
  EXPECT_EQ(history_.Check().outcome, Outcome::kOk);
}

// The value is right, but the answer is not that of a read in the log: it has
// the revision of another command, or of none.
TEST_F(KvHistoryTest, AnsweredWithoutAnExecution) {
  Do(0, Kind::kPut, "a");
  for (const uint64_t revision : {uint64_t{1}, uint64_t{99}}) {
    const size_t read = history_.Begin(BeginRecord(1, Kind::kGet, "k"));
    history_.End(read, {.err = Err::kOk, .value = "a", .revision = revision});
  }
  const KvHistory::Verdict verdict = history_.Check();
  EXPECT_EQ(verdict.outcome, Outcome::kIllegal);
  EXPECT_EQ(verdict.text,
            "answered without an execution: client 1 has revision 1 as the "
            "answer to a get of key \"k\", which the log does not have there\n"
            "and 1 more");
}

TEST_F(KvHistoryTest, SnapshotsThatDiffer) {
  EXPECT_EQ(history_.OnSnapshot(0, 7, std::string("state")), std::nullopt);
  EXPECT_EQ(history_.OnSnapshot(1, 7, std::string("state")), std::nullopt);
  EXPECT_EQ(history_.OnSnapshot(1, 8, std::string("next")), std::nullopt);
  EXPECT_EQ(history_.OnSnapshot(2, 7, std::string("other")),
            "state machines differ: the snapshot that S2 takes at index 7 is "
            "not the one that another server took there");
}

TEST_F(KvHistoryTest, ServersThatDiffer) {
  Do(0, Kind::kPut, "a");
  EXPECT_EQ(history_.OnExecuted(1, last_, last_result_), std::nullopt);
  EXPECT_EQ(history_.OnExecuted(1, last_, "another result"),
            "state machines differ: S1 and S0 have the same command at index "
            "1 and get different results");
  last_.command += "x";
  EXPECT_EQ(history_.OnExecuted(2, last_, last_result_),
            "state machine safety (5.4.3): S2 and S0 execute different "
            "commands at index 1");
}

}  // namespace
}  // namespace harness
