// etcd's raft: a RawNode for each server, with a goroutine of its own; messages
// are encoded, and go through channels of bytes. The log is etcd's
// MemoryStorage. The sizes are those of etcd's server.
//
// Variants: "each" proposes every command by itself, "merged" all that wait in
// the leader's queue with one message.
package main

import (
	"io/ioutil"
	"log"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/raft"
	"go.etcd.io/etcd/raft/raftpb"
)

const (
	tick      = 100 * time.Millisecond
	mostAtOne = 1024  // messages and proposals that one turn takes
	inboxSize = 65536 // a sender never waits: two that do would wait for ever
)

type node struct {
	raw       *raft.RawNode
	storage   *raft.MemoryStorage
	inbox     chan []byte
	proposals chan []byte
	peers     []*node // by ID; the first is nobody
	replica   *replica
	merged    bool
	waiting   []raftpb.Entry // proposals of this turn, merged
	leads     uint32         // atomic
}

func newNode(id uint64, w work) *node {
	quiet := &raft.DefaultLogger{Logger: log.New(ioutil.Discard, "", 0)}
	raft.SetLogger(quiet)
	n := &node{
		storage:   raft.NewMemoryStorage(),
		inbox:     make(chan []byte, inboxSize),
		proposals: make(chan []byte, mostAtOne),
		replica:   newReplica(w.bytes, 1),
		merged:    w.variant == "merged",
	}
	raw, err := raft.NewRawNode(&raft.Config{
		ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: n.storage,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 512,
		CheckQuorum: true, PreVote: true, Logger: quiet,
	})
	check(err)
	n.raw = raw
	var peers []raft.Peer
	for peer := uint64(1); peer <= servers; peer++ {
		peers = append(peers, raft.Peer{ID: peer})
	}
	check(raw.Bootstrap(peers))
	return n
}

func (n *node) run() {
	ticker := time.NewTicker(tick)
	for {
		select {
		case <-ticker.C:
			n.raw.Tick()
		case message := <-n.inbox:
			n.receive(message)
		case data := <-n.proposals:
			n.propose(data)
		}
		n.takeWhatWaits()
		for n.raw.HasReady() {
			n.handle(n.raw.Ready())
		}
		n.replica.tell()
	}
}

func (n *node) takeWhatWaits() {
	for i := 0; i < mostAtOne; i++ {
		select {
		case message := <-n.inbox:
			n.receive(message)
			continue
		default:
		}
		break
	}
	for i := 0; i < mostAtOne; i++ {
		select {
		case data := <-n.proposals:
			n.propose(data)
			continue
		default:
		}
		break
	}
	if len(n.waiting) > 0 {
		check(n.raw.Step(raftpb.Message{Type: raftpb.MsgProp,
			From: n.raw.BasicStatus().ID, Entries: n.waiting}))
		n.waiting = nil
	}
}

func (n *node) receive(encoded []byte) {
	var message raftpb.Message
	check(message.Unmarshal(encoded))
	n.raw.Step(message) // an old one is an error, and no matter
}

func (n *node) propose(data []byte) {
	if n.merged {
		n.waiting = append(n.waiting, raftpb.Entry{Data: data})
	} else {
		check(n.raw.Propose(data))
	}
}

func (n *node) handle(ready raft.Ready) {
	if !raft.IsEmptyHardState(ready.HardState) {
		check(n.storage.SetHardState(ready.HardState))
	}
	check(n.storage.Append(ready.Entries))
	for i := range ready.Messages {
		n.send(&ready.Messages[i])
	}
	for _, entry := range ready.CommittedEntries {
		n.apply(entry)
	}
	n.raw.Advance(ready)
}

func (n *node) send(message *raftpb.Message) {
	encoded, err := message.Marshal()
	check(err)
	select {
	case n.peers[message.To].inbox <- encoded:
	default:
		fail("a message was dropped: an inbox is full")
	}
}

func (n *node) apply(entry raftpb.Entry) {
	switch {
	case entry.Type == raftpb.EntryConfChange:
		var change raftpb.ConfChange
		check(change.Unmarshal(entry.Data))
		n.raw.ApplyConfChange(change)
	case len(entry.Data) > 0:
		n.replica.apply(entry.Data)
	case n.raw.BasicStatus().RaftState == raft.StateLeader:
		atomic.StoreUint32(&n.leads, 1) // its first entry is committed
	}
}

func main() {
	w := readWork("each", "merged")
	nodes := []*node{nil}
	var replicas []*replica
	for id := uint64(1); id <= servers; id++ {
		one := newNode(id, w)
		nodes = append(nodes, one)
		replicas = append(replicas, one.replica)
	}
	for _, one := range nodes[1:] {
		one.peers = nodes
		go one.run()
	}
	leader := awaitLeader(nodes[1:])
	w.measure(cluster{leader.replica, replicas, func(data []byte) {
		leader.proposals <- data
	}})
}

func awaitLeader(nodes []*node) *node {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, one := range nodes {
			if atomic.LoadUint32(&one.leads) != 0 {
				return one
			}
		}
		time.Sleep(time.Millisecond)
	}
	fail("no leader")
	return nil
}
