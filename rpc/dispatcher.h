// The services of one server by their names: a method's name and encoded
// arguments become an encoded reply.
//
// Every network, simulated or real, dispatches through here and decides for
// itself what an unknown method means to it.
//
// Thread safety: safe. Handlers run concurrently, without any lock of this
// class. A service is destroyed once it was replaced, or its dispatcher
// destroyed, and the last handler of it has returned; handlers that answer
// later may have answers outstanding then.

#ifndef RPC_DISPATCHER_H_
#define RPC_DISPATCHER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "rpc/drop_counter.h"
#include "rpc/rpc.h"

namespace rpc {

class Dispatcher {
 public:
  Dispatcher() = default;
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Adds `service`, in place of one with the same name if there is one.
  void Add(Service service) EXCLUDES(mu_);

  // Runs the handler of `method` ("Service.Method", split at the last dot) with
  // the encoded arguments, and returns the encoded reply; or nothing if the
  // handler answers later, by what `respond_later` gives: it is called before
  // such a handler, on this stack. Returns kNotFound if there is no such
  // service, kUnimplemented if that has no such method, each with the names to
  // choose from, and kInvalidArgument if `args` do not decode. What does not is
  // counted, and the first is logged.
  absl::StatusOr<std::optional<std::string>> Dispatch(
      std::string_view method, FrameView args, RespondLater respond_later)
      EXCLUDES(mu_);

  // How many calls had arguments that did not decode.
  uint64_t undecodable_requests() const { return undecodable_.count(); }

 private:
  using Services =
      std::map<std::string, std::shared_ptr<const Service>, std::less<>>;

  base::Mutex mu_;
  DropCounter undecodable_;
  Services services_ ABSL_GUARDED_BY(mu_);  // by name
};

}  // namespace rpc

#endif  // RPC_DISPATCHER_H_
