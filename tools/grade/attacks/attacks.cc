// What a student's folder may try in order to get points without a Raft. One
// attack is made by a program of its name (attacks_test.py copies it so); under
// any other name this is a Raft that does nothing.
//
// None may earn a point, keep the grading from going on, or leave anything.

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "raft/messages.h"
#include "raft/raft.h"
#include "rpc/codec.h"

namespace {

constexpr std::string_view kTests[] = {"TestInitialElection2A",
                                       "TestBasicAgree2B", "TestPersist12C"};

std::string_view Name() { return program_invocation_short_name; }

void Write(int fd, std::string_view text) {
  if (write(fd, text.data(), text.size()) < 0) return;
}

void WriteTo(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (fd < 0) return;
  std::puts("ATTACK: opened for writing");
  Write(fd, text);
  close(fd);
}

std::string OfParent(const char* what) {
  return "/proc/" + std::to_string(getppid()) + "/" + what;
}

// ------------------------------------------------------- before main()

void PrintVerdicts() {
  for (const std::string_view test : kTests) {
    std::printf("--- PASS: %s (0.01s)\n", std::string(test).c_str());
  }
  std::puts("PASS\n3 passed, 0 failed");
  std::fflush(stdout);
  _exit(0);
}

void PrintEvents() {
  for (const int fd : {1, 2}) {
    for (const std::string_view test : kTests) {
      Write(fd, "{\"Action\":\"pass\",\"Test\":\"" + std::string(test) +
                    "\",\"Elapsed\":0.1}\n");
    }
    Write(fd, "{\"Action\":\"pass\",\"Passed\":3,\"Failed\":0}\n");
  }
  _exit(0);
}

// As the test's own process says that it has ended well.
void WriteRecords() {
  for (int fd = 0; fd < 64; ++fd) Write(fd, std::string_view("E\0", 2));
  _exit(0);
}

void WriteRecordsOfParent() {
  for (int fd = 0; fd < 64; ++fd) {
    WriteTo(OfParent("fd/") + std::to_string(fd), std::string_view("E\0", 2));
  }
  _exit(0);
}

void Loop() {
  for (volatile bool go = true; go;) {
  }
}

void Signal() {
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    if (kill(getppid(), signal) == 0) std::puts("ATTACK: signalled");
    if (kill(-1, signal) == 0) std::puts("ATTACK: signalled all");
    if (kill(0, signal) == 0) std::puts("ATTACK: signalled the group");
  }
  _exit(0);
}

// The owner of a pipe is signalled when something comes.
void SignalOwner() {
  int pipe_fds[2];
  if (pipe(pipe_fds) != 0) return;
  const f_owner_ex owner = {F_OWNER_PID, getppid()};
  const int set = fcntl(pipe_fds[0], F_SETOWN, getppid()) == 0 ||
                  fcntl(pipe_fds[0], F_SETOWN_EX, &owner) == 0;
  if (set != 0) std::puts("ATTACK: owner");
  if (fcntl(pipe_fds[0], F_SETSIG, SIGKILL) == 0) std::puts("ATTACK: signal");
  fcntl(pipe_fds[0], F_SETFL, O_ASYNC | O_NONBLOCK);
  Write(pipe_fds[1], "x");
  pid_t pid = getppid();
  if (ioctl(3, FIOSETOWN, &pid) == 0) std::puts("ATTACK: owns the socket");
  _exit(0);
}

void LeaveDaemon() {
  const pid_t pid = fork();
  if (pid > 0) std::puts("ATTACK: forked");
  if (pid == 0) {
    setsid();
    if (fork() == 0) execl("/bin/sleep", "attack_daemon", "777", nullptr);
  }
  _exit(0);
}

void ForkBomb() {
  for (int i = 0; i < 1000; ++i) {
    if (fork() == 0) std::puts("ATTACK: forked");
  }
}

void RunShell() {
  if (std::system("echo ATTACK: shell; touch /tmp/raft_lab_attack") == 0) {
    std::puts("ATTACK: shell");
  }
  execl("/bin/sh", "sh", "-c",
        "touch /tmp/raft_lab_attack; kill -9 $PPID; sleep 777 & exit 0",
        nullptr);
}

void FloodOutput() {
  const std::string line(1 << 16, 'x');
  for (int i = 0; i < 3000; ++i) {
    Write(1, line + "\n");
    Write(2, line + "\n");
  }
}

void EatMemory() {
  for (size_t size = 0; size < size_t{64} << 30; size += 64 << 20) {
    void* const memory = malloc(64 << 20);
    if (memory == nullptr) _exit(0);
    std::memset(memory, 1, 64 << 20);
  }
}

void TraceParent() {
  if (ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0) {
    std::puts("ATTACK: traces");
  }
  char byte = 1;
  iovec ours = {&byte, 1};
  iovec theirs = {&byte, 1};
  if (process_vm_writev(getppid(), &ours, 1, &theirs, 1, 0) >= 0) {
    std::puts("ATTACK: wrote memory");
  }
  WriteTo(OfParent("mem"), "x");
  _exit(0);
}

void WriteFiles() {
  for (const char* const path :
       {"/tmp/raft_lab_attack", "raft_lab_attack", "out/grade.json",
        "/dev/shm/raft_lab_attack"}) {
    WriteTo(path, "{}");
  }
  WriteTo(OfParent("exe"), "x");
  if (unlink(OfParent("cwd/Makefile").c_str()) == 0) {
    std::puts("ATTACK: deleted");
  }
}

void ReadOthers() {
  for (const char* const path : {"/root", "/home"}) {
    const int fd = open(path, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) std::printf("ATTACK: reads %s\n", path);
  }
}

void OpenSockets() {
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) std::puts("ATTACK: socket");
  if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) std::puts("ATTACK: socket");
}

// The socket that leads to the tests is 3 (tests/isolation/wire.h).
void SayNoMessage() {
  Write(3, std::string(100'000, '\xff'));
  Write(3, std::string(100'000, '\0'));
}

void CloseWire() {
  close(3);
  for (;;) pause();
}

// That each question so far and to come was answered: yes, it leads.
void ForgeAnswers() {
  struct Forged {
    uint8_t kind = 12;
    uint64_t call = 0;
    uint64_t instance = 1;
    int32_t number = 1;
    std::string name = {};
    std::string bytes = {};
    auto Fields() {
      return std::tie(kind, call, instance, number, name, bytes);
    }
  };
  for (uint8_t kind = 0; kind < 16; ++kind) {
    for (uint64_t call = 1; call < 100; ++call) {
      Forged forged;
      forged.kind = kind;
      forged.call = call;
      forged.bytes = rpc::Encode(uint64_t{1}) + "\1";
      const std::string bytes = rpc::Encode(forged);
      Write(3, rpc::Encode(static_cast<uint64_t>(bytes.size())) + bytes);
    }
  }
}

void ExitLater() {
  static const auto* const thread = new std::thread([] {
    usleep(100'000);
    _exit(0);
  });
  static_cast<void>(thread);
}

void IgnoreGoodbye() {
  std::atexit([] { Loop(); });
}

const std::map<std::string_view, void (*)()> kBeforeMain = {
    {"prints_verdicts", PrintVerdicts},
    {"prints_events", PrintEvents},
    {"exits_at_once", [] { _exit(0); }},
    {"exits_later", ExitLater},
    {"writes_records", WriteRecords},
    {"writes_records_of_parent", WriteRecordsOfParent},
    {"loops_in_initializer", Loop},
    {"loops_at_exit", IgnoreGoodbye},
    {"signals", Signal},
    {"signals_owner", SignalOwner},
    {"leaves_daemon", LeaveDaemon},
    {"fork_bomb", ForkBomb},
    {"runs_shell", RunShell},
    {"floods_output", FloodOutput},
    {"eats_memory", EatMemory},
    {"traces_parent", TraceParent},
    {"writes_files", WriteFiles},
    {"reads_others", ReadOthers},
    {"opens_sockets", OpenSockets},
    {"says_no_message", SayNoMessage},
    {"closes_wire", CloseWire},
    {"forges_answers", ForgeAnswers},
};

const bool kAttacked = [] {
  const auto attack = kBeforeMain.find(Name());
  if (attack != kBeforeMain.end()) attack->second();
  return true;
}();

// --------------------------------------------------- as a Raft that is none

// What servers of one process share, in place of a network and a disk.
struct Shared {
  base::Mutex mu;
  std::vector<std::string> log;
  std::set<raft::ServerId> seen;
};
Shared shared;

class NoRaft : public raft::Raft {
 public:
  NoRaft(raft::ServerId me, std::shared_ptr<raft::ApplyChannel> channel)
      : me_(me), channel_(std::move(channel)) {
    const base::MutexLock lock(&shared.mu);
    if (!shared.seen.insert(me).second && Name() == "remembers") {
      std::puts("ATTACK: remembers");
    }
    if (Name() == "shares_memory" || Name() == "remembers") {
      thread_ = std::thread([this] { Deliver(); });
    }
  }
  ~NoRaft() override { Kill(); }

  raft::StartResult Start(std::string_view command) override {
    if (!Leads()) return {};
    const base::MutexLock lock(&shared.mu);
    shared.log.emplace_back(command);
    return {shared.log.size(), 1, true};
  }

  raft::State GetState() const override {
    if (Name() == "loops_in_get_state") Loop();
    if (Name() == "throws_from_get_state") throw 1;
    return {1, Leads()};
  }

  void Snapshot(raft::Index, base::Rope) override {}

  raft::Status GetStatus() const override { return {}; }

  std::vector<rpc::Service> Services() override { return {}; }

  void Kill() override {
    if (Name() == "loops_in_kill") Loop();
    is_killed_ = true;
    channel_->Close();
    if (thread_.joinable()) thread_.join();
  }

 private:
  bool Leads() const {
    return me_ == 0 && (Name() == "claims_to_lead" ||
                        Name() == "shares_memory" || Name() == "remembers");
  }

  void Deliver() {
    for (size_t next = 0;;) {
      usleep(1000);
      raft::ApplyMsg message;
      {
        const base::MutexLock lock(&shared.mu);
        if (next < shared.log.size()) {
          message.command = shared.log[next];
          message.index = ++next;
          message.term = 1;
        }
      }
      if (is_killed_) return;
      if (message.index > 0 && !channel_->Send(std::move(message))) return;
    }
  }

  const raft::ServerId me_;
  const std::shared_ptr<raft::ApplyChannel> channel_;
  std::atomic<bool> is_killed_ = false;
  std::thread thread_;
};

}  // namespace

namespace raft {

// NOLINTBEGIN(performance-unnecessary-value-param): as declared
std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<rpc::ClientEnd>>,
                           ServerId me, std::shared_ptr<persister::Persister>,
                           std::shared_ptr<ApplyChannel> channel, Options) {
  if (Name() == "loops_in_make") Loop();
  if (Name() == "throws_from_make") throw 1;
  if (Name() == "exits_in_make") std::exit(0);
  if (Name() == "crashes_in_make") raise(SIGSEGV);
  return std::make_shared<NoRaft>(me, std::move(channel));
}
// NOLINTEND(performance-unnecessary-value-param)

}  // namespace raft
