#include "tests/harness/message.h"

#include <utility>

#include "absl/status/statusor.h"
#include "rpc/codec.h"

namespace harness {
namespace {

using labrpc::Packet;

template <typename T>
MessageBody DecodeAs(std::string_view bytes) {
  absl::StatusOr<T> value = rpc::Decode<T>(bytes);
  if (!value.ok()) return Undecodable();
  return *std::move(value);
}

// Fills in the message if the packet is of that method.
template <typename Args, typename Reply>
bool DecodeIf(const rpc::Method<Args, Reply>& method, const Packet& packet,
              Message* message) {
  if (packet.method != method.name) return false;
  message->rpc = method.name;
  message->rpc.remove_prefix(message->rpc.find('.') + 1);
  message->body = message->is_reply ? DecodeAs<Reply>(packet.bytes)
                                    : DecodeAs<Args>(packet.bytes);
  return true;
}

}  // namespace

std::optional<Message> DecodeMessage(const Packet& packet) {
  const std::optional<Link> link = ParseLink(packet.end);
  if (!link.has_value()) return std::nullopt;
  Message message{.link = *link,
                  .call = packet.call,
                  .is_reply = packet.kind == Packet::Kind::kReply,
                  .rpc = {},
                  .fate = packet.fate,
                  .is_duplicate = packet.is_duplicate,
                  .sent = packet.sent,
                  .delay = packet.delay,
                  .body = Undecodable()};
  if (DecodeIf(raft::kRequestVote, packet, &message) ||
      DecodeIf(raft::kAppendEntries, packet, &message) ||
      DecodeIf(raft::kInstallSnapshot, packet, &message)) {
    return message;
  }
  return std::nullopt;
}

}  // namespace harness
