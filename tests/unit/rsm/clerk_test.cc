// Unit tests of rsm/clerk.h, on servers that answer as they are told. What the
// Clerks of the services make of it, their own tests say.

#include "rsm/clerk.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rpc/codec.h"

namespace rsm {
namespace {

using std::chrono::milliseconds;

enum class Err : uint8_t {
  kOk,
  kWrongLeader,
  kLost,
  kSession,
  kNoServers,
  kClosed
};

struct Args {
  int32_t number = 0;
  auto Fields() { return std::tie(number); }
};

struct Reply {
  Err err = Err::kWrongLeader;
  uint64_t session = 0;
  auto Fields() { return std::tie(err, session); }
};

constexpr rpc::Method<Args, Reply> kAsk{"Test.Ask"};

// What all servers of a test are asked, and answer; nothing when that is empty.
struct Script {
  std::deque<std::optional<Err>> answers;
  std::vector<int> asked;
  std::vector<int> closed;
};

class FakeServer : public rpc::ClientEnd {
 public:
  FakeServer(Script* script, int number) : script_(script), number_(number) {}
  void Close() override { script_->closed.push_back(number_); }

 protected:
  std::optional<std::string> CallFrame(std::string_view /*method*/,
                                       rpc::Frame /*args*/) override {
    script_->asked.push_back(number_);
    if (script_->answers.empty()) return std::nullopt;
    const std::optional<Err> answer = script_->answers.front();
    script_->answers.pop_front();
    if (!answer.has_value()) return std::nullopt;
    return rpc::Encode(Reply{.err = *answer});
  }
  void CallFrameAsync(std::string_view /*method*/, rpc::Frame /*args*/,
                      DoneBytes /*done*/) override {}

 private:
  Script* const script_;
  const int number_;
};

std::vector<std::shared_ptr<rpc::ClientEnd>> Servers(Script* script,
                                                     int count = 3) {
  std::vector<std::shared_ptr<rpc::ClientEnd>> servers;
  for (int i = 0; i < count; ++i) {
    servers.push_back(std::make_shared<FakeServer>(script, i));
  }
  return servers;
}

TEST(GroupClient, ARoundAsksEachServerOnce) {
  Script script;
  Closing closing;
  GroupClient group(Servers(&script), &closing);
  bool maybe = false;
  script.answers = {Err::kWrongLeader, Err::kOk};
  EXPECT_EQ(group.AskOnce(kAsk, {1}, &maybe)->err, Err::kOk);
  EXPECT_FALSE(maybe);
  script.answers = {Err::kWrongLeader, Err::kWrongLeader, Err::kWrongLeader,
                    Err::kOk};
  EXPECT_FALSE(group.AskOnce(kAsk, {2}, &maybe).has_value());
  EXPECT_FALSE(maybe);
  EXPECT_EQ(script.asked, (std::vector<int>{0, 1, 1, 2, 0}));
}

TEST(GroupClient, WhatHasNoAnswerMayHaveBeenExecuted) {
  for (const std::optional<Err> unknown :
       {std::optional<Err>(), {Err::kLost}}) {
    Script script;
    Closing closing;
    GroupClient group(Servers(&script), &closing);
    bool maybe = false;
    script.answers = {unknown, Err::kOk};
    EXPECT_EQ(group.AskOnce(kAsk, {1}, &maybe)->err, Err::kOk);
    EXPECT_TRUE(maybe);
  }
}

TEST(GroupClient, GoesRoundUntilThereIsAnAnswer) {
  Script script;
  Closing closing;
  GroupClient group(Servers(&script), &closing);
  bool maybe = false;
  script.answers = {Err::kWrongLeader, Err::kWrongLeader, Err::kWrongLeader,
                    Err::kWrongLeader, Err::kSession};
  EXPECT_EQ(group.Ask(kAsk, {1}, &maybe).err, Err::kSession);
  EXPECT_EQ(script.asked, (std::vector<int>{0, 1, 2, 0, 1}));
}

TEST(GroupClient, WithoutServersThereIsAnAnswerAtOnce) {
  Closing closing;
  GroupClient group({}, &closing);
  bool maybe = false;
  EXPECT_EQ(group.Ask(kAsk, {1}, &maybe).err, Err::kNoServers);
  EXPECT_FALSE(group.AskOnce(kAsk, {1}, &maybe).has_value());
}

TEST(Closing, EndsCallsAndPauses) {
  Script script;
  Closing closing;
  GroupClient group(Servers(&script), &closing);
  EXPECT_TRUE(closing.Pause(milliseconds(1)));
  std::thread closer([&closing] { closing.Close(); });
  EXPECT_FALSE(closing.Pause(std::chrono::hours(1)));
  closer.join();
  EXPECT_TRUE(closing.IsClosed());
  EXPECT_EQ(script.closed, (std::vector<int>{0, 1, 2}));
  bool maybe = false;
  EXPECT_EQ(group.Ask(kAsk, {1}, &maybe).err, Err::kClosed);
  EXPECT_TRUE(script.asked.empty());
}

TEST(Closing, ClosesWhatComesLater) {
  Script script;
  Closing closing;
  closing.Close();
  closing.Add(Servers(&script, 1)[0]);
  EXPECT_EQ(script.closed, (std::vector<int>{0}));
}

// A service as a ClientSession sees it.
struct FakeService {
  Reply Open() {
    return {.err = can_open ? Err::kOk : Err::kClosed, .session = ++opened};
  }
  Reply Write(uint64_t session, uint64_t number, bool* maybe) {
    writes.emplace_back(session, number);
    *maybe = *maybe || loses_one;
    const Err err = answers.front();
    answers.pop_front();
    return {.err = err};
  }
  Err Execute(ClientSession* session) {
    return session
        ->Execute([this] { return Open(); },
                  [this](uint64_t id, uint64_t number, bool* maybe) {
                    return Write(id, number, maybe);
                  })
        .err;
  }

  bool can_open = true;
  bool loses_one = false;
  uint64_t opened = 0;
  std::deque<Err> answers;
  std::vector<std::pair<uint64_t, uint64_t>> writes;
};

TEST(ClientSession, IsOpenedOnceAndNumbersWrites) {
  FakeService service;
  ClientSession session;
  service.answers = {Err::kOk, Err::kOk};
  EXPECT_EQ(service.Execute(&session), Err::kOk);
  EXPECT_EQ(service.Execute(&session), Err::kOk);
  EXPECT_EQ(service.writes,
            (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}, {1, 2}}));
}

TEST(ClientSession, WithoutOneNothingIsWritten) {
  FakeService service;
  service.can_open = false;
  ClientSession session;
  EXPECT_EQ(service.Execute(&session), Err::kClosed);
  EXPECT_TRUE(service.writes.empty());
}

TEST(ClientSession, ANewOneRepeatsWhatWasNeverAttempted) {
  FakeService service;
  ClientSession session;
  service.answers = {Err::kSession, Err::kOk};
  EXPECT_EQ(service.Execute(&session), Err::kOk);
  EXPECT_EQ(service.writes,
            (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}, {2, 1}}));
}

TEST(ClientSession, ANewOneDoesNotRepeatWhatMayHaveBeenExecuted) {
  FakeService service;
  service.loses_one = true;
  ClientSession session;
  service.answers = {Err::kSession};
  EXPECT_EQ(service.Execute(&session), Err::kSession);
  EXPECT_EQ(service.writes.size(), 1u);
  // The next write is another one.
  service.answers = {Err::kOk};
  EXPECT_EQ(service.Execute(&session), Err::kOk);
  EXPECT_EQ(service.writes.back(), (std::pair<uint64_t, uint64_t>(2, 2)));
}

}  // namespace
}  // namespace rsm
