// A tap on a network: decides about single messages, so that a test can hold,
// drop, duplicate and reorder exactly those that it means.

#ifndef LABRPC_TAP_H_
#define LABRPC_TAP_H_

#include <functional>

#include "labrpc/packet.h"

namespace labrpc {

enum class Ruling {
  kPass,       // goes on as if there were no tap
  kHold,       // is delayed until Network::Release()
  kDrop,       // is lost: its call fails at once
  kDuplicate,  // a request reaches the server twice; the reply to the second
               // one goes nowhere. For a reply it means kPass: a call has one
               // outcome
};

// Decides about each request that would reach a server, when the call is made,
// on the caller's thread; and about each reply that would reach its caller at
// once, when the handler has returned, on a network thread. Not about a
// duplicate, nor the reply to it.
//
// Runs concurrently, with no lock of the network held, but under any lock that
// the caller holds; must not block or call the network. The packet's views end
// when it returns.
using Tap = std::function<Ruling(const Packet&)>;

}  // namespace labrpc

#endif  // LABRPC_TAP_H_
