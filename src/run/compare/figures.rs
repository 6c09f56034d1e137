//! What runs amount to: figures over seeds, the best learning rate of each optimizer, a ranking.

use super::{Contest, Trial};
use crate::run::{Progress, SolveRecord};

/// Without a target of the user's: this much of the way from the start to the best loss of the seed.
const SHARE: f64 = 0.99;

/// Gaps to the best loss, relative to the way from the start, that count as none.
const TIE: f64 = 1e-6;

/// The same between runs that all met the condition of the solve: it says that they are good enough.
const MET: f64 = 1e-3;

/// A figure over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

/// An optimizer with one learning rate over all seeds.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who it is, by place.
    pub entrant: usize,
    /// The learning rate, if it is of the grid.
    pub lr: Option<f64>,
    /// Its runs, by place.
    pub trials: Vec<usize>,
    /// The statuses, each with how often; the most frequent first.
    pub statuses: Vec<(String, usize)>,
    /// How many runs gave nothing that can be used.
    pub failed: usize,
    /// Whether all runs met the condition of the solve.
    pub met: bool,
    /// Steps.
    pub steps: Option<Spread>,
    /// Evaluations of objective, gradient, Hessian-vector product.
    pub evals: [Option<Spread>; 3],
    /// How many runs reached the target.
    pub reached: usize,
    /// Of those that did: steps until then.
    pub target_steps: Option<Spread>,
    /// Of those that did: evaluations of all kinds until then.
    pub target_evals: Option<Spread>,
    /// Of those that did: seconds until then.
    pub target_seconds: Option<Spread>,
    /// Seconds from the first step to the last.
    pub seconds: Option<Spread>,
    /// The loss at the answer.
    pub loss: Option<Spread>,
    /// How far the loss is from the best of its seed, in parts of the way from the start; the median.
    pub gap: f64,
    /// Whether all its seeds gave the same bits.
    pub same: bool,
}

/// The rows of a comparison.
#[derive(Debug, Clone)]
pub struct Standings {
    /// The best row of each optimizer, best first.
    pub ranked: Vec<Row>,
    /// All rows, in the order in which they ran.
    pub all: Vec<Row>,
    /// The target for each seed.
    pub targets: Vec<(i64, f64)>,
    /// Whether a larger loss is better.
    pub maximize: bool,
}

/// Figures of all runs.
pub fn standings(contest: &Contest, trials: &[Trial], target: Option<f64>) -> Standings {
    let maximize = trials.iter().any(|trial| trial.end.as_ref().is_ok_and(|solve| solve.maximize));
    let sign = if maximize { -1.0 } else { 1.0 };
    let ends = ends(trials, sign);
    let targets: Vec<(i64, f64)> = ends
        .iter()
        .map(|end| (end.seed, target.unwrap_or(sign * (end.start - SHARE * (end.start - end.best)))))
        .collect();
    let mut all: Vec<Row> = Vec::new();
    for (at, trial) in trials.iter().enumerate() {
        match all.iter_mut().find(|row| row.entrant == trial.entrant && row.lr == trial.lr) {
            Some(row) => row.trials.push(at),
            None => all.push(empty(trial, at)),
        }
    }
    for row in &mut all {
        let own: Vec<&Trial> = row.trials.iter().map(|at| &trials[*at]).collect();
        fill(row, &own, &targets, &ends, sign);
        row.same =
            own.len() > 1 && row.failed == 0 && own.windows(2).all(|two| two[0].bits() == two[1].bits());
    }
    let mut ranked: Vec<Row> = Vec::new();
    for entrant in 0..contest.entrants.len() {
        let own = all.iter().filter(|row| row.entrant == entrant);
        ranked.extend(own.min_by(|a, b| better(a, b)).cloned());
    }
    ranked.sort_by(better);
    Standings { ranked, all, targets, maximize }
}

impl Standings {
    /// The target for a seed.
    pub fn target(&self, seed: i64) -> Option<f64> {
        target(&self.targets, seed)
    }

    /// Where a run reached its target first.
    pub fn reached<'t>(&self, trial: &'t Trial) -> Option<&'t Progress> {
        reached(trial, &self.targets, if self.maximize { -1.0 } else { 1.0 })
    }
}

fn target(targets: &[(i64, f64)], seed: i64) -> Option<f64> {
    targets.iter().find(|(known, _)| *known == seed).map(|(_, target)| *target)
}

fn reached<'t>(trial: &'t Trial, targets: &[(i64, f64)], sign: f64) -> Option<&'t Progress> {
    let target = target(targets, trial.seed)?;
    trial.points.iter().find(|point| sign * point.loss <= sign * target)
}

impl Spread {
    /// Of some figures; none of none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let below = sorted[(sorted.len() - 1) / 2];
        let median = if below == sorted[middle] { below } else { below + (sorted[middle] - below) / 2.0 };
        Some(Spread { median, low, high })
    }
}

/// Start and best loss of a seed, both as they are minimized.
struct Ends {
    seed: i64,
    start: f64,
    best: f64,
}

fn ends(trials: &[Trial], sign: f64) -> Vec<Ends> {
    let mut found: Vec<Ends> = Vec::new();
    for trial in trials {
        let start = trial.points.first().map_or(f64::NAN, |point| sign * point.loss);
        let end = match &trial.end {
            Ok(solve) if trial.usable() => sign * solve.outcome.loss,
            Ok(_) | Err(_) => f64::INFINITY,
        };
        match found.iter_mut().find(|ends| ends.seed == trial.seed) {
            Some(ends) => {
                ends.best = ends.best.min(end);
                ends.start = if ends.start.is_finite() { ends.start } else { start };
            }
            None => found.push(Ends { seed: trial.seed, start, best: end }),
        }
    }
    found
}

fn empty(trial: &Trial, at: usize) -> Row {
    Row {
        entrant: trial.entrant,
        lr: trial.lr,
        trials: vec![at],
        statuses: Vec::new(),
        failed: 0,
        met: false,
        steps: None,
        evals: [None; 3],
        reached: 0,
        target_steps: None,
        target_evals: None,
        target_seconds: None,
        seconds: None,
        loss: None,
        gap: f64::INFINITY,
        same: false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are shown as reals")]
fn fill(row: &mut Row, own: &[&Trial], targets: &[(i64, f64)], ends: &[Ends], sign: f64) {
    for trial in own {
        match row.statuses.iter_mut().find(|(status, _)| status == trial.status()) {
            Some((_, count)) => *count += 1,
            None => row.statuses.push((trial.status().to_string(), 1)),
        }
    }
    row.statuses.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    row.failed = own.iter().filter(|trial| !trial.usable()).count();
    row.met = own.iter().all(|trial| trial.end.as_ref().is_ok_and(|solve| solve.outcome.met));
    let solves: Vec<&SolveRecord> = own.iter().filter_map(|trial| trial.end.as_deref().ok()).collect();
    row.steps = Spread::of(solves.iter().map(|solve| solve.outcome.steps as f64));
    row.evals = [0, 1, 2].map(|k| Spread::of(solves.iter().map(|solve| solve.outcome.evals[k] as f64)));
    row.loss = Spread::of(solves.iter().map(|solve| solve.outcome.loss));
    row.seconds = Spread::of(own.iter().filter(|trial| trial.end.is_ok()).map(|trial| trial.seconds()));
    let reached: Vec<&Progress> = own.iter().filter_map(|trial| reached(trial, targets, sign)).collect();
    row.reached = reached.len();
    row.target_steps = Spread::of(reached.iter().map(|point| point.steps as f64));
    row.target_evals = Spread::of(reached.iter().map(|point| point.evals.iter().sum::<i64>() as f64));
    row.target_seconds = Spread::of(reached.iter().map(|point| point.seconds));
    let gap = |trial: &&Trial| {
        let ends = ends.iter().find(|ends| ends.seed == trial.seed)?;
        let end =
            trial.usable().then(|| trial.end.as_ref().ok().map(|solve| sign * solve.outcome.loss)).flatten();
        let way = ends.start - ends.best;
        let gap = (end.unwrap_or(f64::INFINITY) - ends.best) / if way > 0.0 { way } else { 1.0 };
        Some(if gap.is_nan() { f64::INFINITY } else { gap })
    };
    row.gap = Spread::of(own.iter().filter_map(gap)).map_or(f64::INFINITY, |gap| gap.median);
}

/// Which of two rows is the better: first the one with fewer failures, then the one with the better loss, and where
/// there is no difference the one that reached the target with fewer evaluations.
#[expect(clippy::cast_precision_loss, reason = "counts are compared as reals")]
fn better(a: &Row, b: &Row) -> std::cmp::Ordering {
    let share = |row: &Row| row.failed as f64 / row.trials.len().max(1) as f64;
    let gap = |row: &Row| if row.gap <= if row.met { MET } else { TIE } { 0.0 } else { row.gap };
    let missed = |row: &Row| row.trials.len() - row.reached;
    let effort = |row: &Row| row.target_evals.map_or(f64::INFINITY, |evals| evals.median);
    share(a)
        .total_cmp(&share(b))
        .then(gap(a).total_cmp(&gap(b)))
        .then(missed(a).cmp(&missed(b)))
        .then(effort(a).total_cmp(&effort(b)))
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn medians_and_ends() {
        let spread = |figures: &[f64]| Spread::of(figures.iter().copied()).map(|s| (s.median, s.low, s.high));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some((2.0, 1.0, 3.0)));
        assert_eq!(spread(&[4.0, 1.0]), Some((2.5, 1.0, 4.0)));
        assert_eq!(spread(&[1.0, f64::INFINITY, f64::INFINITY]), Some((f64::INFINITY, 1.0, f64::INFINITY)));
    }
}
