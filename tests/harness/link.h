// The names on a network that several groups of servers share.
//
// A server's end is called "G0/S2.1-S0": it leads, in group 0, from the first
// incarnation of server 2 to server 0. A server is called "G0/S2" there.
//
// Thread safety: pure functions.

#ifndef TESTS_HARNESS_LINK_H_
#define TESTS_HARNESS_LINK_H_

#include <optional>
#include <string>
#include <string_view>

#include "raft/types.h"

namespace harness {

struct Link {
  int group = 0;
  raft::ServerId from = 0;
  int incarnation = 0;  // of `from`, counted from 1
  raft::ServerId to = 0;
};

std::string LinkName(const Link& link);
std::string ServerName(int group, raft::ServerId server);

// Nothing if the end does not lead from a server of a group to another.
std::optional<Link> ParseLink(std::string_view end_name);

}  // namespace harness

#endif  // TESTS_HARNESS_LINK_H_
