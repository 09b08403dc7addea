// hashicorp/raft: three servers on its InmemTransport, which passes entries by
// pointer, each with an InmemStore as log.
//
// Variants: "default" has DefaultConfig() and one client; "tuned" is the best
// that a few tries found: larger batches, a shorter CommitTimeout, and sixteen
// clients that share the window (eight at a large one), each with commands of
// its own that it numbers for itself.
package main

import (
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// The library's state machine.
type machine struct{ *replica }

func (m machine) take(entry *raft.Log) {
	if entry.Type == raft.LogCommand {
		m.apply(entry.Data)
	}
}

func (m machine) Apply(entry *raft.Log) interface{} {
	m.take(entry)
	m.tell()
	return nil
}

func (m machine) ApplyBatch(entries []*raft.Log) []interface{} {
	for _, entry := range entries {
		m.take(entry)
	}
	m.tell()
	return make([]interface{}, len(entries))
}

func (m machine) Snapshot() (raft.FSMSnapshot, error) { return m, nil }
func (m machine) Persist(raft.SnapshotSink) error     { return nil }
func (m machine) Release()                            {}
func (m machine) Restore(io.ReadCloser) error         { return nil }

func config(id raft.ServerID, w work) *raft.Config {
	made := raft.DefaultConfig()
	made.LocalID = id
	made.Logger = hclog.NewNullLogger()
	made.SnapshotInterval = time.Hour
	made.SnapshotThreshold = 1 << 40
	if w.variant == "tuned" {
		made.MaxAppendEntries = 512
		if w.window > 1024 {
			made.MaxAppendEntries = 1024
		}
		made.CommitTimeout = 5 * time.Millisecond
	}
	return made
}

// How many clients share the window.
func clients(w work) int {
	switch {
	case w.variant != "tuned" || w.window == 1:
		return 1
	case w.window > 1024:
		return 8
	}
	return 16
}

func main() {
	w := readWork("default", "tuned")
	var transports []*raft.InmemTransport
	var configuration raft.Configuration
	ids := []raft.ServerID{"a", "b", "c"}
	for _, id := range ids {
		// Its usual limit of 50 ms breaks pipelines under load.
		address, transport := raft.NewInmemTransportWithTimeout("", 10*time.Second)
		transports = append(transports, transport)
		configuration.Servers = append(configuration.Servers, raft.Server{ID: id, Address: address})
	}
	for _, from := range transports {
		for _, to := range transports {
			from.Connect(to.LocalAddr(), to)
		}
	}
	var machines []machine
	var rafts []*raft.Raft
	for i, id := range ids {
		store, snapshots := raft.NewInmemStore(), raft.NewDiscardSnapshotStore()
		one := machine{newReplica(w.bytes, clients(w))}
		check(raft.BootstrapCluster(config(id, w), store, store, snapshots, transports[i], configuration))
		server, err := raft.NewRaft(config(id, w), one, store, store, snapshots, transports[i])
		check(err)
		machines = append(machines, one)
		rafts = append(rafts, server)
	}
	leader := awaitLeader(rafts)
	c := cluster{leader: machines[leader].replica}
	for _, one := range machines {
		c.replicas = append(c.replicas, one.replica)
	}
	c.submit = func(data []byte) { rafts[leader].Apply(data, 0) }
	w.measure(c)
}

func awaitLeader(rafts []*raft.Raft) int {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for i, one := range rafts {
			if one.State() == raft.Leader && one.VerifyLeader().Error() == nil {
				return i
			}
		}
		time.Sleep(time.Millisecond)
	}
	fail("no leader")
	return 0
}
