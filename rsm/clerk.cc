#include "rsm/clerk.h"

namespace rsm {

using base::MutexLock;

void Closing::Add(const std::shared_ptr<rpc::ClientEnd>& end) {
  bool closed = false;
  {
    MutexLock lock(&mu_);
    closed = closed_;
    ends_.push_back(end);
  }
  if (closed) end->Close();
}

bool Closing::IsClosed() {
  MutexLock lock(&mu_);
  return closed_;
}

bool Closing::Pause(std::chrono::milliseconds duration) {
  const auto deadline = std::chrono::steady_clock::now() + duration;
  MutexLock lock(&mu_);
  while (!closed_ && close_called_.WaitUntil(&mu_, deadline)) {
  }
  return !closed_;
}

void Closing::Close() {
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends;
  {
    MutexLock lock(&mu_);
    closed_ = true;
    ends = ends_;
  }
  close_called_.SignalAll();
  for (const auto& end : ends) end->Close();
}

}  // namespace rsm
