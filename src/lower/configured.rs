//! What a solve was set up with, for people: every hyper-parameter with its value, and whether it was given.

use super::batch::{Batch, Kind};
use super::optimizer::{OptimizerValue, shown};
use super::solve::Setup;
use super::{Lower, SolvePlan, UntilPart, Val};
use crate::ir::Ty;

/// How a solve is set up.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The name of the objective.
    pub objective: String,
    /// The name of the optimizer; empty where each param has its own.
    pub optimizer: String,
    /// The hyper-parameters, those of an optimizer inside another behind it and deeper.
    pub hyper: Vec<Hyper>,
    /// Whether the stopping condition was given.
    pub until_given: bool,
    /// The minibatches: `64 of 569 rows, in a new order each epoch`.
    pub batch: Option<String>,
    /// The steps of an epoch, where there are minibatches of rows.
    pub epoch: Option<i64>,
    /// The seed of the start and the steps, and whether the solve states it.
    pub seed: (i64, bool),
    /// Record a point every so many steps, where that was given.
    pub trace: Option<i64>,
    /// Whether it goes on from a result or a saved state.
    pub resumed: bool,
}

/// A hyper-parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyper {
    /// How many optimizers it is inside of, but for the outermost.
    pub depth: usize,
    /// Its name.
    pub name: String,
    /// Its value as a user would write it; of an optimizer its name.
    pub value: String,
    /// Whether it was given; if not, the value is the default.
    pub given: bool,
}

impl SolvePlan {
    /// The number of steps that the stopping condition allows at the most, where it says so by numbers.
    pub fn most_steps(&self) -> Option<i64> {
        let epoch = self.configuration.epoch;
        self.until.iter().filter_map(|part| most_steps(part, epoch)).min()
    }

    /// The number of seconds that it allows.
    pub fn most_seconds(&self) -> Option<f64> {
        let seconds = self.until.iter().filter_map(|part| bound(part, "seconds"));
        seconds.min_by(f64::total_cmp)
    }
}

/// The number that a figure is stopped at: `steps >= 10_000`.
fn bound(part: &UntilPart, figure: &str) -> Option<f64> {
    let upward = part.sign == ">=" || part.sign == ">";
    let named = part.figure.as_deref() == Some(figure);
    let number = part.text.split_once(part.sign).filter(|_| upward && named)?.1.trim().replace('_', "");
    number.parse().ok()
}

fn most_steps(part: &UntilPart, epoch: Option<i64>) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let whole = |x: f64| x.ceil() as i64;
    let steps = bound(part, "steps").map(whole);
    steps.or_else(|| Some(whole(bound(part, "epochs")?).saturating_mul(epoch?)))
}

impl Lower<'_> {
    /// What is told of a solve before it runs.
    pub(super) fn configuration(&self, setup: &Setup) -> Configuration {
        let mut hyper = Vec::new();
        list(&setup.optimizer, 0, &mut hyper);
        Configuration {
            objective: setup.objective.name.to_string(),
            optimizer: setup.optimizer.name().to_string(),
            hyper,
            until_given: setup.until.is_some(),
            batch: setup.batch.as_ref().map(batch),
            epoch: setup.batch.as_ref().filter(|batch| batch.rows.is_some()).map(|batch| batch.epoch),
            seed: (self.seed, self.seed != self.host.options().seed),
            trace: (setup.trace > 0).then_some(setup.trace),
            resumed: setup.resumes(),
        }
    }
}

fn list(optimizer: &OptimizerValue, depth: usize, into: &mut Vec<Hyper>) {
    for ((name, val), given) in optimizer.args.iter().zip(&optimizer.given) {
        let inner = if let Val::Optimizer(inner) = val { Some(inner) } else { None };
        let value = inner.map_or_else(|| shown(val), |inner| inner.name().to_string());
        into.push(Hyper { depth, name: name.to_string(), value, given: *given });
        if let Some(inner) = inner {
            list(inner, depth + 1, into);
        }
    }
}

fn batch(batch: &Batch) -> String {
    let size = batch.size;
    match (&batch.kind, batch.rows) {
        (_, None) => format!("{size} draws"),
        (Kind::Shuffled, Some(rows)) => format!("{size} of {rows} rows, {} steps an epoch", batch.epoch),
        (Kind::Replacement, Some(rows)) => {
            format!("{size} of {rows} rows with replacement, {} steps an epoch", batch.epoch)
        }
        (Kind::Poisson(rate), Some(rows)) => {
            format!("each of {rows} rows with probability {rate}, {} steps an epoch", batch.epoch)
        }
    }
}

/// The type of each param's arrays: `w: real[30]`.
pub fn unknowns(names: &[String], types: &[Ty]) -> Vec<String> {
    names.iter().zip(types).map(|(name, ty)| format!("{name}: {ty}")).collect()
}
