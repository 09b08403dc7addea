#include "labrpc/server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/logging.h"

namespace labrpc {
namespace {

// "[A B C]", the keys of a map in its order.
template <typename Map>
std::string Choices(const Map& map) {
  return absl::StrCat("[",
                      absl::StrJoin(map, " ",
                                    [](std::string* out, const auto& entry) {
                                      absl::StrAppend(out, entry.first);
                                    }),
                      "]");
}

}  // namespace

void Server::AddService(rpc::Service service) {
  auto added = std::make_shared<const rpc::Service>(std::move(service));
  // A replaced service is destroyed after the lock is free: its destructor may
  // do anything.
  base::MutexLock lock(&mu_);
  services_[added->name()].swap(added);
}

std::string Server::Dispatch(std::string_view method, std::string_view args) {
  count_.fetch_add(1, std::memory_order_relaxed);
  const size_t dot = method.rfind('.');
  CHECK(dot != std::string_view::npos)
      << "labrpc.Server.dispatch(): " << method << " is no Service.Method";
  const std::string_view name = method.substr(dot + 1);
  const auto service = Find(method.substr(0, dot), name);
  const auto handler = service->handlers().find(name);
  if (handler == service->handlers().end()) {
    LOG(FATAL) << "labrpc.Service.dispatch(): unknown method " << name << " in "
               << method << "; expecting one of "
               << Choices(service->handlers());
  }
  return handler->second(args);
}

std::shared_ptr<const rpc::Service> Server::Find(std::string_view service,
                                                 std::string_view method) {
  base::MutexLock lock(&mu_);
  const auto found = services_.find(service);
  if (found == services_.end()) {
    LOG(FATAL) << "labrpc.Server.dispatch(): unknown service " << service
               << " in " << service << "." << method << "; expecting one of "
               << Choices(services_);
  }
  return found->second;
}

}  // namespace labrpc
