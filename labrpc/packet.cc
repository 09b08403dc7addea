#include "labrpc/packet.h"

namespace labrpc {

std::string_view FateName(Packet::Fate fate) {
  switch (fate) {
    case Packet::Fate::kDelivered:
      return "delivered";
    case Packet::Fate::kLost:
      return "lost";
    case Packet::Fate::kUndeliverable:
      return "undeliverable";
    case Packet::Fate::kRefused:
      return "refused";
    case Packet::Fate::kReordered:
      return "reordered";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, const Packet& packet) {
  return out << (packet.kind == Packet::Kind::kRequest ? "request " : "reply ")
             << FateName(packet.fate) << " end=" << packet.end
             << " server=" << packet.server << " method=" << packet.method
             << " bytes=" << packet.bytes.size();
}

}  // namespace labrpc
