// Puts what was seen into words: what changed between two looks at the cluster,
// and how things stand.
//
// Thread safety: pure functions.
// Always true: a sentence says nothing that the views do not show.

#ifndef EXAMPLES_DEMO_SENTENCES_H_
#define EXAMPLES_DEMO_SENTENCES_H_

#include <set>
#include <string>
#include <vector>

#include "examples/demo/view.h"
#include "raft/types.h"

namespace tests {

// "S3".
std::string Name(raft::ServerId server);

// "S0 S3 S4"; "nobody" for none.
std::string Names(const std::set<raft::ServerId>& servers);

// Leaderships lost and logs overwritten, one sentence each. Servers that were
// down at either look are left out. Gained leaderships and grown logs are told
// elsewhere, by those who know more about them.
std::vector<std::string> DescribeChanges(const ClusterView& before,
                                         const ClusterView& after);

// "S4 leads term 2. S2 is cut off; it still believes that it leads term 1."
std::string DescribeSituation(const ClusterView& view);

}  // namespace tests

#endif  // EXAMPLES_DEMO_SENTENCES_H_
