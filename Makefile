# Every command a person needs; `make help` lists them. All output goes to out/.
#
# What is compiled of what, and how, is in CMakeLists.txt; tools/build.sh brings
# programs up to date, in parallel. The targets run one after another, so that
# `make deps demo` first installs what building needs.

.DEFAULT_GOAL := help
SHELL := /bin/bash

.NOTPARALLEL:
unexport CDPATH
.PHONY: help deps demo test race asan compare lint format clang build clean \
  sim sim-race sim-mem sim-same sim-test sim-mutants mutants \
  mutate mutate-test skeleton handout \
  skeleton-test grade grade-test trace trace-test linearizability stress bench bench-test clean-machine \
  install install-test build-test storage-dump storage-seeds storage-kill fuzz

# Passed through the environment, so that nothing in them needs quoting.
export LAB_RUN := $(value RUN)
export LAB_ORIGIN := $(value ORIGIN)
export LAB_SEED := $(value SEED)
export LAB_V := $(value V)
export LAB_P := $(value P)
export LAB_SEEDS := $(value SEEDS)
export LAB_PROFILE := $(value PROFILE)
export LAB_DISK := $(value DISK)
export LAB_RAFT := $(value RAFT)
export LAB_RSM := $(value RSM)
export LAB_KVRAFT := $(value KVRAFT)
export LAB_SHARDCTRLER := $(value SHARDCTRLER)
export LAB_SHARDKV := $(value SHARDKV)
export LAB_SHARDKV1 := $(value SHARDKV1)
export LAB_LAB := $(value LAB)
export LAB_GO_LAB := $(value GO_LAB)
export LAB_GO_LOG := $(value GO_LOG)
export LAB_OUR_LOG := $(value OUR_LOG)
export LAB_N := $(value N)
export LAB_BY_TEST := $(value BY_TEST)
export LAB_SSHLOGINS := $(value SSHLOGINS)
export LAB_FOR := $(value FOR)
export LAB_SINCE := $(value SINCE)
export LAB_DEBIAN := $(value DEBIAN)
export LAB_FSGSBASE := $(value FSGSBASE)
export LAB_MIRROR := $(value MIRROR)
export LAB_DIR := $(value DIR)
export LAB_BASE := $(value BASE)
export LAB_PEERS := $(value PEERS)
export LAB_WEIGHTS := $(value WEIGHTS)
export LAB_CLASS := $(value CLASS)
export LAB_OUT := $(value OUT)
export LAB_PREFIX := $(value PREFIX)
export LAB_HISTORY := $(value HISTORY)

# LAB=2, 3, 4 or 5 selects tests, 5 those of lab 4 as 2025 has it; LAB=folder
# stands for those of raft, rsm, kvraft, shardctrler, shardkv and shardkv1 in it
# that are there.
LAB_NUMBER := $(if $(filter-out 2 3 4 5,$(LAB_LAB)),,$(LAB_LAB))
ifneq ($(LAB_NUMBER),$(LAB_LAB))
in_lab = $(if $(wildcard $(subst $() ,\ ,$(LAB_LAB))/$1),$(LAB_LAB)/$1)
LAB_RAFT := $(or $(LAB_RAFT),$(call in_lab,raft))
LAB_RSM := $(or $(LAB_RSM),$(call in_lab,rsm))
LAB_KVRAFT := $(or $(LAB_KVRAFT),$(call in_lab,kvraft))
LAB_SHARDCTRLER := $(or $(LAB_SHARDCTRLER),$(call in_lab,shardctrler))
LAB_SHARDKV := $(or $(LAB_SHARDKV),$(call in_lab,shardkv))
LAB_SHARDKV1 := $(or $(LAB_SHARDKV1),$(call in_lab,shardkv1))
$(if $(LAB_RAFT)$(LAB_RSM)$(LAB_KVRAFT)$(LAB_SHARDCTRLER)$(LAB_SHARDKV)$(LAB_SHARDKV1),,\
  $(error error: LAB=$(LAB_LAB): neither 2, 3, 4 nor 5, nor a folder with raft, \
  rsm, kvraft, shardctrler, shardkv or shardkv1))
endif

# Where products go: others' rooms have a place of their own.
quoted = '$(subst ','\'',$1)'
THEIRS_ROOMS := $(if $(LAB_RAFT),raft=$(call quoted,$(LAB_RAFT))) \
  $(if $(LAB_RSM),rsm=$(call quoted,$(LAB_RSM))) \
  $(if $(LAB_KVRAFT),kvraft=$(call quoted,$(LAB_KVRAFT))) \
  $(if $(LAB_SHARDCTRLER),shardctrler=$(call quoted,$(LAB_SHARDCTRLER))) \
  $(if $(LAB_SHARDKV),shardkv=$(call quoted,$(LAB_SHARDKV))) \
  $(if $(LAB_SHARDKV1),shardkv1=$(call quoted,$(LAB_SHARDKV1)))
THEIRS_SERVICES := $(strip $(LAB_RSM) $(LAB_KVRAFT))
THEIRS_SHARDED := $(strip $(LAB_SHARDCTRLER) $(LAB_SHARDKV))
PLACE := $(if $(strip $(THEIRS_ROOMS)),$(shell \
  tools/theirs.sh $(THEIRS_ROOMS)),out)
$(if $(filter error:,$(PLACE)),$(error $(PLACE)))
# As it is typed, for lines to be copied into a shell; within double quotes.
typed = $(if $(LAB_$1),$1=$$(printf %q "$$LAB_$1"))
THEIRS = $(strip $(call typed,RAFT) $(call typed,RSM) $(call typed,KVRAFT) \
  $(call typed,SHARDCTRLER) $(call typed,SHARDKV) $(call typed,SHARDKV1))
# And what a command that repeats a run has to say besides.
AGAIN = $(strip $(THEIRS) $(if $(ISOLATED),$(addprefix LAB=,$(filter 3 4 5,$(LAB_NUMBER)))))
# The tests of these labs; all of them if it is empty. Who brings lab 4 has passed
# those of the labs before it.
comma := ,
SERVICES := rsm$(comma)kvraft
LABS_OF_2 := raft
LABS_OF_3 := $(SERVICES)
SHARDED := shardctrler$(comma)shardkv
LABS_OF_4 := $(SHARDED)$(comma)shardkv1
LABS_OF_5 := shardkv1
ifdef LAB_NUMBER
LABS := $(LABS_OF_$(LAB_NUMBER))
else ifneq (,$(THEIRS_SHARDED)$(LAB_SHARDKV1))
LABS := $(if $(THEIRS_SHARDED),$(SHARDED))$(if $(LAB_SHARDKV1),$(if \
  $(THEIRS_SHARDED),$(comma))shardkv1)
else
LABS := $(if $(LAB_RAFT),raft)$(if $(THEIRS_SERVICES),$(if $(LAB_RAFT),$(comma))$(SERVICES))
endif

# The disks of ISOLATED=1 are in the Raft's process, and grades are of fast ones.
$(if $(and $(LAB_DISK),$(or $(ISOLATED),$(filter grade,$(MAKECMDGOALS)))),$(error \
  error: DISK=$(LAB_DISK) is neither for ISOLATED=1 nor for make grade; leave it out))

JOBS ?= $(shell nproc)
ASKED_JOBS = $(if $(filter file,$(origin JOBS)),,$(JOBS))
BUILD_JOBS = $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),$(JOBS))
BUILD = tools/build.sh -j$(BUILD_JOBS)
# The simulator is for x86-64.
SIM_TESTS := $(if $(filter x86_64,$(shell uname -m)),out/plain/sim_tests)
BENCHES = out/plain/raft_bench \
  $(if $(SIM_TESTS),out/plain/raft_bench_sim $(RAFT_SIM))
RUN_TESTS = --run="$$LAB_RUN" --origin="$$LAB_ORIGIN" --seed="$$LAB_SEED" \
  --verbose="$$LAB_V" --parallel="$$LAB_P" --disk="$$LAB_DISK" \
  $(if $(LABS),--lab=$(LABS)) $(if $(ISOLATED)$(THEIRS),\
  --target="$@ $(strip $(addprefix ISOLATED=,$(ISOLATED)) $(AGAIN))")
SIM = $(TOOLS) sim --run="$$LAB_RUN" --seed="$$LAB_SEED" \
  --seeds="$$LAB_SEEDS" --seed_list="$(SEED_LIST)" --verbose="$$LAB_V" \
  --disk="$$LAB_DISK" \
  --jobs="$(ASKED_JOBS)" --sshlogins="$$LAB_SSHLOGINS" --target=$@ \
  --theirs="$(AGAIN)" --lab="$(LABS)" --isolated="$(ISOLATED)"
# With ISOLATED=1 what is tested is in processes of its own, as it is graded: a
# Raft, or the services of lab 3, 4 or 5 on one (tests/isolation/README.md).
ifdef ISOLATED
$(if $(and $(THEIRS_SHARDED),$(LAB_SHARDKV1)),$(error error: ISOLATED=1 is for \
  one edition of lab 4: give SHARDCTRLER= and SHARDKV=, or SHARDKV1=))
TESTED := $(if $(LAB_SHARDKV1)$(filter 5,$(LAB_NUMBER)),shardkv1,$(if \
  $(THEIRS_SHARDED)$(filter 4,$(LAB_NUMBER)),sharded,$(if \
  $(THEIRS_SERVICES)$(filter 3,$(LAB_NUMBER)),service,raft)))
RAFT_TESTS = out/plain/$(TESTED)_judge
RAFT_SIM = out/plain/$(TESTED)_judge_sim
RACE_SIM = $(RAFT_SIM)
test: HOST = $(PLACE)/plain/$(TESTED)_host
sim trace: HOST = $(PLACE)/plain/$(TESTED)_host_sim
sim-race: HOST = $(PLACE)/race/$(TESTED)_host_sim
export RAFT_PROGRAM = $(abspath $(HOST))
# The tests read the Raft's disks if it saves as ours does.
export RAFT_DISKS = $(if $(LAB_RAFT),$(shell \
  cmp -s "$$LAB_RAFT/saved_state.h" raft/saved_state.h || echo opaque))
BUILD_HOST = @$(NEEDS) grade; $(BUILD) $(HOST)
else
RAFT_TESTS = $(PLACE)/plain/raft_tests
RAFT_SIM = $(PLACE)/plain/raft_sim
RACE_SIM = $(PLACE)/race/raft_sim
endif
# Groups of tools/packages.txt; the tests of ours need what their scripts do.
NEEDS = tools/needs.sh build
NEEDS_FOR_TESTS = $(NEEDS) $(if $(THEIRS),,test)
NEEDS_FOR_RUNS = $(NEEDS) test $(if $(LAB_SSHLOGINS),ssh)
PYTHON = /usr/bin/python3
TOOLS = $(PYTHON) -B -m tools

help:
	@tools/help.sh

deps:
	@tools/deps.sh $$LAB_FOR

demo:
	@$(NEEDS)
	@$(BUILD) out/plain/demo
	@out/plain/demo $(if $(filter 3 4,$(LAB_NUMBER)),--lab=$(LAB_NUMBER))

build: OURS_OR_THEIRS = $(if $(THEIRS),raft_tests raft_sim,all)
build:
	@$(NEEDS)
	@$(BUILD) $(addprefix $(PLACE)/plain/,$(OURS_OR_THEIRS))

test: PROGRAMS = $(RAFT_TESTS) $(if $(THEIRS)$(ISOLATED),,$(SIM_TESTS))
test:
	@$(NEEDS_FOR_TESTS)
	$(BUILD_HOST)
	@$(BUILD) $(PROGRAMS)
	@tools/run_all.sh $(PROGRAMS) -- $(RUN_TESTS)

race:
	@$(NEEDS_FOR_TESTS)
	@$(BUILD) $(PLACE)/race/raft_tests
	@tools/fixed_addresses.sh $(PLACE)/race/raft_tests $(RUN_TESTS)

asan:
	@$(NEEDS_FOR_TESTS)
	@$(BUILD) $(PLACE)/asan/raft_tests
	@$(PLACE)/asan/raft_tests $(RUN_TESTS)

# The lab's tests under the simulator (sim/README.md): many seeds, or one.
sim:
	@$(NEEDS_FOR_RUNS)
	$(BUILD_HOST)
	@$(BUILD) $(RAFT_SIM)
	@$(SIM) --profile="$$LAB_PROFILE" $(RAFT_SIM)

sim-race:
	@$(NEEDS_FOR_RUNS)
	$(BUILD_HOST)
	@$(BUILD) $(RACE_SIM)
	@SIM_ENGINE=native tools/fixed_addresses.sh \
	  $(SIM) --default_seeds=20 $(RACE_SIM)

sim-mem:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) $(PLACE)/mem/raft_sim
	@$(SIM) --default_seeds=20 $(PLACE)/mem/raft_sim

sim-test:
	@$(NEEDS)
	@$(BUILD) out/plain/sim_tests
	@out/plain/sim_tests --target=sim-test $(RUN_TESTS)

# A seed is the same run, however it is run.
sim-same:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) out/plain/raft_sim
	@$(BUILD) out/asan/raft_sim
	@$(TOOLS) sim-same --seed="$$LAB_SEED" --lab="$(LABS)" --disk="$$LAB_DISK" \
	  --seeds="$$LAB_SEEDS" --profile="$$LAB_PROFILE" --jobs="$(JOBS)"

# Breaks the simulator in one way at a time: its tests must notice.
sim-mutants:
	@$(NEEDS)
	@$(BUILD) out/plain/sim_tests
	@$(TOOLS) sim-mutants $(ONLY)

# Breaks raft/, a service or the storage in one way at a time: the tests must
# notice.
mutants:
	@$(NEEDS_FOR_RUNS)
	@$(TOOLS) mutants $(if $(FULL),--full) \
	  $(if $(REAL),--real) $(if $(ASKED_JOBS),--jobs=$(ASKED_JOBS)) \
	  $(if $(SAMPLE),--sample="$(SAMPLE)") $(if $(ROUND),--round="$(ROUND)") \
	  $(ONLY)

# Breaks each expression and statement of the module: all tests must notice.
mutate:
	@$(NEEDS_FOR_RUNS) mutate
	@$(TOOLS) mutate $(if $(ASKED_JOBS),--jobs=$(ASKED_JOBS)) \
	  --seeds="$$LAB_SEEDS" --sample="$(SAMPLE)" --round="$(ROUND)" \
	  $(if $(AGAIN),--again) $(if $(RACE),--race) $(ONLY)

mutate-test:
	@$(NEEDS) mutate
	@$(PYTHON) -B -m unittest tools.mutate.mutate_test

# Builds everything with clang, to see its warnings too.
clang:
	@$(NEEDS) lint bench
	@$(BUILD) out/clang/all

# An unsolved Raft to work in, for RAFT=; LAB=3: rsm and kvraft, for LAB=; LAB=4:
# shardctrler and shardkv; LAB=5: shardkv1.
skeleton:
	@tools/skeleton/skeleton.sh "$$LAB_DIR" "$$LAB_LAB"

# The tree that students get.
handout:
	@tools/handout.sh "$$LAB_DIR"

skeleton-test:
	@$(NEEDS_FOR_RUNS)
	@tools/skeleton/skeleton_test.sh

# Points for a Raft, ours or RAFT=, or for those of a CLASS=; for lab 3, 4 or 5
# with that LAB=, or with the folders of a service.
grade:
	@$(NEEDS_FOR_RUNS) grade
	@tools/fixed_addresses.sh $(TOOLS) grade \
	  --raft="$$LAB_RAFT" --rsm="$$LAB_RSM" --kvraft="$$LAB_KVRAFT" \
	  --shardctrler="$$LAB_SHARDCTRLER" --shardkv="$$LAB_SHARDKV" \
	  --shardkv1="$$LAB_SHARDKV1" \
	  --lab="$(LAB_NUMBER)" --class="$$LAB_CLASS" --out="$$LAB_OUT" \
	  --jobs=$(JOBS) --n="$$LAB_N" --seeds="$$LAB_SEEDS" \
	  --race_seeds="$(RACE_SEEDS)" --limit_minutes="$(LIMIT)" \
	  --weights="$$LAB_WEIGHTS"

# What students' folders may try: none earns a point.
grade-test:
	@$(NEEDS) test grade
	@$(PYTHON) -B -m unittest tools.grade.attacks_test

# What happened in one run, on a page.
trace:
	@$(NEEDS) test
	$(BUILD_HOST)
	@$(BUILD) $(if $(REAL),$(RAFT_TESTS),$(RAFT_SIM))
	@$(TOOLS) trace --isolated="$(ISOLATED)" --lab="$(LABS)" \
	  --run="$$LAB_RUN" --seed="$$LAB_SEED" --profile="$$LAB_PROFILE" \
	  --disk="$$LAB_DISK" \
	  --real="$(REAL)" --text="$(TEXT)" --theirs="$(AGAIN)" \
	  $(if $(REAL),$(RAFT_TESTS),$(RAFT_SIM))

# The page in a browser.
trace-test:
	@$(NEEDS) test browser
	@$(PYTHON) -B -m unittest tools.trace.page_test tools.trace.clients_test \
	  tools.trace.shards_test

# Whether a history of a key/value store is linearizable, and if not, why.
linearizability:
	@$(NEEDS)
	@$(BUILD) out/plain/linearizability
	@out/plain/linearizability --history="$$LAB_HISTORY"

# What is in the directory of a server's storage; nothing in it is changed.
storage-dump:
	@$(NEEDS)
	@$(BUILD) out/plain/storage_dump
	@out/plain/storage_dump --dir="$$LAB_DIR"

# The storage on a simulated disk that crashes, fails and rots.
storage-seeds:
	@$(NEEDS)
	@$(BUILD) out/plain/storage_seeds
	@out/plain/storage_seeds --seed="$$LAB_SEED" --seeds="$$LAB_SEEDS"

# The storage in a process that is killed: ROUNDS=500.
storage-kill:
	@$(NEEDS)
	@$(BUILD) out/plain/storage_kill
	@out/plain/storage_kill --rounds="$(ROUNDS)" --seed="$$LAB_SEED"

# Any bytes in the files of a storage: MINUTES=10.
CORPUS = tests/storage/testdata/corpus
fuzz:
	@$(NEEDS) lint
	@$(BUILD) out/fuzz/storage_fuzz
	@mkdir -p out/fuzz/corpus
	@cd out/fuzz && ./storage_fuzz -max_len=4096 \
	  -max_total_time=$$((60 * $(or $(MINUTES),10))) corpus ../../$(CORPUS)

# Tests in real time again and again, for the rare failure.
stress:
	@$(NEEDS_FOR_RUNS)
	@$(BUILD) $(PLACE)/plain/raft_tests
	@$(TOOLS) stress --run="$$LAB_RUN" --n="$$LAB_N" --disk="$$LAB_DISK" \
	  --seed="$$LAB_SEED" --jobs="$(ASKED_JOBS)" --keep_going="$(KEEP_GOING)" \
	  --sshlogins="$$LAB_SSHLOGINS" --theirs="$(THEIRS)" --lab="$(LABS)" \
	  $(PLACE)/plain/raft_tests

# How fast our Raft is on this machine, of what the machine allows.
bench:
	@$(NEEDS) test bench $(if $(PEERS),peers)
	@tools/needs.sh databases || true
	@$(BUILD) $(BENCHES)
	@$(TOOLS) bench --run="$$LAB_RUN" --peers="$$LAB_PEERS" \
	  --base="$$LAB_BASE" --repetitions="$(REPS)"

# Each case once, made small.
bench-test:
	@$(NEEDS) test bench
	@$(BUILD) $(BENCHES)
	@BENCH_PROGRAMS=out/plain $(PYTHON) -B -m unittest bench.bench_test

# One of our runs, or several, beside the Go lab's.
compare:
	@$(NEEDS) test $(if $(LAB_GO_LAB),compare)
	@$(BUILD) out/plain/raft_tests
	@$(TOOLS) compare --go_lab="$$LAB_GO_LAB" \
	  --go_log="$$LAB_GO_LOG" --our_log="$$LAB_OUR_LOG" --lab="$$LAB_LAB" \
	  --n="$$LAB_N" --run="$$LAB_RUN" --seed="$$LAB_SEED" \
	  --by_test="$$LAB_BY_TEST"

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

# For services outside this tree: docs/engineers.md.
install:
	@$(NEEDS)
	@$(BUILD) out/plain/raft_lab
	@cmake --install out/plain --prefix "$${LAB_PREFIX:-/usr/local}"

install-test:
	@$(NEEDS)
	@tools/install_test.sh

# RAFT= and the tree itself in folders with awkward names.
build-test:
	@$(NEEDS_FOR_RUNS)
	@tools/build_test.sh

clean:
	@find out -mindepth 1 -not -path out/README.md -delete
