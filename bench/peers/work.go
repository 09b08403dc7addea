// The work that each peer in Go is given: commands with their numbers, a client
// with a window, replicas that check what they apply, one line of JSON.
//
//	program BYTES COMMANDS WINDOW VARIANT
//
// gives COMMANDS commands of BYTES bytes each with at most WINDOW of them
// outstanding; with WINDOW 1 each is waited for, and timed. Any replica that
// applies something else than the next command ends the program.
//
// It is the same as bench/pipelined.cc and bench/sequential.cc give our Raft,
// and libraft.cc another one in C.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const servers = 3

// What no run should ever need.
const patience = 5 * time.Minute

type work struct {
	bytes    int
	commands uint64
	window   uint64
	variant  string
}

func fail(format string, values ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// Reads the command line; variants are those that the program has.
func readWork(variants ...string) work {
	wrong := func() {
		fmt.Fprintf(os.Stderr, "give BYTES (8 or more) COMMANDS WINDOW and one of %q\n", variants)
		os.Exit(2)
	}
	if len(os.Args) != 5 {
		wrong()
	}
	var numbers [3]uint64
	for i := range numbers {
		number, err := strconv.ParseUint(os.Args[i+1], 10, 32)
		if err != nil || number == 0 {
			wrong()
		}
		numbers[i] = number
	}
	for _, variant := range variants {
		if variant == os.Args[4] && numbers[0] >= 8 {
			return work{int(numbers[0]), numbers[1], numbers[2], variant}
		}
	}
	wrong()
	return work{}
}

// A command is its number, the client in the highest byte, and as many bytes x
// as it takes.
func command(size int, client, number uint64) []byte {
	bytes := make([]byte, size)
	for i := 8; i < size; i++ {
		bytes[i] = 'x'
	}
	binary.LittleEndian.PutUint64(bytes, client<<56|number)
	return bytes
}

// How far one client's commands have come at one server. One goroutine applies,
// one waits.
type progress struct {
	taken   uint64 // belongs to the goroutine that applies
	applied uint64 // atomic: what has been told
	told    chan struct{}
}

// One server's state machine: each client's commands in their order.
type replica struct {
	clients  []*progress
	expected []byte
}

func newReplica(size, clients int) *replica {
	r := &replica{expected: command(size, 0, 0)}
	for i := 0; i < clients; i++ {
		r.clients = append(r.clients, &progress{told: make(chan struct{}, 1)})
	}
	return r
}

// Checks the next command to the last byte.
func (r *replica) apply(data []byte) {
	if len(data) != len(r.expected) || int(data[7]) >= len(r.clients) {
		fail("%d bytes were applied that are no command", len(data))
	}
	client := r.clients[data[7]]
	client.taken++
	binary.LittleEndian.PutUint64(r.expected, uint64(data[7])<<56|client.taken)
	if !bytes.Equal(data, r.expected) {
		fail("command %d of client %d is not what was applied in its place", client.taken, data[7])
	}
}

// Tells those that wait, once for a batch.
func (r *replica) tell() {
	for _, client := range r.clients {
		if atomic.LoadUint64(&client.applied) == client.taken {
			continue
		}
		atomic.StoreUint64(&client.applied, client.taken)
		select {
		case client.told <- struct{}{}:
		default:
		}
	}
}

// Waits until as many were applied.
func (p *progress) await(count uint64) {
	for atomic.LoadUint64(&p.applied) < count {
		<-p.told
	}
}

// What the process has used, all threads.
type usage struct {
	seconds, kernel float64
	faults          int64
}

func used() usage {
	var now syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &now))
	seconds := func(time syscall.Timeval) float64 {
		return float64(time.Sec) + float64(time.Usec)/1e6
	}
	kernel := seconds(now.Stime)
	return usage{seconds(now.Utime) + kernel, kernel, now.Minflt}
}

// The cluster that is measured: `submit` gives one command to the leader, and
// returns when that has taken it.
type cluster struct {
	leader   *replica
	replicas []*replica
	submit   func(data []byte)
}

// Does the work, and prints what it took.
func (w work) measure(c cluster) {
	time.AfterFunc(patience, func() { fail("no end after %v", patience) })
	var times []float64
	before, begin := used(), time.Now()
	if w.window == 1 {
		times = w.oneAtATime(c)
	} else {
		w.pipelined(c)
	}
	for _, replica := range c.replicas {
		for _, client := range replica.clients {
			client.await(w.share(uint64(len(replica.clients))))
		}
	}
	seconds, after := time.Since(begin).Seconds(), used()
	count, cpu := float64(w.commands), after.seconds-before.seconds
	result := map[string]float64{
		"seconds":            seconds,
		"per_second":         count / seconds,
		"cpu_ns_per_command": 1e9 * cpu / count,
		"kernel_share":       (after.kernel - before.kernel) / cpu,
		"faults_per_million": 1e6 * float64(after.faults-before.faults) / count,
	}
	if len(times) > 0 {
		sort.Float64s(times)
		result["p50_us"] = times[len(times)/2]
		result["p99_us"] = times[len(times)*99/100]
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

// What each of so many clients does of the work.
func (w work) share(clients uint64) uint64 { return w.commands / clients }

func (w work) oneAtATime(c cluster) []float64 {
	times := make([]float64, 0, w.commands)
	for number := uint64(1); number <= w.commands; number++ {
		begin := time.Now()
		c.submit(command(w.bytes, 0, number))
		c.leader.clients[0].await(number)
		times = append(times, float64(time.Since(begin).Nanoseconds())/1e3)
	}
	return times
}

// All clients at once.
func (w work) pipelined(c cluster) {
	var clients sync.WaitGroup
	for i := range c.leader.clients {
		clients.Add(1)
		go func(client uint64) {
			w.client(c, client)
			clients.Done()
		}(uint64(i))
	}
	clients.Wait()
}

// A client looks a few times in each window of its own whether the leader has
// applied all but a window, and waits until it has.
func (w work) client(c cluster, client uint64) {
	clients := uint64(len(c.leader.clients))
	commands, window := w.share(clients), w.window/clients
	look := window / 64
	if look == 0 {
		look = 1
	}
	for number := uint64(1); number <= commands; number++ {
		c.submit(command(w.bytes, client, number))
		if number%look == 0 && number > window {
			c.leader.clients[client].await(number - window)
		}
	}
}
