// A server as the network sees it: a set of services and a counter of calls. A
// restarted one is another object under the same name, whose counter begins at
// 0.
//
// Thread safety: safe. Handlers run concurrently, without any lock of this
// class. A service lives until it was replaced, or its server destroyed, and
// the last handler of it has returned.

#ifndef LABRPC_SERVER_H_
#define LABRPC_SERVER_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rpc/dispatcher.h"
#include "rpc/rpc.h"

namespace labrpc {

class Server {
 public:
  // Adds `service`, in place of one with the same name if there is one.
  void AddService(rpc::Service service) { dispatcher_.Add(std::move(service)); }

  // The number of calls whose handler was started on this object.
  int64_t GetCount() const { return count_.load(); }

  // Counts one call and runs the handler of `method` with the encoded
  // arguments; returns the encoded reply, or nothing if the handler answers
  // later (rpc::Dispatcher). What the dispatcher cannot answer is fatal. For
  // the network.
  std::optional<std::string> Dispatch(std::string_view method,
                                      rpc::FrameView args,
                                      rpc::RespondLater respond_later);

 private:
  std::atomic<int64_t> count_{0};
  rpc::Dispatcher dispatcher_;
};

}  // namespace labrpc

#endif  // LABRPC_SERVER_H_
