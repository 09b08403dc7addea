// Who waits for whom: the edges of the wait-for graph.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_WAITS_H_
#define SIM_WAITS_H_

#include <string>

#include "sim/thread.h"

namespace sim {

// Notes that the current thread runs the function of a pthread_once(), or
// initialises a static variable: whoever needs it waits until EndBusy(), which
// also wakes them.
void BeginBusy(const void* object);
void EndBusy(const void* object);
bool IsBusy(const void* object);

// The thread that must go on before `thread` can, or null: the owner of the
// mutex, the thread to be joined. Null too for what anybody may end (condition
// variables), and for readers of a rwlock, whom nobody knows.
Thread* HolderOf(const Thread* thread);

// True if `thread` waits for itself, by way of others and without a timeout:
// the wait-for graph has a cycle. Allocates nothing.
bool ClosesCycle(const Thread* thread);

// "thread 1 waits for thread 2, which waits for thread 1". REQUIRES: it does.
std::string DescribeCycle(const Thread* thread);

// What `thread` waits for, in words: "waits for mutex 0x... held by thread 2".
std::string DescribeWait(const Thread* thread);

}  // namespace sim

#endif  // SIM_WAITS_H_
