//! The desk where texts wait to be checked: the newest version of each, by a thread of its own.
//!
//! A text waits some moments, so that one is not checked at every letter. A newer version takes the place of an older
//! one, and ends its check.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::server::Event;
use crate::editor::{Scholar, Study, Subject};

/// Address space for the stack of the thread that checks.
const STACK: usize = 256 << 20;

/// A text that waits.
#[derive(Debug)]
struct Job {
    uri: String,
    version: i64,
    subject: Subject,
    due: Instant,
}

/// A check that is done.
#[derive(Debug)]
pub struct Done {
    /// Of which document.
    pub uri: String,
    /// Of which version.
    pub version: i64,
    /// What was found, or what a panic said.
    pub found: Result<Box<Study>, String>,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// The document that is being checked, with the flag that ends its check.
    running: Option<(String, Arc<AtomicBool>)>,
}

/// The desk.
#[derive(Debug, Default)]
pub struct Desk {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

impl Desk {
    /// A desk with its thread, which tells what it found.
    pub fn open(tell: Sender<Event>) -> Result<Arc<Desk>, String> {
        let desk = Arc::new(Desk::default());
        let own = desk.clone();
        let work = move || own.work(&tell);
        let thread = thread::Builder::new().name("check".into()).stack_size(STACK).spawn(work);
        thread.map(|_| desk).map_err(|error| format!("the system gives no thread: {error}"))
    }

    /// A version of a text is to be checked after a while.
    pub fn put(&self, uri: &str, version: i64, subject: Subject, wait: Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.retain(|job| job.uri != uri);
        waiting.jobs.push(Job { uri: uri.to_string(), version, subject, due: Instant::now() + wait });
        waiting.end(uri);
        self.bell.notify_one();
    }

    /// A text is no longer of interest.
    pub fn forget(&self, uri: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.retain(|job| job.uri != uri);
        waiting.end(uri);
    }

    fn work(&self, tell: &Sender<Event>) {
        let mut scholar = Scholar::new();
        loop {
            let (job, stop) = self.next();
            let study = panic::catch_unwind(AssertUnwindSafe(|| scholar.study(&job.subject, &stop)));
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).running = None;
            let found = match study {
                Ok(study) if study.ended => continue,
                Ok(study) => Ok(Box::new(study)),
                Err(panic) => {
                    // What it kept may be half done.
                    scholar = Scholar::new();
                    Err(said(&*panic))
                }
            };
            let done = Done { uri: job.uri, version: job.version, found };
            if tell.send(Event::Checked(done)).is_err() {
                return;
            }
        }
    }

    /// Waits for the next job that is due.
    fn next(&self) -> (Job, Arc<AtomicBool>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let first = (0..waiting.jobs.len()).min_by_key(|k| waiting.jobs[*k].due);
            let now = Instant::now();
            match first.map(|k| (k, waiting.jobs[k].due)) {
                Some((k, due)) if due <= now => {
                    let job = waiting.jobs.remove(k);
                    let stop = Arc::new(AtomicBool::new(false));
                    waiting.running = Some((job.uri.clone(), stop.clone()));
                    return (job, stop);
                }
                Some((_, due)) => {
                    let woken = self.bell.wait_timeout(waiting, due - now);
                    waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Waiting {
    fn end(&self, uri: &str) {
        if let Some((running, stop)) = &self.running
            && running == uri
        {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

/// What a panic said.
pub fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_string()
}
