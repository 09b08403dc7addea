#!/usr/bin/env bash
# Prints what one can type. Called by `make` and `make help`.
cat <<'END'
First steps
make deps     install the Debian/Ubuntu packages to build, test and simulate
              (with sudo when not root); FOR=grade, lint, bench, browser,
              compare, ssh, mutate, clean-machine: what those commands need
              besides; databases, peers: what make bench shows beside ours;
              all: all of it but the peers
make demo     watch a cluster of five elect, replicate, lose servers, recover
              LAB=3: a key/value service, its clients, and a divided network
              LAB=4: a sharded one, whose groups join and leave
make test     all tests, with real threads in real time, side by side
                RUN=regex  only the tests whose name it matches: RUN=2A,
                           RUN=Figure8, RUN='(TestBackup2B|TestCount2B)$'
                ORIGIN=course  only the course's; or scenario, economy, unit
                SEED=n     fix every random choice
                P=n        how many at once; 1: one after another; without it as
                           many as keep the processors less than half busy
                V=0        as `go test` without -v
make sim      the labs' tests under a seeded scheduler, in virtual time: 2A to
              2D in a second; each failure can be replayed
                SEEDS=100 SEED=1 JOBS=2  how many seeds, from which on, at once
                SEED=7 SEEDS=1 RUN=...   one replay: output as `make test`
                PROFILE=harsh            whatever threads have to survive
                DISK=slow                flushes take time; test, race, asan,
                                         stress and trace know it too
                SSHLOGINS=file           on the machines of that list

Your Raft: RAFT=dir puts the Raft in that folder in the place of ours; LAB=dir all
of raft/, rsm/, kvraft/, shardctrler/, shardkv/ and shardkv1/ that are in that
folder; or RSM=dir, KVRAFT=dir, SHARDCTRLER=dir, SHARDKV=dir, SHARDKV1=dir. With one
of the last three, the tests are those of its edition of lab 4. LAB=2, 3 or 4
chooses a lab's, LAB=5 those of lab 4 as 2025 has it
make skeleton DIR=dir: an unsolved Raft to work in, with LAB=3 an unsolved rsm and
              kvraft, with LAB=4 shardctrler and shardkv, with LAB=5 shardkv1;
              then, all with RAFT=dir or LAB=dir:
              make test, make sim as above, and
make race     the tests under ThreadSanitizer, like `go test -race`   [RUN= P=]
make asan     the same under Address- and UndefinedBehaviorSanitizer   [RUN= P=]
make sim-race make sim under ThreadSanitizer             [RUN= SEED= SEEDS=20]
make sim-mem  the same with atomics as scheduling points [RUN= SEED= SEEDS=20]
make stress   tests in real time again and again, for the rare failure
                RUN=regex N=100 JOBS=2 SEED=n KEEP_GOING=1 SSHLOGINS=file
make trace    RUN=test: what happened in a run, on a page: out/trace.html
                SEED=1 PROFILE=harsh REAL=1 in real time, TEXT=1 also here
make grade    points, and why, in OUT/grade.json; the Raft runs confined, in a
              process of its own, as with ISOLATED=1 for test, sim and trace
                LAB=dir        lab 3, 4 or 5, of the folders above that are in it
                CLASS=dir      one in each of its folders; in OUT/grades.csv
                LAB=3, 4 or 5  these are of that lab
                N=1 SEEDS=20 RACE_SEEDS=3 LIMIT=30 JOBS=2 WEIGHTS=file.json; of
                lab 5 SEEDS=5 RACE_SEEDS=1
make linearizability HISTORY=file: whether a history of a key/value store, in a
              documented format or Jepsen's, is linearizable, and if not, why
make compare  side by side with a Go lab of 2018 to 2026, in a table and in
              out/compare.html
                GO_LAB=dir or GO_LOG=file    the Go lab to run, or its output
                OUR_LOG=file   output of ours, instead of a run
                LAB=3          the key/value service, not Raft; LAB=4 the sharded
                               one, LAB=5 that of 2025
                N=3 RUN=regex SEED=n         median and range of three runs
                BY_TEST=1      a process for each Go test: CPU time by test

make storage-dump DIR=dir: what is in the directory of a server's storage in
              files (persister/files/), and whether it is whole

make handout DIR=dir: the tree that students get, without our solutions

The project itself
make build    build everything; make clang with clang too; make clean removes it
make install  the module for services outside this tree: headers, an archive,
              packages for CMake and pkg-config             [PREFIX=/usr/local]
make lint     format, names, lengths, include direction, lock discipline
                SINCE=commit   clang only on what that changed
make format   clang-format all sources in place
make bench    how fast it is, of what this machine allows; fifteen minutes; in
              out/bench.json                [RUN=regex BASE=old.json REPS=5]
                PEERS=1        beside other Rafts in the same run: etcd's,
                               hashicorp's, libraft; also out/peers.html
make storage-seeds  the storage in files on a simulated disk that crashes,
              fails and rots, by the seed                 [SEED=1 SEEDS=10000]
make storage-kill  the storage in a process that is killed at random moments
              and started again                         [SEED=1 ROUNDS=500]
make fuzz     any bytes in the files of a storage: reading them ends in an error
              or in a log                                        [MINUTES=10]
make mutants  raft/, a service or the storage in files broken in one place at a
              time: the suite must notice                              [ONLY=]
                SAMPLE=8 ROUND=1  only eight, which the day draws
                FULL=1 which part of it notices; REAL=1 the course's tests alone
make sim-mutants  the same for sim/ and its tests                        [ONLY=]
make mutate   every expression and statement of base/ to raft/ broken: all tests
              must notice                    [ONLY='raft base/rope.cc' SEEDS=3]
                SAMPLE=40 ROUND=1  only so many, in a file that the day draws
make sim-same a seed gives the same run, in ten ways           [SEED= SEEDS=3]
make sim-test, skeleton-test, grade-test, trace-test, bench-test, build-test,
mutate-test, install-test: the tests of the simulator, of make skeleton and
              RAFT=, of grading under attack, of the page in a browser, of the
              benchmarks, of awkward names, of make mutate, of make install
make clean-machine  DEBIAN=12 or 13: the last commit on a fresh Debian with
              nothing but make and git, made by debootstrap; needs root
                FSGSBASE=off   as on a machine without it; MIRROR=url

GLOG_v=1..3 or GLOG_vmodule=election=2 turn the debug log on; it goes to the log
that the first line of a run names, under out/logs/. JOBS=n: how many compilers.
END
