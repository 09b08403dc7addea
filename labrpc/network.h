// The simulated network: named client ends, named servers, and all that can
// happen to a message between them. The C++ edition of the course's labrpc.
//
// An end leads to one server name and can be switched on and off; a server
// object can be deleted or replaced under its name. A call is counted, then
// decided by the state of the network at that moment:
//
//   end disabled or not connected, or no server there
//     fails after 0..99 ms (LongDelays(true): 0..6999 ms)
//   unreliable network
//     the request takes 0..26 ms; 10 % are lost; of the replies 10 % are lost
//   while the handler runs, or when it has returned, the server object is no
//   longer the one registered, or the end is disabled
//     fails: a caller never hears from an instance whose disk a newer one has
//     taken over. A deleted or replaced server ends the call at once, a
//     disabled end is noticed at the next multiple of 100 ms of handler time
//     or when the handler returns
//   long reordering
//     two of three replies come 200..2199 ms later, and are then not checked
//     again, so that old replies do reach live callers
//   otherwise
//     the reply, with no delay
//
// A handler that answers later (rpc::Responder) counts as running until it has
// answered, but has no thread then; all the same happens to its call.
//
// A call has no time limit: a handler that never answers, on a server that
// stays reachable, keeps its caller waiting. The handler of a call that ended
// early runs on; its reply is discarded.
//
// Lifetimes. After Cleanup(), which the destructor calls, no network thread,
// handler, callback or observer runs, and none will: what they refer to may be
// destroyed; likewise the callbacks of one end after its Close(). (Two things
// may come a moment later: the tap and the observer of a request that a thread
// was about to send, and the destructor of a callback that has returned.) Ends
// may outlive the network; they then refuse all calls. So may responders; what
// they answer then is dropped. A service is kept alive until the last of its
// handlers has returned, whether it has answered or not; a network thread may
// drop the last reference to it, with no lock held, and its destructor may
// close ends. So may the destructor of a callback.
//
// Thread safety: safe. Handlers run concurrently, also those of one server and
// of one end. No handler or callback runs under a lock of the network.

#ifndef LABRPC_NETWORK_H_
#define LABRPC_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "labrpc/packet.h"
#include "labrpc/server.h"
#include "labrpc/tap.h"
#include "rpc/rpc.h"

namespace labrpc {

class Core;

class Network {
 public:
  // Reliable, without long delays or reordering. It draws from the next random
  // stream of `random_owner` (base/random.h).
  explicit Network(std::string_view random_owner = "labrpc");
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Returns a new end, disabled and not connected. A name that is in use is
  // fatal. Destroying the end closes nothing: its calls go on.
  std::shared_ptr<rpc::ClientEnd> MakeEnd(const std::string& name);

  // Forgets the name, which may be used again; the end that had it stays
  // disabled. An unknown name is fatal.
  void DeleteEnd(const std::string& name);

  // Leads the end to that server name, which need not be registered yet.
  // REQUIRES: the end exists.
  void Connect(const std::string& end_name, const std::string& server_name);

  // Switches the end on or off. REQUIRES: the end exists.
  void Enable(const std::string& end_name, bool enabled);

  // Registers `server`, in place of the one with that name if there is one.
  void AddServer(const std::string& name, std::shared_ptr<Server> server);

  // Deletes the server; ends still lead to its name.
  void DeleteServer(const std::string& name);

  // What the network does to messages; may change at any moment, for calls made
  // from then on.
  void Reliable(bool yes);
  void LongReordering(bool yes);
  void LongDelays(bool yes);
  bool IsReliable() const;
  bool IsLongReordering() const;
  bool IsLongDelays() const;

  // The calls whose handler was started on the server object registered now;
  // 0 if there is none.
  int64_t GetCount(const std::string& server_name) const;

  // All calls accepted, and the bytes of their arguments and of the replies
  // handed to callers. Never reset.
  int64_t GetTotalCount() const;
  int64_t GetTotalBytes() const;

  // `observer` sees every message (packet.h), `tap` decides about it (tap.h).
  // REQUIRES: no call was made yet.
  void SetObserver(Observer observer);
  void SetTap(Tap tap);

  // Releases the message of that call that the tap holds; false if there is
  // none. A request is then decided like a new one; a reply reaches its caller
  // without further checks.
  bool Release(uint64_t call);

  // Ends the network: calls in progress fail at once (their callbacks have
  // returned when this returns), running handlers are waited for, but not their
  // later answers, threads are joined, servers released. Later calls fail at
  // once and are not counted; their callbacks are dropped without being run.
  // Idempotent. A callback may run on this thread.
  // REQUIRES: not called from a handler or callback, nor under a lock that one
  // takes; one thread at a time.
  void Cleanup();

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace labrpc

#endif  // LABRPC_NETWORK_H_
