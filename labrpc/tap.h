// A tap on a network: decides about single messages, so that a test can hold,
// drop, duplicate and re-order exactly those that it means.

#ifndef LABRPC_TAP_H_
#define LABRPC_TAP_H_

#include <functional>

#include "labrpc/packet.h"

namespace labrpc {

// What becomes of a message that the tap was asked about.
enum class Ruling {
  kPass,       // goes on as if there were no tap
  kHold,       // stays where it is until Network::Release()
  kDrop,       // is lost: its caller gets nothing, soon
  kDuplicate,  // a request reaches the server twice; the reply to the second
               // one goes nowhere. For a reply it means kPass: a call has one
               // outcome
};

// Asked about each request that would reach a server, when the call is made, on
// the caller's thread; and about each reply that would reach its caller at
// once, when the handler has returned, on a thread of the network's. Not asked
// about a duplicate, nor about the reply to it.
//
// Runs with no lock of the network's held, several at a time, and may run under
// whatever lock a caller holds. It must not block, nor call the network. The
// packet's views die when it returns.
using Tap = std::function<Ruling(const Packet&)>;

}  // namespace labrpc

#endif  // LABRPC_TAP_H_
