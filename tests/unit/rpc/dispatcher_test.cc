// Unit tests of rpc/dispatcher.h.

#include "rpc/dispatcher.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "gtest/gtest.h"

namespace rpc {
namespace {

constexpr Method<std::string, std::string> kEcho{"Test.Echo"};
constexpr Method<std::string, std::string> kDotted{"Test.Inner.Echo"};

Service Echo(const std::string& name, const std::string& prefix) {
  Service service(name);
  const Method<std::string, std::string>& method =
      name == "Test" ? kEcho : kDotted;
  service.Handle(method,
                 [prefix](const std::string& text) { return prefix + text; });
  return service;
}

// Dispatches to a handler that answers when it returns.
absl::StatusOr<std::string> Dispatch(Dispatcher* dispatcher,
                                     std::string_view method,
                                     std::string_view args) {
  absl::StatusOr<std::optional<std::string>> reply =
      dispatcher->Dispatch(method, args, [] {
        ADD_FAILURE() << "it answers later";
        return RespondBytes();
      });
  if (!reply.ok()) return reply.status();
  return **std::move(reply);
}

TEST(Dispatcher, AnswersByServiceAndMethod) {
  Dispatcher dispatcher;
  dispatcher.Add(Echo("Test", "outer "));
  dispatcher.Add(Echo("Test.Inner", "inner "));
  EXPECT_EQ(*Dispatch(&dispatcher, "Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("outer a"));
  EXPECT_EQ(*Dispatch(&dispatcher, "Test.Inner.Echo", Encode<std::string>("a")),
            Encode<std::string>("inner a"));
}

TEST(Dispatcher, TheNewestServiceOfANameAnswers) {
  Dispatcher dispatcher;
  dispatcher.Add(Echo("Test", "old "));
  dispatcher.Add(Echo("Test", "new "));
  EXPECT_EQ(*Dispatch(&dispatcher, "Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("new a"));
}

// Says when it is destroyed, and dies if a lock is held then.
class Captured {
 public:
  explicit Captured(bool* destroyed) : destroyed_(destroyed) {}
  ~Captured() {
    base::Mutex::AssertNoneHeld("the destructor of a service");
    *destroyed_ = true;
  }

 private:
  bool* const destroyed_;
};

TEST(Dispatcher, HoldsNoLockWhileAHandlerRunsOrAServiceGoes) {
  Dispatcher dispatcher;
  bool destroyed = false;
  Service old("Test");
  old.Handle(kEcho, [&, captured = std::make_shared<Captured>(&destroyed)](
                        const std::string& text) {
    base::Mutex::AssertNoneHeld("a handler");
    dispatcher.Add(Echo("Test", "new "));
    EXPECT_FALSE(destroyed) << "the service lives until its call has returned";
    return "old " + text;
  });
  dispatcher.Add(std::move(old));
  EXPECT_EQ(*Dispatch(&dispatcher, "Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("old a"));
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(*Dispatch(&dispatcher, "Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("new a"));

  destroyed = false;
  Service next("Test");
  next.Handle(kEcho, [captured = std::make_shared<Captured>(&destroyed)](
                         const std::string& text) { return text; });
  dispatcher.Add(std::move(next));
  EXPECT_FALSE(destroyed);
  dispatcher.Add(Echo("Test", "last "));
  EXPECT_TRUE(destroyed);
}

TEST(Dispatcher, ARefusalSaysWhatIsUnknownAndWhatThereIs) {
  Dispatcher dispatcher;
  dispatcher.Add(Echo("Test", ""));
  dispatcher.Add(Echo("Test.Inner", ""));
  const struct {
    std::string method;
    absl::Status refusal;
  } kCases[] = {
      {"Echo", absl::NotFoundError("Echo is no Service.Method")},
      {"Raft.Vote", absl::NotFoundError("unknown service Raft in Raft.Vote; "
                                        "expecting one of [Test Test.Inner]")},
      {"Test.Vote",
       absl::UnimplementedError("unknown method Vote in Test.Vote; expecting "
                                "one of [Echo]")},
      {"Test.", absl::UnimplementedError("unknown method  in Test.; expecting "
                                         "one of [Echo]")},
      {"Test.Echo", absl::InvalidArgumentError(
                        "Test.Echo: decode arguments: truncated: 8 bytes "
                        "needed, 4 left")},
  };
  for (const auto& refused : kCases) {
    EXPECT_EQ(Dispatch(&dispatcher, refused.method, Encode<int>(1)).status(),
              refused.refusal);
  }
  EXPECT_EQ(dispatcher.undecodable_requests(), 1u);
  EXPECT_TRUE(
      Dispatch(&dispatcher, "Test.Echo", Encode<std::string>("good")).ok());
  EXPECT_EQ(dispatcher.undecodable_requests(), 1u);
  EXPECT_FALSE(Dispatch(&dispatcher, "Test.Echo", "bad").ok());
  EXPECT_EQ(dispatcher.undecodable_requests(), 2u);
}

}  // namespace
}  // namespace rpc
