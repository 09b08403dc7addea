#include "tests/runner/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/logging.h"
#include "tests/runner/child.h"
#include "tests/runner/signals.h"

namespace runner {
namespace {

// This program, even if its file has been built again since it started. Death
// tests start it again by the same name.
constexpr char kProgram[] = "/proc/self/exe";
// Of all failed checks together; more than a person reads.
constexpr size_t kMostRecordBytes = 1 << 20;

std::chrono::microseconds Duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::microseconds(time.tv_usec);
}

}  // namespace

Child::Child(ChildCommand command)
    : command_(std::move(command)),
      output_lines_(command_.on_output),
      error_lines_(command_.on_error) {
  // Everything that allocates comes before fork().
  std::vector<std::string> args = command_.args;
  args.insert(args.begin(), kProgram);
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) Exec(parent, argv.data());
  if (pid_ < 0) result_.code = errno;
  for (Pipe* pipe : {&output_, &error_, &records_}) pipe->CloseWriteEnd();
}

void Child::Exec(pid_t parent, char** argv) {
  // A group of its own: what the test starts can be ended with it, and Ctrl-C
  // in a terminal reaches the parent only, which decides.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // died before the line above
  ResetSignals();
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(output_.write_end(), STDOUT_FILENO);
  dup2(error_.write_end(), STDERR_FILENO);
  dup2(records_.write_end(), kRecordFd);
  // A test has no business with other files of the runner's, such as a file of
  // events that was given as /dev/fd/N.
  close_range(kRecordFd + 1, ~0U, 0);
  execv(kProgram, argv);
  _exit(127);
}

void Child::AddStreams(std::vector<pollfd>* fds) const {
  for (const Pipe* pipe : {&output_, &error_, &records_}) {
    if (!pipe->at_end()) fds->push_back({pipe->read_end(), POLLIN, 0});
  }
}

bool Child::Read() {
  const std::string_view output = output_.Read();
  const std::string_view error = error_.Read();
  const std::string_view records = records_.Read();
  output_lines_.Add(output);
  error_lines_.Add(error);
  ReadRecords(records);
  return !output.empty() || !error.empty() || !records.empty();
}

void Child::Attend() {
  Read();
  if (!killed_ && Clock::now() >= deadline()) Kill(ChildResult::End::kTimedOut);
}

void Child::Kill(ChildResult::End why) {
  if (killed_ || pid_ <= 0) return;
  killed_ = true;
  result_.end = why;
  kill(-pid_, SIGKILL);
  // The group does not exist yet if the child has not come that far.
  kill(pid_, SIGKILL);
}

bool Child::HasEnded() const {
  if (pid_ <= 0) return true;
  siginfo_t info = {};
  const int options = WEXITED | WNOHANG | WNOWAIT;
  PCHECK(waitid(P_PID, static_cast<id_t>(pid_), &info, options) == 0);
  return info.si_pid == pid_;
}

void Child::Reap() {
  result_.took = Clock::now() - start_;
  if (pid_ <= 0) return;
  // It is not waited for yet, so no other group can have its number.
  kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage = {};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result_.cpu = Duration(usage.ru_utime) + Duration(usage.ru_stime);
  if (!killed_) SetEnd(status);
}

void Child::SetEnd(int status) {
  const bool exited = WIFEXITED(status);
  result_.end =
      exited ? ChildResult::End::kExited : ChildResult::End::kSignalled;
  result_.code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
}

ChildResult Child::Finish() {
  // A pipe holds a megabyte at most. There is an end even if a process that
  // cannot be killed writes on.
  constexpr int kMostReads = 17;
  for (int i = 0; i < kMostReads && Read(); ++i) {
  }
  output_lines_.Finish();
  error_lines_.Finish();
  return std::move(result_);
}

void Child::ReadRecords(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte == '\0') {
      TakeRecord(partial_record_);
      partial_record_.clear();
    } else if (partial_record_.size() < kMostRecordBytes) {
      partial_record_.push_back(byte);
    }
  }
}

void Child::TakeRecord(const std::string& record) {
  if (record.empty()) return;
  const std::string fields = record.substr(1);
  int64_t number = 0;
  switch (record[0]) {
    case kEnded:
      result_.ran_to_end = true;
      break;
    case kLate:
      if (absl::SimpleAtoi(fields, &number)) {
        result_.late = std::chrono::milliseconds(number);
      }
      break;
    case kSkipped:
      result_.skipped = true;
      TakeCheck(fields);
      break;
    case kFailure:
      result_.has_failed = true;
      TakeCheck(fields);
      break;
    default:
      break;
  }
}

void Child::TakeCheck(const std::string& fields) {
  record_bytes_ += fields.size();
  if (record_bytes_ > kMostRecordBytes) {
    ++result_.checks_cut;
    return;
  }
  std::vector<std::string> parts =
      absl::StrSplit(fields, absl::MaxSplits('\n', 3));
  parts.resize(4);
  result_.checks.push_back({.kind = std::move(parts[0]),
                            .way = std::move(parts[1]),
                            .place = std::move(parts[2]),
                            .message = std::move(parts[3])});
}

}  // namespace runner
