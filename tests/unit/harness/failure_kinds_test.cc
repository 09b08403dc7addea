// What counts as liveness and as economy: the sources' kinds against the
// wording of the course's messages, which people and older logs know.
//
// The tree is found from the program, <root>/out/<variant>/raft_tests.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

// These say that something came too late. All messages that are in neither list
// are of safety, "didn't find a value", "got index 3 but expected 2" and
// "Start() failed" among them: what was committed is lost, or what was promised
// was not given.
constexpr std::string_view kLiveness[] = {
    "expected one leader, got none",
    "servers disagree on term",
    "failed to reach agreement",
    " decided for index ",
    "term changed too often",
    "leader rejected Start()",
    "leader2 rejected Start()",
    "kTimeLimitMessage",
    "no server executed a command within 10 s",
    "expected \", what, \" within 20 s",
    // In scenarios.
    "S0, the leader, sent S",
    "S0 does not lead term ",
    "S0 has sent ",
    "S1 led term ",
    "S1 starts no election while ",
    // Of services.
    "does not return",
    "did not complete",
    "did not execute a command within 10 s",
    "a call that waited ends without a result",
    "Submit didn't stop after shutdown",
    "Submit after healing didn't return",
    "Dec's in minority completed; Submit returns {}",
    "Operations completed too slowly ",
    "expected S\", leader, \" to lead",
    " threads are left by ",
    // Of the shard controller.
    "Leader not found",
    "nothing is left (G6)",
};

// These, that it took more messages than it should.
constexpr std::string_view kEconomy[] = {
    "too many RPCs (",
    "too many or few RPCs (",
    "too many RPC bytes",
    "Log size too large",
    // Of services.
    "logs were not trimmed (",
    "snapshot too large (",
    " that wait take ",
    // Of the sharded service.
    ", but maxraftstate ",
    "maxraftstate is -1, but snapshot is non-empty!",
    "snapshot + persisted Raft state are too big: ",
};

// These, that a scenario could not be set up.
constexpr std::string_view kHarness[] = {
    "expected \", what), place",
};

struct Source {
  std::string kind;  // "Safety"
  std::string text;  // of the message, from there to the statement's end
};

// The failures that one file may report.
std::vector<Source> FailuresIn(const fs::path& file) {
  std::ifstream in(file);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  std::vector<Source> found;
  const std::regex call(R"((Fail\(|FoundError\(\s*\{)Kind::k(\w+))");
  for (std::sregex_iterator it(content.begin(), content.end(), call), end;
       it != end; ++it) {
    const auto begin = static_cast<size_t>(it->position() + it->length());
    found.push_back(
        {(*it)[2], content.substr(begin, content.find(";\n", begin) - begin)});
  }
  return found;
}

std::vector<Source> FailuresOfTheSuite() {
  const fs::path tests = fs::read_symlink("/proc/self/exe")
                             .parent_path()
                             .parent_path()
                             .parent_path() /
                         "tests";
  std::vector<Source> all;
  for (const char* folder :
       {"raft", "rsm", "kvraft", "shardctrler", "shardkv", "harness"}) {
    for (const auto& entry : fs::directory_iterator(tests / folder)) {
      if (entry.path().extension() != ".cc") continue;
      std::ranges::move(FailuresIn(entry.path()), std::back_inserter(all));
    }
  }
  return all;
}

std::string KindOf(const std::string& text) {
  const auto contains = [&text](std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  if (std::ranges::any_of(kLiveness, contains)) return "Liveness";
  if (std::ranges::any_of(kEconomy, contains)) return "Economy";
  if (std::ranges::any_of(kHarness, contains)) return "Harness";
  return "Safety";
}

TEST(FailureKinds, LivenessIsWhatOnlyCameTooLate) {
  const std::vector<Source> all = FailuresOfTheSuite();
  EXPECT_GT(all.size(), 90U);
  for (const Source& failure : all) {
    EXPECT_EQ(failure.kind, KindOf(failure.text)) << failure.text;
  }
}

}  // namespace
}  // namespace harness
