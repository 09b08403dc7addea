// Unit tests of rpc/dispatcher.h.

#include "rpc/dispatcher.h"

#include <memory>
#include <string>

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

TEST(Dispatcher, AnswersByServiceAndMethod) {
  Dispatcher dispatcher;
  dispatcher.Add(Echo("Test", "outer "));
  dispatcher.Add(Echo("Test.Inner", "inner "));
  EXPECT_EQ(*dispatcher.Dispatch("Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("outer a"));
  EXPECT_EQ(*dispatcher.Dispatch("Test.Inner.Echo", Encode<std::string>("a")),
            Encode<std::string>("inner a"));
}

TEST(Dispatcher, TheNewestServiceOfANameAnswers) {
  Dispatcher dispatcher;
  dispatcher.Add(Echo("Test", "old "));
  dispatcher.Add(Echo("Test", "new "));
  EXPECT_EQ(*dispatcher.Dispatch("Test.Echo", Encode<std::string>("a")),
            Encode<std::string>("new a"));
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
    EXPECT_EQ(dispatcher.Dispatch(refused.method, Encode<int>(1)).status(),
              refused.refusal);
  }
  EXPECT_EQ(dispatcher.undecodable_requests(), 1u);
}

}  // namespace
}  // namespace rpc
