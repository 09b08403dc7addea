# Every command a person needs; `make help` lists them. All output goes to out/.
#
# The targets you type run one after another; each builds what it needs in a
# make of its own (VARIANT is set there), in parallel. That is why library flags
# are looked up only there: `make deps demo` installs them first.

.DEFAULT_GOAL := help
SHELL := /bin/bash

ifndef VARIANT  # ---------------------------------------------- what you type

.NOTPARALLEL:
.PHONY: help deps demo test race asan compare lint format clang build clean \
  sim sim-race sim-mem sim-same sim-test sim-mutants mutants skeleton \
  skeleton-test grade trace trace-test stress bench bench-test clean-machine

# Passed through the environment, so that a regular expression needs no quoting.
export LAB_RUN := $(value RUN)
export LAB_ORIGIN := $(value ORIGIN)
export LAB_SEED := $(value SEED)
export LAB_V := $(value V)
export LAB_SEEDS := $(value SEEDS)
export LAB_PROFILE := $(value PROFILE)
export LAB_RAFT := $(value RAFT)
export LAB_GO_LAB := $(value GO_LAB)
export LAB_GO_LOG := $(value GO_LOG)
export LAB_OUR_LOG := $(value OUR_LOG)
export LAB_N := $(value N)
export LAB_SSHLOGINS := $(value SSHLOGINS)
export LAB_FOR := $(value FOR)
export LAB_SINCE := $(value SINCE)
export LAB_DEBIAN := $(value DEBIAN)
export LAB_FSGSBASE := $(value FSGSBASE)
export LAB_MIRROR := $(value MIRROR)

# Where products go: somebody else's Raft has a place of its own.
PLACE := $(if $(LAB_RAFT),$(shell \
  tools/theirs.sh '$(subst ','\'',$(LAB_RAFT))'),out)
$(if $(filter error:,$(PLACE)),$(error $(PLACE)))

JOBS ?= $(shell nproc)
ASKED_JOBS = $(if $(filter file,$(origin JOBS)),,$(JOBS))
BUILD = $(MAKE) -s --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS)) PLACE=$(PLACE)
RUN_TESTS = --run="$$LAB_RUN" --origin="$$LAB_ORIGIN" --seed="$$LAB_SEED" \
  --verbose="$$LAB_V" \
  $(if $(LAB_RAFT),--target="$@ RAFT=$$(printf %q "$$LAB_RAFT")")
SIM = $(TOOLS) sim --run="$$LAB_RUN" --seed="$$LAB_SEED" \
  --seeds="$$LAB_SEEDS" --seed_list="$(SEED_LIST)" --verbose="$$LAB_V" \
  --jobs="$(ASKED_JOBS)" --sshlogins="$$LAB_SSHLOGINS" --target=$@ \
  --raft="$$LAB_RAFT"
# Groups of tools/packages.txt; the tests of ours need what their scripts do.
NEEDS = tools/needs.sh build
NEEDS_FOR_TESTS = $(NEEDS) $(if $(LAB_RAFT),,test)
NEEDS_FOR_RUNS = $(NEEDS) test $(if $(LAB_SSHLOGINS),ssh)
PYTHON = /usr/bin/python3
TOOLS = $(PYTHON) -B -m tools

help:
	@tools/help.sh

deps:
	@tools/deps.sh $$LAB_FOR

demo:
	@$(NEEDS)
	@$(BUILD) VARIANT=plain $(PLACE)/plain/demo
	@$(PLACE)/plain/demo

build:
	@$(NEEDS)
	@$(BUILD) VARIANT=plain all

test:
	@$(NEEDS_FOR_TESTS)
	@$(BUILD) VARIANT=plain all
	@tools/run_all.sh $(PLACE)/plain/raft_tests \
	  $(if $(LAB_RAFT),,out/plain/sim_tests) -- $(RUN_TESTS)

race:
	@$(NEEDS_FOR_TESTS)
	@$(BUILD) VARIANT=race $(PLACE)/race/raft_tests
	@tools/fixed_addresses.sh $(PLACE)/race/raft_tests $(RUN_TESTS)

asan:
	@$(NEEDS_FOR_TESTS)
	@$(BUILD) VARIANT=asan $(PLACE)/asan/raft_tests
	@$(PLACE)/asan/raft_tests $(RUN_TESTS)

# The lab's tests under the simulator (sim/README.md): many seeds, or one.
sim:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) VARIANT=plain $(PLACE)/plain/raft_sim
	@$(SIM) --profile="$$LAB_PROFILE" $(PLACE)/plain/raft_sim

sim-race:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) VARIANT=race $(PLACE)/race/raft_sim
	@SIM_ENGINE=native tools/fixed_addresses.sh \
	  $(SIM) --default_seeds=20 $(PLACE)/race/raft_sim

sim-mem:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) VARIANT=mem $(PLACE)/mem/raft_sim
	@$(SIM) --default_seeds=20 $(PLACE)/mem/raft_sim

sim-test:
	@$(NEEDS)
	@$(BUILD) VARIANT=plain out/plain/sim_tests
	@out/plain/sim_tests --target=sim-test $(RUN_TESTS)

# A seed is the same run, however it is run.
sim-same:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) VARIANT=plain out/plain/raft_sim
	@$(BUILD) VARIANT=asan out/asan/raft_sim
	@$(TOOLS) sim-same --seed="$$LAB_SEED" \
	  --seeds="$$LAB_SEEDS" --profile="$$LAB_PROFILE" --jobs="$(JOBS)"

# Breaks the simulator in one way at a time: its tests must notice.
sim-mutants:
	@$(NEEDS)
	@$(BUILD) VARIANT=plain out/plain/sim_tests
	@$(TOOLS) sim-mutants $(ONLY)

# Breaks raft/ in one way at a time: the lab's tests must notice.
mutants:
	@$(NEEDS_FOR_RUNS)
	@$(TOOLS) mutants $(if $(FULL),--full) \
	  $(if $(REAL),--real) $(if $(ASKED_JOBS),--jobs=$(ASKED_JOBS)) \
	  $(if $(SAMPLE),--sample="$(SAMPLE)") $(if $(ROUND),--round="$(ROUND)") \
	  $(ONLY)

# Builds everything with clang, to see its warnings too.
clang:
	@$(NEEDS) lint bench
	@$(BUILD) VARIANT=clang all benches

# An unsolved Raft to work in, for RAFT=.
skeleton:
	@tools/skeleton/skeleton.sh "$(DIR)"

skeleton-test:
	@$(NEEDS_FOR_RUNS)
	@tools/skeleton/skeleton_test.sh

# Points for a Raft, ours or RAFT=.
grade:
	@$(NEEDS_FOR_RUNS)
	@tools/fixed_addresses.sh $(TOOLS) grade \
	  --place=$(PLACE) --raft="$$LAB_RAFT" --jobs=$(JOBS) --n="$$LAB_N" \
	  --seeds="$$LAB_SEEDS" --race_seeds="$(RACE_SEEDS)" \
	  --weights="$(WEIGHTS)"

# What happened in one run, on a page.
trace:
	@$(NEEDS) test
	@$(BUILD) VARIANT=plain $(PLACE)/plain/$(if $(REAL),raft_tests,raft_sim)
	@$(TOOLS) trace --place="$(PLACE)" \
	  --run="$$LAB_RUN" --seed="$$LAB_SEED" --profile="$$LAB_PROFILE" \
	  --real="$(REAL)" --text="$(TEXT)" --raft="$$LAB_RAFT"

# The page in a browser.
trace-test:
	@$(NEEDS) test browser
	@$(PYTHON) -B -m unittest tools.trace.page_test

# Tests in real time again and again, for the rare failure.
stress:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) VARIANT=plain $(PLACE)/plain/raft_tests
	@$(TOOLS) stress --run="$$LAB_RUN" --n="$$LAB_N" \
	  --seed="$$LAB_SEED" --jobs="$(ASKED_JOBS)" --keep_going="$(KEEP_GOING)" \
	  --sshlogins="$$LAB_SSHLOGINS" --raft="$$LAB_RAFT" \
	  $(PLACE)/plain/raft_tests

# How fast our Raft is on this machine, of what the machine allows.
bench:
	@$(NEEDS) test bench
	@$(BUILD) VARIANT=plain benches
	@$(TOOLS) bench --run="$$LAB_RUN" \
	  --base="$(BASE)" --repetitions="$(REPS)"

# Each case once, made small.
bench-test:
	@$(NEEDS) test bench
	@$(BUILD) VARIANT=plain benches
	@BENCH_PROGRAMS=out/plain $(PYTHON) -B -m unittest bench.bench_test

# One of our runs, or several, beside the Go lab's.
compare:
	@$(NEEDS) test $(if $(LAB_GO_LAB),compare)
	@$(BUILD) VARIANT=plain out/plain/raft_tests
	@$(TOOLS) compare --go_lab="$$LAB_GO_LAB" \
	  --go_log="$$LAB_GO_LOG" --our_log="$$LAB_OUR_LOG" --n="$$LAB_N" \
	  --run="$$LAB_RUN" --seed="$$LAB_SEED"

lint:
	@$(NEEDS) lint bench
	@tools/lint/lint.sh "$$LAB_SINCE"

format:
	@$(NEEDS) lint
	@clang-format --version | grep -q 'version 14\.' || { \
	  echo "the sources are formatted with clang-format 14 (Debian 12's)"; exit 2; }
	@clang-format -i $$(git ls-files '*.h' '*.cc')

# The README's two commands on a fresh Debian, before a release.
clean-machine:
	@tools/needs.sh clean-machine
	@tools/clean_machine.sh "$$LAB_DEBIAN" "$$LAB_FSGSBASE" "$$LAB_MIRROR"

clean:
	@find out -mindepth 1 -not -name README.md -delete

else  # ------------------------------------------------- one variant's build

CXX_plain := g++
CXX_race := g++
CXX_asan := g++
CXX_mem := g++
CXX_clang := clang++
FLAGS_plain := -O2
FLAGS_race := -O1 -fsanitize=thread
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
# What sim/simmem.cc takes the place of ThreadSanitizer's library for.
FLAGS_mem := -O1 -fsanitize=thread
FLAGS_clang := -O1 -Wthread-safety
LINK_FLAGS := $(if $(filter mem,$(VARIANT)),,$(FLAGS_$(VARIANT)))

PACKAGES := gtest libglog absl_flags_parse absl_flags absl_strings \
  absl_str_format absl_status absl_statusor absl_symbolize \
  absl_time
CXX := $(CXX_$(VARIANT))
# Somebody else's Raft may cause warnings, in our files that include it too.
COMMON_FLAGS := -std=c++20 -g -fno-omit-frame-pointer -pthread \
  -I$(if $(RAFT),$(PLACE)/include,.) -Wall -Wextra -Wpedantic \
  $(if $(RAFT),,-Werror) $(shell pkg-config --cflags $(PACKAGES))
CXXFLAGS := $(COMMON_FLAGS) $(FLAGS_$(VARIANT))
# No sanitizer may take the simulator's accesses for the program's own, so it is
# built without, and calls none of the functions that sanitizers intercept.
SIM_CXXFLAGS := $(COMMON_FLAGS) -O2 -fno-builtin
SIM_CXXFLAGS += $(if $(filter g++,$(CXX)),-fno-tree-loop-distribute-patterns)
LDLIBS := $(shell pkg-config --libs $(PACKAGES))
PLACE ?= out
OUT := $(PLACE)/$(VARIANT)

# Of somebody else's Raft the files in its folder, and the tests of the lab.
RAFT_FILES := $(if $(RAFT),$(patsubst $(PLACE)/include/%,%, \
  $(wildcard $(PLACE)/include/raft/*.cc)),$(wildcard raft/*.cc))
LIBRARY := $(wildcard base/*.cc rpc/*.cc labrpc/*.cc persister/*.cc) \
  $(RAFT_FILES)
RUNNER_MAIN := tests/main.cc tests/observation.cc
TEST_PROGRAMS := tests/runner/test_programs.cc
HARNESS := $(filter-out $(RUNNER_MAIN) $(TEST_PROGRAMS), \
  $(wildcard tests/harness/*.cc tests/oracle/*.cc tests/runner/*.cc))
LAB_TESTS := $(RUNNER_MAIN) $(wildcard tests/raft/*.cc) \
  $(if $(RAFT),,$(TEST_PROGRAMS) $(wildcard tests/labrpc/*.cc))
TESTS := $(LAB_TESTS) $(if $(RAFT),,$(wildcard tests/unit/*/*.cc))
DEMO := $(wildcard examples/demo/*.cc)
BENCH := $(wildcard bench/*.cc)
BENCHES := $(OUT)/raft_bench $(OUT)/raft_bench_sim
SIM := $(filter-out sim/simmem.cc sim/stacks.cc,$(wildcard sim/*.cc))
SIM += $(if $(filter mem,$(VARIANT)),sim/simmem.cc)
# Those of sim/simmem.cc need g++ and no sanitizer.
MEMORY := sim/test/memory_test.cc sim/test/program_memory.cc
SIM_TEST := $(filter-out $(if $(filter plain,$(VARIANT)),,$(MEMORY)), \
  $(wildcard sim/test/*.cc))
SIM_PROGRAM_SOURCES := $(filter sim/test/program_%,$(SIM_TEST))
SIM_TESTS := $(filter-out $(SIM_PROGRAM_SOURCES),$(SIM_TEST))
object = $(patsubst %.cc,$(OUT)/obj/%.o,$(1))
# The simulator knows the stacks of its threads better than the harness does.
LAB_HARNESS := $(filter-out %/stacks.cc,$(HARNESS)) sim/stacks.cc
SIM_PROGRAMS := $(patsubst sim/test/%.cc,$(OUT)/%,$(SIM_PROGRAM_SOURCES))

.PHONY: all benches
all: $(OUT)/raft_tests $(OUT)/raft_sim \
  $(if $(RAFT),,$(OUT)/demo $(OUT)/sim_tests)
benches: $(BENCHES)

$(OUT)/raft_tests: $(call object,$(LIBRARY) $(HARNESS) $(TESTS))
$(OUT)/demo: $(call object,$(LIBRARY) $(DEMO))
$(OUT)/raft_bench: $(call object,$(LIBRARY) $(BENCH))
$(OUT)/raft_bench_sim: $(call object,$(LIBRARY) $(BENCH) $(SIM))
$(BENCHES): BENCH_LIBS = $(shell pkg-config --libs benchmark)
$(OUT)/raft_sim: $(call object,$(LIBRARY) $(LAB_HARNESS) $(LAB_TESTS) $(SIM))
$(OUT)/sim_tests: $(call object,$(LIBRARY) $(HARNESS) $(RUNNER_MAIN) \
  $(SIM) $(SIM_TESTS)) | $(SIM_PROGRAMS)
$(SIM_PROGRAMS): $(OUT)/%: $(OUT)/obj/sim/test/%.o \
  $(call object,$(SIM) base/symbolize.cc)

$(OUT)/raft_tests $(OUT)/demo $(OUT)/raft_sim $(OUT)/sim_tests \
$(BENCHES) $(SIM_PROGRAMS):
	@echo "  link     $@"
	@$(CXX) $(COMMON_FLAGS) $(LINK_FLAGS) $^ -o $@ $(LDLIBS) $(BENCH_LIBS)

# ThreadSanitizer's calls, but not its library.
$(OUT)/obj/sim/test/program_memory.o: CXXFLAGS += $(FLAGS_mem)
$(OUT)/program_memory: $(call object,sim/simmem.cc)

$(OUT)/obj/sim/test/%.o: sim/test/%.cc Makefile
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@

$(OUT)/obj/sim/%.o: sim/%.cc Makefile
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(CXX) $(SIM_CXXFLAGS) -MMD -MP -c $< -o $@

$(OUT)/obj/%.o: %.cc Makefile
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@

# For tools/mutants/, in copies of the tree: raft/ without its own CHECKs.
ifeq ($(RAFT_CHECKS),off)
$(OUT)/obj/raft/%.o: CXXFLAGS += -include tools/mutants/no_checks.h
endif

ifdef RAFT
$(OUT)/obj/raft/%.o: $(PLACE)/include/raft/%.cc Makefile
	@mkdir -p $(@D)
	@echo "  compile  $<"
	@$(CXX) $(CXXFLAGS) -MMD -MP -c $< -o $@
endif

-include $(patsubst %.cc,$(OUT)/obj/%.d,$(LIBRARY) $(HARNESS) $(TESTS) \
  $(DEMO) $(BENCH) $(SIM) sim/stacks.cc $(SIM_PROGRAM_SOURCES) $(SIM_TESTS))

endif
