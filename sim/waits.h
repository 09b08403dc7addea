// The wait-for graph: which thread waits for which.
//
// Thread safety: for the thread that holds the token.

#ifndef SIM_WAITS_H_
#define SIM_WAITS_H_

#include <string>

#include "sim/thread.h"

namespace sim {

// Notes that the current thread runs the function of a pthread_once(), or
// initializes a static variable: threads that need it wait until EndBusy(),
// which wakes them.
void BeginBusy(const void* object);
void EndBusy(const void* object);
bool IsBusy(const void* object);

// The thread for which `thread` waits, or null: the owner of the mutex, the
// thread to be joined. Null too for what any thread may end (condition
// variables), and for readers of a rwlock, which are not known.
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
