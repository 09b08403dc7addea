// Other processes: simulated ones that stream sockets connect, as one run.
//
// One process, the hub, has a socket to each of the others; these have only
// that one. send() and recv() are scheduling points, not system calls. Only the
// process that has the turn runs. When its threads all wait it gives the turn
// back, with what was sent, the time, and its earliest timer, and the hub gives
// it to the process that has been sent something, or whose timer is the
// earliest of all. So all runs together repeat exactly, and a message takes no
// time.
//
// The process that sends before it receives is the hub.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_PEER_H_
#define SIM_PEER_H_

#include <sys/types.h>

#include "sim/thread.h"

namespace sim {

inline constexpr int kMaxPeers = 1024;

// Whether it is a stream socket of this machine: that connects two simulated
// processes. Ends the run if it is used with flags.
bool LeadsToPeer(int socket, int flags);

// As send() and recv(), with no flags: whole, and until there is something.
ssize_t SendToPeer(int socket, const void* bytes, size_t size);
ssize_t ReceiveFromPeer(int socket, void* bytes, size_t size);

// No thread can run before `next`. If it is another process's turn, returns
// true when this one has the turn again: threads may be runnable. Else returns
// false: time is to be moved. Hooks::await_peer.
bool AwaitPeer(Time next);

// Another process runs. For the watchdog, in a signal handler.
bool WaitsForTurn();

}  // namespace sim

#endif  // SIM_PEER_H_
