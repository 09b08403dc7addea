#include "tests/isolation/wire.h"

#include <sys/socket.h>

#include <cerrno>

#include "rpc/codec.h"

namespace isolation {
namespace {

// No test's message or disk comes near.
constexpr uint64_t kLargest = uint64_t{1} << 30;

}  // namespace

void Wire::Send(const Message& message) {
  std::string bytes = rpc::Encode(message);
  bytes.insert(0, rpc::Encode(static_cast<uint64_t>(bytes.size())));
  base::MutexLock lock(&mu_);
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t count = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    rest.remove_prefix(static_cast<size_t>(count));
  }
}

std::optional<Message> Wire::Receive() {
  std::string head(sizeof(uint64_t), '\0');
  if (!ReceiveWhole(head.data(), head.size())) return std::nullopt;
  const uint64_t size = *rpc::Decode<uint64_t>(head);
  if (size > kLargest) return std::nullopt;
  std::string bytes(size, '\0');
  if (!ReceiveWhole(bytes.data(), bytes.size())) return std::nullopt;
  absl::StatusOr<Message> message = rpc::Decode<Message>(bytes);
  if (!message.ok() || message->kind > Kind::kAnswer) return std::nullopt;
  return *std::move(message);
}

bool Wire::ReceiveWhole(char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t count = recv(fd_, bytes, size, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

}  // namespace isolation
