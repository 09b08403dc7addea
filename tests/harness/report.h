// The lines that a test prints about itself, and the waits of the harness that
// follow a schedule: the parts of the harness that need no cluster.
//
// Thread safety: free functions without state.

#ifndef TESTS_HARNESS_REPORT_H_
#define TESTS_HARNESS_REPORT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace harness {

// What a test that passed cost, since its title was printed.
struct Costs {
  std::chrono::duration<double> time;
  int servers = 0;
  int64_t rpcs = 0;     // accepted by the network, lost ones included
  int64_t bytes = 0;    // of arguments and delivered replies
  int64_t commits = 0;  // log indexes reported as applied
};

// `Test (2A): initial election ...`, without a newline.
std::string TitleLine(std::string_view title);

// The course's line with its five columns, without a newline:
// `  ... Passed --   3.0  3   46   12724    0`.
std::string PassedLine(const Costs& costs);

// What a test of a service that passed cost, since its title was printed.
struct ServiceCosts {
  std::chrono::duration<double> time;
  int servers = 0;
  int64_t rpcs = 0;        // accepted by the network, Raft's and clients'
  int64_t operations = 0;  // that clients have completed
};

// The course's lines of its services, without a newline: until 2024
// `  ... Passed --  15.2  5  4323  916`; of 2025
// `Test: ... (reliable network)...` and
// `  ... Passed --  time  3.2s #peers 5 #RPCs  5902 #Ops 1153`.
std::string ServicePassedLine(const ServiceCosts& costs);
std::string TitleLine2025(std::string_view title, bool reliable);
std::string ServicePassedLine2025(const ServiceCosts& costs);

// Prints `text` as it is on the standard output, at once.
void Print(std::string_view text);

// RaftCluster::Wait() looks 30 times at most and sleeps after each look: first
// kFirstPause, then what NextPause() makes of the one before. It doubles below
// one second: 10, 20, 40 ... 640, 1280, 1280 ... ms.
inline constexpr int kMostPauses = 30;
inline constexpr std::chrono::milliseconds kFirstPause(10);
std::chrono::milliseconds NextPause(std::chrono::milliseconds pause);

}  // namespace harness

#endif  // TESTS_HARNESS_REPORT_H_
