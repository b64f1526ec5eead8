// The usual worker pool of Go: N goroutines over one buffered channel of jobs, and a Submit that
// says "full" by a select with a default.
// SPDX-License-Identifier: BSL-1.0
//
// Usage: go_pool flood SUBMITTERS WORKERS JOBS CAPACITY | trip WORKERS TRIPS
//
//	| asleep WORKERS TRIPS | refusal CALLS | results WORKERS JOBS
//
// Prints nanoseconds per job, trip or call.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type pool struct {
	jobs    chan func()
	running sync.WaitGroup
}

func newPool(workers, capacity int) *pool {
	p := &pool{jobs: make(chan func(), capacity)}
	p.running.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			defer p.running.Done()
			for job := range p.jobs {
				job()
			}
		}()
	}
	return p
}

func (p *pool) submit(job func()) bool {
	select {
	case p.jobs <- job:
		return true
	default:
		return false
	}
}

func (p *pool) finish() {
	close(p.jobs)
	p.running.Wait()
}

func number(i int) int {
	if i >= len(os.Args) {
		fmt.Fprintln(os.Stderr, "error: an argument is missing; see the top of go/main.go")
		os.Exit(2)
	}
	n, err := strconv.Atoi(os.Args[i])
	if err != nil || n < 1 {
		fmt.Fprintf(os.Stderr, "error: '%s' is no positive number\n", os.Args[i])
		os.Exit(2)
	}
	return n
}

func flood(submitters, workers, jobs, capacity int) float64 {
	p := newPool(workers, capacity)
	begin := time.Now()
	var submitting sync.WaitGroup
	submitting.Add(submitters)
	for s := 0; s < submitters; s++ {
		go func() {
			defer submitting.Done()
			for i := 0; i < jobs/submitters; i++ {
				for !p.submit(func() {}) {
					runtime.Gosched()
				}
			}
		}()
	}
	submitting.Wait()
	p.finish()
	return float64(time.Since(begin).Nanoseconds()) / float64(jobs/submitters*submitters)
}

func trip(workers, trips int) float64 {
	p := newPool(workers, 1024)
	defer p.finish()
	var seen int64
	begin := time.Now()
	for i := int64(1); i <= int64(trips); i++ {
		want := i
		p.submit(func() { atomic.StoreInt64(&seen, want) })
		for atomic.LoadInt64(&seen) != want {
			runtime.Gosched()
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / float64(trips)
}

// The pause lets the goroutines park and their threads go to sleep.
func asleep(workers, trips int) float64 {
	p := newPool(workers, 1024)
	defer p.finish()
	back := make(chan struct{})
	var spent time.Duration
	for i := 0; i < trips; i++ {
		time.Sleep(2 * time.Millisecond)
		begin := time.Now()
		p.submit(func() { back <- struct{}{} })
		<-back
		spent += time.Since(begin)
	}
	return float64(spent.Nanoseconds()) / float64(trips)
}

// Results come back on a second channel.
func results(workers, jobs int) float64 {
	p := newPool(workers, 1024)
	out := make(chan int, 1024)
	sum := make(chan int)
	go func() {
		total := 0
		for result := range out {
			total += result
		}
		sum <- total
	}()
	begin := time.Now()
	for i := 0; i < jobs; i++ {
		for !p.submit(func() { out <- 42 }) {
			runtime.Gosched()
		}
	}
	p.finish()
	close(out)
	if <-sum != 42*jobs {
		panic("a result was lost")
	}
	return float64(time.Since(begin).Nanoseconds()) / float64(jobs)
}

func refusal(calls int) float64 {
	p := newPool(1, 1)
	hold := make(chan struct{})
	busy := make(chan struct{})
	p.submit(func() { close(busy); <-hold })
	<-busy
	for p.submit(func() { <-hold }) {
	}
	begin := time.Now()
	for i := 0; i < calls; i++ {
		if p.submit(func() {}) {
			panic("a full pool took a job")
		}
	}
	spent := float64(time.Since(begin).Nanoseconds()) / float64(calls)
	close(hold)
	p.finish()
	return spent
}

func main() {
	workload := ""
	if len(os.Args) > 1 {
		workload = os.Args[1]
	}
	switch workload {
	case "flood":
		fmt.Println(flood(number(2), number(3), number(4), number(5)))
	case "trip":
		fmt.Println(trip(number(2), number(3)))
	case "asleep":
		fmt.Println(asleep(number(2), number(3)))
	case "results":
		fmt.Println(results(number(2), number(3)))
	case "refusal":
		fmt.Println(refusal(number(2)))
	default:
		fmt.Fprintf(os.Stderr, "error: unknown workload '%s'\n", workload)
		os.Exit(2)
	}
}
