#include "tests/runner/signals.h"

#include <signal.h>

#include <algorithm>
#include <array>

namespace runner {
namespace {

constexpr std::array kInterrupts = {SIGINT, SIGTERM, SIGHUP};

volatile sig_atomic_t has_come = 0;

void OnInterrupt(int) { has_come = 1; }
void OnChildEnd(int) {}  // it is there to end a wait

// Calls change(set, signal) for each of them.
template <typename Change>
sigset_t Changed(sigset_t set, Change change) {
  for (const int signal : kInterrupts) change(&set, signal);
  change(&set, SIGCHLD);
  return set;
}

sigset_t NoSignals() {
  sigset_t set;
  sigemptyset(&set);
  return set;
}

void SetHandler(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

SignalGuard::SignalGuard() {
  for (const int signal : kInterrupts) SetHandler(signal, OnInterrupt);
  SetHandler(SIGCHLD, OnChildEnd);
  const sigset_t set = Changed(NoSignals(), sigaddset);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

SignalGuard::~SignalGuard() { ResetSignals(); }

bool SignalGuard::interrupted() const { return has_come != 0; }

void SignalGuard::Wait(std::vector<pollfd>* fds,
                       std::chrono::nanoseconds patience) const {
  patience = std::max(patience, std::chrono::nanoseconds(0));
  const timespec timeout = {patience.count() / 1'000'000'000,
                            patience.count() % 1'000'000'000};
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  mask = Changed(mask, sigdelset);
  ppoll(fds->data(), fds->size(), &timeout, &mask);
}

void ResetSignals() {
  for (const int signal : kInterrupts) SetHandler(signal, SIG_DFL);
  SetHandler(SIGCHLD, SIG_DFL);
  const sigset_t set = Changed(NoSignals(), sigaddset);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace runner
