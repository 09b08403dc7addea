// A pipe from a child process to this one.
//
// Thread safety: compatible.

#ifndef TESTS_RUNNER_PIPE_H_
#define TESTS_RUNNER_PIPE_H_

#include <array>
#include <cstddef>
#include <string_view>

namespace runner {

// Our end never blocks; neither is inherited by what is executed.
class Pipe {
 public:
  Pipe();
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return read_end_; }
  int write_end() const { return write_end_; }
  bool at_end() const { return at_end_; }

  void CloseWriteEnd();

  // Returns what there is to read, a buffer full at most, valid until the next
  // call; nothing at the end of the stream too, which at_end() then tells.
  std::string_view Read();

 private:
  int read_end_ = -1;
  int write_end_ = -1;
  bool at_end_ = false;
  std::array<char, 64 << 10> buffer_;
};

}  // namespace runner

#endif  // TESTS_RUNNER_PIPE_H_
