// Program counters to text: function, file and line of each frame of a stack.
//
// Made for reports about a program that is about to end: the stacks of a test
// that hangs, of a simulation that has deadlocked.
//
// Thread safety: compatible; no locks. Allocates memory and starts a process,
// so it is not for signal handlers. Throws nothing.
// Invariants: every program counter has a text; what is not known is left out.

#ifndef BASE_SYMBOLIZE_H_
#define BASE_SYMBOLIZE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace base {

// Program counters, innermost frame first. Each lies within the instruction it
// stands for: a return address is the one after the call, so pass it minus 1.
using Stack = std::vector<uintptr_t>;

// The name of the function at `pc`, or "(unknown function)". Does not block;
// good for leaving frames out before they are looked up.
std::string FunctionName(uintptr_t pc);

// Looks up the places of many stacks at once, in one call of addr2line.
class Symbolizer {
 public:
  // Blocks until addr2line has answered, at most 15 s; some tenths of a second
  // as a rule. Without addr2line or debug information there are only names.
  explicit Symbolizer(const std::vector<Stack>& stacks);

  // One line for each frame, "  Function() file.cc:123\n". If the compiler has
  // inlined other functions there, their places follow, outermost first:
  // "  Raft::Start() raft.cc:40 > mutex.h:86". What lies in the headers of the
  // C++ library is left out where the program's own code stands further out.
  // Frames in shared libraries have a name only.
  // REQUIRES, for places: all of `stack` was among the constructor's stacks.
  std::string Text(const Stack& stack) const;

 private:
  struct Place {
    std::string text;                // "raft.cc:40 > mutex.h:86", or empty
    bool in_library_header = false;  // of the C++ library, all of it
  };

  void LookUp(const std::vector<Stack>& stacks);
  Place PlaceAt(uintptr_t pc) const;

  // What addr2line said of each address in the program's file: path and line,
  // innermost first.
  std::map<uintptr_t, std::vector<std::string>> paths_;
};

}  // namespace base

#endif  // BASE_SYMBOLIZE_H_
