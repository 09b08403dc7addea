// What a test prints, as lines, and not too much of it.
//
// Thread safety: compatible.

#ifndef TESTS_RUNNER_LINES_H_
#define TESTS_RUNNER_LINES_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace runner {

// Gets each line without its line feed.
using LineSink = std::function<void(const std::string& line)>;

// Cuts a stream of bytes into lines.
class LineSplitter {
 public:
  explicit LineSplitter(LineSink sink) : sink_(std::move(sink)) {}

  // Passes on every line that `bytes` completes; a line of more than 64 KiB
  // in pieces.
  void Add(std::string_view bytes);

  // Passes on what is left of an unfinished line.
  void Finish();

 private:
  const LineSink sink_;
  std::string partial_;
};

// Passes lines on up to a number of bytes, then only the last ones: where a
// test ends badly, these tell why.
class LineLimit {
 public:
  LineLimit(size_t most_bytes, LineSink sink)
      : most_(most_bytes), sink_(std::move(sink)) {}

  void Add(const std::string& line);

  // Says how much was cut out, and passes on the last lines.
  void Finish();

 private:
  const size_t most_;
  const LineSink sink_;
  size_t passed_ = 0;             // bytes
  size_t cut_ = 0;                // bytes
  std::deque<std::string> last_;  // held back
  size_t held_ = 0;               // their bytes
};

}  // namespace runner

#endif  // TESTS_RUNNER_LINES_H_
