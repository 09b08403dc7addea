#include "sim/tls.h"

#include <errno.h>
#include <link.h>
#include <locale.h>
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

// The thread-local storage of a program file or library that was there when the
// program started: where it is, counted from the thread pointer, the same in
// every thread; and what a new thread finds in it.
struct Module {
  intptr_t offset;
  const void* image;
  size_t image_size;
  size_t size;
};
constexpr int kMaxModules = 128;
constinit Module modules[kMaxModules] = {};
constinit int module_count = 0;
// dlopen() adds some whose place differs from thread to thread.
constinit bool has_dynamic = false;
constinit uint64_t loads_seen = 0;

// These must not forget: malloc's caches and the thread's own control data are
// the C library's, the state of a living real thread the sanitizers'.
bool KeepsItsState(const char* library) {
  for (const char* name : {"/libc.so", "/ld-linux", "/libasan", "/libtsan",
                           "/libubsan", "/liblsan"}) {
    if (strstr(library, name) != nullptr) return true;
  }
  return false;
}

// The C library puts what is there from the start right below the thread
// pointer, and all else elsewhere.
bool IsStatic(intptr_t offset) {
  constexpr intptr_t kFarthest = 256 << 10;
  return -kFarthest < offset && offset < 0;
}

void Reset(char* data, const Module& module) {
  Copy(data, module.image, module.image_size);
  Zero(data + module.image_size, module.size - module.image_size);
}

// Calls use(data, module) if the object has such storage in this thread.
template <typename Use>
void WithModule(const dl_phdr_info& info, Use use) {
  if (info.dlpi_tls_data == nullptr || KeepsItsState(info.dlpi_name)) return;
  char* const data = static_cast<char*>(info.dlpi_tls_data);
  char* const base = static_cast<char*>(__builtin_thread_pointer());
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    const uintptr_t image = info.dlpi_addr + header.p_vaddr;
    use(data, Module{data - base, reinterpret_cast<const void*>(image),
                     header.p_filesz, header.p_memsz});
  }
}

int NoteModule(dl_phdr_info* info, size_t, void*) {
  loads_seen = info->dlpi_adds;
  WithModule(*info, [](char*, const Module& module) {
    if (IsStatic(module.offset) && module_count < kMaxModules) {
      modules[module_count++] = module;
    } else {
      has_dynamic = true;
    }
  });
  return 0;
}

int ResetDynamicModule(dl_phdr_info* info, size_t, void*) {
  WithModule(*info, [](char* data, const Module& module) {
    if (!IsStatic(module.offset)) Reset(data, module);
  });
  return 0;
}

// Stops at the first object: only the count is wanted.
int ReadLoads(dl_phdr_info* info, size_t, void* loads) {
  *static_cast<uint64_t*>(loads) = info->dlpi_adds;
  return 1;
}

// Looks again when something was loaded. What is loaded but not used yet by
// this thread has no storage in it: it may be of either kind.
void NoteModules() {
  uint64_t loads = 0;
  dl_iterate_phdr(ReadLoads, &loads);
  if (loads == loads_seen) return;
  has_dynamic = loads_seen != 0;
  module_count = 0;
  dl_iterate_phdr(NoteModule, nullptr);
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

void ForgetKeysInUse() {
  for (pthread_key_t key = 0; key < kMaxKeys; ++key) {
    if (keys[key].is_used && pthread_getspecific(key) != nullptr) {
      KeyDeleted(key);
    }
  }
}

void RunThreadExits(Thread* thread) {
  RunDestructors(thread);
  for (int round = 0; round < kRounds && RunKeyDestructors(); ++round) {
    RunDestructors(thread);
  }
  // What destructors have set in the last round is leaked, not inherited.
  for (pthread_key_t key = 0; key < kMaxKeys; ++key) {
    if (keys[key].is_used) pthread_setspecific(key, nullptr);
  }
}

void ResetThreadLocals() {
  Thread* const me = self;
  NoteModules();
  char* const base = static_cast<char*>(__builtin_thread_pointer());
  for (int i = 0; i < module_count; ++i) {
    Reset(base + modules[i].offset, modules[i]);
  }
  if (has_dynamic) dl_iterate_phdr(ResetDynamicModule, nullptr);
  uselocale(LC_GLOBAL_LOCALE);
  self = me;
  errno = 0;
}

}  // namespace sim
