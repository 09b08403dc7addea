// The few operations that the simulator may not take from the C library:
// system calls that no interposer sees, and memory operations that no sanitizer
// takes for the program's own.
//
// Thread safety: free functions without state.

#ifndef SIM_RAW_H_
#define SIM_RAW_H_

#include <linux/futex.h>
#include <sys/syscall.h>

#include <cstddef>

#if !defined(__x86_64__) || !defined(__GLIBC__)
#error "sim/ knows only x86-64 with the GNU C library"
#endif

namespace sim {

// Returns what the kernel returns: a negated errno, if it fails.
inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0,
                       long d = 0, long e = 0, long f = 0) {
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

inline void Zero(void* to, size_t size) {
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(0) : "memory");
}

inline void Copy(void* to, const void* from, size_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// A token between two real threads: Take() blocks until the other has given it.
inline void Give(int* token) {
  __atomic_store_n(token, 1, __ATOMIC_RELEASE);
  RawSyscall(SYS_futex, reinterpret_cast<long>(token), FUTEX_WAKE_PRIVATE, 1);
}

inline void Take(int* token) {
  while (__atomic_load_n(token, __ATOMIC_ACQUIRE) == 0) {
    RawSyscall(SYS_futex, reinterpret_cast<long>(token), FUTEX_WAIT_PRIVATE, 0);
  }
  *token = 0;
}

}  // namespace sim

#endif  // SIM_RAW_H_
