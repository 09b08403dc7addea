// A server as the network sees it: a set of services and a counter of calls.
//
// A server is registered under a name (Network::AddServer); a restarted one is
// another object under the same name, whose counter begins at 0.
//
// Thread safety: safe. Handlers run concurrently, without any lock of this
// class. A service lives until it was replaced, or its server destroyed, and
// the last call in it has returned.

#ifndef LABRPC_SERVER_H_
#define LABRPC_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "rpc/rpc.h"

namespace labrpc {

class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Adds `service`, in place of one with the same name if there is one.
  void AddService(rpc::Service service) ABSL_LOCKS_EXCLUDED(mu_);

  // The number of calls whose handler was started on this object.
  int64_t GetCount() const { return count_.load(); }

  // Counts one call and runs the handler of `method` ("Service.Method", split
  // at the last dot) with the encoded arguments; returns the encoded reply. An
  // unknown service or method is fatal. For the network.
  std::string Dispatch(std::string_view method, std::string_view args)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Services =
      std::map<std::string, std::shared_ptr<const rpc::Service>, std::less<>>;

  std::shared_ptr<const rpc::Service> Find(std::string_view service,
                                           std::string_view method)
      ABSL_LOCKS_EXCLUDED(mu_);

  std::atomic<int64_t> count_{0};
  base::Mutex mu_;
  Services services_ ABSL_GUARDED_BY(mu_);  // by service name
};

}  // namespace labrpc

#endif  // LABRPC_SERVER_H_
