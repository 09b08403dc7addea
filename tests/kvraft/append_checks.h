// What must have become of the elements `x <client> <j> y` that clients have
// appended to a value, j = 0, 1, ...: the course's checks.
//
// Thread safety: free functions.

#ifndef TESTS_KVRAFT_APPEND_CHECKS_H_
#define TESTS_KVRAFT_APPEND_CHECKS_H_

#include <string>
#include <vector>

#include "tests/harness/failure.h"

namespace tests {

std::string Element(int client, int j);

// Fails unless the client's first `count` elements are there, each once and in
// their order; between them may be others.
void CheckAppends(int client, const std::string& value, int count,
                  harness::Place place = harness::Place::Here());

// As CheckAppends(), for clients 0, 1, ...
void CheckConcurrentAppends(const std::string& value,
                            const std::vector<int>& counts,
                            harness::Place place = harness::Place::Here());

}  // namespace tests

#endif  // TESTS_KVRAFT_APPEND_CHECKS_H_
