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
// Arguments and replies cross as bytes only: nothing is shared between the two
// sides, and the arguments may change or die once the call has been made.

#ifndef RPC_RPC_H_
#define RPC_RPC_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/logging.h"
#include "rpc/codec.h"

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
// request from a lost reply, a dead server or a closed port.
//
// Thread safety: safe; any number of calls may be under way at once, and they
// may be answered in any order.
class ClientEnd {
 public:
  ClientEnd() = default;
  ClientEnd(const ClientEnd&) = delete;
  ClientEnd& operator=(const ClientEnd&) = delete;
  virtual ~ClientEnd() = default;

  // Calls and waits for the outcome, which may take seconds. Hold no lock.
  template <typename Args, typename Reply>
  std::optional<Reply> Call(const Method<Args, Reply>& method,
                            const std::type_identity_t<Args>& args) {
    std::optional<std::string> bytes = CallBytes(method.name, Encode(args));
    if (!bytes.has_value()) return std::nullopt;
    return DecodeReply<Reply>(*bytes);
  }

  // Calls and returns at once; `done` gets the outcome, once, on a thread of
  // the network's, never on the caller's stack. It is dropped without being run
  // if the end is closed first. It must not block for long.
  template <typename Args, typename Reply>
  void CallAsync(
      const Method<Args, Reply>& method, const std::type_identity_t<Args>& args,
      std::type_identity_t<std::function<void(std::optional<Reply>)>> done) {
    CallBytesAsync(
        method.name, Encode(args),
        [done = std::move(done)](std::optional<std::string> bytes) {
          done(bytes.has_value() ? DecodeReply<Reply>(*bytes) : std::nullopt);
        });
  }

  // Gives the end up: pending asynchronous calls are dropped without running
  // their callbacks, blocked Calls and later ones return nothing. Returns once
  // no callback of this end is running. Idempotent.
  // REQUIRES: not called from a callback of this end, nor under a lock that
  // one of them takes.
  virtual void Close() = 0;

 protected:
  using DoneBytes = std::function<void(std::optional<std::string>)>;
  virtual std::optional<std::string> CallBytes(std::string_view method,
                                               std::string args) = 0;
  virtual void CallBytesAsync(std::string_view method, std::string args,
                              DoneBytes done) = 0;

 private:
  // A reply that does not decode is always a bug, so it is fatal.
  template <typename Reply>
  static std::optional<Reply> DecodeReply(std::string_view bytes) {
    absl::StatusOr<Reply> reply = Decode<Reply>(bytes);
    CHECK(reply.ok()) << "ClientEnd.Call(): decode reply: "
                      << reply.status().message();
    return *std::move(reply);
  }
};

// The server's side: a named set of methods and their handlers.
//
// Thread safety: compatible; fill it first, then it may be used by any number
// of threads. Handlers run concurrently and lock for themselves. What a handler
// captures must live as long as the service (capture a shared_ptr).
class Service {
 public:
  // Takes the encoded arguments, returns the encoded reply, or kInvalidArgument
  // if they do not decode.
  using Handler = std::function<absl::StatusOr<std::string>(std::string_view)>;

  explicit Service(std::string name) : name_(std::move(name)) {}

  // Answers `method` with `handler`, which takes a const Args& and returns a
  // Reply. REQUIRES: the method's name is "<service name>.<Method>".
  template <typename Args, typename Reply, typename Function>
  void Handle(const Method<Args, Reply>& method, Function handler) {
    static_assert(
        std::is_same_v<std::invoke_result_t<Function, const Args&>, Reply>,
        "the handler must return exactly the method's reply type");
    const std::string full(method.name);
    CHECK_EQ(full.substr(0, full.rfind('.')), name_)
        << "method " << full << " does not belong to service " << name_;
    handlers_[full.substr(full.rfind('.') + 1)] =
        [full, handler = std::move(handler)](
            std::string_view bytes) -> absl::StatusOr<std::string> {
      const absl::StatusOr<Args> args = Decode<Args>(bytes);
      if (!args.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(
            full, ": decode arguments: ", args.status().message()));
      }
      return Encode<Reply>(handler(*args));
    };
  }

  const std::string& name() const { return name_; }

  // The handlers by method name, without the service's.
  const std::map<std::string, Handler, std::less<>>& handlers() const {
    return handlers_;
  }

 private:
  std::string name_;
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace rpc

#endif  // RPC_RPC_H_
