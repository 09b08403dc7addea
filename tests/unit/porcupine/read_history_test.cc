// Unit tests of porcupine/read_history.h: what is read, and what is refused
// with which line.

#include "porcupine/read_history.h"

#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "porcupine/check.h"
#include "tests/unit/porcupine/histories.h"

namespace porcupine {
namespace {

absl::StatusOr<History> Ndjson(const std::string& text) {
  std::istringstream in(text);
  return ReadNdjson(in);
}

absl::StatusOr<History> Edn(const std::string& text) {
  std::istringstream in(text);
  return ReadEdn(in);
}

TEST(PorcupineReadHistory, EachOperation) {
  const absl::StatusOr<History> history = Ndjson(
      R"({"client":1,"key":"k","op":"put","value":"a","call":1,"return":2,"index":7}

{"client":2,"key":"k","op":"append","value":"b","call":3}
{"client":2,"key":"k","op":"get","result":"ab","call":4,"return":5}
{"client":2,"key":"k","op":"get_and_append","value":"c","result":"ab","call":6,"return":7}
{"client":2,"key":"k","op":"cas","value":"d","expected":"abc","call":8,"return":null}
{"client":2,"key":"v","op":"versioned_put","value":"e","version":0,"answer":"err_maybe","call":9,"return":10}
{"client":2,"key":"v","op":"versioned_get","result":"e","version":1,"call":11,"return":12}
{"client":2,"key":"w","op":"versioned_get","answer":"err_no_key","call":-3,"return":-2}
)");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->size(), 8);
  EXPECT_EQ((*history)[0].log_index, 7);
  EXPECT_EQ((*history)[0].argument, "a");
  EXPECT_FALSE((*history)[1].returned.has_value());
  EXPECT_EQ((*history)[3].result, "ab");
  EXPECT_EQ((*history)[4].result, "abc");
  EXPECT_EQ((*history)[5].answer, Answer::kErrMaybe);
  EXPECT_EQ((*history)[6].result_version, 1);
  EXPECT_EQ((*history)[7].call, -3);
  EXPECT_EQ(OutcomeOf(*history), Outcome::kOk);
}

TEST(PorcupineReadHistory, RefusesALineWithItsNumber) {
  const std::string good =
      R"({"client":1,"key":"k","op":"get","result":"","call":1,"return":2})"
      "\n";
  const auto error = [&](const std::string& line) {
    return std::string(Ndjson(good + line + "\n").status().message());
  };
  EXPECT_EQ(error(good), "");
  EXPECT_EQ(error("{"),
            "line 2: no JSON object; write each operation as one, on one line");
  EXPECT_EQ(error(R"({"op":"del"})"),
            "line 2: unknown operation 'del'; the field 'op' is one of get, "
            "put, append, get_and_append, cas, versioned_get, versioned_put");
  EXPECT_EQ(error(R"({"op":"get","key":"k","call":1})"),
            "line 2: the field 'client' must be there");
  EXPECT_EQ(error(R"({"op":"get","client":1,"key":"k","call":1.5})"),
            "line 2: the field 'call' must be an integer of 64 bits");
  EXPECT_EQ(
      error(
          R"({"op":"put","client":1,"key":"k","call":1,"return":2,"value":3})"),
      "line 2: the field 'value' must be a string");
  EXPECT_EQ(
      error(
          R"({"op":"get","client":1,"key":"k","call":1,"return":2,"result":"","valeu":""})"),
      "line 2: unknown field 'valeu' of this operation; remove it");
  EXPECT_EQ(
      error(
          R"({"op":"get","client":1,"key":"k","call":1,"return":2,"answer":"no"})"),
      "line 2: unknown answer 'no'; it is one of ok, err_no_key, err_version, "
      "err_maybe");
  EXPECT_EQ(
      error(
          R"({"op":"get","client":1,"key":"k","call":3,"return":2,"result":""})"),
      "line 2: the operation returns at 2, before its call at 3; take both "
      "times from one monotonic clock");
  EXPECT_EQ(error(R"({"op":"get","client":1,"call":1,"key":")" +
                  std::string(5000, 'k') + "\"}"),
            "line 2: the key has 5000 bytes; at most 4096 are checked");
}

TEST(PorcupineReadHistory, MissingFile) {
  EXPECT_EQ(ReadHistory("/no/such/file").status().message(),
            "/no/such/file: cannot be read");
}

TEST(PorcupineReadHistory, JepsenRegister) {
  const absl::StatusOr<History> history = Edn(
      R"(; a register
{:process 0, :type :invoke, :f :read, :value nil, :time 10, :index 0}
{:process 1, :type :invoke, :f :write, :value 3}
{:process 0, :type :ok, :f :read, :value nil}
{:process :nemesis, :type :info, :f :start, :value {"n1" #{"n2"}}}
{:process 1, :type :info, :f :write, :value 3, :error [:timeout "x"]}
{:process 2, :type :invoke, :f :cas, :value [3 4]}
{:process 2, :type :ok, :f :cas, :value [3 4]}
{:process 0, :type :invoke, :f :cas, :value [7 8]}
{:process 0, :type :fail, :f :cas, :value [7 8]}
#jepsen.history.Op{:process 0, :type :invoke, :f :read, :value nil}
#jepsen.history.Op{:process 0, :type :ok, :f :read, :value 4}
)");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->size(), 4);  // without what failed
  EXPECT_FALSE((*history)[1].returned.has_value());
  EXPECT_EQ(OutcomeOf(*history), Outcome::kOk);
}

TEST(PorcupineReadHistory, JepsenIndependentKeys) {
  const absl::StatusOr<History> history = Edn(
      R"([{:process 0, :type :invoke, :f :write, :value [5 1]}
{:process 1, :type :invoke, :f :cas, :value [6 [1 2]]}
{:process 0, :type :ok, :f :write, :value [5 1]}
{:process 0, :type :invoke, :f :read, :value [5 nil]}
{:process 0, :type :ok, :f :read, :value [5 nil]}])");
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->size(), 3);
  EXPECT_EQ((*history)[0].key, "5");
  EXPECT_EQ((*history)[1].key, "6");
  EXPECT_EQ((*history)[1].result, "1");
  EXPECT_EQ(OutcomeOf(*history), Outcome::kIllegal);
}

TEST(PorcupineReadHistory, RefusesWhatIsNoJepsenHistory) {
  const auto error = [](const std::string& text) {
    return std::string(Edn(text).status().message());
  };
  const std::string read = "{:process 0 :type :invoke :f :read :value nil}\n";
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error("\n\n(1 2"), "line 3: the file ends within a form");
  EXPECT_EQ(error("]"), "line 1: ']' does not belong here");
  EXPECT_EQ(error("{:process 0}"),
            "line 1: an event is a map with :type, :process, :f and :value");
  EXPECT_EQ(error("{:process 0 :type :invoke :f :transfer}"),
            "line 1: unknown operation :transfer; known are :read, :write and "
            ":cas of registers");
  EXPECT_EQ(error(read + read),
            "line 2: process 0 invokes a second operation before its first one "
            "has ended");
  EXPECT_EQ(error("{:process 3 :type :ok :f :read :value 1}"),
            "line 1: process 3 has invoked nothing that could be :ok");
  EXPECT_EQ(error(read + "{:process 0 :type :done :f :read :value 1}"),
            "line 2: unknown type :done; known are :invoke, :ok, :fail and "
            ":info");
  EXPECT_EQ(error("{:process 0 :type :invoke :f :cas :value 3}"),
            "line 1: the value of a :cas is [expected new]");
  EXPECT_EQ(error(std::string(100, '[')),
            "line 1: forms are nested too deeply");
}

}  // namespace
}  // namespace porcupine
