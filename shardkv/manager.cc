#include "shardkv/manager.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "rpc/codec.h"
#include "shardctrler/messages.h"

namespace shardkv {
namespace {

using base::MutexLock;
using std::chrono::milliseconds;

// Between two looks for the next configuration, and for leadership.
constexpr milliseconds kPoll(100);

// After all servers of a group were asked in vain, or an entry was lost.
constexpr milliseconds kPause(20);

// Of a shard, in a message and in an entry of the log.
constexpr size_t kPartBytes = size_t{1} << 18;

}  // namespace

void Manager::Start(rsm::Rsm* rsm) {
  rsm_ = rsm;
  thread_ = std::thread([this] { Run(); });
}

void Manager::Stop() {
  std::vector<std::shared_ptr<rpc::ClientEnd>> ends = ctrlers_;
  {
    MutexLock lock(&mu_);
    stopped_ = true;
  }
  woken_.SignalAll();
  if (thread_.joinable()) thread_.join();
  {
    MutexLock lock(&mu_);
    for (const auto& [name, end] : ends_) ends.push_back(end);
  }
  for (const auto& end : ends) end->Close();
}

void Manager::OnMoves(const Moves& moves) {
  {
    MutexLock lock(&mu_);
    moves_ = moves;
    wake_ = true;
  }
  woken_.Signal();
}

Moves Manager::moves() const {
  MutexLock lock(&mu_);
  return moves_;
}

PullReply Manager::Read(const PullArgs& args) const {
  base::Rope shard;
  {
    MutexLock lock(&mu_);
    if (moves_.config.num < args.move.num) return {.err = Err::kNotReady};
    const auto found = moves_.leaving.find(args.move);
    if (found == moves_.leaving.end()) return {.err = Err::kOk};
    shard = found->second;
  }
  PullReply reply{.err = Err::kOk, .total = shard.size()};
  const size_t offset = std::min<size_t>(args.offset, shard.size());
  shard.CopyTo(offset, std::min(kPartBytes, shard.size() - offset),
               &reply.bytes);
  return reply;
}

void Manager::Run() {
  while (AwaitRound()) {
    for (const auto& [task, attempts] : TakeDue(rsm_->raft().GetState())) {
      Start(task, attempts);
    }
  }
}

// Waits until something may be due; false if the thread has to end.
bool Manager::AwaitRound() {
  MutexLock lock(&mu_);
  Clock::time_point next = Clock::now() + kPoll;
  for (const auto& [task, progress] : tasks_) {
    if (!progress.running) next = std::min(next, progress.due);
  }
  while (!stopped_ && !wake_ && woken_.WaitUntil(&mu_, next)) {
  }
  wake_ = false;
  return !stopped_;
}

// What the state asks a leader of that term for.
std::vector<Manager::Task> Manager::TasksLocked(raft::Term term) const {
  if (committed_term_ != term) return {{Task::Kind::kCommit, {}, term}};
  std::vector<Task> tasks;
  if (moves_.coming.empty()) {
    tasks.push_back({Task::Kind::kQuery, {moves_.config.num + 1, 0}});
  }
  for (const auto& [move, coming] : moves_.coming) {
    tasks.push_back({Task::Kind::kPull, move});
  }
  for (const auto& [move, source] : moves_.to_confirm) {
    tasks.push_back({Task::Kind::kConfirm, move});
  }
  return tasks;
}

// Takes the tasks that are to be started, with the number of their attempts.
std::vector<std::pair<Manager::Task, size_t>> Manager::TakeDue(
    raft::State state) {
  const Clock::time_point now = Clock::now();
  std::vector<std::pair<Task, size_t>> due;
  MutexLock lock(&mu_);
  std::vector<Task> tasks;
  if (state.is_leader) tasks = TasksLocked(state.term);
  std::erase_if(tasks_, [&tasks](const auto& known) {
    return !known.second.running &&
           std::find(tasks.begin(), tasks.end(), known.first) == tasks.end();
  });
  for (const Task& task : tasks) {
    Progress& progress = tasks_[task];
    if (progress.running || progress.due > now) continue;
    progress.running = true;
    due.emplace_back(task, progress.attempts);
  }
  return due;
}

void Manager::Start(const Task& task, size_t attempts) {
  switch (task.kind) {
    case Task::Kind::kCommit:
      return Submit(task, {Nothing()});
    case Task::Kind::kQuery:
      return Query(task, attempts);
    case Task::Kind::kPull:
      return Pull(task, attempts);
    case Task::Kind::kConfirm:
      return Confirm(task, attempts);
  }
}

void Manager::End(const Task& task, bool in_vain, Clock::duration pause) {
  {
    MutexLock lock(&mu_);
    Progress& progress = tasks_[task];
    progress.running = false;
    progress.due = Clock::now() + pause;
    if (in_vain) ++progress.attempts;
    wake_ = true;
  }
  woken_.Signal();
}

// One of that number of servers was asked in vain: the next one at once, and
// after all of them a pause.
void Manager::EndCall(const Task& task, size_t servers) {
  size_t attempts = 0;
  {
    MutexLock lock(&mu_);
    attempts = tasks_[task].attempts + 1;
  }
  End(task, /*in_vain=*/true, attempts % servers == 0 ? kPause : kPause * 0);
}

// Its outcome needs no answer: if it was executed, the state has changed.
void Manager::Submit(const Task& task, const Command& command) {
  rsm_->SubmitAsync(rpc::Encode(command),
                    [this, task](const rsm::Result& result) {
                      const bool done = result.outcome == rsm::Outcome::kDone;
                      if (done && task.kind == Task::Kind::kCommit) {
                        MutexLock lock(&mu_);
                        committed_term_ = task.term;
                      }
                      End(task, !done, done ? kPause * 0 : kPause);
                    });
}

void Manager::Query(const Task& task, size_t attempts) {
  const auto& ctrler = ctrlers_[attempts % ctrlers_.size()];
  ctrler->CallAsync(
      shardctrler::kQuery, {task.move.num},
      [this, task](const std::optional<shardctrler::Reply>& reply) {
        if (!reply.has_value() || reply->err != shardctrler::Err::kOk) {
          return EndCall(task, ctrlers_.size());
        }
        if (reply->config.num == task.move.num) {
          return Submit(task, {Reconfigure{reply->config}});
        }
        End(task, /*in_vain=*/false, kPoll);  // there is none yet
      });
}

void Manager::Pull(const Task& task, size_t attempts) {
  Moves::Coming coming;
  {
    MutexLock lock(&mu_);
    const auto found = moves_.coming.find(task.move);
    if (found != moves_.coming.end()) coming = found->second;
  }
  if (coming.from.servers.empty()) return End(task, false);
  const size_t servers = coming.from.servers.size();
  const uint64_t offset = coming.received.size();
  EndOf(coming.from, attempts)
      ->CallAsync(
          kPull, {task.move, offset},
          [this, task, servers, offset](std::optional<PullReply> reply) {
            if (!reply.has_value() || reply->err != Err::kOk ||
                reply->total <= offset) {
              return EndCall(task, servers);
            }
            Submit(task, {Install{task.move, offset, reply->total,
                                  std::move(reply->bytes)}});
          });
}

void Manager::Confirm(const Task& task, size_t attempts) {
  Source source;
  {
    MutexLock lock(&mu_);
    const auto found = moves_.to_confirm.find(task.move);
    if (found != moves_.to_confirm.end()) source = found->second;
  }
  if (source.servers.empty()) return End(task, false);
  const size_t servers = source.servers.size();
  EndOf(source, attempts)
      ->CallAsync(kDelete, {task.move},
                  [this, task, servers](std::optional<DeleteReply> reply) {
                    if (!reply.has_value() || reply->err != Err::kOk) {
                      return EndCall(task, servers);
                    }
                    Submit(task, {Confirmed{task.move}});
                  });
}

// An end to the next server of that group.
std::shared_ptr<rpc::ClientEnd> Manager::EndOf(const Source& source,
                                               size_t attempts) {
  const std::string& name = source.servers[attempts % source.servers.size()];
  {
    MutexLock lock(&mu_);
    const auto found = ends_.find(name);
    if (found != ends_.end()) return found->second;
  }
  std::shared_ptr<rpc::ClientEnd> end = make_end_(name);
  MutexLock lock(&mu_);
  ends_[name] = end;
  return end;
}

}  // namespace shardkv
