// Which of the mutants that are compiled in is in force; see README.md.
//
// MUTANT is its number: no variable, no mutant. MUTANTS_REACHED is a file with
// a byte for each number, which becomes 1 when the program comes by.
//
// Thread safety: safe; all is read before main().

#ifndef TOOLS_MUTATE_MUTATE_H_
#define TOOLS_MUTATE_MUTATE_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <type_traits>

namespace mutate {

constexpr int kNumbers = 1'000'000;

inline int Chosen() {
  const char* const number = std::getenv("MUTANT");
  return number == nullptr ? 0 : std::atoi(number);
}

// Shared with the file, so that it survives a crash.
inline char* MapReached() {
  const char* const path = std::getenv("MUTANTS_REACHED");
  if (path == nullptr) return nullptr;
  const int file = open(path, O_RDWR);
  if (file < 0) std::abort();
  void* const map =
      mmap(nullptr, kNumbers, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) std::abort();
  close(file);
  return static_cast<char*>(map);
}

inline const int chosen = Chosen();
inline char* const reached = MapReached();

// Whether this mutant is in force; never in what the compiler evaluates.
constexpr bool On(int number) {
  if (std::is_constant_evaluated()) return false;
  if (reached != nullptr) reached[number] = 1;
  return number == chosen;
}

constexpr bool Off(int number) { return !On(number); }

}  // namespace mutate

#endif  // TOOLS_MUTATE_MUTATE_H_
