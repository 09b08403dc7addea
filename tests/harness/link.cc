#include "tests/harness/link.h"

#include <charconv>

#include "absl/strings/str_cat.h"

namespace harness {
namespace {

// Takes `prefix` and a number off the front of `text`.
bool Take(std::string_view prefix, std::string_view* text, int* number) {
  if (!text->starts_with(prefix)) return false;
  const char* const begin = text->data() + prefix.size();
  const char* const end = text->data() + text->size();
  const std::from_chars_result result = std::from_chars(begin, end, *number);
  if (result.ec != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(result.ptr - text->data()));
  return true;
}

}  // namespace

std::string LinkName(const Link& link) {
  return absl::StrCat(ServerName(link.group, link.from), ".", link.incarnation,
                      "-S", link.to);
}

std::string ServerName(int group, raft::ServerId server) {
  return absl::StrCat("G", group, "/S", server);
}

std::optional<Link> ParseLink(std::string_view end_name) {
  Link link;
  if (!Take("G", &end_name, &link.group) ||
      !Take("/S", &end_name, &link.from) ||
      !Take(".", &end_name, &link.incarnation) ||
      !Take("-S", &end_name, &link.to) || !end_name.empty()) {
    return std::nullopt;
  }
  return link;
}

}  // namespace harness
