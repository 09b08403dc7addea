// Unit tests of tests/runner/durations.h.

#include "tests/runner/durations.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace runner {
namespace {

using Seconds = Durations::Duration;

std::string NewFile() {
  return absl::StrCat(testing::TempDir(), "/durations", getpid());
}

TEST(Durations, AreThereInTheNextRun) {
  const std::string file = NewFile();
  Durations first(file);
  EXPECT_EQ(first.Of("TestA"), std::nullopt);
  first.Set("TestA", Seconds(1.5));
  first.Set("TestB", Seconds(2));
  first.Save();

  Durations second(file);
  EXPECT_EQ(second.Of("TestA"), Seconds(1.5));
  second.Set("TestA", Seconds(3));
  second.Save();

  EXPECT_EQ(Durations(file).Of("TestA"), Seconds(3));
  EXPECT_EQ(Durations(file).Of("TestB"), Seconds(2)) << "not run, not lost";
  std::filesystem::remove(file);
}

TEST(Durations, WhatCannotBeReadIsLeftOut) {
  const std::string file = NewFile();
  std::ofstream(file) << "TestA 1\nTestB two\nTestC 3\n";
  EXPECT_EQ(Durations(file).Of("TestA"), Seconds(1));
  EXPECT_EQ(Durations(file).Of("TestB"), std::nullopt);
  std::filesystem::remove(file);
}

TEST(Durations, WhatCannotBeWrittenIsNoError) {
  Durations durations("/nowhere/durations");
  durations.Set("TestA", Seconds(1));
  durations.Save();
  EXPECT_FALSE(std::filesystem::exists("/nowhere"));
}

}  // namespace
}  // namespace runner
