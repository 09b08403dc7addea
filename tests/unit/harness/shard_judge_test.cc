// Unit tests of tests/harness/shard_judge.h: logs of two groups in which a
// shard moves, right and wrong.

#include "tests/harness/shard_judge.h"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "kvraft/replicated_store.h"
#include "kvraft/session_store.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"
#include "shardctrler/messages.h"

namespace harness {
namespace {

using shardctrler::Config;
using shardctrler::Gid;
using shardkv::Command;
using shardkv::Execute;
using shardkv::Install;
using shardkv::MoveId;
using shardkv::Moves;
using shardkv::Nothing;
using shardkv::Reconfigure;
using shardkv::Transfers;
using CommandKind = kvraft::Command::Kind;

constexpr Gid kOne = 1;
constexpr Gid kTwo = 2;

// Configuration `num`: all shards are at group 1, shard 0 at `owner`.
Config At(int64_t num, Gid owner) {
  Config config{.num = num};
  config.shards.fill(kOne);
  config.shards[0] = owner;
  config.groups = {{kOne, {"a"}}, {kTwo, {"b"}}};
  return config;
}

std::string AppendTo(int shard, const std::string& value) {
  return rpc::Encode(
      Command{Execute{shard, rsm::Sessions::EncodeCommand(
                                 0, 0,
                                 rsm::Typed<kvraft::Store>::Encode(
                                     {CommandKind::kAppend, "k", value}))}});
}

kvraft::SharedStore MakeStore() {
  return std::make_shared<kvraft::SessionStore>();
}

// A server that executes what it is told, and what the judge is told of it.
class Server {
 public:
  Server(ShardJudge* judge, Gid gid, raft::ServerId id = 0)
      : judge_(judge),
        replica_(gid, id),
        group_(gid, [this](const Transfers& now) {
          moves_ = now;
          Tell(judge_->OnMoves(&replica_, Told(now)));
        }) {}

  // Executes the next entry of its log.
  void Do(const std::string& command) {
    Begin(command);
    End(group_.Apply(command));
  }
  void Do(const Command& command) { Do(rpc::Encode(command)); }

  // Tells the same of an entry, step by step, whatever is true.
  void Begin(const std::string& command) {
    ++message_.index;
    message_.command = command;
    Tell(judge_->OnApply(&replica_, message_));
  }
  void End(const std::string& result) {
    Tell(judge_->OnExecuted(&replica_, message_, result));
  }
  // It says that nothing is on the move at that configuration.
  void IsAt(const Config& config) {
    Moves moves;
    moves.config = config;
    Tell(judge_->OnMoves(&replica_, moves));
  }

  // It saves its state, and with it these shards.
  void Save(std::map<int32_t, kvraft::SharedStore> shards) {
    Tell(judge_->OnSnapshot(
        replica_, rpc::Encode(Saved{.moves = moves_, .shards = shards})));
  }

  const Transfers& moves() const { return moves_; }
  std::string Apply(const std::string& command) {
    return group_.Apply(command);
  }

  // The first error; "" if there is none.
  const std::string& error() const { return error_; }
  bool Broke(const ShardRule& rule) const {
    return error_.starts_with(std::string("shards: ") + rule.name + " (");
  }

 private:
  // As it lies on the disk.
  struct Saved {
    uint32_t format = 0;
    raft::Index last_applied = 0;
    Transfers moves;
    std::map<int32_t, kvraft::SharedStore> shards;
    auto Fields() { return std::tie(format, last_applied, moves, shards); }
  };

  void Tell(const ShardJudge::Error& error) {
    if (error.has_value() && error_.empty()) error_ = *error;
  }

  ShardJudge* const judge_;
  ShardJudge::Replica replica_;
  Transfers moves_;
  raft::ApplyMsg message_;
  std::string error_;
  shardkv::Group group_;
};

// Shard 0 of group 1 has a value, and is about to move to group 2.
class ShardJudgeTest : public testing::Test {
 protected:
  ShardJudgeTest() {
    old_.Do({Reconfigure{At(1, kOne)}});
    old_.Do(AppendTo(0, "x"));
    new_.Do({Reconfigure{At(1, kOne)}});
  }

  // All that is left of the shard at its old owner.
  Install InstallOf(const Transfers& moves, MoveId move = kMove) {
    return {move, {}, moves.leaving.at(move)->Read({})};
  }

  void Move() {
    old_.Do({Reconfigure{At(2, kTwo)}});
    new_.Do({Reconfigure{At(2, kTwo)}});
    new_.Do({InstallOf(old_.moves())});
  }

  static constexpr MoveId kMove{2, 0};
  ShardJudge judge_;
  Server old_{&judge_, kOne};
  Server new_{&judge_, kTwo};
};

TEST_F(ShardJudgeTest, Right) {
  old_.Do({Nothing()});
  old_.Do({Execute{0, rsm::Sessions::EncodeOpen()}});
  Move();
  new_.Do(AppendTo(0, "y"));
  old_.Do(AppendTo(0, "refused"));
  old_.Do(AppendTo(1, "z"));
  new_.Do({InstallOf(old_.moves())});
  old_.Do({shardkv::Delete{kMove}});
  new_.Do({shardkv::Confirmed{kMove}});
  new_.Do({Reconfigure{At(3, kOne)}});
  old_.Do({Reconfigure{At(3, kOne)}});
  old_.Do({InstallOf(new_.moves(), {3, 0})});
  old_.Do(AppendTo(0, "w"));
  EXPECT_EQ(old_.error(), "");
  EXPECT_EQ(new_.error(), "");
}

// The group has stopped, and has been read, before the judge hears so.
TEST_F(ShardJudgeTest, OldOwnerIsReportedLate) {
  const std::string entry = rpc::Encode(Command{Reconfigure{At(2, kTwo)}});
  old_.Begin(entry);
  const std::string result = old_.Apply(entry);
  new_.Do(entry);
  new_.Do({InstallOf(old_.moves())});
  old_.End(result);
  EXPECT_EQ(old_.error(), "");
  EXPECT_EQ(new_.error(), "");
}

TEST_F(ShardJudgeTest, OneOwner) {
  shardkv::Group frozen(kOne);
  frozen.Apply(rpc::Encode(Command{Reconfigure{At(1, kOne)}}));
  frozen.Apply(rpc::Encode(Command{Reconfigure{At(2, kTwo)}}));
  new_.Do({Reconfigure{At(2, kTwo)}});
  new_.Do({InstallOf(frozen.transfers())});
  EXPECT_TRUE(new_.Broke(kOneOwner)) << new_.error();
}

TEST_F(ShardJudgeTest, ExecutedWhereItIsNotServed) {
  old_.Do({Reconfigure{At(2, kTwo)}});
  old_.Begin(AppendTo(0, "y"));
  old_.End(rpc::Encode(shardkv::Result{true, ""}));
  EXPECT_TRUE(old_.Broke(kExecutedByOwner)) << old_.error();
}

TEST_F(ShardJudgeTest, RefusedWhereItIsServed) {
  old_.Begin(AppendTo(0, "y"));
  old_.End(rpc::Encode(shardkv::Result()));
  EXPECT_TRUE(old_.Broke(kExecutedByOwner)) << old_.error();
}

TEST_F(ShardJudgeTest, InstalledWithoutSessions) {
  old_.Do({Reconfigure{At(2, kTwo)}});
  new_.Do({Reconfigure{At(2, kTwo)}});
  kvraft::SessionStore empty;
  empty.Freeze();
  new_.Do({Install{kMove, {}, empty.Read({})}});
  EXPECT_TRUE(new_.Broke(kInstalledWhole)) << new_.error();
}

TEST_F(ShardJudgeTest, ServedBeforeItIsThere) {
  old_.Do({Reconfigure{At(2, kTwo)}});
  new_.Begin(rpc::Encode(Command{Reconfigure{At(2, kTwo)}}));
  new_.IsAt(At(2, kTwo));
  new_.End("");
  EXPECT_TRUE(new_.Broke(kInstalledWhole)) << new_.error();
}

// A second Install has put the shard back to what it was.
TEST_F(ShardJudgeTest, DoesNotContinue) {
  Move();
  new_.Do(AppendTo(0, "y"));
  shardkv::Group overwritten(kTwo);
  overwritten.Apply(rpc::Encode(Command{Reconfigure{At(1, kOne)}}));
  overwritten.Apply(rpc::Encode(Command{Reconfigure{At(2, kTwo)}}));
  overwritten.Apply(rpc::Encode(Command{InstallOf(old_.moves())}));
  new_.Begin(AppendTo(0, "z"));
  new_.End(overwritten.Apply(AppendTo(0, "z")));
  EXPECT_TRUE(new_.Broke(kContinues)) << new_.error();
}

TEST_F(ShardJudgeTest, OneByOne) {
  old_.Begin(rpc::Encode(Command{Reconfigure{At(3, kOne)}}));
  old_.IsAt(At(3, kOne));
  EXPECT_TRUE(old_.Broke(kOneByOne)) << old_.error();
}

// A snapshot takes a server as far as it goes.
TEST_F(ShardJudgeTest, RestoredFurther) {
  Server late(&judge_, kOne, 1);
  late.IsAt(At(3, kOne));
  EXPECT_EQ(late.error(), "");
}

TEST_F(ShardJudgeTest, OneListInGroups) {
  old_.Do({Reconfigure{At(2, kTwo)}});
  new_.Do({Reconfigure{At(2, kOne)}});
  EXPECT_TRUE(new_.Broke(kOneList)) << new_.error();
}

TEST_F(ShardJudgeTest, OneListAtTheController) {
  const auto reply = [](const Config& config) {
    return std::string(1, '\0') +
           rpc::Encode(shardctrler::Reply{.err = shardctrler::Err::kOk,
                                          .config = config});
  };
  ShardJudge::Replica ctrler(ShardJudge::kController, 0);
  raft::ApplyMsg message;
  message.index = 1;
  EXPECT_EQ(judge_.OnExecuted(&ctrler, message, reply(At(1, kOne))),
            std::nullopt);
  message.index = 2;
  const auto error = judge_.OnExecuted(&ctrler, message, reply(At(1, kTwo)));
  ASSERT_TRUE(error.has_value());
  EXPECT_TRUE(error->starts_with("shards: one list of configurations"))
      << *error;
}

TEST_F(ShardJudgeTest, OtherResultOnAnotherReplica) {
  Server other(&judge_, kOne, 1);
  other.Do({Reconfigure{At(1, kOne)}});
  other.Begin(AppendTo(0, "x"));
  other.End("odd");
  EXPECT_TRUE(other.Broke(kReplicasAgree)) << other.error();
}

TEST_F(ShardJudgeTest, OtherStateOnAnotherReplica) {
  Server other(&judge_, kOne, 1);
  other.Begin(rpc::Encode(Command{Reconfigure{At(1, kOne)}}));
  other.End("");
  EXPECT_TRUE(other.Broke(kReplicasAgree)) << other.error();
}

TEST_F(ShardJudgeTest, OtherCommandOnAnotherReplica) {
  Server other(&judge_, kOne, 1);
  other.Do({Nothing()});
  EXPECT_TRUE(other.Broke(kReplicasAgree)) << other.error();
}

// Group 2 serves shard 0 alone.
TEST_F(ShardJudgeTest, SavesWhatItServes) {
  Move();
  new_.Save({{0, MakeStore()}});
  EXPECT_EQ(new_.error(), "");
}

TEST_F(ShardJudgeTest, AShardIsLeftInTheSnapshot) {
  Move();
  new_.Save({{0, MakeStore()}, {1, MakeStore()}});
  EXPECT_TRUE(new_.Broke(kNothingLeft)) << new_.error();
}

TEST_F(ShardJudgeTest, AShardIsNotInTheSnapshot) {
  Move();
  new_.Save({});
  EXPECT_TRUE(new_.Broke(kNothingLeft)) << new_.error();
}

TEST_F(ShardJudgeTest, ExactlyOnce) {
  const KvCall call = {porcupine::Kind::kAppend, "k", "x", 0};
  EXPECT_EQ(judge_.CheckWrites({{call, {.begun = 1, .answered = 1}}}),
            std::nullopt);
  EXPECT_EQ(judge_.CheckWrites({{call, {.begun = 2, .answered = 0}}}),
            std::nullopt);
}

// The Clerk took a new number when it sent the call again.
TEST_F(ShardJudgeTest, ExecutedTwice) {
  old_.Do(AppendTo(0, "x"));
  EXPECT_EQ(old_.error(), "");
  const KvCall call = {porcupine::Kind::kAppend, "k", "x", 0};
  const auto error = judge_.CheckWrites({{call, {.begun = 1, .answered = 1}}});
  ASSERT_TRUE(error.has_value());
  EXPECT_TRUE(error->starts_with("shards: exactly once (G12)")) << *error;
}

TEST_F(ShardJudgeTest, AnsweredAndNotExecuted) {
  const KvCall call = {porcupine::Kind::kAppend, "k", "y", 0};
  const KvCall known = {porcupine::Kind::kAppend, "k", "x", 0};
  EXPECT_TRUE(judge_
                  .CheckWrites({{known, {.begun = 1, .answered = 1}},
                                {call, {.begun = 1, .answered = 1}}})
                  .has_value());
}

TEST_F(ShardJudgeTest, ExecutedAndNotAskedFor) {
  EXPECT_TRUE(judge_.CheckWrites({}).has_value());
}

}  // namespace
}  // namespace harness
