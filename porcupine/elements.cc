#include "porcupine/elements.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace porcupine {

Elements::Elements(const Operations& operations, bool empty_at_first)
    : operations_(operations),
      chain_(operations.size()),
      count_(operations.size()) {
  unique_ = empty_at_first && AddWrites();
  if (unique_) AddReads();
  if (!unique_) chains_.clear();
}

bool Elements::AddWrites() {
  std::set<size_t> lengths;
  for (size_t i = 0; i < operations_.size(); ++i) {
    const Operation& operation = operations_[i];
    if (operation.write == Write::kNone) continue;
    if (operation.argument.empty()) return false;
    if (!writes_.try_emplace(operation.argument, i).second) return false;
    lengths.insert(operation.argument.size());
  }
  lengths_.assign(lengths.begin(), lengths.end());
  return true;
}

// In descending order a value comes right after those that it begins.
void Elements::AddReads() {
  std::vector<size_t> reads;
  for (size_t i = 0; i < operations_.size(); ++i) {
    if (operations_[i].reads && !operations_[i].optional) reads.push_back(i);
  }
  std::sort(reads.begin(), reads.end(), [this](size_t a, size_t b) {
    return operations_[b].result < operations_[a].result;
  });
  for (const size_t read : reads) {
    const std::string_view value = operations_[read].result;
    const bool is_beginning = !chains_.empty() && chains_.back().value.substr(
                                                      0, value.size()) == value;
    if (!is_beginning) {
      Chain chain;
      chain.value = value;
      if (!Parse(&chain)) unique_ = false;
      chains_.push_back(std::move(chain));
    }
    Assign(read, chains_.size() - 1);
  }
}

bool Elements::Parse(Chain* chain) const {
  size_t at = 0;
  while (at < chain->value.size()) {
    std::optional<size_t> found;
    for (const size_t length : lengths_) {
      if (at + length > chain->value.size()) break;
      const auto write = writes_.find(chain->value.substr(at, length));
      if (write == writes_.end()) continue;
      if (found.has_value()) return false;
      found = write->second;
    }
    if (!found.has_value()) break;
    const bool is_put = operations_[*found].write == Write::kPut;
    if (is_put && at > 0) break;  // nothing comes before it
    if (is_put) chain->put = found;
    at += operations_[*found].argument.size();
    chain->writes.push_back(*found);
    chain->ends.push_back(at);
  }
  chain->foreign = at < chain->value.size();
  return true;
}

void Elements::Assign(size_t read, size_t chain) {
  const std::vector<size_t>& ends = chains_[chain].ends;
  const size_t length = operations_[read].result.size();
  chain_[read] = chain;
  count_[read] =
      std::upper_bound(ends.begin(), ends.end(), length) - ends.begin();
  chains_[chain].reads.push_back(read);
}

bool Elements::ShowsForeign(size_t read) const {
  const Chain& chain = ChainOf(read);
  const size_t count = CountOf(read);
  const size_t end = count == 0 ? 0 : chain.ends[count - 1];
  return operations_[read].result.size() > end;
}

std::string Elements::Project(size_t read,
                              const std::vector<bool>& executed) const {
  const Chain& chain = ChainOf(read);
  const size_t count = CountOf(read);
  std::string value;
  for (size_t i = 0; i < count; ++i) {
    if (executed[chain.writes[i]]) {
      value += operations_[chain.writes[i]].argument;
    }
  }
  const size_t end = count == 0 ? 0 : chain.ends[count - 1];
  value += operations_[read].result.substr(end);
  return value;
}

}  // namespace porcupine
