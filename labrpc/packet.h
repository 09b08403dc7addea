// What an observer of the network sees: every message once, with its fate.
//
// A request is reported before its handler runs, or when it is lost or found
// undeliverable; a reply when the handler has returned it. Not reported is a
// request whose caller closed its end, or whose network was cleaned up, before
// its fate was decided.

#ifndef LABRPC_PACKET_H_
#define LABRPC_PACKET_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string_view>

namespace labrpc {

struct Packet {
  enum class Kind { kRequest, kReply };
  enum class Fate {
    kDelivered,      // reaches the handler; goes to the caller at once
    kLost,           // by the unreliable network
    kUndeliverable,  // request: end disabled or unconnected, or no server
    kRefused,        // reply: the server is dead to the caller, or the call
                     // has already ended
    kReordered,      // reply: goes to the caller after a long delay, or when
                     // the tap that holds it releases it
  };

  Kind kind;
  Fate fate;
  uint64_t call;  // in the order of the calls; a reply has its request's
  std::chrono::steady_clock::time_point sent;  // when the call was made
  std::string_view end;
  std::string_view server;    // empty if the end is not connected
  std::string_view method;    // "Service.Method"
  std::string_view bytes;     // encoded arguments or reply
  bool is_duplicate = false;  // a request that a tap delivers a second time
  // How much later the caller gets a kReordered reply; 0 if a tap holds it.
  std::chrono::milliseconds delay{0};
};

// Runs on network threads, concurrently, with no lock held; for a request that
// a tap drops on the caller's, as the tap has done, with the caller's locks.
// Must be quick and must not call the network. The views end when it returns.
using Observer = std::function<void(const Packet&)>;

// What the log calls it: "delivered", "lost", ...
std::string_view FateName(Packet::Fate fate);

// "request lost end=0-1 server=1 method=Raft.RequestVote bytes=24".
std::ostream& operator<<(std::ostream& out, const Packet& packet);

}  // namespace labrpc

#endif  // LABRPC_PACKET_H_
