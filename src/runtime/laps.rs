//! How often the steps of compiled code run and how long they take, for `minima run --profile`.

use std::sync::OnceLock;
use std::time::Instant;

use super::Context;

/// What was measured of a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lap {
    /// How often it ran.
    pub calls: u64,
    /// How long that took, in nanoseconds, with the look at the clock.
    pub nanoseconds: u64,
}

impl Lap {
    /// The seconds that it took, without the looks at the clock.
    pub fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
        let (calls, nanoseconds) = (self.calls as f64, self.nanoseconds as f64);
        (nanoseconds - calls * glance()).max(0.0) * 1e-9
    }
}

/// The nanoseconds that a look at the clock takes: the least mean of some hundreds.
fn glance() -> f64 {
    static GLANCE: OnceLock<f64> = OnceLock::new();
    *GLANCE.get_or_init(|| {
        let mean = || {
            let since = Instant::now();
            for _ in 0..500 {
                std::hint::black_box(Instant::now());
            }
            since.elapsed().as_secs_f64() * 1e9 / 500.0
        };
        (0..20).map(|_| mean()).fold(f64::INFINITY, f64::min)
    })
}

/// Charges a step with the time since the last one ended.
///
/// # Safety
/// `context` is that of the run, not borrowed elsewhere, and has a lap of this number.
pub unsafe extern "C" fn lap(context: *mut Context, step: usize) {
    let now = Instant::now();
    // SAFETY: by the caller's promise.
    let context = unsafe { &mut *context };
    // SAFETY: as above.
    let lap = unsafe { &mut *context.laps.add(step) };
    lap.calls += 1;
    if let Some(last) = context.last.replace(now) {
        let passed = now.duration_since(last).as_nanos();
        lap.nanoseconds = lap.nanoseconds.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
    }
}
