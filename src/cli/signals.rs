//! Ctrl-C and SIGTERM: before the first solve they end the process; from then on the first one
//! asks the program to stop, so that the best point found so far can be printed, and the second
//! ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

use super::output::Output;

/// The signals with their exit codes.
const CODES: [(i32, u8); 2] = [(SIGINT, 130), (SIGTERM, 143)];

/// What has come.
#[derive(Debug, Clone)]
pub struct Signals {
    /// Set to end what runs.
    pub stop: Arc<AtomicBool>,
    /// The exit code of the signal that came; 0 if none did.
    code: Arc<AtomicUsize>,
    /// Whether nobody wants the results any more.
    unwanted: Arc<AtomicBool>,
    /// Whether the next signal ends the process.
    at_once: Arc<AtomicBool>,
    /// What lets the second Ctrl-C end the process.
    arming: Option<SigId>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> Signals {
        let mut signals = Signals {
            stop: Arc::default(),
            code: Arc::default(),
            unwanted: Arc::default(),
            at_once: Arc::new(AtomicBool::new(true)),
            arming: None,
        };
        for (signal, code) in CODES {
            // Actions run in the order in which they are registered. Where the system refuses
            // one, the signal does what it always does.
            let _ = flag::register_conditional_shutdown(signal, i32::from(code), signals.at_once.clone());
            let arming = flag::register(signal, signals.at_once.clone());
            if signal == SIGINT {
                signals.arming = arming.ok();
            }
            let _ = flag::register_usize(signal, signals.code.clone(), usize::from(code));
            let _ = flag::register(signal, signals.stop.clone());
        }
        signals
    }

    /// There is something to lose: the next signal only asks to stop.
    pub fn be_patient(&self) {
        if self.received().is_none() {
            self.at_once.store(false, Ordering::Relaxed);
        }
    }

    /// Asks to stop when standard input ends: so `watch` ends a run that is out of date. What is being
    /// written is written to its end, and nothing more is said.
    pub fn stop_with_input(&self) {
        let signals = self.clone();
        std::thread::spawn(move || {
            // Nothing is ever written there; an error is an end too.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            signals.unwanted.store(true, Ordering::Relaxed);
            let code = usize::from(CODES[0].1);
            let _ = signals.code.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
            signals.stop.store(true, Ordering::Relaxed);
        });
    }

    /// Whether the process was asked to end without a word.
    pub fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Relaxed)
    }

    /// From now on Ctrl-C only ever asks to stop; SIGTERM still ends the process.
    pub fn be_interactive(&mut self) {
        self.arming.take().map(low_level::unregister);
        self.at_once.store(false, Ordering::Relaxed);
        let always = Arc::new(AtomicBool::new(true));
        let _ = flag::register_conditional_shutdown(SIGTERM, 143, always);
    }

    /// Something runs that Ctrl-C may interrupt, until the attention is dropped. If it does not stop
    /// soon, the next Ctrl-C ends the process.
    pub fn attend(&self, output: Output) -> Attention {
        let over = Arc::new(AtomicBool::new(false));
        if self.arming.is_some() {
            return Attention { over, signals: None, watch: None };
        }
        self.forget();
        let (signals, done) = (self.clone(), over.clone());
        let watch = std::thread::spawn(move || {
            let mut since = None;
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(LOOK);
                if since.is_none() && signals.stop.load(Ordering::Relaxed) {
                    since = Some(Instant::now());
                }
                if since.is_some_and(|at| at.elapsed() > SOON) && !done.load(Ordering::Relaxed) {
                    signals.at_once.store(true, Ordering::Relaxed);
                    output.note("note: it does not stop yet; the next Ctrl-C ends Minima");
                    break;
                }
            }
        });
        Attention { over, signals: Some(self.clone()), watch: Some(watch) }
    }

    /// Nothing has come.
    fn forget(&self) {
        self.stop.store(false, Ordering::Relaxed);
        self.at_once.store(false, Ordering::Relaxed);
        self.code.store(0, Ordering::Relaxed);
    }

    /// The exit code of the signal that came.
    pub fn received(&self) -> Option<u8> {
        u8::try_from(self.code.load(Ordering::Relaxed)).ok().filter(|code| *code != 0)
    }

    /// Asks to stop when the time is over, until the watch is dropped: solves look at the clock
    /// themselves, but a single step may take long.
    pub fn watch(&self, seconds: f64) -> Watch {
        let over = Arc::new(AtomicBool::new(false));
        let watch = Watch { over: over.clone(), signals: self.clone() };
        let stop = self.stop.clone();
        let deadline = Instant::now().checked_add(Duration::from_secs_f64((seconds * 1.02 + 0.05).min(1e9)));
        std::thread::spawn(move || {
            while let Some(deadline) = deadline {
                match deadline.checked_duration_since(Instant::now()) {
                    Some(left) => std::thread::sleep(left),
                    None if over.load(Ordering::Relaxed) => break,
                    None => {
                        stop.store(true, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(500));
                    }
                }
            }
        });
        watch
    }
}

/// How often a running entry is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long what is to stop may take.
const SOON: Duration = Duration::from_secs(3);

/// Looks after an entry of the REPL that runs.
#[derive(Debug)]
pub struct Attention {
    over: Arc<AtomicBool>,
    signals: Option<Signals>,
    watch: Option<JoinHandle<()>>,
}

impl Drop for Attention {
    /// What came was for this entry alone.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(watch) = self.watch.take() {
            watch.thread().unpark();
            let _ = watch.join();
        }
        if let Some(signals) = &self.signals {
            signals.forget();
        }
    }
}

/// Looks at the clock of a program that runs.
#[derive(Debug)]
pub struct Watch {
    over: Arc<AtomicBool>,
    signals: Signals,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if self.signals.received().is_none() {
            self.signals.stop.store(false, Ordering::Relaxed);
        }
    }
}
