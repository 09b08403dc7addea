// The observers of one group, in order: decodes each event once and tells all.
//
// Thread safety: safe. A plain value; copies tell the same observers.

#ifndef TESTS_HARNESS_OBSERVERS_H_
#define TESTS_HARNESS_OBSERVERS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rope.h"
#include "base/spin_lock.h"
#include "labrpc/packet.h"
#include "raft/types.h"
#include "tests/harness/disk.h"
#include "tests/harness/failure.h"
#include "tests/harness/observer.h"

namespace harness {

class Observers {
 public:
  using List = std::vector<std::shared_ptr<ClusterObserver>>;

  // Those observers see the servers of that group only.
  explicit Observers(List list, int group = 0)
      : list_(std::move(list)), group_(group) {}

  bool any() const { return !list_.empty(); }
  int group() const { return group_; }

  // Calls that method of each observer.
  template <typename... Parameters, typename... Arguments>
  void Tell(void (ClusterObserver::*event)(Parameters...),
            const Arguments&... arguments) const {
    for (const auto& observer : list_) ((*observer).*event)(arguments...);
  }

  void OnPacket(const labrpc::Packet& packet) const;
  // The snapshot is null if it was kept. The reader is that incarnation's own.
  void OnSave(raft::ServerId server, int incarnation, DiskReader* reader,
              const base::Rope& raft_state, const base::Rope* snapshot) const;

  // Calls `get_state` and tells what it returned.
  raft::State GetState(raft::ServerId server, int incarnation,
                       const std::function<raft::State()>& get_state) const;

 private:
  List list_;
  int group_;
};

// The observers of all groups on one network.
//
// Thread safety: safe. Lock order: lock_ is a leaf, and no scheduling point.
class ObserversOfAll {
 public:
  void Add(const Observers& group);

  // Calls that method of each group's observers.
  template <typename... Parameters, typename... Arguments>
  void Tell(void (ClusterObserver::*event)(Parameters...),
            const Arguments&... arguments) const {
    for (const auto& [number, group] : All()) group->Tell(event, arguments...);
  }

  // Tells those of the packet's group.
  void OnPacket(const labrpc::Packet& packet) const;

 private:
  using ByGroup = std::map<int, std::shared_ptr<const Observers>>;

  ByGroup All() const;

  mutable base::SpinLock lock_;
  ByGroup by_group_ ABSL_GUARDED_BY(lock_);
};

// A step of a test, from its construction to the end of its scope.
class Step {
 public:
  // `name` is a literal.
  Step(const Observers& observers, std::string_view name, std::string_view text,
       Place place);
  ~Step();
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  const Observers& observers_;
  StepEvent event_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_OBSERVERS_H_
