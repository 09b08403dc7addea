// Unit tests of tests/runner/durations.h.

#include "tests/runner/durations.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace runner {
namespace {

using Seconds = std::chrono::duration<double>;

std::string NewFile() {
  return absl::StrCat(testing::TempDir(), "/durations", getpid());
}

TEST(Durations, AreThereInTheNextRun) {
  const std::string file = NewFile();
  Durations first(file);
  EXPECT_FALSE(first.Of("TestA").has_value());
  first.Set("TestA", {.time = Seconds(1.5), .cpu = Seconds(0.5)});
  first.Set("TestB", {.time = Seconds(2)});
  first.Save();

  Durations second(file);
  EXPECT_EQ(second.Of("TestA")->time, Seconds(1.5));
  EXPECT_EQ(second.Of("TestA")->cpu, Seconds(0.5));
  second.Set("TestA", {.time = Seconds(3)});
  second.Save();

  EXPECT_EQ(Durations(file).Of("TestA")->time, Seconds(3));
  EXPECT_EQ(Durations(file).Of("TestB")->time, Seconds(2))
      << "not run, not lost";
  std::filesystem::remove(file);
}

TEST(Durations, WhatCannotBeReadIsLeftOut) {
  const std::string file = NewFile();
  std::ofstream(file) << "TestA 1 0\nTestB two 0\nTestC 3 0\n";
  EXPECT_EQ(Durations(file).Of("TestA")->time, Seconds(1));
  EXPECT_FALSE(Durations(file).Of("TestB").has_value());
  std::filesystem::remove(file);
}

TEST(Durations, WhatCannotBeWrittenIsNoError) {
  Durations durations("/nowhere/durations");
  durations.Set("TestA", {.time = Seconds(1)});
  durations.Save();
  EXPECT_FALSE(std::filesystem::exists("/nowhere"));
}

}  // namespace
}  // namespace runner
