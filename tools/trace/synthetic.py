"""Invents a trace, for tests: a small simulated cluster, seeded.

To look at the page by hand:
  /usr/bin/python3 -B -m tools trace-synthetic OUT.ndjson [--events=2000]
      [--seed=1] [--violation] [--crash]

The story is honest: terms grow, one leader a term, only a majority commits, and
a server that is down or cut off is heard by none. But it is no Raft: one list
stands for all logs. With --violation an old leader goes on sending at the end.
"""

import json
import random
from pathlib import Path
from typing import Any

from tools.command import Arguments

Event = dict[str, Any]
TICK = 0.1  # seconds between heartbeats
COMMANDS = 8  # of one step Agree
SNAPSHOT_INTERVAL = 25  # of each server's service, in entries


class Cluster:
    """The servers, the network between them, and what was recorded."""

    def __init__(self, servers: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.events: list[Event] = []
        self.servers = servers
        self.term = [0] * servers
        self.role = ["follower"] * servers
        self.up = [True] * servers
        self.connected = [True] * servers
        self.applied = [0] * servers
        self.floor = [0] * servers  # the last included index
        self.life = [1] * servers
        self.log = 0      # entries that the leader has
        self.commit = 0
        self.calls = 0
        self.reliable = True

    def tell(self, event: str, at: float | None = None, **rest: Any) -> None:
        """Records an event."""
        time = self.now if at is None else at
        self.events.append({"t": round(time, 6), "event": event, **rest})

    def of(self, server: int) -> Event:
        """Returns what each event of a server says of it."""
        return {"server": server, "term": self.term[server],
                "role": self.role[server] if self.up[server] else "down"}

    def become(self, server: int, role: str, term: int,
               at: float | None = None) -> None:
        """A server's term or role changes."""
        self.role[server], self.term[server] = role, term
        self.tell("role", at, **self.of(server))

    def save(self, server: int, voted_for: int | None = None) -> None:
        """A server writes its disk."""
        snapshot = {"last_included_index": self.floor[server]} \
            if self.floor[server] else {}
        self.tell("save", **self.of(server), fields={
            "current_term": self.term[server], "voted_for": voted_for,
            "log": self.log, **snapshot})

    def reaches(self, server: int, peer: int) -> bool:
        """True if the network carries something between the two."""
        return self.up[server] and self.up[peer] \
            and self.connected[server] and self.connected[peer]

    def send(self, server: int, peer: int, rpc: str, fields: Event) -> bool:
        """A request and its reply; returns whether the reply came."""
        self.calls += 1
        sent = self.now
        delay = self.random.uniform(0.0005, 0.02 if not self.reliable
                                    else 0.002)
        fate = "delivered"
        if not self.reaches(server, peer):
            fate, delay = "undeliverable", self.random.uniform(0.01, 0.1)
        elif not self.reliable and self.random.random() < 0.1:
            fate = "lost"
        call = {"call": self.calls, "rpc": rpc}
        self.tell("request", sent + delay, **self.of(server), peer=peer,
                  **call, sent=round(sent, 6), fate=fate, fields=fields)
        if fate != "delivered":
            return False
        return self.answer(sent + delay, peer, server, call, fields)

    def answer(self, at: float, server: int, peer: int, call: Event,
               asked: Event) -> bool:
        """A reply; returns whether it came."""
        if asked["term"] > self.term[server]:
            self.become(server, "follower", asked["term"], at)
        yes = asked["term"] == self.term[server]
        fields: Event = {"term": self.term[server]}
        if call["rpc"] == "RequestVote":
            fields["granted"] = yes
        elif call["rpc"] == "InstallSnapshot":
            fields["installed"] = yes and asked["done"]
            if not fields["installed"]:
                fields["next_offset"] = asked["bytes"]
        else:
            fields.update(success=yes, conflict_index=0)
        rest: Event = {"fate": "delivered"}
        chance = self.random.random()
        if not self.reliable and chance < 0.1:
            rest["fate"] = "lost"
        elif not self.reliable and chance < 0.2:
            late = self.random.uniform(0.2, 2.4)
            rest = {"fate": "late", "arrives": round(at + late, 6)}
        at += self.random.uniform(0.00005, 0.0005)
        self.tell("reply", at, **self.of(server), peer=peer, **call, **rest,
                  fields=fields)
        return rest["fate"] == "delivered" and yes

    def others(self, server: int) -> list[int]:
        """Returns the server's peers."""
        return [peer for peer in range(self.servers) if peer != server]

    def elect(self) -> int:
        """Lets one who can be heard stand until it wins; returns the leader."""
        while True:
            able = [server for server in range(self.servers)
                    if self.up[server] and self.connected[server]]
            candidate = self.random.choice(able)
            self.become(candidate, "candidate", max(self.term) + 1)
            self.save(candidate, candidate)
            votes = 1
            for peer in self.others(candidate):
                votes += self.send(candidate, peer, "RequestVote", {
                    "term": self.term[candidate], "last_log_index": self.log,
                    "last_log_term": self.term[candidate] - 1})
            self.now += 0.03
            if 2 * votes > self.servers:
                self.become(candidate, "leader", self.term[candidate])
                return candidate
            self.now += self.random.uniform(0.1, 0.3)
            self.become(candidate, "follower", self.term[candidate])

    def beat(self, leader: int, entries: int) -> None:
        """The leader sends to all others, and commits if a majority has it."""
        has = 1
        for peer in self.others(leader):
            self.now += 0.0001
            has += self.send(leader, peer, "AppendEntries", {
                "term": self.term[leader],
                "prev_log_index": self.log - entries,
                "prev_log_term": self.term[leader], "entries": entries,
                "leader_commit": self.commit})
        self.now += 0.025
        if 2 * has > self.servers and leader_is_heard(self, leader):
            self.commit = self.log
        for server in range(self.servers):
            self.bring_up(leader, server)
            while self.reaches(leader, server) \
                    and self.floor[leader] <= self.applied[server] \
                    and self.applied[server] < self.commit:
                self.apply(server)

    def apply(self, server: int) -> None:
        """A service applies an entry, and takes a snapshot now and then."""
        self.applied[server] += 1
        index = self.applied[server]
        self.tell("apply", **self.of(server), fields={
            "index": index, "command": str(100 + index)})
        if index % SNAPSHOT_INTERVAL == 0:
            self.tell("snapshot", **self.of(server), fields={
                "last_included_index": index, "bytes": 40 * index})
            self.floor[server] = index
            self.save(server)
        self.now += 0.00002

    def bring_up(self, leader: int, server: int) -> None:
        """A server that lacks what the leader has discarded gets a snapshot, in
        two chunks."""
        floor = self.floor[leader]
        if not self.reaches(leader, server) or self.applied[server] >= floor:
            return
        for offset in (0, 20 * floor):
            self.now += 0.03  # the chunk before was answered
            if not self.send(leader, server, "InstallSnapshot", {
                    "term": self.term[leader], "last_included_index": floor,
                    "last_included_term": self.term[leader], "offset": offset,
                    "bytes": 20 * floor, "done": offset > 0}):
                return
        self.now += 0.03
        self.floor[server] = floor
        self.save(server)
        self.restore(server)

    def restore(self, server: int) -> None:
        """A service gets the snapshot that its server has."""
        self.applied[server] = self.floor[server]
        self.tell("restore", **self.of(server), fields={
            "last_included_index": self.floor[server],
            "last_included_term": self.term[server],
            "bytes": 40 * self.floor[server]})
        self.now += 0.0001

    def agree(self, leader: int) -> None:
        """The step that gives commands."""
        for _ in range(COMMANDS):
            self.log += 1
            self.tell("start", **self.of(leader), fields={
                "index": self.log, "term": self.term[leader],
                "is_leader": True, "command": str(100 + self.log)})
            self.save(leader)
            self.beat(leader, 1)
            self.now += self.random.uniform(0.001, 0.01)

    def idle(self, leader: int, beats: int) -> None:
        """Heartbeats only."""
        for _ in range(beats):
            self.beat(leader, 0)
            self.now += TICK - 0.025

    def crash(self, server: int, up: bool) -> None:
        """A server crashes, or starts again."""
        self.up[server] = up
        if up:
            self.life[server] += 1
            self.role[server] = "follower"
            self.applied[server] = 0
        self.tell("life", **self.of(server), life=self.life[server], up=up)
        if up and self.floor[server]:
            self.restore(server)
        self.connect(server, up)  # as the lab's harness does

    def connect(self, server: int, connected: bool) -> None:
        """The harness cuts a server off, or ends that."""
        self.connected[server] = connected
        self.tell("link", **self.of(server), connected=connected)


def leader_is_heard(cluster: Cluster, leader: int) -> bool:
    """True if a leader can commit at all."""
    return cluster.up[leader] and cluster.connected[leader]


def act(cluster: Cluster, number: int) -> int:
    """One act: trouble, an election, agreement; returns the leader."""
    step: Event = {"name": "Act", "text": f"number {number}",
            "where": f"synthetic_test.cc:{100 + number}"}
    cluster.tell("step", phase="begin", **step)
    cluster.reliable = number % 3 != 2
    cluster.tell("network", reliable=cluster.reliable)
    leader = cluster.elect()
    inner: Event = {"name": "Agree", "text": f"{COMMANDS} commands",
             "where": "synthetic_test.cc:12"}
    cluster.tell("step", phase="begin", **inner)
    cluster.agree(leader)
    cluster.tell("step", phase="end", **inner)
    cluster.idle(leader, 4)
    victim = leader if number % 2 else cluster.random.choice(
        cluster.others(leader))
    trouble = cluster.crash if number % 4 < 2 else cluster.connect
    trouble(victim, False)
    cluster.idle(leader, 3)
    if not cluster.up[leader] or not cluster.connected[leader]:
        leader = cluster.elect()
    cluster.agree(leader)
    trouble(victim, True)
    cluster.idle(leader, 3)
    cluster.tell("step", phase="end", **step)
    return leader


def violate(cluster: Cluster, leader: int) -> None:
    """A leader that has heard of a newer term sends on in its own."""
    term = cluster.term[leader]
    peer = cluster.others(leader)[0]
    cluster.become(peer, "candidate", term + 1)
    cluster.send(peer, leader, "RequestVote", {
        "term": term + 1, "last_log_index": cluster.log, "last_log_term": term})
    cluster.now += 0.004
    cluster.become(leader, "leader", term)
    cluster.beat(leader, 0)
    cluster.tell("violation", rule="steps down", section="5.1",
                 text=f"S{leader} still sends in term {term}, "
                      f"after it has heard of term {term + 1} from S{peer}")
    cluster.tell("failure", text="the oracle found a violation",
                 where="synthetic_test.cc:77")


def story(events: int = 2000, seed: int = 1, servers: int = 5,
          violation: bool = False, crash: bool = False) -> list[Event]:
    """Returns a trace of about this many events."""
    cluster = Cluster(servers, seed)
    cluster.tell("run", schema=1, test="TestSynthetic2C", seed=seed,
                 mode="simulated", servers=servers, profile="fair")
    cluster.tell("begin", title="Test (2C): a synthetic story")
    for server in range(servers):
        cluster.tell("life", **cluster.of(server), life=1, up=True)
    cluster.now, leader, number = 0.2, 0, 0
    while len(cluster.events) < events:
        number += 1
        leader = act(cluster, number)
    if violation:
        violate(cluster, leader)
    if not crash:
        cluster.now += 0.05
        cluster.tell("end", passed=not violation)
    return sorted(cluster.events, key=lambda event: event["t"])


def ndjson(events: list[Event]) -> str:
    """Returns the file's text."""
    return "".join(json.dumps(event) + "\n" for event in events)


def main(arguments: list[str]) -> int:
    """Writes the file."""
    parser = Arguments(__doc__)
    parser.add_argument("out", type=Path)
    parser.number("events", 2000, 1, 10_000_000)
    parser.number("seed", 1, 0, 2**64 - 1)
    parser.number("servers", 5, 1, 99)
    parser.add_argument("--violation", action="store_true")
    parser.add_argument("--crash", action="store_true",
                        help="without the end")
    options = parser.read(arguments)
    options.out.write_text(ndjson(story(**{
        key: value for key, value in vars(options).items() if key != "out"})),
        encoding="utf-8")
    return 0
