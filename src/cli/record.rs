//! Takes down what a program says, and says it on.

use std::time::{Duration, Instant};

use super::output::Output;
use super::signals::Signals;
use crate::diag::{Report, Span};
use crate::picture::Figure;
use crate::run::{Event, Progress, Sink, SolveRecord, number};

/// An assertion that was reached.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// Whether it held.
    pub held: bool,
    /// Its message.
    pub message: Option<String>,
    /// The two sides of its comparison, if it did not hold.
    pub detail: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Assertion {
    /// The assertion that an event tells of.
    pub fn of(event: &Event) -> Option<Assertion> {
        match event {
            Event::Assert { held, message, detail, span } => {
                Some(Assertion { held: *held, message: message.clone(), detail: detail.clone(), span: *span })
            }
            Event::Print { .. }
            | Event::Solving
            | Event::Progress(_)
            | Event::Solved(_)
            | Event::Saved { .. }
            | Event::Plot { .. } => None,
        }
    }
}

/// Everything a program said.
pub struct Record {
    output: Output,
    signals: Signals,
    /// Whether progress is told.
    verbose: bool,
    /// When progress was told last.
    told: Option<Instant>,
    /// What was printed, and where.
    pub prints: Vec<(String, Span)>,
    /// The solves.
    pub solves: Vec<SolveRecord>,
    /// How many lines had been printed when the last solve ended.
    printed_before: usize,
    /// The assertions.
    pub assertions: Vec<Assertion>,
    /// The files written.
    pub saved: Vec<String>,
    /// The pictures drawn.
    pub plots: Vec<Plot>,
}

/// A picture that was drawn.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The picture.
    pub figure: Figure,
    /// The file it was written to, if it was.
    pub path: Option<String>,
    /// How much had been printed before.
    pub after: usize,
    /// The statement.
    pub span: Span,
}

impl Record {
    /// Nothing yet.
    pub fn new(output: Output, signals: &Signals, verbose: bool) -> Record {
        Record {
            output,
            signals: signals.clone(),
            verbose,
            told: None,
            prints: Vec::new(),
            solves: Vec::new(),
            printed_before: 0,
            assertions: Vec::new(),
            saved: Vec::new(),
            plots: Vec::new(),
        }
    }

    /// The last solve, if it was interrupted and nothing has been printed since.
    pub fn unsaid(&self) -> Option<&SolveRecord> {
        let last = self.solves.last()?;
        (last.outcome.status == "interrupted" && self.prints.len() == self.printed_before).then_some(last)
    }

    fn progress(&mut self, progress: Progress) {
        let often = self.told.is_some_and(|told| told.elapsed() < Duration::from_millis(100));
        if !self.verbose || often {
            return;
        }
        self.told = Some(Instant::now());
        let Progress { steps, loss, grad_norm, seconds, .. } = progress;
        let slope =
            if grad_norm.is_nan() { String::new() } else { format!("  grad_norm {}", number(grad_norm)) };
        self.output.note(&format!("{steps:>9} steps  {seconds:>8.3} s  loss {}{slope}", number(loss)));
    }
}

impl Sink for Record {
    fn event(&mut self, event: Event) {
        match event {
            Event::Print { text, span } => {
                self.output.result(&text);
                self.prints.push((text, span));
            }
            Event::Solving => {
                self.signals.be_patient();
                self.told = None;
            }
            Event::Progress(progress) => self.progress(progress),
            Event::Solved(solve) => {
                if self.verbose {
                    let why = solve.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                    self.output.note(&format!("{}{why}", solve.optimizer));
                    self.output.note(&format!("{}: {}", solve.outcome.status, solve.outcome.reason));
                }
                self.printed_before = self.prints.len();
                self.solves.push(*solve);
            }
            Event::Assert { .. } => self.assertions.extend(Assertion::of(&event)),
            Event::Saved { path, .. } => self.saved.push(path),
            Event::Plot { figure, path, span } => {
                if path.is_none() {
                    self.output.picture(&figure);
                }
                let after = self.prints.len();
                self.plots.push(Plot { figure: *figure, path, after, span });
            }
        }
    }
}

/// E0506. An assertion that does not hold.
pub fn does_not_hold(assertion: &Assertion) -> Report {
    let message = match &assertion.message {
        Some(text) => format!("this assertion does not hold: {text}"),
        None => "this assertion does not hold".to_string(),
    };
    let report = Report::error("E0506", assertion.span, message);
    match &assertion.detail {
        Some(detail) => report.label(assertion.span, format!("here {detail}")),
        None => report,
    }
}

/// A solve in a few lines, where the program had no time to print it.
pub fn summary(solve: &SolveRecord) -> String {
    let outcome = &solve.outcome;
    let [f, grad, hvp] = outcome.evals;
    let mut lines = vec![match &solve.name {
        Some(name) => format!("{name} = {}: {}", outcome.status, outcome.reason),
        None => format!("{}: {}", outcome.status, outcome.reason),
    }];
    let mut figure = |name: &str, text: String| {
        lines.push(format!("  {name:<10} {}", text.replace('\n', "\n             ")));
    };
    figure("loss", number(outcome.loss));
    if !outcome.grad_norm.is_nan() {
        figure("grad_norm", number(outcome.grad_norm));
    }
    figure("steps", outcome.steps.to_string());
    figure("evals", format!("f {f}, grad {grad}, hvp {hvp}"));
    figure("seconds", format!("{:.4}", outcome.seconds));
    let params = solve.params.iter().zip(&outcome.params);
    for (name, tensor) in params.chain(solve.reports.iter().zip(&outcome.reports)) {
        figure(name, crate::run::show(&crate::lower::Val::Known(tensor.clone())));
    }
    lines.join("\n")
}
