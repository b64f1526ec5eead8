// Two pools of Rust: workers over tokio's bounded channel, and rayon's unbounded thread pool.
// SPDX-License-Identifier: BSL-1.0
//
// Usage: rust_pool tokio|rayon flood SUBMITTERS WORKERS JOBS CAPACITY | tokio|rayon trip WORKERS TRIPS
//        | tokio refusal CALLS
// Prints nanoseconds per job, trip or call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, Mutex};

type Job = Box<dyn FnOnce() + Send>;

trait Pool: Send + Sync {
    fn try_post(&self, job: Job) -> bool;
}

/// Tasks that take turns at the one receiving end.
struct Tokio {
    jobs: mpsc::Sender<Job>,
    _runtime: tokio::runtime::Runtime,
}

impl Tokio {
    fn new(workers: usize, capacity: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .build()
            .expect("a runtime");
        let (jobs, receiver) = mpsc::channel::<Job>(capacity);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..workers {
            let receiver = receiver.clone();
            runtime.spawn(async move {
                loop {
                    let next = receiver.lock().await.recv().await;
                    match next {
                        Some(job) => job(),
                        None => break,
                    }
                }
            });
        }
        Tokio { jobs, _runtime: runtime }
    }
}

impl Pool for Tokio {
    fn try_post(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }
}

struct Rayon(rayon::ThreadPool);

impl Rayon {
    fn new(workers: usize) -> Self {
        Rayon(rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("a pool"))
    }
}

impl Pool for Rayon {
    fn try_post(&self, job: Job) -> bool {
        self.0.spawn(job);
        true
    }
}

fn per(begin: Instant, count: usize) -> f64 {
    begin.elapsed().as_nanos() as f64 / count as f64
}

// As stand_back() of relax.hpp.
fn until_taken(pool: &dyn Pool, job: impl Fn() -> Job) {
    let mut give_way = false;
    while !pool.try_post(job()) {
        if give_way {
            std::thread::yield_now();
        } else {
            (0..256).for_each(|_| std::hint::spin_loop());
        }
        give_way = !give_way;
    }
}

fn flood(pool: &dyn Pool, submitters: usize, jobs: usize) -> f64 {
    let each = jobs / submitters;
    let ran = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..submitters {
            let ran = ran.clone();
            threads.spawn(move || {
                for _ in 0..each {
                    until_taken(pool, || Box::new(|| {}));
                }
                // Jobs leave in the order they came in, so this is the last of them.
                until_taken(pool, || {
                    let ran = ran.clone();
                    Box::new(move || {
                        ran.fetch_add(1, Ordering::Release);
                    })
                });
            });
        }
    });
    while ran.load(Ordering::Acquire) != submitters {
        std::thread::yield_now();
    }
    per(begin, each * submitters)
}

fn trip(pool: &dyn Pool, trips: usize) -> f64 {
    let seen = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    for i in 1..=trips {
        let told = seen.clone();
        pool.try_post(Box::new(move || told.store(i, Ordering::Release)));
        while seen.load(Ordering::Acquire) != i {
            std::thread::yield_now();
        }
    }
    per(begin, trips)
}

fn refusal(calls: usize) -> f64 {
    let pool = Tokio::new(1, 1);
    let (busy, is_busy) = std::sync::mpsc::channel();
    let (open, is_open) = std::sync::mpsc::channel::<()>();
    pool.try_post(Box::new(move || {
        busy.send(()).unwrap();
        let _ = is_open.recv();
    }));
    is_busy.recv().unwrap();
    while pool.try_post(Box::new(|| {})) {}
    let begin = Instant::now();
    for _ in 0..calls {
        assert!(!pool.try_post(Box::new(|| {})), "a full pool took a job");
    }
    let spent = per(begin, calls);
    drop(open);
    spent
}

fn number(words: &[String], index: usize) -> usize {
    words.get(index).and_then(|word| word.parse().ok()).filter(|&n| n > 0).unwrap_or_else(|| {
        eprintln!("error: argument {} is not a positive number; see the top of main.rs", index);
        std::process::exit(2)
    })
}

fn make(kind: &str, workers: usize, capacity: usize) -> Box<dyn Pool> {
    if kind == "rayon" {
        Box::new(Rayon::new(workers))
    } else {
        Box::new(Tokio::new(workers, capacity))
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let word = |index: usize| words.get(index).map(String::as_str).unwrap_or("");
    let n = |index| number(&words, index);
    let result = match (word(1), word(2)) {
        (kind @ ("tokio" | "rayon"), "flood") => {
            flood(&*make(kind, n(4), n(6)), n(3), n(5))
        }
        (kind @ ("tokio" | "rayon"), "trip") => trip(&*make(kind, n(3), 1024), n(4)),
        ("tokio", "refusal") => refusal(n(3)),
        _ => {
            eprintln!("error: unknown pool or workload '{} {}'", word(1), word(2));
            std::process::exit(2)
        }
    };
    println!("{}", result);
}
