// Unit tests of labrpc/packet.h.

#include "labrpc/packet.h"

#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace tests {
namespace {

using labrpc::Packet;

TEST(Packet, EachFateHasAName) {
  EXPECT_EQ(FateName(Packet::Fate::kDelivered), "delivered");
  EXPECT_EQ(FateName(Packet::Fate::kLost), "lost");
  EXPECT_EQ(FateName(Packet::Fate::kUndeliverable), "undeliverable");
  EXPECT_EQ(FateName(Packet::Fate::kRefused), "refused");
  EXPECT_EQ(FateName(Packet::Fate::kReordered), "reordered");
  EXPECT_EQ(FateName(static_cast<Packet::Fate>(99)), "?");
}

TEST(Packet, PrintsItsKindFateAndRoute) {
  Packet packet{};
  packet.kind = Packet::Kind::kRequest;
  packet.fate = Packet::Fate::kLost;
  packet.end = "0-1";
  packet.server = "1";
  packet.method = "Raft.RequestVote";
  packet.bytes = "12345";
  std::ostringstream request;
  request << packet;
  EXPECT_EQ(request.str(),
            "request lost end=0-1 server=1 method=Raft.RequestVote bytes=5");
  packet.kind = Packet::Kind::kReply;
  std::ostringstream reply;
  reply << packet;
  EXPECT_EQ(reply.str(),
            "reply lost end=0-1 server=1 method=Raft.RequestVote bytes=5");
}

}  // namespace
}  // namespace tests
