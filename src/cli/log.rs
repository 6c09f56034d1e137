//! Rows about the course of a solve: columns fit the kind of its optimizer.

use std::time::{Duration, Instant};

use crate::run::{Progress, Solving, number};

/// A line with the names of the columns stands before the first row, and again after so many.
const HEADER: usize = 25;

/// Where rows are rare, the first comes after so long, and the next after twice the time.
const FIRST: Duration = Duration::from_secs(4);
/// But none waits longer than this for the next.
const LAST: Duration = Duration::from_secs(60);

/// A row is due where the one before is so old, whatever the step.
const OLD: Duration = Duration::from_secs(2);

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Step,
    Epoch,
    Loss,
    /// The best loss so far.
    Best,
    GradNorm,
    Evals,
    /// A report of the step, by place.
    Report(usize),
    /// Steps a second.
    Rate,
    Seconds,
}

/// The rows of a solve.
#[derive(Debug)]
pub struct Log {
    columns: Vec<(Column, String)>,
    maximize: bool,
    epoch: Option<i64>,
    best: f64,
    /// The steps and seconds of the first point.
    first: Option<(i64, f64)>,
    rows: usize,
    began: Instant,
    told: Option<Instant>,
    wait: Duration,
}

impl Log {
    /// No rows yet.
    pub fn new(solving: &Solving) -> Log {
        use Column::{Best, Epoch, Evals, GradNorm, Loss, Rate, Report, Seconds, Step};
        let reports = solving.reports.iter().enumerate().map(|(k, name)| (Report(k), name.to_string()));
        let named = |columns: &[Column]| columns.iter().map(|c| (*c, name(*c).to_string())).collect();
        let mut columns: Vec<(Column, String)> =
            match (solving.configuration.batch.is_some(), solving.gradient) {
                (true, true) => named(&[Epoch, Step, Loss, GradNorm, Rate]),
                (true, false) => named(&[Epoch, Step, Loss, Rate]),
                (false, true) => named(&[Step, Loss, GradNorm, Evals]),
                (false, false) => named(&[Step, Loss, Best, Evals]),
            };
        columns.retain(|(column, _)| *column != Epoch || solving.configuration.epoch.is_some());
        columns.extend(reports);
        columns.push((Seconds, name(Seconds).to_string()));
        Log {
            columns,
            maximize: solving.maximize,
            epoch: solving.configuration.epoch,
            best: f64::NAN,
            first: None,
            rows: 0,
            began: Instant::now(),
            told: None,
            wait: FIRST,
        }
    }

    /// Learns of a point.
    pub fn hear(&mut self, point: &Progress) {
        self.first.get_or_insert((point.steps, point.seconds));
        let better = if self.maximize { point.loss > self.best } else { point.loss < self.best };
        if better || self.best.is_nan() {
            self.best = point.loss;
        }
    }

    /// Whether a row was shown.
    pub fn begun(&self) -> bool {
        self.rows > 0
    }

    /// Whether a point gets a row in a log that was asked for: the first ten steps, then ten of each power of ten, and
    /// whatever comes long after the row before.
    pub fn is_due(&self, point: &Progress) -> bool {
        let power = 10_i64.saturating_pow(point.steps.max(1).ilog10());
        point.steps % power == 0 || self.told.is_none_or(|told| told.elapsed() >= OLD)
    }

    /// Whether a point gets a row where nothing was asked for.
    pub fn is_rarely_due(&mut self) -> bool {
        let due = self.told.unwrap_or(self.began).elapsed() >= self.wait;
        if due {
            self.wait = (2 * self.wait).min(LAST);
        }
        due
    }

    /// The row of a point, behind the names of the columns where they are due.
    pub fn row(&mut self, point: &Progress) -> String {
        let line = |cells: Vec<String>| {
            let padded = cells.iter().zip(&self.columns).map(|(cell, (column, name))| {
                let width = width(*column).max(name.chars().count());
                format!("{cell:>width$}")
            });
            padded.collect::<Vec<String>>().join("  ")
        };
        let cells = line(self.columns.iter().map(|(column, _)| self.cell(*column, point)).collect());
        let text = if self.rows.is_multiple_of(HEADER) {
            format!("{}\n{cells}", line(self.columns.iter().map(|(_, name)| name.clone()).collect()))
        } else {
            cells
        };
        self.rows += 1;
        self.told = Some(Instant::now());
        text
    }

    fn cell(&self, column: Column, point: &Progress) -> String {
        match column {
            Column::Step => point.steps.to_string(),
            Column::Epoch => self.epochs(point.steps).map_or(String::new(), |epochs| format!("{epochs:.2}")),
            Column::Loss => number(point.loss),
            Column::Best => number(self.best),
            Column::GradNorm => number(point.grad_norm),
            Column::Evals => point.evals.iter().sum::<i64>().to_string(),
            Column::Report(k) => point.reports.get(k).map_or(String::new(), |x| number(*x)),
            Column::Rate => self.rate(point).map_or(String::new(), |rate| format!("{rate:.0}")),
            Column::Seconds => format!("{:.3}", point.seconds),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn epochs(&self, steps: i64) -> Option<f64> {
        Some(steps as f64 / self.epoch? as f64)
    }

    /// Steps a second since the first point.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn rate(&self, point: &Progress) -> Option<f64> {
        let (steps, seconds) = self.first?;
        let (steps, seconds) = ((point.steps - steps) as f64, point.seconds - seconds);
        (steps > 0.0 && seconds > 0.0).then(|| steps / seconds)
    }

    /// The live line, behind the seconds so far: how many there can be, where the solve stands, how fast it goes.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn line(&self, solving: &Solving, point: &Progress) -> String {
        let mut parts = Vec::new();
        let of = |most: Option<i64>| most.map_or(String::new(), |most| format!(" of {most}"));
        match (self.epochs(point.steps), self.epoch) {
            (Some(epochs), Some(epoch)) => {
                parts.push(format!("epoch {epochs:.1}{}", of(solving.most_steps.map(|steps| steps / epoch))));
            }
            _ => parts.push(format!("step {}{}", point.steps, of(solving.most_steps))),
        }
        parts.push(format!("loss {}", number(point.loss)));
        if !point.grad_norm.is_nan() {
            parts.push(format!("grad_norm {:.1e}", point.grad_norm));
        }
        let rate = self.rate(point);
        parts.extend(rate.map(|rate| format!("{} steps/s", short(rate))));
        let by_steps = solving.most_steps.zip(rate).map(|(most, rate)| {
            let left = (most - point.steps) as f64 / rate;
            point.seconds + left
        });
        let most = by_steps.into_iter().chain(solving.most_seconds).min_by(f64::total_cmp);
        let most = most.map_or(String::new(), |most| format!("of at most {}", span_of_time(most)));
        format!("{most}  {}", parts.join("  "))
    }
}

/// `7.3`, `812`, `41k`, `3M`
fn short(rate: f64) -> String {
    match rate {
        r if r < 9.95 => format!("{r:.1}"),
        r if r < 9999.5 => format!("{r:.0}"),
        r if r < 9_999_500.0 => format!("{:.0}k", r / 1e3),
        r => format!("{:.0}M", r / 1e6),
    }
}

/// `0.8 s`, `12 s`, `3 min`, `1.5 h`
pub fn span_of_time(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 119.5 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn name(column: Column) -> &'static str {
    match column {
        Column::Step => "step",
        Column::Epoch => "epoch",
        Column::Loss => "loss",
        Column::Best => "best",
        Column::GradNorm => "grad_norm",
        Column::Evals => "evals",
        Column::Report(_) => "",
        Column::Rate => "steps/s",
        Column::Seconds => "seconds",
    }
}

fn width(column: Column) -> usize {
    match column {
        Column::Step | Column::Evals | Column::Rate | Column::Epoch => 8,
        Column::Seconds => 9,
        Column::Loss | Column::Best | Column::GradNorm | Column::Report(_) => 13,
    }
}
