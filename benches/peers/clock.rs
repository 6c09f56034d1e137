//! The clocks: seconds that have passed, or those that the processor worked for this thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Whether samples are timed in seconds of the processor, so that other processes do not count.
pub static PROCESSOR: AtomicBool = AtomicBool::new(false);

/// Seconds that this thread has worked. The system brings its count up to date when the thread offers to wait.
pub fn worked() -> f64 {
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|text| text.parse::<f64>().ok()).map_or(f64::NAN, |n| n * 1e-9)
}

/// Seconds by the clock that was chosen.
pub fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    if PROCESSOR.load(Ordering::Relaxed) {
        worked()
    } else {
        START.get_or_init(Instant::now).elapsed().as_secs_f64()
    }
}
