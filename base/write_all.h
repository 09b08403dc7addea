// Writing to a file descriptor, whole.
//
// Thread safety: safe; writes of several threads may mix.

#ifndef BASE_WRITE_ALL_H_
#define BASE_WRITE_ALL_H_

#include <string_view>

namespace base {

// Writes all of `bytes` to `fd`, blocking if need be; gives up at the first
// error.
void WriteAll(int fd, std::string_view bytes);

}  // namespace base

#endif  // BASE_WRITE_ALL_H_
