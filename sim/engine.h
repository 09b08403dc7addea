// The engines: how a simulated thread is made, gets the token, and ends.
//
// native  Each simulated thread is a real one of its own. The token passes
//         through a futex; all are pinned to one processor, or the kernel would
//         spend most of the time moving them.
// fiber   Real threads, the lenders, lend their stacks, thread control blocks
//         and thread-local storage, and sleep until the process ends; the
//         thread that began the simulation runs everything, by switching the
//         stack and the FS base. So thread_local, errno, malloc's caches and
//         sanitizers work. A lender serves one simulated thread after another;
//         what the end of a real thread does is done by hand (tls.h).
//
// Thread safety: for the thread that holds the token.
// Invariants: the order of scheduling points and random draws is the same in
// both engines.

#ifndef SIM_ENGINE_H_
#define SIM_ENGINE_H_

#include "sim/sched.h"
#include "sim/thread.h"

namespace sim {

// Makes the calling thread thread 0 of a simulation that begins. Returns its
// record, to be given to EndMain().
Thread* AdoptMain(Engine engine);
void EndMain(Thread* main);

// Starts a thread as pthread_create() does, with its results.
int StartThread(pthread_t* handle, const pthread_attr_t* attributes,
                void* (*start)(void*), void* argument);

// Ends the current thread, as pthread_exit() does.
[[noreturn]] void ExitThread(void* result);

// The living (or ended, but not joined) thread with this handle, or null.
Thread* FindThread(pthread_t handle);

// Frees the record of a thread that has ended and is joined or detached.
void ReleaseThread(Thread* thread);

// All records, free ones included.
int ThreadCount();
Thread* ThreadAt(int index);

// Hooks::pass_token.
void PassToken(Thread* from, Thread* to);

// Has `thread` note its stack in its record, which the calling thread can then
// read.
void AskForStack(Thread* thread);

// After fork(), in the child: only the calling thread is left, and the lenders
// are gone.
void ForgetOtherThreads();

// What this machine and program can do. SIM_FSGSBASE=off in the environment
// hides the processor's FSGSBASE, so that tests meet a machine without it.
bool HasFsgsbase();
bool HasThreadSanitizer();

}  // namespace sim

#endif  // SIM_ENGINE_H_
