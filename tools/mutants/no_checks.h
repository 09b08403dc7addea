// Takes the teeth out of raft/: its CHECKs, and with them its invariants, do
// nothing. What is left to find a mutant is the suite alone.
//
// The compiler alone includes it, before every raft/*.cc, if the Makefile is
// called with RAFT_CHECKS=off. The CHECKs of the headers that raft/ is built on
// stay: they are read here first.
//
// Always true: an operand that only a CHECK uses still counts as used.

#ifndef TOOLS_MUTANTS_NO_CHECKS_H_
#define TOOLS_MUTANTS_NO_CHECKS_H_

#include "base/channel.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/rope.h"
#include "persister/persister.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"

#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LE
#undef CHECK_LT
#undef CHECK_GE
#undef CHECK_GT

// Compiled, with what is streamed into it, and never run.
#define CHECK(condition) \
  while (false && (condition)) LOG(INFO)
#define CHECK_EQ(a, b) CHECK((a) == (b))
#define CHECK_NE(a, b) CHECK((a) != (b))
#define CHECK_LE(a, b) CHECK((a) <= (b))
#define CHECK_LT(a, b) CHECK((a) < (b))
#define CHECK_GE(a, b) CHECK((a) >= (b))
#define CHECK_GT(a, b) CHECK((a) > (b))

#endif  // TOOLS_MUTANTS_NO_CHECKS_H_
