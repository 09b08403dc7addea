#include "tests/isolation/raft_process.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/logging.h"
#include "gtest/gtest.h"

namespace isolation {
namespace {

std::string Program() {
  const char* const program = std::getenv("RAFT_PROGRAM");
  CHECK(program != nullptr) << "RAFT_PROGRAM must name the program that has the"
                            << " Raft under test (make grade sets it)";
  return program;
}

// What the Raft may know of this process's environment.
std::vector<std::string> Environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    const bool is_simulators =
        name.starts_with("SIM_") && name != "SIM_STATS" && name != "SIM_TRACE";
    if (is_simulators || name == "RAFT_MEMORY_GB" || name == "TZ" ||
        name == "PATH" || name == "TSAN_OPTIONS") {
      kept.emplace_back(*entry);
    }
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& string : *strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Under the simulator one of the test's processes runs at a time: on one
// processor they take turns in two thirds of the time.
void StayOnOneProcessor() {
  static const auto processor = static_cast<size_t>(sched_getcpu());
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  sched_setaffinity(0, sizeof(one), &one);  // if it may not, it is slower
}

// Starts it with `socket` as its kWireFd and no other file of ours but standard
// input, output and error.
pid_t Spawn(int socket) {
  const std::string confine =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() /
      "raft_confine";
  // --child: what is simulated, where the tests are.
  std::vector<std::string> arguments = {confine, Program(), "--child"};
  std::vector<std::string> environment = Environment();
  if (std::getenv("SIM_SEED") != nullptr) StayOnOneProcessor();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, kWireFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kWireFd + 1);
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, confine.c_str(), &actions, nullptr,
                  Pointers(&arguments).data(), Pointers(&environment).data());
  CHECK(error == 0) << confine << ": " << std::strerror(error);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int AwaitEnd(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

[[noreturn]] void EndWith(int status) {
  if (WIFSIGNALED(status)) {
    std::cerr << "the process under test was ended by signal "
              << WTERMSIG(status) << " (" << strsignal(WTERMSIG(status))
              << ")\n";
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
  }
  std::cerr << "the process under test has ended with status "
            << WEXITSTATUS(status) << "\n";
  _exit(WEXITSTATUS(status));
}

class EndWithTheTest : public testing::Environment {
  void TearDown() override { RaftProcess::EndAll(); }
};

testing::Environment* const kEndWithTheTest =
    testing::AddGlobalTestEnvironment(new EndWithTheTest);

constexpr size_t kMostProcesses = 16;

// All of this test, in their order; those that servers share, and the
// incarnations of each server.
struct Processes {
  base::Mutex mu;
  std::vector<std::unique_ptr<RaftProcess>> started ABSL_GUARDED_BY(mu);
  std::vector<RaftProcess*> shared ABSL_GUARDED_BY(mu);
  std::map<raft::ServerId, size_t> incarnations ABSL_GUARDED_BY(mu);

  // Starts them all: the kernel ends a process with the thread that has started
  // it (confine.cc), and a test's threads come and go.
  labrpc::TimerQueue starter;

  RaftProcess* AddLocked(std::unique_ptr<RaftProcess> process) REQUIRES(mu) {
    started.push_back(std::move(process));
    return started.back().get();
  }
};

Processes& TheProcesses() {
  static Processes* const processes = new Processes;
  return *processes;
}

}  // namespace

RaftProcess& RaftProcess::For(raft::ServerId server) {
  Processes& all = TheProcesses();
  base::MutexLock lock(&all.mu);
  const size_t number = all.incarnations[server]++ % kMostProcesses;
  if (number == all.shared.size()) {
    all.shared.push_back(all.AddLocked(Start()));
  }
  return *all.shared[number];
}

RaftProcess& RaftProcess::StartNew() {
  Processes& all = TheProcesses();
  base::MutexLock lock(&all.mu);
  return *all.AddLocked(Start());
}

std::unique_ptr<RaftProcess> RaftProcess::Start() {
  int sockets[2];
  PCHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  if (std::getenv("SIM_SEED") != nullptr) StayOnOneProcessor();
  std::promise<pid_t> pid;
  TheProcesses().starter.After(
      std::chrono::seconds(0),
      [&pid, socket = sockets[1]] { pid.set_value(Spawn(socket)); });
  const pid_t started = pid.get_future().get();
  close(sockets[1]);
  return std::unique_ptr<RaftProcess>(new RaftProcess(sockets[0], started));
}

RaftProcess::RaftProcess(int socket, pid_t pid)
    : socket_(socket), wire_(socket), pid_(pid) {
  // Before anything is read: under the simulator this makes it the hub.
  wire_.Send({.kind = Kind::kHello});
  reader_ = std::thread([this] { ReadLoop(); });
}

RaftProcess::~RaftProcess() { close(socket_); }

void RaftProcess::EndAll() {
  Processes& all = TheProcesses();
  base::MutexLock lock(&all.mu);
  for (const auto& process : all.started) process->End();
  all.starter.Shutdown();
}

void RaftProcess::End() {
  {
    base::MutexLock lock(&mu_);
    if (std::exchange(is_ending_, true)) return;
  }
  calls_on_the_way_.Shutdown();
  Tell({.kind = Kind::kBye});
  reader_.join();
  const int status = AwaitEnd(pid_);
  if (status != 0) EndWith(status);
}

uint64_t RaftProcess::Add(std::weak_ptr<Listener> listener) {
  base::MutexLock lock(&mu_);
  listeners_[++instances_] = std::move(listener);
  return instances_;
}

void RaftProcess::Remove(uint64_t instance) {
  base::MutexLock lock(&mu_);
  listeners_.erase(instance);
}

std::optional<std::string> RaftProcess::Ask(Message question) {
  const auto answer =
      std::make_shared<std::promise<std::optional<std::string>>>();
  AskAsync(std::move(question), [answer](std::optional<std::string> bytes) {
    answer->set_value(std::move(bytes));
  });
  return answer->get_future().get();
}

void RaftProcess::AskAsync(Message question, Done done) {
  {
    base::MutexLock lock(&mu_);
    if (!has_ended_) {
      question.call = ++calls_;
      questions_[question.call] = std::exchange(done, nullptr);
    }
  }
  if (done != nullptr) return std::move(done)(std::nullopt);
  wire_.Send(question);
}

void RaftProcess::OnAnswer(Message answer) {
  Done done;
  {
    base::MutexLock lock(&mu_);
    const auto question = questions_.find(answer.call);
    if (question == questions_.end()) return;
    done = std::move(question->second);
    questions_.erase(question);
  }
  if (answer.number == 0) return std::move(done)(std::nullopt);
  std::move(done)(std::move(answer.bytes));
}

void RaftProcess::ReadLoop() {
  while (std::optional<Message> message = wire_.Receive()) {
    if (message->kind == Kind::kAnswer) {
      OnAnswer(*std::move(message));
      continue;
    }
    std::shared_ptr<Listener> listener;
    {
      base::MutexLock lock(&mu_);
      const auto found = listeners_.find(message->instance);
      if (found != listeners_.end()) listener = found->second.lock();
    }
    if (listener != nullptr) listener->OnMessage(*std::move(message));
  }
  std::map<uint64_t, Done> unanswered;
  {
    base::MutexLock lock(&mu_);
    if (!is_ending_) EndLikeIt();
    has_ended_ = true;
    unanswered.swap(questions_);
  }
  for (auto& [call, done] : unanswered) std::move(done)(std::nullopt);
}

void RaftProcess::EndLikeIt() {
  // It may only have closed the socket, or said what is no message.
  kill(pid_, SIGKILL);
  EndWith(AwaitEnd(pid_));
}

}  // namespace isolation
