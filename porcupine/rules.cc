#include "porcupine/rules.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace porcupine {
namespace {

using Chain = Elements::Chain;

// Of all findings, keeps the one that is evident first.
class Rules {
 public:
  Rules(const Operations& operations, const Elements& elements)
      : operations_(operations),
        elements_(elements),
        place_in_chain_(operations.size(), kNowhere) {}

  std::optional<Finding> Apply() {
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (At(i).write == Write::kNone || At(i).optional) continue;
      const bool earlier = !first_write_.has_value() ||
                           At(i).returned < At(*first_write_).returned;
      if (earlier) first_write_ = i;
    }
    for (const Chain& chain : elements_.chains()) {
      CheckWrites(chain);
      CheckMissing(chain);
      CheckShrinks(chain);
    }
    CheckDiverges();
    CheckZones();
    return first_;
  }

 private:
  static constexpr size_t kNowhere = -1;

  // An epoch of the key, from one put to the next: every order has all of it
  // before the time `to`, or after the time `from`, of all other epochs.
  struct Zone {
    Rank from = kNever;  // the first return of its put and its reads
    Rank to = 0;         // the last call of these
    size_t first = 0;    // the operations that return and are called then
    size_t last = 0;
  };

  const Operation& At(size_t i) const { return operations_[i]; }
  void SortByCall(std::vector<size_t>* list) const {
    std::sort(list->begin(), list->end(),
              [this](size_t a, size_t b) { return At(a).call < At(b).call; });
  }
  void SortByReturn(std::vector<size_t>* list) const {
    std::sort(list->begin(), list->end(), [this](size_t a, size_t b) {
      return At(a).returned < At(b).returned;
    });
  }

  void Report(Rule rule, size_t read, size_t write, size_t other,
              std::vector<size_t> operations) {
    Finding finding{rule, read, write, other, {}, 0};
    // Every read needs the put that its value began with.
    for (const size_t i : std::vector<size_t>(operations)) {
      if (At(i).reads && !At(i).optional) {
        const Chain& chain = elements_.ChainOf(i);
        if (chain.put.has_value() && elements_.CountOf(i) > 0) {
          operations.push_back(*chain.put);
        }
      }
    }
    std::sort(operations.begin(), operations.end());
    operations.erase(std::unique(operations.begin(), operations.end()),
                     operations.end());
    for (const size_t i : operations) {
      const Rank end = At(i).returned == kNever ? At(i).call : At(i).returned;
      finding.evident = std::max(finding.evident, end);
    }
    finding.operations = std::move(operations);
    if (!first_.has_value() || finding.evident < first_->evident) {
      first_ = std::move(finding);
    }
  }

  // Of the chain's reads that show more than `count` of its writes, the one
  // that returns first.
  std::optional<size_t> FirstThatShows(const Chain& chain, size_t count) const {
    std::optional<size_t> first;
    for (const size_t read : chain.reads) {
      if (elements_.CountOf(read) <= count) continue;
      if (!first.has_value() || At(read).returned < At(*first).returned) {
        first = read;
      }
    }
    return first;
  }

  // What the chain shows: foreign text, duplicates, an order that was not.
  void CheckWrites(const Chain& chain) {
    // Of the writes up to each place, the one called last.
    std::vector<size_t> latest;
    for (const size_t write : chain.writes) {
      const bool later =
          latest.empty() || At(write).call > At(latest.back()).call;
      latest.push_back(later ? write : latest.back());
    }
    for (const size_t read : chain.reads) {
      const size_t count = elements_.CountOf(read);
      if (elements_.ShowsForeign(read)) {
        Report(Rule::kForeign, read, read, read, {read});
      }
      if (count > 0 && At(latest[count - 1]).call > At(read).returned) {
        Report(Rule::kFuture, read, latest[count - 1], read,
               {read, latest[count - 1]});
      }
    }
    std::unordered_set<size_t> seen;
    for (size_t i = 0; i < chain.writes.size(); ++i) {
      const size_t write = chain.writes[i];
      const bool twice = !seen.insert(write).second;
      if (!twice && At(write).returned > At(latest[i]).call) continue;
      const std::optional<size_t> read = FirstThatShows(chain, i);
      if (!read.has_value()) continue;
      if (twice) {
        Report(Rule::kDuplicate, *read, write, write, {*read, write});
      } else {
        Report(Rule::kOrder, *read, write, latest[i],
               {*read, write, latest[i]});
      }
      return;  // what comes later in the chain is evident later
    }
  }

  // Reads that miss a write which came before them: one that the chain shows
  // later; or one of no place in the chain, called after its put had returned.
  void CheckMissing(const Chain& chain) {
    std::vector<size_t> reads = chain.reads;
    SortByCall(&reads);
    std::vector<size_t> writes = chain.writes;
    SortByReturn(&writes);
    // The first place of one that is there twice.
    for (size_t i = chain.writes.size(); i-- > 0;) {
      place_in_chain_[chain.writes[i]] = i;
    }
    size_t next = 0;
    std::optional<size_t> last;  // in the chain, of the writes returned
    for (const size_t read : reads) {
      for (; next < writes.size() && At(writes[next]).returned < At(read).call;
           ++next) {
        if (!last.has_value() ||
            place_in_chain_[*last] < place_in_chain_[writes[next]]) {
          last = writes[next];
        }
      }
      if (!last.has_value()) continue;
      const size_t place = place_in_chain_[*last];
      const std::optional<size_t> other = FirstThatShows(chain, place);
      if (place < elements_.CountOf(read) || !other.has_value()) continue;
      Report(Rule::kMissing, read, *last, *other, {read, *last, *other});
    }
    CheckUnshown(chain, reads);
    for (const size_t write : chain.writes) place_in_chain_[write] = kNowhere;
  }

  void CheckUnshown(const Chain& chain, const std::vector<size_t>& reads) {
    const Rank begin = chain.put.has_value() ? At(*chain.put).returned : 0;
    const Rank end = reads.empty() ? 0 : At(reads.back()).call;
    std::optional<size_t> first;  // to return, of such writes
    for (auto at = CalledFrom(begin); at != operations_.end() && at->call < end;
         ++at) {
      const size_t write = at - operations_.begin();
      if (at->write == Write::kNone || at->optional) continue;
      if (place_in_chain_[write] != kNowhere) continue;
      if (!first.has_value() || at->returned < At(*first).returned) {
        first = write;
      }
    }
    for (const size_t read : reads) {
      if (chain.put.has_value() && elements_.CountOf(read) == 0) {
        // Of the empty value that was there at first.
        if (first_write_.has_value() &&
            At(*first_write_).returned < At(read).call) {
          Report(Rule::kMissing, read, *first_write_, read,
                 {read, *first_write_});
        }
      } else if (first.has_value() && At(*first).returned < At(read).call) {
        Report(Rule::kMissing, read, *first, read, {read, *first});
      }
    }
  }

  // The first operation called at that time or later.
  Operations::const_iterator CalledFrom(Rank rank) const {
    return std::lower_bound(operations_.begin(), operations_.end(), rank,
                            [](const Operation& operation, Rank time) {
                              return operation.call < time;
                            });
  }

  // Reads of one chain, one after the other, that show less and less.
  void CheckShrinks(const Chain& chain) {
    std::vector<size_t> by_return = chain.reads;
    std::vector<size_t> by_call = chain.reads;
    SortByReturn(&by_return);
    SortByCall(&by_call);
    size_t next = 0;
    std::optional<size_t> most;
    for (const size_t read : by_call) {
      for (; At(by_return[next]).returned < At(read).call; ++next) {
        if (!most.has_value() ||
            elements_.CountOf(by_return[next]) > elements_.CountOf(*most)) {
          most = by_return[next];
        }
      }
      if (!most.has_value()) continue;
      const size_t count = elements_.CountOf(read);
      // The empty value may be of another epoch than the put's.
      if (count < elements_.CountOf(*most)) {
        Report(Rule::kShrinks, read, chain.writes[count], *most,
               {read, *most, chain.writes[count]});
        return;
      }
    }
  }

  // Two chains with the same put that continue it in two ways.
  void CheckDiverges() {
    std::map<size_t, const Chain*> by_put;
    for (const Chain& chain : elements_.chains()) {
      if (chain.writes.empty()) continue;
      const size_t put = chain.put.value_or(kNowhere);
      const auto [entry, is_new] = by_put.try_emplace(put, &chain);
      if (!is_new) CheckDiverges(*entry->second, chain);
    }
  }
  void CheckDiverges(const Chain& a, const Chain& b) {
    size_t same = 0;
    const size_t most = std::min(a.writes.size(), b.writes.size());
    while (same < most && a.writes[same] == b.writes[same]) ++same;
    if (same == most) return;
    const std::optional<size_t> read = FirstThatShows(a, same);
    const std::optional<size_t> other = FirstThatShows(b, same);
    if (!read.has_value() || !other.has_value()) return;
    Report(Rule::kDiverges, *read, a.writes[same], *other,
           {*read, *other, a.writes[same], b.writes[same]});
  }

  // Epochs come one after another, each whole.
  void CheckZones() {
    std::vector<Zone> forward;
    std::vector<Zone> backward;
    for (const auto& [put, zone] : Zones()) {
      (zone.from < zone.to ? forward : backward).push_back(zone);
    }
    std::sort(forward.begin(), forward.end(),
              [](const Zone& a, const Zone& b) { return a.from < b.from; });
    for (size_t i = 1; i < forward.size(); ++i) {
      if (forward[i].from < forward[i - 1].to) {
        ReportZones(forward[i - 1], forward[i]);
      }
    }
    for (const Zone& zone : backward) {
      auto after = std::upper_bound(
          forward.begin(), forward.end(), zone.to,
          [](Rank rank, const Zone& other) { return rank < other.from; });
      if (after == forward.begin()) continue;
      if (zone.from < (after - 1)->to) ReportZones(*(after - 1), zone);
    }
  }
  void ReportZones(const Zone& a, const Zone& b) {
    std::vector<size_t> operations = {a.first, a.last, b.first, b.last};
    for (const size_t i : {a.first, a.last, b.first, b.last}) {
      const auto read = shown_by_.find(i);
      if (read != shown_by_.end()) operations.push_back(read->second);
    }
    Report(Rule::kBetween, a.last, b.first, a.first, std::move(operations));
  }

  std::map<size_t, Zone> Zones() {
    std::map<size_t, Zone> zones;
    for (size_t i = 0; i < operations_.size(); ++i) {
      if (At(i).write == Write::kPut && !At(i).optional) Widen(i, &zones[i]);
      if (!At(i).reads || At(i).optional) continue;
      if (elements_.ShowsForeign(i)) continue;
      const Chain& chain = elements_.ChainOf(i);
      const bool of_put = chain.put.has_value() && elements_.CountOf(i) > 0;
      Widen(i, &zones[of_put ? *chain.put : kNowhere]);
      // A put that is read was executed, even if it was not answered.
      if (of_put) Widen(*chain.put, &zones[*chain.put]);
    }
    for (const Chain& chain : elements_.chains()) WidenByAppends(chain, &zones);
    // The first epoch has begun before everything.
    const auto first = zones.find(kNowhere);
    if (first != zones.end()) {
      first->second.from = 0;
      first->second.first = first->second.last;
    }
    return zones;
  }
  // The appends that are shown belong to the epoch, too.
  void WidenByAppends(const Chain& chain, std::map<size_t, Zone>* zones) {
    std::vector<size_t> reads = chain.reads;
    SortByReturn(&reads);
    size_t shown = 0;
    for (const size_t read : reads) {
      for (; shown < elements_.CountOf(read); ++shown) {
        const size_t write = chain.writes[shown];
        if (At(write).write != Write::kAppend) continue;
        shown_by_.try_emplace(write, read);
        Widen(write, &(*zones)[chain.put.value_or(kNowhere)]);
      }
    }
  }
  void Widen(size_t operation, Zone* zone) const {
    if (At(operation).returned < zone->from) {
      zone->from = At(operation).returned;
      zone->first = operation;
    }
    if (At(operation).call >= zone->to) {
      zone->to = At(operation).call;
      zone->last = operation;
    }
  }

  const Operations& operations_;
  const Elements& elements_;
  std::vector<size_t> place_in_chain_;
  std::optional<size_t> first_write_;  // to return
  std::map<size_t, size_t> shown_by_;  // appends, by a read each
  std::optional<Finding> first_;
};

}  // namespace

std::optional<Finding> ApplyRules(const Operations& operations,
                                  const Elements& elements) {
  return Rules(operations, elements).Apply();
}

}  // namespace porcupine
