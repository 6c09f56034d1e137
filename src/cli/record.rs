//! Takes down what a program says, and says it on.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::blocks;
use super::live::Live;
use super::log::Log;
use super::output::Output;
use super::settings::Settings;
use super::signals::Signals;
use super::source::Failure;
use super::trace::Tracer;
use crate::diag::{Report, Span};
use crate::picture::Figure;
use crate::run::{Event, Progress, Sink, SolveRecord, Solving, number};

/// The live line says something new so often.
const OFTEN: Duration = Duration::from_millis(100);

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
            | Event::Solving(_)
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
    settings: Settings,
    telling: Telling,
    /// The line of the solve that runs; made with the first.
    live: Option<Live>,
    /// The solve that runs, where its course is told.
    course: Option<(Rc<Solving>, Log)>,
    /// When something was told last.
    told: Option<Instant>,
    /// The last point, if it was not told.
    last: Option<Progress>,
    tracer: Option<Tracer>,
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

/// What is told of the course of solves, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Nothing.
    Nothing,
    /// A row now and then, of solves that take long.
    Rarely,
    /// A line that is drawn again and again, on a terminal.
    Line,
    /// The configuration, rows, and how it ended.
    All,
}

impl Record {
    /// Nothing yet.
    pub fn new(output: Output, signals: &Signals, settings: &Settings, verbose: bool) -> Record {
        let telling = match output.progress() {
            _ if output.json || output.quiet => Telling::Nothing,
            _ if verbose => Telling::All,
            true => Telling::Line,
            false => Telling::Rarely,
        };
        Record {
            output,
            signals: signals.clone(),
            settings: settings.clone(),
            telling,
            live: None,
            course: None,
            told: None,
            last: None,
            tracer: None,
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

    /// Writes every point to a file.
    pub fn trace_to(&mut self, tracer: Tracer) {
        self.tracer = Some(tracer);
    }

    /// Writes what is left of the trace.
    ///
    /// # Errors
    /// When the file could not be written.
    pub fn finish_trace(&mut self) -> Result<(), Failure> {
        self.tracer.take().map_or(Ok(()), Tracer::finish)
    }

    fn begin(&mut self, solving: &Rc<Solving>) {
        self.signals.be_patient();
        if let Some(tracer) = &mut self.tracer {
            tracer.begin(solving);
        }
        if self.telling == Telling::All {
            self.output.note(&blocks::beginning(solving, &self.settings));
        }
        if self.telling == Telling::Line {
            let name = solving.name.clone().unwrap_or_else(|| "solve".into());
            self.live.get_or_insert_with(Live::new).begin(name);
        }
        self.course = (self.telling != Telling::Nothing).then(|| (solving.clone(), Log::new(solving)));
        self.told = None;
    }

    fn progress(&mut self, point: &Progress) {
        if let Some(tracer) = &mut self.tracer {
            tracer.point(point);
        }
        let Some((solving, log)) = &mut self.course else { return };
        log.hear(point);
        self.last = Some(point.clone());
        let due = match self.telling {
            Telling::Nothing => false,
            Telling::Rarely => log.is_rarely_due(),
            Telling::Line => self.told.is_none_or(|told| told.elapsed() >= OFTEN),
            Telling::All => log.is_due(point),
        };
        if !due {
            return;
        }
        self.told = Some(Instant::now());
        self.last = None;
        if self.telling == Telling::Line {
            if let Some(live) = &self.live {
                live.say(log.line(solving, point));
            }
        } else {
            let row = log.row(point);
            self.output.note(&row);
        }
    }

    /// The last row, then how the solve ended.
    fn end(&mut self, solve: &SolveRecord) {
        if let Some(tracer) = &mut self.tracer {
            tracer.end(solve);
        }
        let shown = self.live.as_ref().is_some_and(Live::end);
        let last = self.last.take();
        let Some((_, mut log)) = self.course.take() else { return };
        if let Some(point) = last
            && log.begun()
        {
            let row = log.row(&point);
            self.output.note(&row);
        }
        if self.telling == Telling::All {
            self.output.note(&blocks::end(solve));
        } else if solve.outcome.met && (shown || log.begun()) {
            self.output.note(&blocks::summary(solve));
        }
    }
}

impl Sink for Record {
    fn event(&mut self, event: Event) {
        match event {
            Event::Print { text, span } => {
                self.output.result(&text);
                self.prints.push((text, span));
            }
            Event::Solving(solving) => self.begin(&solving),
            Event::Progress(point) => self.progress(&point),
            Event::Solved(solve) => {
                self.end(&solve);
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
