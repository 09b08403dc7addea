// Tests of what is no C++: the scripts in tests/, and the code that the
// pages show. They are here so that `make test` covers them.
//
// The tree is found from the program, <root>/out/<variant>/raft_tests; so the
// current directory does not matter.

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace tests {
namespace {

struct Outcome {
  int status = -1;     // -1 also if it was killed
  std::string output;  // standard error is mixed in
};

std::filesystem::path Root() {
  return std::filesystem::read_symlink("/proc/self/exe")
      .parent_path()
      .parent_path()
      .parent_path();
}

std::string Content(const std::filesystem::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in.good()) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// Runs a shell command in `folder`.
Outcome RunIn(const std::string& folder, const std::string& command) {
  Outcome outcome;
  FILE* const pipe = popen(
      absl::StrCat("exec 2>&1; cd ", Quoted(folder), " && ", command).c_str(),
      "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    outcome.output += buffer;
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

// Runs the tests of one Python package, in Debian's Python, for which Debian's
// libraries are installed. -B: tests add nothing to the source tree.
void ExpectPasses(const std::string& modules) {
  const Outcome outcome = RunIn(
      Root(), absl::StrCat("exec /usr/bin/python3 -B -m unittest ", modules));
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

TEST(Tools, Ci) { ExpectPasses("tools.ci.ci_test"); }

TEST(Tools, Lint) { ExpectPasses("tools.lint.changed_test"); }

TEST(Tools, Compare) {
  ExpectPasses(
      "tools.compare.compare_test tools.compare.crash_test "
      "tools.compare.lab_test tools.compare.names_test "
      "tools.compare.page_test tools.compare.pairing_test "
      "tools.compare.reader_test tools.compare.report_test "
      "tools.compare.services_test tools.compare.sides_test "
      "tools.compare.text_test");
}

TEST(Tools, Grade) {
  ExpectPasses("tools.grade.grade_test tools.handout_test tools.theirs_test");
}

TEST(Tools, Mutants) { ExpectPasses("tools.mutants.mutants_test"); }

// Those of the page itself need Chromium: `make trace-test`.
TEST(Tools, Trace) {
  ExpectPasses("tools.trace.trace_test tools.trace.record_test");
}

TEST(Tools, Stress) { ExpectPasses("tools.stress.stress_test"); }

// Those of the programs need libbenchmark: `make bench-test`.
TEST(Tools, Bench) { ExpectPasses("bench.bench_test"); }

TEST(Tools, Packages) { ExpectPasses("tools.packages_test"); }

TEST(Tools, Process) { ExpectPasses("tools.process_test"); }

TEST(Tools, Sim) { ExpectPasses("tools.seeds.seeds_test"); }

// What the compiler says to a file that begins so, with one of its own.
std::string ErrorsOf(const std::string& body) {
  const std::string file = absl::StrCat(
      "#include <map>\n#include <string>\n#include <vector>\n"
      "#include \"rpc/codec.h\"\n",
      body);
  return RunIn(Root(), absl::StrCat("printf %s ", Quoted(file), " | g++ -w ",
                                    "-std=c++20 -fsyntax-only -I. -x c++ -"))
      .output;
}

size_t CountOf(const std::string& text, const std::string& word) {
  return std::vector<std::string>(absl::StrSplit(text, word)).size() - 1;
}

TEST(Codec, AMissingIncludeIsOneError) {
  const std::string errors = ErrorsOf(
      "struct State { std::vector<std::map<int, int>> field;\n"
      "  auto Fields() { return std::tie(field); } };\n"
      "std::string Save(const State& s) { return rpc::Encode(s); }\n"
      "State Load(const std::string& s) { return *rpc::Decode<State>(s); }\n");
  EXPECT_EQ(CountOf(errors, "error:"), 1U) << errors;
  EXPECT_EQ(CountOf(errors, "<cereal/types/map.hpp>"), 1U) << errors;
}

// The service in the README is the one that TestUnitExample... runs.
TEST(Readme, ShowsTheExampleAsItIs) {
  const std::vector<std::string> parts = absl::StrSplit(
      Content(Root() / "examples/counter/counter.h"), "// [docs]\n");
  ASSERT_EQ(parts.size(), 3u);
  const std::string block = absl::StrCat("```cpp\n", parts[1], "```\n");
  EXPECT_NE(Content(Root() / "README.md").find(block), std::string::npos)
      << "README.md should show:\n"
      << block;
}

}  // namespace
}  // namespace tests
