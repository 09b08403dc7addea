#include "porcupine/versions.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace porcupine {
namespace {

struct Version {
  std::optional<size_t> creator;   // a put that was answered ok
  std::vector<size_t> candidates;  // puts that may have been executed, else
  std::vector<size_t> reads;       // also puts that found no key
  std::vector<size_t> refused;     // puts that another version has refused
  std::optional<std::string_view> value;

  std::optional<size_t> chosen;  // the creator, or the candidate that fits
  Rank created = 0;     // the earliest possible time; kNever: it never was
  size_t because = 0;   // the operation that was called then
  Rank not_before = 0;  // by puts that were refused before it
  size_t refused_before = 0;
};

class Versions {
 public:
  Versions(const Operations& operations, Budget* budget)
      : operations_(operations), budget_(*budget) {}

  VersionsResult Check() {
    if (Collect() && KnowValues()) Schedule();
    if (finding_.has_value()) {
      return {Outcome::kIllegal, {}, Complete(*finding_)};
    }
    if (budget_.steps == 0) return {};
    return {Outcome::kOk, Order(), std::nullopt};
  }

 private:
  const Operation& At(size_t i) const { return operations_[i]; }

  bool Fail(Rule rule, size_t read, size_t write, size_t other,
            std::vector<size_t> operations) {
    finding_.emplace(
        Finding{rule, read, write, other, std::move(operations), 0});
    return false;
  }

  // What an operation makes or shows: the version after it.
  uint64_t VersionOf(const Operation& operation) const {
    return operation.version + (operation.write == Write::kPut ? 1 : 0);
  }

  // With the puts that created the versions that are spoken of, and with what
  // keeps a version until a put is refused.
  Finding Complete(Finding finding) const {
    std::vector<size_t>& list = finding.operations;
    // That may be another refused put.
    for (size_t next = 0; next < list.size(); ++next) {
      const size_t i = list[next];
      if (At(i).rule != VersionRule::kIsNot) continue;
      const size_t last = Last(At(i).version, i);
      if (std::find(list.begin(), list.end(), last) == list.end()) {
        list.push_back(last);
      }
    }
    for (const size_t i : std::vector<size_t>(list)) {
      const uint64_t number = VersionOf(At(i));
      if (number >= versions_.size()) continue;
      const Version& version = versions_[number];
      if (version.creator.has_value()) {
        list.push_back(*version.creator);
      } else {
        list.insert(list.end(), version.candidates.begin(),
                    version.candidates.end());
      }
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return finding;
  }

  // Sorts the operations by their versions.
  bool Collect() {
    const size_t puts = std::count_if(
        operations_.begin(), operations_.end(),
        [](const Operation& one) { return one.write == Write::kPut; });
    versions_.resize(puts + 1);
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (!CollectOne(i)) return false;
    }
    return true;
  }

  bool CollectOne(size_t i) {
    const Operation& operation = At(i);
    // Each version takes a put.
    const bool possible = operation.version < versions_.size() &&
                          VersionOf(operation) < versions_.size();
    if (operation.rule == VersionRule::kIsNot) {
      if (possible) versions_[operation.version].refused.push_back(i);
      return true;
    }
    if (!possible) {
      if (operation.optional) return true;
      return Fail(Rule::kVersionUnknown, i, i, i, {i});
    }
    Version& version = versions_[VersionOf(operation)];
    if (operation.write == Write::kNone) {
      version.reads.push_back(i);
    } else if (operation.optional) {
      version.candidates.push_back(i);
    } else if (version.creator.has_value()) {
      return Fail(Rule::kVersionTwice, i, i, *version.creator,
                  {i, *version.creator});
    } else {
      version.creator = i;
    }
    if (!operation.optional) {
      observed_ = std::max(observed_, VersionOf(operation));
    }
    return true;
  }

  // All reads of a version show one value, and its put has written that.
  bool KnowValues() {
    versions_[0].value = "";
    for (size_t number = 0; number <= observed_; ++number) {
      Version& version = versions_[number];
      if (version.creator.has_value()) {
        version.value = At(*version.creator).argument;
      }
      for (const size_t read : version.reads) {
        if (!At(read).reads) continue;
        if (!version.value.has_value()) version.value = At(read).result;
        if (*version.value == At(read).result) continue;
        // What says otherwise; of version 0, nothing that was called.
        const size_t write =
            number == 0 ? read
                        : version.creator.value_or(version.reads.front());
        return Fail(Rule::kVersionValue, read, write, write, {read, write});
      }
    }
    return true;
  }

  // The earliest times, until all refused puts are content.
  bool Schedule() {
    do {
      for (size_t number = 1; number < versions_.size(); ++number) {
        if (budget_.steps == 0) return false;
        --budget_.steps;
        if (!Create(number)) return false;
      }
    } while (MoveForRefused());
    return !finding_.has_value();
  }

  // When `number` can have been created first.
  bool Create(size_t number) {
    const Version& before = versions_[number - 1];
    Version& version = versions_[number];
    Rank time = before.created;
    size_t because = before.because;
    const auto not_before = [&](Rank rank, size_t operation) {
      if (rank < time) return;
      time = rank;
      because = operation;
    };
    for (const size_t read : before.reads) not_before(At(read).call, read);
    if (version.not_before > 0) {
      not_before(version.not_before, version.refused_before);
    }
    version.chosen = version.creator.has_value() ? version.creator
                                                 : BestCandidate(version, time);
    if (!version.chosen.has_value()) {
      version.created = kNever;
      if (number > observed_) return true;
      return FailWithoutCreator(number, because);
    }
    const size_t creator = *version.chosen;
    not_before(At(creator).call, creator);
    version.created = time;
    version.because = because;
    if (At(creator).returned <= time) return FailOrder(creator, because, {});
    for (const size_t read : version.reads) {
      if (At(read).returned <= time) return FailOrder(read, because, {});
    }
    return true;
  }

  // The candidate with the value that was read that is in time and can be
  // executed first.
  std::optional<size_t> BestCandidate(const Version& version, Rank time) const {
    std::optional<size_t> best;
    if (time == kNever) return best;
    for (const size_t i : version.candidates) {
      if (version.value.has_value() && *version.value != At(i).argument) {
        continue;
      }
      if (At(i).returned <= std::max(time, At(i).call)) continue;
      if (!best.has_value() || At(i).call < At(*best).call) best = i;
    }
    return best;
  }

  bool FailWithoutCreator(size_t number, size_t because) {
    // What shows that the version existed.
    const Version& version = versions_[number];
    size_t user = operations_.size();
    for (size_t i = 0; i < operations_.size() && user == operations_.size();
         ++i) {
      if (!At(i).optional && At(i).rule == VersionRule::kIs &&
          VersionOf(At(i)) >= number) {
        user = i;
      }
    }
    for (const size_t i : version.candidates) {
      if (!version.value.has_value() || *version.value == At(i).argument) {
        return FailOrder(i, because, {user});
      }
    }
    return Fail(Rule::kVersionUnknown, user, user, user, {user});
  }

  // `called` must come before `returned`, or was refused by the version that
  // is there from then on. `more` belongs to the proof.
  bool FailOrder(size_t returned, size_t called, std::vector<size_t> more) {
    more.insert(more.end(), {returned, called});
    const bool refused = At(called).rule == VersionRule::kIsNot;
    return Fail(refused ? Rule::kVersionRefused : Rule::kVersionOrder, called,
                called, returned, std::move(more));
  }

  // A put that was refused was executed before its version was created, or
  // after the next one was. True: some version must be created later.
  bool MoveForRefused() {
    bool moved = false;
    for (size_t number = 0; number < versions_.size(); ++number) {
      Version& version = versions_[number];
      if (version.created == kNever) break;
      const Rank end = EndOf(number);
      for (const size_t i : version.refused) {
        if (end < At(i).returned) continue;
        if (number > 0 && At(i).call <= version.created) continue;
        if (number == 0) {
          return Fail(Rule::kVersionRefused, i, i, i, {i});
        }
        version.not_before = At(i).call;
        version.refused_before = i;
        version.created = At(i).call;
        moved = true;
      }
    }
    return moved;
  }
  Rank EndOf(size_t number) const {
    return number + 1 < versions_.size() ? versions_[number + 1].created
                                         : kNever;
  }
  // The operation that keeps the version until after `refused` returned; itself
  // if there is none.
  size_t Last(size_t number, size_t refused) const {
    return EndOf(number) == kNever ? refused : versions_[number + 1].because;
  }

  // The order of these times; at one time the order of versions, and of each
  // its put before what found it.
  std::vector<size_t> Order() const {
    std::vector<std::tuple<Rank, uint64_t, bool, size_t>> order;
    for (size_t number = 0; number < versions_.size(); ++number) {
      const Version& version = versions_[number];
      if (version.created == kNever) {
        // Never created: nothing can have had this version.
        for (const size_t i : version.refused) {
          order.emplace_back(At(i).call, versions_.size(), true, i);
        }
        continue;
      }
      if (number > 0) {
        order.emplace_back(version.created, number, false, *version.chosen);
      }
      for (const size_t i : version.reads) {
        order.emplace_back(std::max(version.created, At(i).call), number, true,
                           i);
      }
      for (const size_t i : version.refused) {
        const Rank end = EndOf(number);
        if (end < At(i).returned) {
          order.emplace_back(std::max(end, At(i).call), number + 1, true, i);
        } else {
          order.emplace_back(At(i).call, 0, true, i);
        }
      }
    }
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& one = At(i);
      if (one.rule == VersionRule::kIsNot && one.version >= versions_.size()) {
        order.emplace_back(one.call, 0, true, i);
      }
    }
    std::sort(order.begin(), order.end());
    std::vector<size_t> operations;
    for (const auto& entry : order) operations.push_back(std::get<3>(entry));
    return operations;
  }

  const Operations& operations_;
  Budget& budget_;
  std::vector<Version> versions_;
  uint64_t observed_ = 0;  // the last version that was there for certain
  std::optional<Finding> finding_;
};

}  // namespace

bool IsVersioned(const Operations& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const Operation& operation) {
                       return operation.rule != VersionRule::kAny;
                     });
}

VersionsResult CheckVersions(const Operations& operations, Budget* budget) {
  return Versions(operations, budget).Check();
}

}  // namespace porcupine
