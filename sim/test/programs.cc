#include "sim/test/programs.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/logging.h"

namespace sim::test {
namespace {

std::string PathOf(const std::string& program) {
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path() / ("program_" + program)).string();
}

// Without the SIM_ variables that this process was given, except for what the
// machine can do; without notices, unless `variables` asks for them.
std::vector<std::string> Environment(
    std::map<std::string, std::string> variables) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (strncmp(*entry, "SIM_", 4) != 0) entries.emplace_back(*entry);
  }
  variables.try_emplace("SIM_NOTICE", "off");
  if (const char* const fsgsbase = getenv("SIM_FSGSBASE")) {
    variables.try_emplace("SIM_FSGSBASE", fsgsbase);
  }
  for (const auto& [name, value] : variables) {
    entries.push_back(name + "=" + value);
  }
  return entries;
}

// The pointers to what `strings` keeps, with the null that ends them.
std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& string : *strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Spawn(const std::string& path, std::vector<std::string> arguments,
            std::vector<std::string> environment, const ScratchFile& output,
            const ScratchFile& errors) {
  arguments.insert(arguments.begin(), path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                   output.path().c_str(), O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                   errors.path().c_str(), O_WRONLY, 0);
  pid_t child = -1;
  const int error =
      posix_spawn(&child, path.c_str(), &actions, nullptr,
                  Pointers(&arguments).data(), Pointers(&environment).data());
  CHECK_EQ(error, 0) << path << ": " << strerror(error);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ProgramOutcome& outcome) {
  return out << "status " << outcome.status << "\noutput: " << outcome.output
             << "\nerrors: " << outcome.errors;
}

ProgramOutcome RunProgram(const std::string& name,
                          const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& variables) {
  const ScratchFile output;
  const ScratchFile errors;
  const pid_t child =
      Spawn(PathOf(name), arguments, Environment(variables), output, errors);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) PCHECK(errno == EINTR);
  ProgramOutcome outcome;
  outcome.status =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.output = output.Content();
  outcome.errors = errors.Content();
  return outcome;
}

std::string ValueOf(const std::string& line, const std::string& key) {
  const std::string start = key + "=";
  size_t at = line.find(start);
  // Not the end of a longer key.
  while (at != std::string::npos && at > 0 && line[at - 1] != ' ') {
    at = line.find(start, at + 1);
  }
  if (at == std::string::npos) return "";
  at += start.size();
  return line.substr(at, line.find_first_of(" \n", at) - at);
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ScratchFile::ScratchFile()
    : path_((std::filesystem::temp_directory_path() / "sim_test_XXXXXX")
                .string()) {
  const int fd = mkstemp(path_.data());
  PCHECK(fd >= 0);
  close(fd);
}

ScratchFile::~ScratchFile() { unlink(path_.c_str()); }

std::string ScratchFile::Content() const {
  std::stringstream content;
  content << std::ifstream(path_).rdbuf();
  return content.str();
}

}  // namespace sim::test
