//! The points of a solve that are recorded, and how many steps run before the host looks.

use std::sync::Arc;

use crate::lower::{POINTS, SolvePlan, Trace};

/// The most points where each is an evaluation on all data that the steps do not need.
const EPOCHS: usize = 200;

/// Points being recorded.
pub(super) struct Recorder {
    /// Record every so many steps.
    every: i64,
    /// What that was at first.
    first: i64,
    /// Whether the interval was chosen by the user.
    fixed: bool,
    /// The most points, where it was not.
    most: usize,
    pub(super) trace: Trace,
}

impl Recorder {
    pub(super) fn new(plan: &SolvePlan) -> Recorder {
        let names: Vec<Arc<str>> = plan.reported.iter().map(|(name, _)| name.clone()).collect();
        let fixed = plan.trace > 0;
        let every = if fixed { plan.trace } else { plan.interval };
        let most = if plan.interval > 1 { EPOCHS } else { POINTS };
        Recorder { every, first: every, fixed, most, trace: Trace::new(&names, 0) }
    }

    /// Records a point: its figures, the reports, and where it was if that is kept.
    pub(super) fn record(
        &mut self,
        steps: i64,
        [loss, grad_norm, seconds]: [f64; 3],
        reports: &[f64],
        place: Option<[f64; 2]>,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "steps are shown as reals in a trace")]
        let steps = steps as f64;
        let columns = &mut self.trace.columns;
        if columns[0].last() == Some(&steps) {
            return;
        }
        for (column, x) in columns.iter_mut().zip([steps, loss, grad_norm, seconds].iter().chain(reports)) {
            column.push(*x);
        }
        self.trace.path.extend(place);
        if !self.fixed && columns[0].len() > self.most {
            // Keep every other point, and go on at twice the interval.
            columns.iter_mut().for_each(every_other);
            every_other(&mut self.trace.path);
            self.every *= 2;
        }
    }

    /// The next step to record.
    pub(super) fn next(&self, steps: i64) -> i64 {
        (steps / self.every + 1).saturating_mul(self.every)
    }

    /// The next step that would be recorded, had the interval not grown.
    pub(super) fn first_next(&self, steps: i64) -> i64 {
        (steps / self.first + 1).saturating_mul(self.first)
    }
}

fn every_other<T>(values: &mut Vec<T>) {
    let mut at = 0;
    values.retain(|_| {
        at += 1;
        at % 2 == 1
    });
}

/// How many steps a chunk has: so many that it takes about [`Pace::SECONDS`], longer with a large state, so that the host looks
/// in time, or as long again as what is computed once for the whole chunk. Results do not depend on it.
pub(super) struct Pace {
    /// Of the last chunk: its steps, and its seconds.
    last: Option<(i64, f64)>,
    /// Seconds of a step, as far as is known.
    slope: f64,
    /// Steps of the next chunk.
    pub(super) steps: i64,
    /// What a chunk should take, in seconds.
    wanted: f64,
}

impl Pace {
    /// What a chunk should take.
    const SECONDS: f64 = 0.02;
    /// A chunk has at most so many times the steps of the one before.
    const GROWTH: i64 = 8;

    /// Seconds for a byte of the state, which is copied between chunks: a few times what that takes.
    const COPIES: f64 = 4e-9;

    /// The pace of a solve with a state of so many bytes.
    pub(super) fn new(bytes: usize) -> Pace {
        #[expect(clippy::cast_precision_loss, reason = "a time that need not be exact")]
        let wanted = Pace::SECONDS.max(Pace::COPIES * bytes as f64);
        Pace { last: None, slope: 0.0, steps: 1, wanted }
    }

    /// Learns from a chunk of so many steps and seconds.
    pub(super) fn learn(&mut self, steps: i64, seconds: f64) {
        #[expect(clippy::cast_precision_loss, reason = "steps of a chunk are few")]
        let (count, seconds) = (steps.max(1) as f64, seconds.max(0.0));
        match self.last {
            // Two lengths tell what a step takes from what a chunk takes once.
            #[expect(clippy::cast_precision_loss, reason = "steps of a chunk are few")]
            Some((before, then)) if before != steps => {
                self.slope = ((seconds - then) / (steps - before) as f64).clamp(0.0, seconds / count);
            }
            Some(_) => self.slope = self.slope.min(seconds / count),
            None => self.slope = seconds / count,
        }
        let once = seconds - self.slope * count;
        let fitting = self.wanted.max(once) / self.slope;
        let most = steps.saturating_mul(Pace::GROWTH).clamp(1, SolvePlan::CHUNK);
        #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
        let fitting = if fitting.is_nan() { most } else { fitting as i64 };
        let least = if self.last.is_none() { 2 } else { 1 };
        self.steps = fitting.clamp(least, most.max(least));
        self.last = Some((steps, seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::lower::SolvePlan;

    /// The steps of the first chunks, where a chunk takes `once` and each step `each` seconds.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn chunks(once: f64, each: f64) -> Vec<i64> {
        let mut pace = Pace::new(0);
        let next = |_| {
            let steps = pace.steps;
            pace.learn(steps, once + each * steps as f64);
            steps
        };
        (0..12).map(next).collect()
    }

    #[test]
    fn quick_steps_run_by_the_thousand() {
        assert_eq!(chunks(0.0, 1e-7)[..5], [1, 8, 64, 512, SolvePlan::CHUNK]);
    }

    #[test]
    fn slow_steps_run_alone() {
        assert_eq!(chunks(0.0, 1.0)[..4], [1, 2, 1, 1]);
        let chunks = chunks(0.0, 0.004);
        assert!(chunks[2..].iter().all(|steps| (4..=5).contains(steps)), "{chunks:?}");
    }

    #[test]
    fn what_a_chunk_computes_once_does_not_make_chunks_short() {
        let chunks = chunks(0.1, 1e-5);
        assert!(chunks[5..].iter().all(|steps| *steps > 500), "{chunks:?}");
    }
}
