#include "tests/runner/children.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"

namespace runner {
namespace {

namespace fs = std::filesystem;

// "1234 (name) S 1233 ...": the name may hold anything. 0 if it is gone.
pid_t ParentOf(const fs::path& process) {
  std::ifstream in(process / "stat");
  std::string text;
  std::getline(in, text, '\0');
  const size_t end = text.rfind(") ");
  if (end == std::string::npos) return 0;
  return static_cast<pid_t>(std::atoi(text.c_str() + end + 4));
}

bool HasChildren() {
  siginfo_t info = {};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::vector<pid_t> ChildrenOfThisProcess() {
  std::vector<pid_t> children;
  if (!HasChildren()) return children;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(process.path().filename().string(), &pid) &&
        ParentOf(process.path()) == getpid()) {
      children.push_back(pid);
    }
  }
  return children;
}

// Names the variable that marks a test's processes.
constexpr char kMark[] = "RAFT_TESTS_MARK";

// The mark in a process's environment, as it was when its program started;
// empty if there is none.
std::string MarkOf(pid_t process) {
  std::ifstream in(absl::StrCat("/proc/", process, "/environ"));
  const std::string name = absl::StrCat(kMark, "=");
  for (std::string variable; std::getline(in, variable, '\0');) {
    if (variable.starts_with(name)) return variable.substr(name.size());
  }
  return "";
}

}  // namespace

Children::Children(bool several)
    : several_(several), older_(ChildrenOfThisProcess()) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void Children::Start(ChildCommand command, OnEnd on_end) {
  std::string mark;
  if (several_) {
    mark = absl::StrCat(getpid(), ".", ++started_);
    setenv(kMark, mark.c_str(), /*replace=*/1);
  }
  running_.push_back({std::make_unique<Child>(std::move(command)),
                      std::move(mark), std::move(on_end)});
}

void Children::Wait(std::chrono::nanoseconds patience) {
  std::vector<pollfd> fds;
  for (const Running& running : running_) {
    const Child& child = *running.child;
    child.AddStreams(&fds);
    if (child.HasEnded()) patience = std::chrono::nanoseconds(0);
    patience = std::min<std::chrono::nanoseconds>(
        patience, child.deadline() - Clock::now());
  }
  signals_.Wait(&fds, patience);
  for (const Running& running : running_) running.child->Attend();
  // One by one: those that have ended too are no strays.
  for (size_t i = 0; i < running_.size();) {
    if (running_[i].child->HasEnded()) {
      End(i);
    } else {
      ++i;
    }
  }
  ReapStrays();
}

void Children::EndAll() {
  for (const Running& running : running_) {
    running.child->Kill(ChildResult::End::kInterrupted);
  }
  while (!running_.empty()) Wait(std::chrono::seconds(1));
}

void Children::End(size_t index) {
  const Running running = std::move(running_[index]);
  running_.erase(running_.begin() + static_cast<ptrdiff_t>(index));
  running.child->Reap();
  EndStrays();
  running.on_end(running.child->Finish());
}

bool Children::IsStray(pid_t pid) const {
  return std::ranges::find(older_, pid) == older_.end() &&
         std::ranges::none_of(running_, [pid](const Running& running) {
           return running.child->pid() == pid;
         });
}

bool Children::BelongsToARunningTest(pid_t stray) const {
  return several_ && std::ranges::find(running_, MarkOf(stray),
                                       &Running::mark) != running_.end();
}

void Children::EndStrays() {
  // Those of a stray are strays when it is gone. One that cannot be killed is
  // waited for no longer than this.
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(2);
  while (Clock::now() < patience) {
    std::vector<pid_t> strays = ChildrenOfThisProcess();
    std::erase_if(strays, [this](pid_t pid) {
      return !IsStray(pid) || BelongsToARunningTest(pid);
    });
    if (strays.empty()) return;
    for (const pid_t stray : strays) kill(stray, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (const pid_t stray : strays) waitpid(stray, nullptr, WNOHANG);
  }
  LOG(ERROR) << "runner: a process that a test has left cannot be ended";
}

// So that a test no longer sees those that have ended. A test that has ended
// too may be in front of them: then they wait until it has been seen to.
void Children::ReapStrays() {
  siginfo_t info = {};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid > 0 && IsStray(info.si_pid)) {
    waitpid(info.si_pid, nullptr, WNOHANG);
    info = {};
  }
}

}  // namespace runner
