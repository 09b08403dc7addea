#include "tests/runner/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_split.h"
#include "base/logging.h"
#include "tests/runner/child.h"

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;

// This program, even if its file has been built again since it started. Death
// tests start it again by the same name.
constexpr char kProgram[] = "/proc/self/exe";
constexpr size_t kLongestLine = 64 << 10;
constexpr std::array kInterrupts = {SIGINT, SIGTERM, SIGHUP};

volatile sig_atomic_t interrupted = 0;

sigset_t InterruptSet() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kInterrupts) sigaddset(&set, signal);
  return set;
}

// One pipe from the child; our end never blocks.
class Pipe {
 public:
  Pipe() {
    int fds[2];
    PCHECK(pipe2(fds, O_CLOEXEC) == 0);
    read_end_ = fds[0];
    fcntl(read_end_, F_SETFL, O_NONBLOCK);
    // Out of the way of the numbers that the child dup2()s it to.
    write_end_ = fcntl(fds[1], F_DUPFD_CLOEXEC, 10);
    PCHECK(write_end_ >= 0);
    close(fds[1]);
  }
  ~Pipe() {
    CloseWriteEnd();
    close(read_end_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return read_end_; }
  int write_end() const { return write_end_; }
  bool at_end() const { return at_end_; }

  void CloseWriteEnd() {
    if (write_end_ >= 0) close(write_end_);
    write_end_ = -1;
  }

  // Returns what there is to read, a buffer full at most; nothing at the end
  // of the stream too, which at_end() then tells.
  std::string_view Read() {
    ssize_t count = 0;
    do {
      count = read(read_end_, buffer_.data(), buffer_.size());
    } while (count < 0 && errno == EINTR);
    if (count == 0 || (count < 0 && errno != EAGAIN)) at_end_ = true;
    return {buffer_.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))};
  }

 private:
  int read_end_ = -1;
  int write_end_ = -1;
  bool at_end_ = false;
  std::array<char, 64 << 10> buffer_;
};

// One child from its start to its end.
class Child {
 public:
  explicit Child(const ChildCommand& command)
      : command_(command),
        output_lines_(command.on_output),
        error_lines_(command.on_error) {}

  ChildResult Run() {
    Start();
    if (pid_ < 0) return result_;
    while (!exit_info_.has_value()) {
      WaitForNews();
      ReadAll();
      CheckForEnd();
    }
    Reap();
    return result_;
  }

 private:
  void Start();
  [[noreturn]] void ExecChild(pid_t parent, char** argv);
  void WaitForNews();
  bool ReadAll();
  void ReadRecords(std::string_view bytes);
  void TakeRecord(const std::string& record);
  void CheckForEnd();
  void Kill(ChildResult::End why);
  void Reap();

  const ChildCommand& command_;
  const Clock::time_point start_ = Clock::now();
  pid_t pid_ = -1;
  Pipe output_;
  Pipe error_;
  Pipe records_;
  LineSplitter output_lines_;
  LineSplitter error_lines_;
  std::string partial_record_;
  bool killed_ = false;  // result_.end then says why
  std::optional<siginfo_t> exit_info_;
  ChildResult result_;
};

void Child::Start() {
  // Everything that allocates comes before fork().
  std::vector<std::string> args = command_.args;
  args.insert(args.begin(), kProgram);
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) ExecChild(parent, argv.data());
  if (pid_ < 0) result_.code = errno;
  for (Pipe* pipe : {&output_, &error_, &records_}) pipe->CloseWriteEnd();
}

void Child::ExecChild(pid_t parent, char** argv) {
  // A group of its own: what the test starts can be ended with it, and Ctrl-C
  // in a terminal reaches the parent only, which decides.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // died before the line above
  for (const int number : kInterrupts) signal(number, SIG_DFL);
  const sigset_t set = InterruptSet();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
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

// Returns when there is something to read, a signal came or time is up. The end
// of the records means that the child is ending: only it has that pipe, while
// processes that it started may keep the others open.
void Child::WaitForNews() {
  std::array<pollfd, 3> fds;
  nfds_t count = 0;
  for (const Pipe* pipe : {&output_, &error_, &records_}) {
    if (!pipe->at_end()) fds[count++] = {pipe->read_end(), POLLIN, 0};
  }
  std::chrono::nanoseconds patience = start_ + command_.limit - Clock::now();
  if (records_.at_end() || killed_) patience = std::chrono::milliseconds(2);
  patience = std::max(patience, std::chrono::nanoseconds(0));
  const timespec timeout = {patience.count() / 1'000'000'000,
                            patience.count() % 1'000'000'000};
  sigset_t allowed;
  sigprocmask(SIG_SETMASK, nullptr, &allowed);
  for (const int signal : kInterrupts) sigdelset(&allowed, signal);
  ppoll(fds.data(), count, &timeout, &allowed);
}

// Returns false if there was nothing.
bool Child::ReadAll() {
  const std::string_view output = output_.Read();
  const std::string_view error = error_.Read();
  const std::string_view records = records_.Read();
  output_lines_.Add(output);
  error_lines_.Add(error);
  ReadRecords(records);
  return !output.empty() || !error.empty() || !records.empty();
}

void Child::ReadRecords(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte != '\0') {
      partial_record_.push_back(byte);
    } else {
      TakeRecord(partial_record_);
      partial_record_.clear();
    }
  }
}

void Child::TakeRecord(const std::string& record) {
  if (record.empty()) return;
  const char type = record[0];
  if (type == kEnded) result_.ran_to_end = true;
  if (type == kSkipped) result_.skipped = true;
  if (type != kFailure && type != kSkipped) return;
  std::vector<std::string> fields =
      absl::StrSplit(record.substr(1), absl::MaxSplits('\n', 3));
  fields.resize(4);
  result_.checks.push_back({.kind = std::move(fields[0]),
                            .way = std::move(fields[1]),
                            .place = std::move(fields[2]),
                            .message = std::move(fields[3])});
}

void Child::CheckForEnd() {
  if (!killed_ && interrupted != 0) Kill(ChildResult::End::kInterrupted);
  if (!killed_ && Clock::now() >= start_ + command_.limit) {
    Kill(ChildResult::End::kTimedOut);
  }
  if (!killed_ && !records_.at_end()) return;
  siginfo_t info = {};
  const int options = WEXITED | WNOHANG | WNOWAIT;
  PCHECK(waitid(P_PID, static_cast<id_t>(pid_), &info, options) == 0);
  if (info.si_pid == pid_) exit_info_ = info;
}

void Child::Kill(ChildResult::End why) {
  killed_ = true;
  result_.end = why;
  kill(-pid_, SIGKILL);
  // The group does not exist yet if the child has not come that far.
  kill(pid_, SIGKILL);
}

// The child has ended but is not waited for yet, so no other group can have its
// number: all processes that it has left are killed, and then none writes any
// more.
void Child::Reap() {
  result_.took = Clock::now() - start_;
  kill(-pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  while (ReadAll()) {
  }
  output_lines_.Finish();
  error_lines_.Finish();
  if (killed_) return;
  const bool exited = exit_info_->si_code == CLD_EXITED;
  result_.end =
      exited ? ChildResult::End::kExited : ChildResult::End::kSignalled;
  result_.code = exit_info_->si_status;
}

void NoteInterrupt(int) { interrupted = 1; }

}  // namespace

void LineSplitter::Add(std::string_view bytes) {
  partial_.append(bytes);
  std::string_view rest = partial_;
  for (size_t end = rest.find('\n'); end != std::string_view::npos;
       end = rest.find('\n')) {
    sink_(std::string(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  if (rest.size() >= kLongestLine) {
    sink_(std::string(rest));
    rest = {};
  }
  partial_.erase(0, partial_.size() - rest.size());
}

void LineSplitter::Finish() {
  if (!partial_.empty()) sink_(partial_);
  partial_.clear();
}

// The signals stay blocked except while RunChild() waits, so that none is lost
// between a look at `interrupted` and the wait.
InterruptGuard::InterruptGuard() {
  struct sigaction action = {};
  action.sa_handler = NoteInterrupt;
  for (const int signal : kInterrupts) sigaction(signal, &action, nullptr);
  const sigset_t set = InterruptSet();
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

InterruptGuard::~InterruptGuard() {
  const sigset_t set = InterruptSet();
  for (const int number : kInterrupts) signal(number, SIG_DFL);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

ChildResult RunChild(const ChildCommand& command) {
  return Child(command).Run();
}

}  // namespace runner
