// Unit tests of porcupine/command.h: the exit status and what is printed, for
// each kind of file.

#include "porcupine/command.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace porcupine {
namespace {

struct Ended {
  int status = -1;
  std::string out;
  std::string err;
};

class PorcupineCommand : public testing::Test {
 protected:
  ~PorcupineCommand() override { std::filesystem::remove_all(folder_); }

  // The command on a file with these lines.
  Ended Run(const std::string& lines, const Budget& budget = {},
            const std::string& name = "history.ndjson") {
    const std::filesystem::path file = folder_ / name;
    std::ofstream(file) << lines;
    return RunOn(file, budget);
  }

  static Ended RunOn(const std::string& file, const Budget& budget = {}) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = CheckFile(file, budget, out, err);
    return {status, out.str(), err.str()};
  }

  std::filesystem::path folder() const { return folder_; }

 private:
  static std::filesystem::path MakeFolder() {
    std::string name = std::filesystem::temp_directory_path() / "commandXXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }

  const std::filesystem::path folder_ = MakeFolder();
};

// Two operations of which the second is a stale read, at these milliseconds.
std::string StaleRead(const std::string& key, int begin = 1) {
  const auto times = [&](int from) {
    return absl::StrCat(R"(,"call":)", begin + from, R"(250000,"return":)",
                        begin + from, "750000}\n");
  };
  const std::string operation =
      absl::StrCat(R"({"client":1,"key":")", key, R"(","op":)");
  return absl::StrCat(operation, R"("append","value":"x")", times(0), operation,
                      R"("get","result":"")", times(1));
}

TEST_F(PorcupineCommand, Linearizable) {
  const Ended ended = Run(
      R"({"client":1,"key":"k","op":"put","value":"x","call":1,"return":4}
{"client":2,"key":"k","op":"get","result":"","call":2,"return":3}
)");
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.out,
            "ok: 2 operations on 1 keys, up to 2 at once on a key; 1 keys "
            "linearizable, 0 not, 0 undecided\n");
  EXPECT_EQ(ended.err, "");
}

TEST_F(PorcupineCommand, NotLinearizable) {
  const Ended ended = Run(StaleRead("k"));
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.out,
            "illegal: 2 operations on 1 keys, up to 1 at once on a key; 0 keys "
            "linearizable, 1 not, 0 undecided\n"
            "\n"
            "key 'k': lost write: client 1's get (2.250 ms to 2.750 ms) shows "
            "'', without 'x', but client 1's append (1.250 ms to 1.750 ms) had "
            "returned before it was called\n"
            "\n"
            "These operations contradict each other, in whatever order (all "
            "were tried):\n"
            "      1.250 ms     1.750 ms  client 1    append 'x'\n"
            "      2.250 ms     2.750 ms  client 1    get -> ''\n"
            "\n"
            "First impossible when client 1's get (2.250 ms to 2.750 ms) "
            "returned.\n"
            "\n"
            "Since no operation was in progress for the last time, 1 were "
            "called:\n"
            "      2.250 ms     2.750 ms  client 1    get -> ''\n"
            "  from 'x', written 1 times\n");
  EXPECT_EQ(ended.err, "");
}

// The first keys in full, the others by name, and of very many the first names.
TEST_F(PorcupineCommand, EachKeyThatIsNotLinearizable) {
  std::string lines;
  for (const char* key : {"e", "a", "d", "b", "c"}) lines += StaleRead(key);
  Ended ended = Run(lines);
  EXPECT_EQ(ended.status, 1);
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_NE(ended.out.find(absl::StrCat("\nkey '", key, "': lost write")),
              std::string::npos)
        << ended.out;
  }
  EXPECT_EQ(ended.out.find("\nkey 'd'"), std::string::npos);
  EXPECT_TRUE(ended.out.ends_with(
      "\nNot explained: 2 more of the keys that are not linearizable: 'd', "
      "'e'\n"))
      << ended.out;

  for (int i = 10; i < 30; ++i) lines += StaleRead(absl::StrCat("z", i));
  ended = Run(lines);
  EXPECT_TRUE(ended.out.ends_with(
      "\nNot explained: 22 more of the keys that are not linearizable: 'd', "
      "'e', 'z10', 'z11', 'z12', 'z13', 'z14', 'z15', 'z16', 'z17', ...\n"))
      << ended.out;
}

// Jepsen's have no times, but places.
TEST_F(PorcupineCommand, JepsensTimesAreCounted) {
  const Ended ended = Run(
      R"({:process 0, :type :invoke, :f :write, :value 3}
{:process 0, :type :ok, :f :write, :value 3}
{:process 0, :type :invoke, :f :read, :value nil}
{:process 0, :type :ok, :f :read, :value 4}
)",
      {}, "history.edn");
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.out.find("client 0's get (3 to 4)"), std::string::npos)
      << ended.out;
}

// Values are written twice, so only a search can tell.
TEST_F(PorcupineCommand, BudgetDoesNotSuffice) {
  std::string lines;
  for (int i = 0; i < 4; ++i) {
    absl::StrAppend(&lines, R"({"client":)", i,
                    R"(,"key":"k","op":"append","value":"x","call":1,)",
                    "\"return\":9}\n");
  }
  lines += R"({"client":9,"key":"k","op":"get","result":"xxxx","call":10,)"
           "\"return\":11}\n";
  EXPECT_EQ(Run(lines).status, 0);
  const Ended ended = Run(lines, {.steps = 1});
  EXPECT_EQ(ended.status, 3);
  EXPECT_TRUE(ended.out.starts_with("unknown: 5 operations on 1 keys"));
  EXPECT_NE(ended.out.find("\nundecided: key 'k' with 5 operations, up to 4 at "
                           "once, after 1 steps\n"),
            std::string::npos)
      << ended.out;
  EXPECT_EQ(ended.err, "");
}

TEST_F(PorcupineCommand, NothingToCheck) {
  const auto refusal = [](const Ended& ended) {
    EXPECT_EQ(ended.status, 2);
    EXPECT_EQ(ended.out, "");
    return ended.err;
  };
  EXPECT_EQ(refusal(RunOn("")),
            "linearizability: which history? say HISTORY=file to make, or "
            "--history=file\n");
  EXPECT_EQ(refusal(RunOn("/no/such/file")),
            "linearizability: /no/such/file: cannot be read\n");
  EXPECT_EQ(
      refusal(Run("{\"client\":1\n")),
      absl::StrCat("linearizability: ", (folder() / "history.ndjson").string(),
                   ": line 1: no JSON object; write each operation as "
                   "one, on one line\n"));
  EXPECT_EQ(refusal(Run(R"({"op":"del"})")),
            absl::StrCat(
                "linearizability: ", (folder() / "history.ndjson").string(),
                ": line 1: unknown operation 'del'; the field 'op' is one of "
                "get, put, append, get_and_append, cas, versioned_get, "
                "versioned_put\n"));
  EXPECT_EQ(
      refusal(Run("{:process 0}", {}, "history.edn")),
      absl::StrCat("linearizability: ", (folder() / "history.edn").string(),
                   ": line 1: an event is a map with :type, :process, "
                   ":f and :value\n"));
}

}  // namespace
}  // namespace porcupine
