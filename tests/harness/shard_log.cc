// The log entries in words: for views.

#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "shardctrler/registry.h"
#include "shardkv/group.h"
#include "tests/harness/kv_log.h"
#include "tests/harness/message.h"
#include "tests/harness/shard_service.h"

namespace harness {
namespace {

std::string Show(const shardkv::MoveId& move) {
  return absl::StrCat("shard ", move.shard, " of config ", move.num);
}

std::string Show(const shardctrler::Config& config) {
  return absl::StrCat("config ", config.num, ": ",
                      absl::StrJoin(config.shards, " "));
}

std::string GidsOf(const shardctrler::Groups& groups) {
  return absl::StrJoin(groups, " ", [](std::string* out, const auto& group) {
    absl::StrAppend(out, group.first);
  });
}

}  // namespace

std::string ShowShardCommand(std::string_view command) {
  const auto entry = rpc::Decode<shardkv::Command>(command);
  if (!entry.ok()) return "";
  return std::visit(
      Overloaded{
          [](const shardkv::Nothing&) -> std::string {
            return "an entry of the new leader";
          },
          [](const shardkv::Execute& execute) {
            return ShowKvCommand(execute.request);
          },
          [](const shardkv::Reconfigure& next) { return Show(next.config); },
          [](const shardkv::Install& part) {
            const bool is_last = part.part.next.entry >= part.part.total;
            return absl::StrCat("install ", is_last ? "" : "a part of ",
                                Show(part.move));
          },
          [](const shardkv::Delete& entry) {
            return absl::StrCat("delete ", Show(entry.move));
          },
          [](const shardkv::Confirmed& entry) {
            return absl::StrCat("confirmed ", Show(entry.move));
          },
      },
      entry->what);
}

std::string ShowCtrlerCommand(std::string_view command) {
  const auto request = rsm::Sessions::DecodeRequest(command);
  if (!request.ok()) return "";
  if (request->is_open) return "open a session";
  const auto decoded = rpc::Decode<shardctrler::Command>(request->command);
  if (!decoded.ok()) return "";
  return std::visit(
      Overloaded{
          [](const shardctrler::QueryArgs&) -> std::string { return "query"; },
          [](const shardctrler::JoinArgs& args) {
            return absl::StrCat("join ", GidsOf(args.groups));
          },
          [](const shardctrler::LeaveArgs& args) {
            return absl::StrCat("leave ", absl::StrJoin(args.gids, " "));
          },
          [](const shardctrler::MoveArgs& args) {
            return absl::StrCat("move shard ", args.shard, " to ", args.gid);
          },
      },
      decoded->call);
}

}  // namespace harness
