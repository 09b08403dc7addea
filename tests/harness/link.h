// How a cluster names the ends of its network: "S2.1-S0" leads from the first
// life of server 2 to server 0.
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
  raft::ServerId from = 0;
  int life = 0;  // of `from`, counted from 1
  raft::ServerId to = 0;
};

std::string LinkName(const Link& link);

// Nothing if the end is not one of a cluster's.
std::optional<Link> ParseLink(std::string_view end_name);

}  // namespace harness

#endif  // TESTS_HARNESS_LINK_H_
