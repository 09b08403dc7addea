// Several processes that sockets connect, as one simulated run: the hub starts
// two others of this program, which answer questions, each on a thread of its
// own, after a random sleep. Prints what happened and when, in virtual time.
//
// program_peers (talk | deadlock | gone)

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kWire = 3;
constexpr int kQuestions = 20;
using Clock = std::chrono::steady_clock;

void Answer(char question) {
  std::random_device random;
  std::this_thread::sleep_for(std::chrono::milliseconds(random() % 50));
  send(kWire, &question, 1, 0);
}

int BeSpoke() {
  std::vector<std::thread> threads;
  for (char question = 0; recv(kWire, &question, 1, 0) == 1;) {
    if (question == 'D') {
      std::mutex mu;
      std::condition_variable never;
      std::unique_lock lock(mu);
      never.wait(lock);
    }
    if (question == 'G') _exit(7);
    if (question == 'Q') break;
    threads.emplace_back(Answer, question);
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

struct Spoke {
  int socket = -1;
  pid_t pid = -1;
};

Spoke StartSpoke() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return {};
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, sockets[1], kWire);
  char name[] = "program_peers";
  char role[] = "spoke";
  char* const arguments[] = {name, role, nullptr};
  Spoke spoke = {sockets[0], -1};
  posix_spawn(&spoke.pid, "/proc/self/exe", &actions, nullptr, arguments,
              environ);
  posix_spawn_file_actions_destroy(&actions);
  close(sockets[1]);
  return spoke;
}

// Prints each answer with its time, which all processes share.
void Listen(const Spoke& spoke, int number, Clock::time_point begin) {
  for (char answer = 0; recv(spoke.socket, &answer, 1, 0) == 1;) {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(
        Clock::now() - begin);
    std::printf("%d: %c at %ld us\n", number, answer,
                static_cast<long>(passed.count()));
  }
  std::printf("%d: end\n", number);
}

int BeHub(const std::string& how) {
  const Clock::time_point begin = Clock::now();
  std::vector<Spoke> spokes = {StartSpoke(), StartSpoke()};
  for (const Spoke& spoke : spokes) send(spoke.socket, "x", 1, 0);
  std::vector<std::thread> listeners;
  for (int i = 0; i < 2; ++i) {
    listeners.emplace_back(Listen, spokes[static_cast<size_t>(i)], i, begin);
  }
  for (int i = 0; i < kQuestions; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(7));
    const char question = static_cast<char>('a' + i);
    send(spokes[static_cast<size_t>(i % 2)].socket, &question, 1, 0);
  }
  if (how == "deadlock") send(spokes[0].socket, "D", 1, 0);
  if (how == "talk") std::this_thread::sleep_for(std::chrono::seconds(1));
  if (how == "gone") send(spokes[1].socket, "G", 1, 0);
  for (const Spoke& spoke : spokes) send(spoke.socket, "Q", 1, 0);
  for (std::thread& listener : listeners) listener.join();
  for (const Spoke& spoke : spokes) {
    int status = 0;
    waitpid(spoke.pid, &status, 0);
    std::printf("status %d\n", WEXITSTATUS(status));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::strcmp(argv[1], "spoke") == 0) return BeSpoke();
  return BeHub(argv[1]);
}
