// Unit tests of rpc::Responder and of handlers that answer later.

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "gtest/gtest.h"
#include "rpc/dispatcher.h"
#include "rpc/rpc.h"

namespace rpc {
namespace {

constexpr Method<std::string, int> kLength{"Test.Length"};
constexpr Method<std::string, int> kElsewhere{"Other.Length"};

// What the network was given for each call, in order; nullopt: no reply.
using Given = std::vector<std::optional<std::string>>;

class ResponderTest : public testing::Test {
 protected:
  Responder<int> Make() { return Responder<int>(Respond()); }

  RespondBytes Respond() {
    ++asked_;
    return [this](std::optional<std::string> reply) {
      given_.push_back(std::move(reply));
    };
  }

  // Dispatches a call of `method` to `handler` of the service Test.
  template <typename Handler>
  absl::StatusOr<std::optional<std::string>> Dispatch(std::string_view args,
                                                      Handler handler) {
    Service service("Test");
    service.HandleAsync(kLength, std::move(handler));
    dispatcher_.Add(std::move(service));
    return dispatcher_.Dispatch("Test.Length", args,
                                [this] { return Respond(); });
  }

  Dispatcher dispatcher_;
  int asked_ = 0;
  Given given_;
};

TEST_F(ResponderTest, SendsTheEncodedReply) {
  Make().Send(7);
  Responder<int> later = Make();
  EXPECT_EQ(given_, Given{Encode(7)});
  std::thread([&later] { std::move(later).Send(8); }).join();
  EXPECT_EQ(given_, (Given{Encode(7), Encode(8)}));
}

TEST_F(ResponderTest, DroppedItGivesNothing) {
  { const Responder<int> dropped = Make(); }
  EXPECT_EQ(given_, Given{std::nullopt});
}

TEST_F(ResponderTest, MovedItAnswersFromItsNewPlace) {
  std::optional<Responder<int>> first = Make();
  Responder<int> second = *std::move(first);
  first.reset();
  EXPECT_EQ(given_, Given{}) << "what was moved from has nothing to answer";
  std::vector<Responder<int>> waiting;
  waiting.push_back(std::move(second));
  std::move(waiting.back()).Send(7);
  waiting.clear();
  EXPECT_EQ(given_, Given{Encode(7)});
}

TEST_F(ResponderTest, ReplacedItGivesNothing) {
  Given second_given;
  Responder<int> first = Make();
  first = Responder<int>([&second_given](std::optional<std::string> reply) {
    second_given.push_back(std::move(reply));
  });
  EXPECT_EQ(given_, Given{std::nullopt});
  EXPECT_EQ(second_given, Given{});
  std::move(first).Send(7);
  EXPECT_EQ(given_, Given{std::nullopt});
  EXPECT_EQ(second_given, Given{Encode(7)});
}

// Whether `respond.Send(7)` compiles for what T stands for.
template <typename T>
concept Sends = requires(T&& respond) {
  std::forward<T>(respond).Send(7);
};

TEST_F(ResponderTest, OnlyWhatIsGivenAwayAnswers) {
  static_assert(Sends<Responder<int>>);
  static_assert(!Sends<Responder<int>&>, "it could answer again");
  static_assert(!Sends<const Responder<int>&>);
  static_assert(!std::is_copy_constructible_v<Responder<int>>);
  static_assert(!std::is_copy_assignable_v<Responder<int>>);
}

TEST_F(ResponderTest, AHandlerAnswersAfterItHasReturned) {
  std::optional<Responder<int>> waiting;
  std::string text;
  const auto handler = [&](const std::string& args, Responder<int> respond) {
    EXPECT_EQ(asked_, 1);
    text = args;
    waiting = std::move(respond);
  };
  const auto reply = Dispatch(Encode<std::string>("four"), handler);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(*reply, std::nullopt);
  EXPECT_EQ(text, "four");
  EXPECT_EQ(given_, Given{});
  std::move(*waiting).Send(4);
  EXPECT_EQ(given_, Given{Encode(4)});
}

TEST_F(ResponderTest, AHandlerMayAnswerAtOnce) {
  const auto handler = [](const std::string& args, Responder<int> respond) {
    std::move(respond).Send(static_cast<int>(args.size()));
  };
  const auto reply = Dispatch(Encode<std::string>("four"), handler);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(*reply, std::nullopt) << "the network has it already";
  EXPECT_EQ(given_, Given{Encode(4)});
}

TEST_F(ResponderTest, AHandlerThatKeepsNothingFailsTheCall) {
  const auto reply = Dispatch(Encode<std::string>("four"),
                              [](const std::string&, Responder<int>) {});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(given_, Given{std::nullopt});
}

TEST_F(ResponderTest, IsMadeOnlyForAHandlerThatAnswersLater) {
  Service service("Test");
  service.Handle(kLength, [](const std::string& text) {
    return static_cast<int>(text.size());
  });
  dispatcher_.Add(std::move(service));
  const auto reply = dispatcher_.Dispatch(
      "Test.Length", Encode<std::string>("four"), [this] { return Respond(); });
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(*reply, Encode(4));
  EXPECT_EQ(asked_, 0);
}

TEST_F(ResponderTest, ArgumentsThatDoNotDecodeReachNoHandler) {
  const auto reply = Dispatch("x", [](const std::string&, Responder<int>) {
    FAIL() << "there are no arguments";
  });
  EXPECT_EQ(reply.status(),
            absl::InvalidArgumentError("Test.Length: decode arguments: "
                                       "truncated: 8 bytes needed, 1 left"));
  EXPECT_EQ(dispatcher_.undecodable_requests(), 1u);
  EXPECT_EQ(asked_, 0);
}

// Neither the service nor its dispatcher needs to live until the answer.
TEST_F(ResponderTest, KeepsNoServiceAlive) {
  const auto captured = std::make_shared<int>(0);
  std::optional<Responder<int>> waiting;
  Service service("Test");
  service.HandleAsync(kLength, [captured, &waiting](const std::string&,
                                                    Responder<int> respond) {
    waiting = std::move(respond);
  });
  {
    Dispatcher dispatcher;
    dispatcher.Add(std::move(service));
    ASSERT_TRUE(dispatcher
                    .Dispatch("Test.Length", Encode<std::string>("four"),
                              [this] { return Respond(); })
                    .ok());
  }
  EXPECT_EQ(captured.use_count(), 1);
  std::move(*waiting).Send(4);
  EXPECT_EQ(given_, Given{Encode(4)});
}

class ResponderDeathTest : public ResponderTest {};

TEST_F(ResponderDeathTest, ASecondAnswerDies) {
  EXPECT_DEATH(
      {
        Responder<int> respond = Make();
        std::move(respond).Send(1);
        std::move(respond).Send(2);  // NOLINT(bugprone-use-after-move)
      },
      "a call is answered twice");
}

TEST_F(ResponderDeathTest, MethodOfAnotherServiceIsFatal) {
  Service service("Test");
  EXPECT_DEATH(service.HandleAsync(kElsewhere,
                                   [](const std::string&, Responder<int>) {}),
               "method Other.Length does not belong to service Test");
}

}  // namespace
}  // namespace rpc
