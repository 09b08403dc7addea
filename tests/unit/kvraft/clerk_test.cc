// Unit tests of kvraft/clerk.h: what a Clerk makes of answers, on servers that
// answer as they are told.

#include "kvraft/clerk.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kvraft/messages.h"
#include "rpc/codec.h"

namespace kvraft {
namespace {

// What all servers of a test get and give. One thread at a time.
struct Script {
  // An answer, or none; the first unless OpenSession, which is answered apart.
  std::deque<std::optional<Reply>> answers;
  uint64_t sessions = 0;              // that were opened
  std::vector<int> asked;             // servers, in order
  std::vector<PutAppendArgs> writes;  // as they arrived
};

class FakeServer : public rpc::ClientEnd {
 public:
  FakeServer(Script* script, int number) : script_(script), number_(number) {}
  void Close() override {}

 protected:
  std::optional<std::string> CallFrame(std::string_view method,
                                       rpc::Frame args) override {
    if (method == kOpenSession.name) {
      return rpc::Encode(OpenSessionReply{Err::kOk, ++script_->sessions});
    }
    script_->asked.push_back(number_);
    if (method == kPutAppend.name) {
      script_->writes.push_back(rpc::Decode<PutAppendArgs>(args).value());
    }
    if (script_->answers.empty()) return std::nullopt;
    const std::optional<Reply> answer = script_->answers.front();
    script_->answers.pop_front();
    if (!answer.has_value()) return std::nullopt;
    return rpc::Encode(*answer);
  }
  void CallFrameAsync(std::string_view /*method*/, rpc::Frame /*args*/,
                      DoneBytes /*done*/) override {}

 private:
  Script* const script_;
  const int number_;
};

class ClerkTest : public testing::Test {
 protected:
  static std::vector<std::shared_ptr<rpc::ClientEnd>> Servers(Script* script) {
    std::vector<std::shared_ptr<rpc::ClientEnd>> servers;
    for (int i = 0; i < 3; ++i) {
      servers.push_back(std::make_shared<FakeServer>(script, i));
    }
    return servers;
  }

  Script script_;
  Clerk clerk_{Servers(&script_)};
};

Reply Answer(Err err) { return {.err = err}; }

TEST_F(ClerkTest, GoesRoundAndRemembersTheLeader) {
  script_.answers = {Answer(Err::kWrongLeader), std::nullopt,
                     Answer(Err::kLost), Answer(Err::kWrongLeader),
                     Reply{.err = Err::kOk, .value = "v", .revision = 7}};
  EXPECT_EQ(clerk_.Get("k").value(), "v");
  EXPECT_EQ(clerk_.revision(), 7u);
  script_.answers = {Answer(Err::kNoKey)};
  EXPECT_EQ(clerk_.Get("k").value(), "");
  EXPECT_EQ(script_.asked, (std::vector<int>{0, 1, 2, 0, 1, 1}));
}

TEST_F(ClerkTest, AttemptsOfAWriteHaveItsNumber) {
  script_.answers = {std::nullopt, Answer(Err::kWrongLeader), Answer(Err::kOk),
                     Answer(Err::kOk)};
  EXPECT_TRUE(clerk_.Append("k", "a").ok());
  EXPECT_TRUE(clerk_.Put("k", "b").ok());
  ASSERT_EQ(script_.writes.size(), 4u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(script_.writes[i].number, 1u);
    EXPECT_EQ(script_.writes[i].session, 1u);
    EXPECT_TRUE(script_.writes[i].append);
  }
  EXPECT_EQ(script_.writes[3].number, 2u);
  EXPECT_EQ(script_.writes[3].session, 1u);
  EXPECT_FALSE(script_.writes[3].append);
}

TEST_F(ClerkTest, ForgottenSessionAtTheFirstAttempt) {
  script_.answers = {Answer(Err::kWrongLeader), Answer(Err::kSession),
                     Answer(Err::kOk)};
  EXPECT_TRUE(clerk_.Append("k", "a").ok());
  EXPECT_EQ(script_.sessions, 2u);
  EXPECT_EQ(script_.writes.back().session, 2u);
}

// An earlier attempt may have been executed: it must not be again.
TEST_F(ClerkTest, ForgottenSessionLater) {
  for (const auto& first :
       {std::optional<Reply>(), std::optional(Answer(Err::kLost))}) {
    script_.answers = {first, Answer(Err::kSession)};
    const size_t before = script_.writes.size();
    EXPECT_EQ(clerk_.Append("k", "a").code(), absl::StatusCode::kUnknown);
    EXPECT_EQ(script_.writes.size(), before + 2);
  }
  // And the next write has a session and a number of its own.
  script_.answers = {Answer(Err::kOk)};
  EXPECT_TRUE(clerk_.Append("k", "b").ok());
  EXPECT_EQ(script_.writes.back().number, 3u);
  EXPECT_EQ(script_.sessions, 3u);
}

TEST_F(ClerkTest, OtherVersionIsCertainAtTheFirstAttemptOnly) {
  script_.answers = {Answer(Err::kVersion)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kVersion);
  script_.answers = {Answer(Err::kWrongLeader), Answer(Err::kVersion)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kVersion);
  script_.answers = {std::nullopt, Answer(Err::kVersion)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kMaybe);
  script_.answers = {Answer(Err::kLost), Answer(Err::kVersion)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kMaybe);
  script_.answers = {Answer(Err::kLost), Answer(Err::kOk)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kOk);
  script_.answers = {Answer(Err::kLost), Answer(Err::kNoKey)};
  EXPECT_EQ(clerk_.PutVersioned("k", "v", 1), Err::kNoKey);
}

TEST_F(ClerkTest, EndsAtOnceIfItIsTooLarge) {
  script_.answers = {Answer(Err::kTooLarge), Answer(Err::kTooLarge)};
  EXPECT_EQ(clerk_.Get("k").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(clerk_.Put("k", "v").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(script_.asked.size(), 2u);
}

TEST(Clerk, WithoutServers) {
  Clerk clerk({});
  EXPECT_EQ(clerk.Get("k").status().message(), "the Clerk has no servers");
  EXPECT_FALSE(clerk.Append("k", "v").ok());
  EXPECT_EQ(clerk.GetVersioned("k").err, Err::kNoServers);
  EXPECT_EQ(clerk.PutVersioned("k", "v", 0), Err::kNoServers);
}

// No server ever answers.
TEST_F(ClerkTest, CloseEndsACall) {
  std::thread closer([this] { clerk_.Close(); });
  EXPECT_EQ(clerk_.Get("k").status().code(), absl::StatusCode::kCancelled);
  closer.join();
  EXPECT_EQ(clerk_.Append("k", "v").code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(script_.sessions, 0u);
}

}  // namespace
}  // namespace kvraft
