#include "examples/demo/shard_view.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace demo {

using Json = nlohmann::ordered_json;
using raft::ServerId;

namespace {

std::string NameOfGroup(int group) {
  return group == ShardView::kCtrlers ? "the controller"
                                      : absl::StrCat("group ", group);
}

std::string Shards(const std::set<int>& shards) {
  return absl::StrCat(shards.size() == 1 ? "shard " : "shards ",
                      absl::StrJoin(shards, " "));
}

}  // namespace

std::string ShardView::Take(const Json& event) {
  const std::string name = event.at("event");
  const int group = event.value("group", kCtrlers);
  if (name == "group") {
    groups_[kCtrlers];
    groups_[group];
  }
  if (name == "config") return TakeConfig(event);
  if (name == "shards") return TakeShards(group, event);
  if (name == "role") return TakeRole(group, event);
  if (name == "life") {
    const ServerId server = event.at("server");
    const bool was_up = groups_[group].up[server];
    const bool is_up = event.at("up");
    groups_[group].up[server] = is_up;
    if (was_up && !is_up) {
      if (groups_[group].leader == server)
        groups_[group].leader = raft::kNobody;
      return absl::StrCat("S", server, " of ", NameOfGroup(group), " is down");
    }
  }
  return "";
}

std::string ShardView::TakeConfig(const Json& event) {
  config_ = event.at("config");
  const std::vector<int> owners = event.at("shards");
  owners_.resize(owners.size());
  std::map<std::pair<int, int>, std::set<int>> ways;
  for (size_t i = 0; i < owners.size(); ++i) {
    if (owners[i] == owners_[i]) continue;
    const int shard = static_cast<int>(i);
    ways[{owners_[i], owners[i]}].insert(shard);
    if (owners_[i] != 0 && owners[i] != 0) {
      moving_.try_emplace(shard, event.at("t").get<double>());
    }
  }
  owners_ = owners;
  std::string text = absl::StrCat("config ", config_, ":");
  for (const auto& [way, shards] : ways) {
    absl::StrAppend(
        &text, text.back() == ':' ? " " : ", ", Shards(shards),
        way.first == 0 ? absl::StrCat(" to ", way.second)
                       : absl::StrCat(" from ", way.first, " to ", way.second));
  }
  return text;
}

// Servers of a group execute the same one after the other: only what is new of
// the first one counts.
std::string ShardView::TakeShards(int group, const Json& event) {
  const Json& fields = event.at("fields");
  GroupView next = groups_[group];
  next.config = fields.at("config");
  fields.at("served").get_to(next.served);
  fields.at("to_confirm").get_to(next.to_confirm);
  fields.at("coming").get_to(next.coming);
  fields.at("leaving").get_to(next.leaving);
  GroupView& known = groups_[group];
  // At a configuration shards come, and what is left to do then gets less.
  const auto progress = [](const GroupView& view) {
    return std::tuple(
        view.config, view.served.size() + view.to_confirm.size(),
        -static_cast<int64_t>(view.to_confirm.size() + view.leaving.size()));
  };
  const bool is_news = progress(next) > progress(known);
  if (!is_news) return "";
  known = next;
  std::set<int> come;
  double since = 0;
  for (auto moving = moving_.begin(); moving != moving_.end();) {
    const auto [shard, begin] = *moving;
    const bool is_here =
        owners_[static_cast<size_t>(shard)] == group && known.Serves(shard);
    if (!is_here) {
      ++moving;
      continue;
    }
    come.insert(shard);
    since = begin;
    moves_.push_back(1000 * (event.at("t").get<double>() - begin));
    moving = moving_.erase(moving);
  }
  if (come.empty()) return "";
  return absl::StrFormat("group %d serves %s, %.1f ms after it was decided",
                         group, Shards(come),
                         1000 * (event.at("t").get<double>() - since));
}

std::string ShardView::TakeRole(int group, const Json& event) {
  GroupView& view = groups_[group];
  if (event.at("role") != "leader" || event.at("term") <= view.term) return "";
  view.term = event.at("term");
  view.leader = event.at("server");
  ++elections_;
  return absl::StrCat("S", view.leader, " leads ", NameOfGroup(group),
                      " in term ", view.term);
}

bool ShardView::IsSettled() const {
  for (size_t shard = 0; shard < owners_.size(); ++shard) {
    const auto owner = groups_.find(owners_[shard]);
    if (owner == groups_.end() || owner->second.config != config_ ||
        !owner->second.Serves(static_cast<int>(shard))) {
      return false;
    }
  }
  return std::all_of(groups_.begin(), groups_.end(), [this](const auto& each) {
    const GroupView& group = each.second;
    return each.first == kCtrlers ||
           (group.config == config_ && group.coming.empty() &&
            group.to_confirm.empty() && group.leaving.empty());
  });
}

}  // namespace demo
