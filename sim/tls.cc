#include "sim/tls.h"

#include <errno.h>
#include <link.h>
#include <string.h>

#include "sim/arena.h"
#include "sim/raw.h"
#include "sim/sched.h"

namespace sim {
namespace {

// As many keys as the C library has (PTHREAD_KEYS_MAX).
constexpr int kMaxKeys = 1024;
// How often destructors may set new values (PTHREAD_DESTRUCTOR_ITERATIONS).
constexpr int kRounds = 4;

struct Key {
  bool is_used;
  void (*destructor)(void*);
};
constinit Key keys[kMaxKeys] = {};
constinit ThreadExit* free_exits = nullptr;

// The thread-local storage of a program file or library: where it is, counted
// from the thread pointer, and what a new thread finds in it.
struct Module {
  intptr_t offset;
  const void* image;
  size_t image_size;
  size_t size;
};
constexpr int kMaxModules = 128;
constinit Module modules[kMaxModules] = {};
constinit int module_count = -1;  // -1: not looked up yet

// These must not forget: malloc's caches and the thread's own control data are
// the C library's, the state of a living real thread the sanitizers'.
bool KeepsItsState(const char* library) {
  for (const char* name : {"/libc.so", "/ld-linux", "/libasan", "/libtsan",
                           "/libubsan", "/liblsan"}) {
    if (strstr(library, name) != nullptr) return true;
  }
  return false;
}

int AddModule(dl_phdr_info* info, size_t, void*) {
  if (info->dlpi_tls_data == nullptr || module_count == kMaxModules ||
      KeepsItsState(info->dlpi_name)) {
    return 0;
  }
  const auto data = reinterpret_cast<intptr_t>(info->dlpi_tls_data);
  const auto base = reinterpret_cast<intptr_t>(__builtin_thread_pointer());
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    modules[module_count++] = {
        data - base,
        reinterpret_cast<const void*>(info->dlpi_addr + header.p_vaddr),
        header.p_filesz, header.p_memsz};
  }
  return 0;
}

void RunDestructors(Thread* thread) {
  while (thread->exits != nullptr) {
    ThreadExit* const last = thread->exits;
    thread->exits = last->next;
    const ThreadExit exit = *last;
    last->next = free_exits;
    free_exits = last;
    exit.function(exit.object);
  }
}

// Returns false if there was nothing to do.
bool RunKeyDestructors() {
  bool any = false;
  for (pthread_key_t key = 0; key < kMaxKeys; ++key) {
    void* const value = keys[key].is_used ? pthread_getspecific(key) : nullptr;
    if (value == nullptr) continue;
    pthread_setspecific(key, nullptr);
    if (keys[key].destructor == nullptr) continue;
    any = true;
    keys[key].destructor(value);
  }
  return any;
}

}  // namespace

void AddThreadExit(Thread* thread, void (*function)(void*), void* object) {
  ThreadExit* exit = free_exits;
  if (exit != nullptr) {
    free_exits = exit->next;
  } else {
    exit = AllocateForever<ThreadExit>();
  }
  *exit = {function, object, thread->exits};
  thread->exits = exit;
}

void KeyCreated(pthread_key_t key, void (*destructor)(void*)) {
  if (key < kMaxKeys) keys[key] = {true, destructor};
}

void KeyDeleted(pthread_key_t key) {
  if (key < kMaxKeys) keys[key] = {false, nullptr};
}

void RunThreadExits(Thread* thread) {
  RunDestructors(thread);
  for (int round = 0; round < kRounds && RunKeyDestructors(); ++round) {
    RunDestructors(thread);
  }
}

void ResetThreadLocals() {
  if (module_count < 0) {
    module_count = 0;
    dl_iterate_phdr(AddModule, nullptr);
  }
  Thread* const me = self;
  char* const base = static_cast<char*>(__builtin_thread_pointer());
  for (int i = 0; i < module_count; ++i) {
    const Module& module = modules[i];
    Copy(base + module.offset, module.image, module.image_size);
    Zero(base + module.offset + module.image_size,
         module.size - module.image_size);
  }
  self = me;
  errno = 0;
}

}  // namespace sim
