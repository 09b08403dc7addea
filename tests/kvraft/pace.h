// How often the clients of the course's long tests call.
//
// Thread safety: free functions.

#ifndef TESTS_KVRAFT_PACE_H_
#define TESTS_KVRAFT_PACE_H_

#include <chrono>

namespace tests {

// Waits until the next round begins: the clients of a test call in rounds, all
// at the same time, and so together some hundred times in a second, as with the
// services of the course.
//
// Where the network takes no time ours is faster by a hundred times. Values
// that grow with each operation would take all of a machine then, and a
// simulated second would never end.
void AwaitRound(std::chrono::nanoseconds round);

}  // namespace tests

#endif  // TESTS_KVRAFT_PACE_H_
