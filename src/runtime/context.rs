//! What compiled code reports to, and listens to.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::Lap;

/// Shared by the host and one run of compiled code, which knows the layout.
#[derive(Debug)]
#[repr(C)]
pub struct Context {
    /// When it holds, loops end early and the host discards the run.
    pub stop: *const AtomicBool,
    /// The place of the first failed check, from 1; 0 if none failed.
    pub site: i64,
    /// The index that was out of range.
    pub index: i64,
    /// The size it was out of range of.
    pub size: i64,
    /// What kernels noted.
    pub noted: Vec<Noted>,
    /// How many threads may work.
    pub threads: usize,
    /// What is measured of each step, where a profile is asked for.
    pub laps: *mut Lap,
    /// When the last step ended, where a profile is asked for.
    pub last: Option<Instant>,
}

/// Something worth a warning, from a kernel.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// The place, from 1.
    pub site: i64,
    /// The number of the concern.
    pub concern: i64,
    /// Its figures.
    pub figures: [f64; 2],
    /// How often it happened.
    pub times: u64,
}

impl Context {
    /// Where compiled code finds `stop`.
    pub const STOP: i32 = 0;

    /// A context in which nothing has happened.
    pub fn new(stop: *const AtomicBool) -> Context {
        Context {
            stop,
            site: 0,
            index: 0,
            size: 0,
            noted: Vec::new(),
            threads: 1,
            laps: std::ptr::null_mut(),
            last: None,
        }
    }

    /// Notes a failed check; the first one stays.
    pub fn fail(&mut self, site: i64, index: i64, size: i64) {
        if self.site == 0 {
            self.site = site;
            self.index = index;
            self.size = size;
        }
    }
}

impl Context {
    /// Notes something worth a warning; of one concern and place the figures of the last time stay.
    pub fn note(&mut self, new: Noted) {
        let known = self.noted.iter_mut().find(|old| old.site == new.site && old.concern == new.concern);
        match known {
            Some(old) => *old = Noted { times: old.times.saturating_add(new.times), ..new },
            None => self.noted.push(new),
        }
    }
}

/// Notes a failed check from compiled code.
///
/// # Safety
/// `context` must point to the context of the run, not borrowed elsewhere.
pub unsafe extern "C" fn record(context: *mut Context, site: i64, index: i64, size: i64) {
    // SAFETY: by the caller's promise.
    unsafe { (*context).fail(site, index, size) };
}
