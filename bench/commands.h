// The commands of a benchmark: each carries its number, so that a consumer can
// tell at once whether it is the right one.
//
// Thread safety: Make() is confined to one thread; Is() is safe.
// Always true: command number n stands at index n of the log, since one client
// submits them all and a log begins empty.

#ifndef BENCH_COMMANDS_H_
#define BENCH_COMMANDS_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

class Commands {
 public:
  // REQUIRES: bytes >= 8.
  explicit Commands(size_t bytes) : buffer_(bytes, 'x') {}

  // Returns the command; the view holds until the next call.
  std::string_view Make(uint64_t number) {
    std::memcpy(buffer_.data(), &number, sizeof(number));
    return buffer_;
  }

  // Says whether `command` is that number's, to the last byte.
  bool Is(uint64_t number, std::string_view command) const {
    return command.size() == buffer_.size() &&
           std::memcmp(command.data(), &number, sizeof(number)) == 0 &&
           command.substr(sizeof(number)) ==
               std::string_view(buffer_).substr(sizeof(number));
  }

 private:
  std::string buffer_;  // its first eight bytes are the last number made
};

}  // namespace bench

#endif  // BENCH_COMMANDS_H_
