#include "labrpc/server.h"

#include "absl/status/statusor.h"
#include "base/logging.h"

namespace labrpc {

// A call that no service answers is a bug of the caller's, and fatal with the
// course's words.
std::optional<std::string> Server::Dispatch(std::string_view method,
                                            rpc::FrameView args,
                                            rpc::RespondLater respond_later) {
  count_.fetch_add(1, std::memory_order_relaxed);
  absl::StatusOr<std::optional<std::string>> reply =
      dispatcher_.Dispatch(method, args, respond_later);
  if (!reply.ok()) {
    const bool no_method =
        reply.status().code() == absl::StatusCode::kUnimplemented;
    LOG(FATAL) << "labrpc." << (no_method ? "Service" : "Server")
               << ".dispatch(): " << reply.status().message();
  }
  return *std::move(reply);
}

}  // namespace labrpc
