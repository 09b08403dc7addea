#include "porcupine/states.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace porcupine {

States::States(std::vector<std::string_view> values)
    : values_(std::move(values)), nodes_(1) {
  std::sort(values_.begin(), values_.end());
  values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
}

States::Id States::Of(std::string_view value) {
  return Extend({0, static_cast<uint32_t>(values_.size()), 0}, value);
}

States::Id States::Append(Id state, std::string_view suffix) {
  return Extend(nodes_[state], suffix);
}

States::Id States::Extend(Node node, std::string_view suffix) {
  const size_t from = node.length;
  const auto here = [&](std::string_view value) {
    return value.substr(from, suffix.size());
  };
  const auto first = values_.begin() + node.first;
  const auto last = values_.begin() + node.last;
  const auto low =
      std::lower_bound(first, last, suffix,
                       [&](std::string_view value, std::string_view wanted) {
                         return here(value) < wanted;
                       });
  const auto high = std::upper_bound(
      low, last, suffix, [&](std::string_view wanted, std::string_view value) {
        return wanted < here(value);
      });
  if (low == high) return kUnread;
  node = {static_cast<uint32_t>(low - values_.begin()),
          static_cast<uint32_t>(high - values_.begin()), from + suffix.size()};
  const auto [entry, is_new] =
      ids_.try_emplace({node.first, node.length}, nodes_.size());
  if (is_new) nodes_.push_back(node);
  return entry->second;
}

}  // namespace porcupine
