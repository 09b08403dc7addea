#include "sim/real.h"

#include <dlfcn.h>
#include <string.h>

namespace sim {
namespace {

constinit RealFunctions table = {};
constinit bool looked_up = false;

// The C library has two kinds of condition variables; this asks for the one
// that programs have been built with for the last twenty years.
void* FindCondition(void* found, const char* name) {
  Dl_info place = {};
  // A sanitizer's interceptor has no version.
  const bool is_c_library = dladdr(found, &place) != 0 &&
                            strstr(place.dli_fname, "/libc.so") != nullptr;
  void* const second =
      is_c_library ? dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2") : nullptr;
  return second != nullptr ? second : found;
}

void* Find(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  const bool is_condition = strstr(name, "pthread_cond_") == name;
  return is_condition ? FindCondition(found, name) : found;
}

void LookUpAll() {
#define SIM_ASSIGN(field, name) \
  table.field = reinterpret_cast<decltype(table.field)>(Find(name));
#define SIM_LOOK_UP(name) SIM_ASSIGN(name, #name)
  SIM_REAL_FUNCTIONS(SIM_LOOK_UP)
  SIM_ASSIGN(cxa_thread_atexit, "__cxa_thread_atexit")
  SIM_ASSIGN(cxa_guard_acquire, "__cxa_guard_acquire")
  SIM_ASSIGN(cxa_guard_release, "__cxa_guard_release")
  SIM_ASSIGN(cxa_guard_abort, "__cxa_guard_abort")
  SIM_ASSIGN(random_device, "_ZNSt13random_device9_M_getvalEv")
#undef SIM_LOOK_UP
#undef SIM_ASSIGN
  looked_up = true;
}

}  // namespace

const RealFunctions& Real() {
  if (__builtin_expect(!looked_up, 0)) LookUpAll();
  return table;
}

uint64_t RealNow() {
  timespec now = {};
  Real().clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace sim
