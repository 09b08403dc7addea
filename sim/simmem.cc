// Memory accesses as scheduling points: what the compiler calls when it builds
// with -fsanitize=thread, without ThreadSanitizer's library.
//
// Every atomic operation is a scheduling point, and so is one of fifty plain
// accesses. So code that spins on an atomic can be simulated, and updates that
// no lock protects get lost now and then. Only for programs built that way
// (`make sim-mem`); it takes the place of the library at the link.
//
// Thread safety: as the operations that it performs.

#include <cstddef>
#include <cstdint>

#include "sim/sim.h"

namespace {

template <typename T>
T Load(const volatile T* object) {
  sim::Access(/*is_atomic=*/true);
  return __atomic_load_n(object, __ATOMIC_SEQ_CST);
}

template <typename T>
void Store(volatile T* object, T value) {
  sim::Access(/*is_atomic=*/true);
  __atomic_store_n(object, value, __ATOMIC_SEQ_CST);
}

// All others put there what `change` makes of what was there and `value`.
template <typename T>
T Modify(volatile T* object, T value, T (*change)(T before, T value)) {
  sim::Access(/*is_atomic=*/true);
  T before = __atomic_load_n(object, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(object, &before, change(before, value),
                                      /*weak=*/true, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST)) {
  }
  return before;
}

template <typename T>
bool CompareExchange(volatile T* object, T* expected, T desired) {
  sim::Access(/*is_atomic=*/true);
  return __atomic_compare_exchange_n(object, expected, desired,
                                     /*weak=*/false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

template <typename T>
T change_exchange(T, T value) {
  return value;
}
template <typename T>
T change_fetch_add(T before, T value) {
  return static_cast<T>(before + value);
}
template <typename T>
T change_fetch_sub(T before, T value) {
  return static_cast<T>(before - value);
}
template <typename T>
T change_fetch_and(T before, T value) {
  return static_cast<T>(before & value);
}
template <typename T>
T change_fetch_or(T before, T value) {
  return static_cast<T>(before | value);
}
template <typename T>
T change_fetch_xor(T before, T value) {
  return static_cast<T>(before ^ value);
}
template <typename T>
T change_fetch_nand(T before, T value) {
  return static_cast<T>(~(before & value));
}

using Word8 = uint8_t;
using Word16 = uint16_t;
using Word32 = uint32_t;
using Word64 = uint64_t;

}  // namespace

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) { sim::Access(/*is_atomic=*/true); }
void __tsan_atomic_signal_fence(int) {}

// The compiler's names differ by size and nothing else; a template cannot have
// such a name.
#define SIM_PLAIN(size)                                                   \
  void __tsan_read##size(void*) { sim::Access(false); }                   \
  void __tsan_write##size(void*) { sim::Access(false); }                  \
  void __tsan_unaligned_read##size(void*) { sim::Access(false); }         \
  void __tsan_unaligned_write##size(void*) { sim::Access(false); }        \
  void __tsan_volatile_read##size(void*) { sim::Access(true); }           \
  void __tsan_volatile_write##size(void*) { sim::Access(true); }          \
  void __tsan_unaligned_volatile_read##size(void*) { sim::Access(true); } \
  void __tsan_unaligned_volatile_write##size(void*) { sim::Access(true); }

SIM_PLAIN(1)
SIM_PLAIN(2)
SIM_PLAIN(4)
SIM_PLAIN(8)
SIM_PLAIN(16)
#undef SIM_PLAIN

void __tsan_read_range(void*, size_t) { sim::Access(false); }
void __tsan_write_range(void*, size_t) { sim::Access(false); }

#define SIM_MODIFY(bits, name)                                         \
  Word##bits __tsan_atomic##bits##_##name(volatile Word##bits* object, \
                                          Word##bits value, int) {     \
    return Modify(object, value, change_##name<Word##bits>);           \
  }

#define SIM_ATOMIC(bits)                                                     \
  Word##bits __tsan_atomic##bits##_load(const volatile Word##bits* object,   \
                                        int) {                               \
    return Load(object);                                                     \
  }                                                                          \
  void __tsan_atomic##bits##_store(volatile Word##bits* object,              \
                                   Word##bits value, int) {                  \
    Store(object, value);                                                    \
  }                                                                          \
  SIM_MODIFY(bits, exchange)                                                 \
  SIM_MODIFY(bits, fetch_add)                                                \
  SIM_MODIFY(bits, fetch_sub)                                                \
  SIM_MODIFY(bits, fetch_and)                                                \
  SIM_MODIFY(bits, fetch_or)                                                 \
  SIM_MODIFY(bits, fetch_xor)                                                \
  SIM_MODIFY(bits, fetch_nand)                                               \
  int __tsan_atomic##bits##_compare_exchange_strong(                         \
      volatile Word##bits* object, Word##bits* expected, Word##bits desired, \
      int, int) {                                                            \
    return CompareExchange(object, expected, desired) ? 1 : 0;               \
  }                                                                          \
  int __tsan_atomic##bits##_compare_exchange_weak(                           \
      volatile Word##bits* object, Word##bits* expected, Word##bits desired, \
      int, int) {                                                            \
    return CompareExchange(object, expected, desired) ? 1 : 0;               \
  }                                                                          \
  Word##bits __tsan_atomic##bits##_compare_exchange_val(                     \
      volatile Word##bits* object, Word##bits expected, Word##bits desired,  \
      int, int) {                                                            \
    CompareExchange(object, &expected, desired);                             \
    return expected;                                                         \
  }

SIM_ATOMIC(8)
SIM_ATOMIC(16)
SIM_ATOMIC(32)
SIM_ATOMIC(64)
#undef SIM_ATOMIC
#undef SIM_MODIFY

}  // extern "C"
