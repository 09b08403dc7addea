// Unit tests of base/write_all.h, over a pipe that is too small.

#include "base/write_all.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace base {
namespace {

std::string Pattern(size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += std::to_string(bytes.size()) + ",";
  return bytes.substr(0, size);
}

// Reads what comes out of the pipe while a thread writes `bytes`.
std::string Passed(const std::string& bytes, bool blocking) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(fcntl(ends[1], F_SETFL, blocking ? 0 : O_NONBLOCK), 0);
  std::thread writer([&] {
    WriteAll(ends[1], bytes);
    close(ends[1]);
  });
  std::string passed;
  char part[5000];
  for (ssize_t size = 0; (size = read(ends[0], part, sizeof(part))) > 0;) {
    passed.append(part, static_cast<size_t>(size));
  }
  writer.join();
  close(ends[0]);
  return passed;
}

TEST(WriteAll, WritesMoreThanFitsAtOnce) {
  const std::string bytes = Pattern(1 << 20);
  EXPECT_EQ(Passed(bytes, /*blocking=*/true), bytes);
  EXPECT_EQ(Passed("", /*blocking=*/true), "");
}

TEST(WriteAll, WaitsForADescriptorThatDoesNotBlock) {
  const std::string bytes = Pattern(1 << 20);
  EXPECT_EQ(Passed(bytes, /*blocking=*/false), bytes);
}

TEST(WriteAll, GivesUpAtAnError) {
  WriteAll(/*fd=*/-1, "lost");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  WriteAll(ends[0], "the end that is read");
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace base
