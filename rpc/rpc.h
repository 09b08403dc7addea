// What callers and services see of any network: typed methods, the client end
// they are called through, and the service that answers them.
//
// One constant names a method and its two types; it registers the handler and
// makes the call, so that a mismatch does not compile:
//
//   inline constexpr rpc::Method<RequestVoteArgs, RequestVoteReply>
//       kRequestVote{"Raft.RequestVote"};
//
//   service.Handle(kRequestVote, [raft](const RequestVoteArgs& args) {
//     return raft->RequestVote(args);
//   });
//   std::optional<RequestVoteReply> reply = end->Call(kRequestVote, args);
//
// A handler that must wait for something answers later instead, and keeps no
// thread waiting:
//
//   service.HandleAsync(kGet, [this](const GetArgs& args,
//                                    rpc::Responder<GetReply> respond) {
//     waiting_.push_back({args.key, std::move(respond)});
//   });
//   std::move(waiting_.back().respond).Send(reply);  // on any thread
//
// Arguments and replies cross as bytes only: nothing that can change is shared
// between the two sides, and the arguments may change or die once the call has
// been made.

#ifndef RPC_RPC_H_
#define RPC_RPC_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "rpc/codec.h"
#include "rpc/drop_counter.h"
#include "rpc/frame.h"

namespace rpc {

// Names a remote method, "Service.Method", and fixes the types it takes and
// returns.
template <typename Args, typename Reply>
struct Method {
  std::string_view name;
};

// The caller's side: a sending port that leads to one server.
//
// A call ends with a reply, or with nothing when no usable reply came. Nothing
// does not mean that the handler did not run: the caller cannot tell a lost
// request from a lost reply, a dead server or a closed port. Nor from a reply
// that does not decode: it is dropped and counted, and the first is logged.
//
// Thread safety: safe; any number of calls may be under way at once, and they
// may be answered in any order.
class ClientEnd {
 public:
  // What becomes of a reply that does not decode.
  enum class BadReply : bool {
    kDropped,
    kFatal,  // where none but a bug can have made it
  };

  explicit ClientEnd(BadReply bad_reply = BadReply::kDropped)
      : decoder_(std::make_shared<Decoder>(bad_reply)) {}
  ClientEnd(const ClientEnd&) = delete;
  ClientEnd& operator=(const ClientEnd&) = delete;
  virtual ~ClientEnd() = default;

  // Calls and waits for the outcome, which may take seconds. REQUIRES: the
  // calling thread holds no base::Mutex; it dies otherwise.
  template <typename Args, typename Reply>
  std::optional<Reply> Call(const Method<Args, Reply>& method,
                            const std::type_identity_t<Args>& args) {
    base::Mutex::AssertNoneHeld(method.name);
    std::optional<std::string> bytes =
        CallFrame(method.name, EncodeFrame(args));
    if (!bytes.has_value()) return std::nullopt;
    return decoder_->Decode(method, *bytes);
  }

  // Calls and returns at once; `done` gets the outcome, once, on a thread of
  // the network's, never on the caller's stack. It is dropped without being run
  // if the end is closed first. It must not block for long.
  template <typename Args, typename Reply>
  void CallAsync(
      const Method<Args, Reply>& method, const std::type_identity_t<Args>& args,
      std::type_identity_t<std::function<void(std::optional<Reply>)>> done) {
    CallFrameAsync(method.name, EncodeFrame(args),
                   [method, decoder = decoder_,
                    done = std::move(done)](std::optional<std::string> bytes) {
                     done(bytes.has_value() ? decoder->Decode(method, *bytes)
                                            : std::nullopt);
                   });
  }

  // Gives the end up: pending asynchronous calls are dropped without running
  // their callbacks, blocked Calls and later ones return nothing. Returns once
  // no callback of this end is running. Idempotent.
  // REQUIRES: not called from a callback of this end, nor under a lock that
  // one of them takes.
  virtual void Close() = 0;

  // How many replies were dropped since they did not decode.
  uint64_t undecodable_replies() const { return decoder_->dropped.count(); }

 protected:
  using DoneBytes = std::function<void(std::optional<std::string>)>;
  // What a network implements: Call() and CallAsync() with encoded arguments,
  // whose large part need not be copied (rpc/frame.h), and an encoded reply.
  virtual std::optional<std::string> CallFrame(std::string_view method,
                                               Frame args) = 0;
  virtual void CallFrameAsync(std::string_view method, Frame args,
                              DoneBytes done) = 0;

 private:
  // A callback may run when its end is gone already, so this is shared.
  struct Decoder {
    explicit Decoder(BadReply bad_reply) : bad(bad_reply) {}

    template <typename Args, typename Reply>
    std::optional<Reply> Decode(const Method<Args, Reply>& method,
                                std::string_view bytes) {
      absl::StatusOr<Reply> reply = rpc::Decode<Reply>(bytes);
      if (reply.ok()) return *std::move(reply);
      const std::string error = absl::StrCat(
          "ClientEnd.Call(): decode reply: ", reply.status().message(), ", of ",
          std::string(method.name));
      CHECK(bad == BadReply::kDropped) << error;
      dropped.Add(error);
      return std::nullopt;
    }

    const BadReply bad;
    DropCounter dropped;
  };

  const std::shared_ptr<Decoder> decoder_;
};

// Takes the encoded reply to a call, or nothing if it has none: once, on any
// thread and under any lock of the caller's. A network's own; it does not
// block, and runs no foreign code on the caller's stack.
using RespondBytes = absl::AnyInvocable<void(std::optional<std::string>) &&>;

// Makes that for the call in question, if its handler answers later.
using RespondLater = absl::FunctionRef<RespondBytes()>;

// Answers one call, later: at most once, on any thread, the handler's own
// included, and under any lock. Destroyed before that, it fails the call: the
// caller gets nothing. Neither blocks, and both are harmless when the call has
// ended long ago, or its server or network is gone. It keeps no service alive.
//
// Thread safety: compatible.
template <typename Reply>
class Responder {
 public:
  explicit Responder(RespondBytes respond) : respond_(std::move(respond)) {}
  Responder(Responder&& other) noexcept
      : respond_(std::exchange(other.respond_, nullptr)) {}
  // A call that this one had still to answer fails.
  Responder& operator=(Responder other) noexcept {
    std::swap(respond_, other.respond_);
    return *this;
  }
  ~Responder() {
    if (respond_ != nullptr) std::move(respond_)(std::nullopt);
  }

  // Sends the reply: `std::move(respond).Send(reply)`. Does not block.
  // REQUIRES: it was neither used nor moved before; it dies otherwise.
  void Send(const Reply& reply) && {
    CHECK(respond_ != nullptr) << "a call is answered twice";
    std::exchange(respond_, nullptr)(Encode<Reply>(reply));
  }

 private:
  RespondBytes respond_;  // null: used, or moved away
};

// The server's side: a named set of methods and their handlers.
//
// Thread safety: compatible; fill it first, then it may be used by any number
// of threads. Handlers run concurrently and lock for themselves. What a handler
// captures must live as long as the service (capture a shared_ptr).
class Service {
 public:
  // Takes the encoded arguments, returns the encoded reply, or kInvalidArgument
  // if they do not decode. Returns nothing if it answers later: by what
  // `respond_later` gives, which it asks for once, and in that case alone.
  using Handler = std::function<absl::StatusOr<std::optional<std::string>>(
      FrameView, RespondLater respond_later)>;

  explicit Service(std::string name) : name_(std::move(name)) {}

  // Answers `method` with `handler`, which takes a const Args& and returns a
  // Reply. REQUIRES: the method's name is "<service name>.<Method>".
  template <typename Args, typename Reply, typename Function>
  void Handle(const Method<Args, Reply>& method, Function handler) {
    static_assert(
        std::is_same_v<std::invoke_result_t<Function, const Args&>, Reply>,
        "the handler must return exactly the method's reply type");
    Add(method, [handler = std::move(handler)](const Args& args, RespondLater) {
      return Encode<Reply>(handler(args));
    });
  }

  // The same, with a handler that takes a const Args&, which it must copy for
  // later, and a Responder<Reply>, and returns nothing.
  template <typename Args, typename Reply, typename Function>
  void HandleAsync(const Method<Args, Reply>& method, Function handler) {
    static_assert(
        std::is_void_v<
            std::invoke_result_t<Function, const Args&, Responder<Reply>>>,
        "the handler must answer by its Responder alone");
    Add(method, [handler = std::move(handler)](const Args& args,
                                               RespondLater respond_later) {
      handler(args, Responder<Reply>(respond_later()));
      return std::nullopt;
    });
  }

  const std::string& name() const { return name_; }

  // The handlers by method name, without the service's.
  const std::map<std::string, Handler, std::less<>>& handlers() const {
    return handlers_;
  }

 private:
  template <typename Args, typename Reply, typename Function>
  void Add(const Method<Args, Reply>& method, Function handler) {
    const std::string full(method.name);
    CHECK_EQ(full.substr(0, full.rfind('.')), name_)
        << "method " << full << " does not belong to service " << name_;
    handlers_[full.substr(full.rfind('.') + 1)] =
        [full, handler = std::move(handler)](FrameView bytes,
                                             RespondLater respond_later)
        -> absl::StatusOr<std::optional<std::string>> {
      const absl::StatusOr<Args> args = Decode<Args>(bytes);
      if (!args.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(
            full, ": decode arguments: ", args.status().message()));
      }
      return handler(*args, respond_later);
    };
  }

  std::string name_;
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace rpc

#endif  // RPC_RPC_H_
