#include "tests/runner/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/logging.h"

namespace runner {

Pipe::Pipe() {
  int fds[2];
  PCHECK(pipe2(fds, O_CLOEXEC) == 0);
  read_end_ = fds[0];
  fcntl(read_end_, F_SETFL, O_NONBLOCK);
  // Out of the way of the numbers that the child dup2()s it to.
  write_end_ = fcntl(fds[1], F_DUPFD_CLOEXEC, 10);
  PCHECK(write_end_ >= 0);
  close(fds[1]);
}

Pipe::~Pipe() {
  CloseWriteEnd();
  close(read_end_);
}

void Pipe::CloseWriteEnd() {
  if (write_end_ >= 0) close(write_end_);
  write_end_ = -1;
}

std::string_view Pipe::Read() {
  ssize_t count = 0;
  do {
    count = read(read_end_, buffer_.data(), buffer_.size());
  } while (count < 0 && errno == EINTR);
  if (count == 0 || (count < 0 && errno != EAGAIN)) at_end_ = true;
  return {buffer_.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

}  // namespace runner
