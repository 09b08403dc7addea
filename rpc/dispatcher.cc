#include "rpc/dispatcher.h"

#include <sstream>
#include <utility>

namespace rpc {
namespace {

// "unknown service A in A.B; expecting one of [C D]".
template <typename Map>
std::string Unknown(const char* kind, std::string_view name,
                    std::string_view method, const Map& known) {
  std::ostringstream text;
  text << "unknown " << kind << " " << name << " in " << method
       << "; expecting one of [";
  const char* separator = "";
  for (const auto& [key, value] : known) {
    text << std::exchange(separator, " ") << key;
  }
  text << "]";
  return text.str();
}

}  // namespace

void Dispatcher::Add(Service service) {
  auto added = std::make_shared<const Service>(std::move(service));
  // A replaced service is destroyed after the lock is free: its destructor may
  // do anything.
  base::MutexLock lock(&mu_);
  services_[added->name()].swap(added);
}

absl::StatusOr<std::optional<std::string>> Dispatcher::Dispatch(
    std::string_view method, FrameView args, RespondLater respond_later) {
  const size_t dot = method.rfind('.');
  if (dot == std::string_view::npos) {
    return absl::NotFoundError(std::string(method) + " is no Service.Method");
  }
  std::shared_ptr<const Service> service;
  {
    base::MutexLock lock(&mu_);
    const auto found = services_.find(method.substr(0, dot));
    if (found == services_.end()) {
      return absl::NotFoundError(
          Unknown("service", method.substr(0, dot), method, services_));
    }
    service = found->second;
  }
  const std::string_view name = method.substr(dot + 1);
  const auto handler = service->handlers().find(name);
  if (handler == service->handlers().end()) {
    return absl::UnimplementedError(
        Unknown("method", name, method, service->handlers()));
  }
  absl::StatusOr<std::optional<std::string>> reply =
      handler->second(args, respond_later);
  if (absl::IsInvalidArgument(reply.status())) {
    undecodable_.Add(std::string(reply.status().message()));
  }
  return reply;
}

}  // namespace rpc
