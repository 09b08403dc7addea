// Runs the test programs, which lie beside this one, as child processes.
//
// Thread safety: for a test's main thread.

#ifndef SIM_TEST_PROGRAMS_H_
#define SIM_TEST_PROGRAMS_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace sim::test {

struct ProgramOutcome {
  int status = -1;  // exit status, or 128 + the signal that ended it
  std::string output;
  std::string errors;
};

// For GoogleTest's messages.
std::ostream& operator<<(std::ostream& out, const ProgramOutcome& outcome);

// Runs program_<name> in this process's environment without its SIM_
// variables, but with `variables`.
ProgramOutcome RunProgram(const std::string& name,
                          const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& variables);

// The value of `key` in a line like "seed=1 hash=5 ..."; empty if it is not
// there.
std::string ValueOf(const std::string& line, const std::string& key);

bool Contains(const std::string& text, const std::string& part);

// A file in the temporary directory, which its destructor removes.
class ScratchFile {
 public:
  ScratchFile();
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::string& path() const { return path_; }
  std::string Content() const;

 private:
  std::string path_;
};

}  // namespace sim::test

#endif  // SIM_TEST_PROGRAMS_H_
