// What happens to thread-local things at the end of a thread whose real thread
// continues, for the engine fiber.
//
// Thread safety: for the thread that holds the token; the key functions also
// for others, before any simulation.

#ifndef SIM_TLS_H_
#define SIM_TLS_H_

#include <pthread.h>

#include "sim/thread.h"

namespace sim {

// Has `function(object)` called at the end of the current thread: the
// destructor of a thread_local variable.
void AddThreadExit(Thread* thread, void (*function)(void*), void* object);

// Notes a key of pthread_key_create() and its destructor; KeyDeleted: not any
// more.
void KeyCreated(pthread_key_t key, void (*destructor)(void*));
void KeyDeleted(pthread_key_t key);

// In a real thread that the program does not know yet: forgets the keys that
// have a value there. They are a sanitizer's, and describe the real thread.
void ForgetKeysInUse();

// Does what the end of a real thread does: runs the destructors of thread_local
// variables, then those of thread-specific data.
void RunThreadExits(Thread* thread);

// Gives the current real thread's thread-local storage the contents that a new
// thread finds, except for the C library's own and the sanitizers'.
void ResetThreadLocals();

}  // namespace sim

#endif  // SIM_TLS_H_
