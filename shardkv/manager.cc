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

// Between two looks for leadership; and after a server of the controller was
// asked in vain.
constexpr milliseconds kPoll(100);

// After an entry was lost, or all servers of a group were asked in vain: at
// first they may be about to learn what they are asked for.
constexpr milliseconds kPause(20);
constexpr std::chrono::microseconds kFirstPause(100);

// How long a server may take to have a shard deleted until another one of its
// group is asked too. One that leads no more, and does not know it, would wait
// for its peers without end.
constexpr std::chrono::seconds kPatience(1);

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

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

void Manager::OnMoves(const Transfers& moves) {
  {
    MutexLock lock(&mu_);
    outdated_.push_back(std::exchange(moves_, moves));
    wake_ = true;
  }
  woken_.Signal();
}

Transfers Manager::transfers() const {
  MutexLock lock(&mu_);
  return moves_;
}

// What the state says of the move; an empty one if it is over.
template <typename T>
T Manager::Find(std::map<MoveId, T> Transfers::*moves,
                const MoveId& move) const {
  MutexLock lock(&mu_);
  const auto found = (moves_.*moves).find(move);
  return found == (moves_.*moves).end() ? T() : found->second;
}

PullReply Manager::Read(const PullArgs& args) const {
  const kvraft::SharedStore shard = Find(&Transfers::leaving, args.move);
  return {shard == nullptr ? kvraft::Part() : shard->Read(args.at)};
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
  std::vector<Transfers> outdated;  // they may have the last of a large shard
  MutexLock lock(&mu_);
  Clock::time_point next = Clock::now() + kPoll;
  for (const auto& [task, progress] : tasks_) {
    if (!progress.running) next = std::min(next, progress.due);
  }
  while (!stopped_ && !wake_ && woken_.WaitUntil(&mu_, next)) {
  }
  wake_ = false;
  outdated.swap(outdated_);
  return !stopped_;
}

// What the state asks a leader of that term for.
std::vector<Manager::Task> Manager::TasksLocked(raft::Term term) const {
  if (committed_term_ != term) return {{Task::Kind::kCommit, {}, term}};
  std::vector<Task> tasks;
  const int64_t next = moves_.config.num + 1;
  for (size_t i = 0; next_.num < next && i < ctrlers_.size(); ++i) {
    tasks.push_back({Task::Kind::kQuery, {next, static_cast<int32_t>(i)}});
  }
  if (next_.num == next && moves_.coming.empty()) {
    tasks.push_back({Task::Kind::kTake, {next, 0}});
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
    if (progress.due > now) continue;
    if (progress.running) ++progress.attempts;
    progress.running = true;
    progress.due = task.kind == Task::Kind::kConfirm ? now + kPatience : kNever;
    due.emplace_back(task, progress.attempts);
  }
  return due;
}

void Manager::Start(const Task& task, size_t attempts) {
  switch (task.kind) {
    case Task::Kind::kCommit:
      return Submit(task, {Nothing()});
    case Task::Kind::kQuery:
      return Query(task);
    case Task::Kind::kTake:
      return Submit(task, {Reconfigure{next()}});
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
// after all of them a pause, twice as long each time.
void Manager::EndCall(const Task& task, size_t servers) {
  size_t attempts = 0;
  {
    MutexLock lock(&mu_);
    attempts = tasks_[task].attempts + 1;
  }
  Clock::duration pause(0);
  if (attempts % servers == 0) {
    const size_t doublings = std::min<size_t>(attempts / servers, 10);
    pause = std::min<Clock::duration>(kPause, kFirstPause * (1 << doublings));
  }
  End(task, /*in_vain=*/true, pause);
}

// Its outcome needs no answer: if it was executed, the state has changed. This
// may take as long as it takes: only a call is made again meanwhile.
void Manager::Submit(const Task& task, const Command& command) {
  {
    MutexLock lock(&mu_);
    tasks_[task].due = kNever;
  }
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

void Manager::Query(const Task& task) {
  ctrlers_[static_cast<size_t>(task.move.shard)]->CallAsync(
      shardctrler::kQuery, {.num = task.move.num, .wait = true},
      [this, task](const std::optional<shardctrler::Reply>& reply) {
        if (!reply.has_value() || reply->config.num != task.move.num) {
          return End(task, /*in_vain=*/true, kPoll);
        }
        {
          MutexLock lock(&mu_);
          if (next_.num < reply->config.num) next_ = reply->config;
        }
        End(task, /*in_vain=*/false);
      });
}

shardctrler::Config Manager::next() const {
  MutexLock lock(&mu_);
  return next_;
}

void Manager::Pull(const Task& task, size_t attempts) {
  const Transfers::Coming coming = Find(&Transfers::coming, task.move);
  if (coming.from.servers.empty()) return End(task, false);
  const size_t servers = coming.from.servers.size();
  const kvraft::Cursor at = coming.next;
  EndOf(coming.from, attempts)
      ->CallAsync(
          kPull, {task.move, at},
          [this, task, servers, at](std::optional<PullReply> reply) {
            if (!reply.has_value() || reply->part.pieces.empty()) {
              return EndCall(task, servers);
            }
            Submit(task, {Install{task.move, at, std::move(reply->part)}});
          });
}

void Manager::Confirm(const Task& task, size_t attempts) {
  const Source source = Find(&Transfers::to_confirm, task.move);
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
