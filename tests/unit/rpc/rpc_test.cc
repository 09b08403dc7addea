// Unit tests of rpc/rpc.h, over an end that leads straight to a service.

#include "rpc/rpc.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/mutex.h"
#include "gtest/gtest.h"

namespace rpc {
namespace {

struct AddArgs {
  int32_t left = 0;
  int32_t right = 0;
  auto Fields() { return std::tie(left, right); }
};

struct AddReply {
  int32_t sum = 0;
  auto Fields() { return std::tie(sum); }
};

struct OtherArgs {
  std::string text;
  auto Fields() { return std::tie(text); }
};

constexpr Method<AddArgs, AddReply> kAdd{"Math.Add"};
constexpr Method<AddArgs, OtherArgs> kAddButOtherReply{"Math.Add"};
constexpr Method<AddArgs, AddReply> kElsewhere{"Physics.Add"};

Service MathService() {
  Service service("Math");
  service.Handle(kAdd, [](const AddArgs& args) {
    return AddReply{args.left + args.right};
  });
  return service;
}

// For a handler that answers when it returns.
RespondBytes NotLater() {
  ADD_FAILURE() << "it answers later";
  return nullptr;
}

// Calls the service on the caller's stack; closed, it answers nothing.
class DirectEnd : public ClientEnd {
 public:
  explicit DirectEnd(BadReply bad_reply = BadReply::kDropped)
      : ClientEnd(bad_reply) {}
  void Close() override { open_ = false; }

 protected:
  std::optional<std::string> CallFrame(std::string_view method,
                                       rpc::Frame args) override {
    if (!open_) return std::nullopt;
    const auto handler =
        service_.handlers().find(method.substr(method.rfind('.') + 1));
    return handler->second(args, NotLater).value();
  }
  void CallFrameAsync(std::string_view method, rpc::Frame args,
                      DoneBytes done) override {
    done(CallFrame(method, std::move(args)));
  }

 private:
  const Service service_ = MathService();
  bool open_ = true;
};

TEST(Rpc, CallCarriesArgumentsAndReply) {
  DirectEnd end;
  const std::optional<AddReply> reply = end.Call(kAdd, {2, 3});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->sum, 5);
}

TEST(Rpc, CallAsyncGivesTheReplyToTheCallback) {
  DirectEnd end;
  int sum = 0;
  end.CallAsync(kAdd, {2, 3},
                [&sum](std::optional<AddReply> reply) { sum = reply->sum; });
  EXPECT_EQ(sum, 5);
}

TEST(Rpc, NoAnswerIsNothing) {
  DirectEnd end;
  end.Close();
  EXPECT_FALSE(end.Call(kAdd, {2, 3}).has_value());
  bool nothing = false;
  end.CallAsync(kAdd, {2, 3}, [&nothing](std::optional<AddReply> reply) {
    nothing = !reply.has_value();
  });
  EXPECT_TRUE(nothing);
}

// A mismatch of types does not compile.
template <typename MethodType, typename Args>
concept Callable = requires(ClientEnd& end, const MethodType& method,
                            const Args& args) {
  end.Call(method, args);
};

TEST(Rpc, OnlyTheMethodsArgumentsCompile) {
  static_assert(Callable<decltype(kAdd), AddArgs>);
  static_assert(!Callable<decltype(kAdd), OtherArgs>);
  static_assert(!Callable<decltype(kAdd), int>);
}

TEST(Rpc, ServiceListsItsMethodsByTheirShortNames) {
  const Service service = MathService();
  EXPECT_EQ(service.name(), "Math");
  ASSERT_EQ(service.handlers().size(), 1u);
  EXPECT_EQ(service.handlers().begin()->first, "Add");
}

// Two constants of one name: the receiver notices what the compiler cannot.
TEST(Rpc, AReplyThatDoesNotDecodeIsDroppedAndCounted) {
  DirectEnd end;
  EXPECT_FALSE(end.Call(kAddButOtherReply, {2, 3}).has_value());
  bool nothing = false;
  end.CallAsync(kAddButOtherReply, {2, 3},
                [&nothing](std::optional<OtherArgs> reply) {
                  nothing = !reply.has_value();
                });
  EXPECT_TRUE(nothing);
  EXPECT_EQ(end.undecodable_replies(), 2u);
  EXPECT_TRUE(end.Call(kAdd, {2, 3}).has_value());
  EXPECT_EQ(end.undecodable_replies(), 2u);
}

// Answers when the test says so.
class LateEnd : public ClientEnd {
 public:
  explicit LateEnd(std::function<void(std::optional<std::string>)>* late)
      : late_(late) {}
  void Close() override {}

 protected:
  std::optional<std::string> CallFrame(std::string_view, rpc::Frame) override {
    return std::nullopt;
  }
  void CallFrameAsync(std::string_view, rpc::Frame, DoneBytes done) override {
    *late_ = std::move(done);
  }

 private:
  std::function<void(std::optional<std::string>)>* const late_;
};

TEST(Rpc, ACallbackMayRunWhenItsEndIsGone) {
  std::function<void(std::optional<std::string>)> late;
  int sum = 0;
  {
    base::Mutex mu;
    base::MutexLock lock(&mu);  // such a call does not wait
    LateEnd(&late).CallAsync(
        kAdd, {2, 3},
        [&sum](std::optional<AddReply> reply) { sum = reply->sum; });
  }
  late(Encode(AddReply{5}));
  EXPECT_EQ(sum, 5);
}

TEST(RpcDeathTest, ACallUnderALockDiesAtTheCall) {
  DirectEnd end;
  base::Mutex mu;
  base::MutexLock lock(&mu);
  EXPECT_DEATH(end.Call(kAdd, {2, 3}),
               "Math.Add is called while this thread holds the lock");
}

TEST(RpcDeathTest, AReplyThatDoesNotDecodeIsFatalIfSoMade) {
  DirectEnd end(ClientEnd::BadReply::kFatal);
  EXPECT_TRUE(end.Call(kAdd, {2, 3}).has_value());
  EXPECT_DEATH(end.Call(kAddButOtherReply, {2, 3}),
               "decode reply: truncated.*of Math.Add");
}

TEST(RpcDeathTest, MethodOfAnotherServiceIsFatal) {
  Service service("Math");
  EXPECT_DEATH(
      service.Handle(kElsewhere, [](const AddArgs&) { return AddReply{}; }),
      "method Physics.Add does not belong to service Math");
}

}  // namespace
}  // namespace rpc
