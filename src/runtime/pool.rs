//! Threads that run the parts of a step.
//!
//! Which parts there are is decided by sizes alone and what they give is put together in their
//! order, so results have the same bits on any number of threads: threads decide only who runs a
//! part. The caller works too, and does not wait for threads that come late: a step of short parts
//! is done before a sleeping thread has woken up.
//!
//! There is one pool in a process, made when it is first wanted. A caller who finds it in use
//! runs its parts alone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::Context;

/// A thread without work looks for it so long before it sleeps.
const PATIENCE: Duration = Duration::from_micros(50);
/// The gate is open: threads may come in to work. The bits below count those inside.
const OPEN: usize = 1 << 32;

/// Calls `work` with every part below `count`, on as many threads; the caller is one of them.
pub fn each(threads: usize, count: usize, work: &(dyn Fn(usize) + Sync)) {
    let helpers = threads.min(count).saturating_sub(1);
    if helpers == 0 || !POOL.get_or_init(Pool::default).run(helpers, count, work) {
        (0..count).for_each(work);
    }
}

/// A part as machine code: a function of context, arena and the number of the part.
pub type Part = unsafe extern "C" fn(*mut Context, *mut u8, usize);

/// Runs the parts of a nest. Of failed checks that of the first part is noted, and after an
/// interrupt no part is begun: the host discards the run.
///
/// # Safety
/// `context` and `arena` are those of the run, and the parts write different elements.
pub unsafe extern "C" fn parts(context: *mut Context, arena: *mut u8, part: Part, count: usize) {
    // SAFETY: by the caller's promise; nothing else refers to the context while its parts run.
    let context = unsafe { &mut *context };
    let (stop, memory) = (Shared(context.stop), Shared(arena.cast_const()));
    // Of the first part that failed: its number, then site, index and size.
    let failed: Mutex<Option<(usize, [i64; 3])>> = Mutex::new(None);
    each(context.threads, count, &|at| {
        // SAFETY: the flag outlives the run.
        if unsafe { (*stop.get()).load(Ordering::Relaxed) } {
            return;
        }
        let mut own = Context::new(stop.get());
        // SAFETY: by the caller's promise.
        unsafe { part(&raw mut own, memory.get().cast_mut(), at) };
        if own.site != 0 {
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.as_ref().is_none_or(|(first, _)| at < *first) {
                *failed = Some((at, [own.site, own.index, own.size]));
            }
        }
    });
    if let Some((_, [site, index, size])) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        context.fail(site, index, size);
    }
}

/// A pointer that parts share.
pub(super) struct Shared<T>(pub(super) *const T);

// SAFETY: what it points to is shared on purpose: a flag that is atomic, and memory of which every
// part writes elements of its own.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

impl<T> Shared<T> {
    /// The pointer.
    pub(super) fn get(&self) -> *const T {
        self.0
    }
}

static POOL: OnceLock<Pool> = OnceLock::new();

/// The threads of the process.
#[derive(Default)]
struct Pool {
    /// Held by the caller whose parts are run; the threads there are.
    helpers: Mutex<Vec<Thread>>,
    board: Board,
}

/// What callers tell threads.
#[derive(Default)]
struct Board {
    /// How many calls there were.
    calls: AtomicUsize,
    /// Whether threads may come in, and how many are inside.
    gate: AtomicUsize,
    /// The next part that nobody has begun.
    next: AtomicUsize,
    /// Whether a thread panicked inside.
    broken: AtomicBool,
    /// Written while the gate is closed and nobody is inside; read inside.
    call: std::cell::UnsafeCell<Call>,
}

// SAFETY: what it points to is sent on purpose, see `Pool::run`.
unsafe impl Send for Call {}

// SAFETY: the call is written while nobody is inside, and read inside only; see `gate`.
unsafe impl Sync for Board {}

/// What is to be done. The work lives until the last thread is out.
#[derive(Clone, Copy)]
struct Call {
    work: *const (dyn Fn(usize) + Sync),
    count: usize,
    /// How many threads may come in.
    helpers: usize,
}

impl Default for Call {
    fn default() -> Call {
        let nothing: &'static (dyn Fn(usize) + Sync) = &|_| {};
        Call { work: nothing, count: 0, helpers: 0 }
    }
}

impl Pool {
    /// Whether the parts were run; they are not where another caller has the pool.
    fn run(&'static self, helpers: usize, count: usize, work: &(dyn Fn(usize) + Sync)) -> bool {
        let Ok(mut threads) = self.helpers.try_lock() else {
            return false;
        };
        self.hire(&mut threads, helpers);
        let board = &self.board;
        let work: *const (dyn Fn(usize) + Sync) = work;
        // SAFETY: only the lifetime changes; `leave` waits for all threads before this returns.
        let work: *const (dyn Fn(usize) + Sync + 'static) = unsafe { std::mem::transmute(work) };
        // SAFETY: the gate is closed and nobody is inside, and the lock keeps other callers out.
        unsafe { *board.call.get() = Call { work, count, helpers } };
        board.next.store(0, Ordering::Relaxed);
        board.gate.store(OPEN, Ordering::Release);
        board.calls.fetch_add(1, Ordering::Release);
        threads.iter().take(helpers).for_each(Thread::unpark);
        let caller = Leaving(board);
        board.work();
        drop(caller);
        assert!(!board.broken.load(Ordering::Relaxed), "a part panicked in another thread");
        true
    }

    /// Makes as many threads as are missing; where the system gives none, the others do the work.
    fn hire(&'static self, threads: &mut MutexGuard<'_, Vec<Thread>>, helpers: usize) {
        while threads.len() < helpers {
            let builder = std::thread::Builder::new().name("parts".to_string());
            match builder.spawn(|| self.board.serve()) {
                Ok(handle) => threads.push(handle.thread().clone()),
                Err(_) => break,
            }
        }
    }
}

impl Board {
    /// What a thread does.
    fn serve(&self) {
        let mut seen = 0;
        loop {
            let calls = self.await_call(seen);
            seen = calls;
            if self.come_in() {
                let inside = Inside(self);
                self.work();
                drop(inside);
            }
        }
    }

    /// Waits until there is a call that was not seen yet.
    fn await_call(&self, seen: usize) -> usize {
        let since = Instant::now();
        loop {
            for _ in 0..64 {
                let calls = self.calls.load(Ordering::Acquire);
                if calls != seen {
                    return calls;
                }
                std::hint::spin_loop();
            }
            if since.elapsed() > PATIENCE {
                std::thread::park();
            }
        }
    }

    /// Goes through the gate, if it is open and there are not enough inside.
    fn come_in(&self) -> bool {
        let mut gate = self.gate.load(Ordering::Acquire);
        while gate & OPEN != 0 {
            let in_and_open = self.gate.compare_exchange(gate, gate + 1, Ordering::AcqRel, Ordering::Acquire);
            match in_and_open {
                Ok(_) => {
                    // SAFETY: inside.
                    let enough = gate - OPEN >= unsafe { (*self.call.get()).helpers };
                    if enough {
                        self.gate.fetch_sub(1, Ordering::Release);
                    }
                    return !enough;
                }
                Err(now) => gate = now,
            }
        }
        false
    }

    /// Parts that nobody has begun, as long as there are some.
    fn work(&self) {
        // SAFETY: inside, or by the caller.
        let call = unsafe { *self.call.get() };
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= call.count {
                return;
            }
            // SAFETY: the work lives until the last thread is out.
            unsafe { (*call.work)(part) };
        }
    }
}

/// A thread inside; it goes out even where it panics.
struct Inside<'b>(&'b Board);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
        self.0.gate.fetch_sub(1, Ordering::Release);
    }
}

/// The caller: closes the gate, and waits until all are out, even where it panics itself.
struct Leaving<'b>(&'b Board);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let gate = &self.0.gate;
        gate.fetch_and(!OPEN, Ordering::AcqRel);
        let mut turns = 0_u32;
        while gate.load(Ordering::Acquire) != 0 {
            turns = turns.saturating_add(1);
            if turns < 1 << 12 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_runs_once() {
        for threads in [1, 2, 3, 8] {
            for count in [0, 1, 2, 7, 64, 1000] {
                let times: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                for _ in 0..20 {
                    each(threads, count, &|part| {
                        times[part].fetch_add(1, Ordering::Relaxed);
                    });
                }
                assert!(times.iter().all(|times| times.load(Ordering::Relaxed) == 20));
            }
        }
    }

    #[test]
    fn callers_at_once_and_callers_inside_share_the_pool() {
        let sums: Vec<usize> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let sum = AtomicUsize::new(0);
                        for _ in 0..50 {
                            each(3, 8, &|part| {
                                each(3, 4, &|inner| {
                                    sum.fetch_add(part * inner, Ordering::Relaxed);
                                });
                            });
                        }
                        sum.into_inner()
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("no part panics")).collect()
        });
        assert_eq!(sums, [28 * 6 * 50; 4]);
    }
}
