//! One program, run again and again in a session of its own each time, so that every round does all the work.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::cli::args::Options;
use crate::cli::program::Program;
use crate::cli::record::{Assertion, does_not_hold};
use crate::cli::signals::Signals;
use crate::cli::source::{self, Failure, Source};
use crate::diag::Span;
use crate::run::{Event, Figures, Sink, SolveRecord};

/// What is measured of every program, beside its solves.
pub const PARTS: [&str; 4] = ["read and check", "compile", "run", "whole"];

/// A program that is measured.
pub struct Candidate {
    path: PathBuf,
    inputs: Vec<(String, String)>,
    source: Source,
    /// Its parts, then its solves.
    pub items: Vec<Item>,
    /// What the first round left.
    bits: Vec<u64>,
    /// The first round whose results are other bits.
    pub differs: Option<usize>,
}

/// A part of a program, or a solve.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// Of a solve: what it does in a round.
    pub work: Option<Work>,
    /// Its seconds, round by round.
    pub seconds: Vec<f64>,
}

/// What a solve does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Steps.
    pub steps: i64,
    /// Evaluations of objective, gradient, Hessian-vector product.
    pub evals: [i64; 3],
}

impl Item {
    /// What its times say.
    pub fn figures(&self) -> Option<Figures> {
        Figures::of(&self.seconds)
    }
}

/// What one run of a program took and gave.
struct Round {
    seconds: [f64; 4],
    solves: Vec<Solved>,
    bits: Vec<u64>,
}

/// The solves of one statement in one run.
struct Solved {
    name: Option<String>,
    span: Span,
    seconds: f64,
    work: Work,
}

impl Candidate {
    /// Reads a program and runs it once, unmeasured. A program that is wrong, or whose assertions do not hold, is
    /// given back with its reports.
    pub fn warm(
        path: &Path,
        inputs: &[String],
        options: &Options,
        signals: &Signals,
    ) -> Result<Result<Candidate, Program>, Failure> {
        let source = Source::read(path)?;
        let inputs = source::inputs(inputs)?;
        let (program, round) = run(&source, &inputs, options, signals)?;
        let Some(round) = round else { return Ok(Err(program)) };
        let item = |name: String, work| Item { name, work, seconds: Vec::new() };
        let mut items: Vec<Item> = PARTS.iter().map(|name| item((*name).to_string(), None)).collect();
        for (at, solved) in round.solves.iter().enumerate() {
            let name =
                solved.name.as_ref().map_or(format!("solve {}", at + 1), |name| format!("solve {name}"));
            let taken = items.iter().any(|item| item.name == name);
            items.push(item(if taken { format!("{name} ({})", at + 1) } else { name }, Some(solved.work)));
        }
        Ok(Ok(Candidate { path: path.to_path_buf(), inputs, source, items, bits: round.bits, differs: None }))
    }

    /// One more round.
    pub fn round(&mut self, options: &Options, signals: &Signals) -> Result<(), Failure> {
        let (_, round) = run(&self.source, &self.inputs, options, signals)?;
        if signals.received().is_some() {
            return Ok(());
        }
        let number = self.rounds() + 1;
        // What went wrong in a later round only is a difference, and no time.
        let Some(round) = round.filter(|round| round.solves.len() + PARTS.len() == self.items.len()) else {
            self.differs.get_or_insert(number);
            return Ok(());
        };
        if round.bits != self.bits {
            self.differs.get_or_insert(number);
        }
        let seconds = round.seconds.into_iter().chain(round.solves.iter().map(|solved| solved.seconds));
        for (item, seconds) in self.items.iter_mut().zip(seconds) {
            item.seconds.push(seconds);
        }
        Ok(())
    }

    /// How many rounds were measured.
    pub fn rounds(&self) -> usize {
        self.items.first().map_or(0, |item| item.seconds.len())
    }

    /// Forgets the rounds after some.
    pub fn keep(&mut self, rounds: usize) {
        self.items.iter_mut().for_each(|item| item.seconds.truncate(rounds));
    }

    /// The widest interval of what is looked at: the whole program and its solves.
    pub fn width(&self) -> f64 {
        let looked_at = self.items.iter().filter(|item| item.work.is_some() || item.name == "whole");
        let widths = looked_at.map(|item| item.figures().map_or(f64::INFINITY, |figures| figures.width()));
        widths.fold(0.0, f64::max)
    }

    /// What it is called: its path.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The fingerprint of its text.
    pub fn hash(&self) -> String {
        self.source.hash()
    }
}

/// Runs a program from its text to its end. No round if it is wrong or fails.
fn run(
    source: &Source,
    inputs: &[(String, String)],
    options: &Options,
    signals: &Signals,
) -> Result<(Program, Option<Round>), Failure> {
    let began = Instant::now();
    let mut program = Program::open(vec![source.clone()], options, inputs.to_vec(), signals);
    program.check()?;
    if program.code.is_wrong() {
        return Ok((program, None));
    }
    let checked = began.elapsed();
    let before = program.session.compiling.get();
    let mut ear = Ear::default();
    program.measure(&mut ear);
    let whole = began.elapsed();
    let compiling = program.session.compiling.get().saturating_sub(before);
    program.code.reports.extend(ear.failed.iter().map(does_not_hold));
    if program.code.is_wrong() || program.session.stop.load(Ordering::Relaxed) {
        return Ok((program, None));
    }
    let running = whole.saturating_sub(checked).saturating_sub(compiling);
    let seconds = [checked, compiling, running, whole].map(|time| time.as_secs_f64());
    Ok((program, Some(Round { seconds, solves: ear.solves, bits: ear.bits })))
}

/// Hears when solves begin and end, and what they leave.
#[derive(Default)]
struct Ear {
    /// When the present solve was at its start, and at its last recorded point.
    place: Option<(f64, f64)>,
    solves: Vec<Solved>,
    /// The assertions that do not hold.
    failed: Vec<Assertion>,
    bits: Vec<u64>,
}

impl Ear {
    fn solved(&mut self, solve: &SolveRecord) {
        let (from, until) = self.place.take().unwrap_or_default();
        let outcome = &solve.outcome;
        let found = self.solves.iter_mut().find(|known| known.span == solve.span && known.name == solve.name);
        let added = Work { steps: outcome.steps, evals: outcome.evals };
        match found {
            // A solve in a loop of statements: what all its turns take.
            Some(known) => {
                known.seconds += until - from;
                known.work.steps += added.steps;
                known.work.evals.iter_mut().zip(added.evals).for_each(|(all, one)| *all += one);
            }
            None => self.solves.push(Solved {
                name: solve.name.clone(),
                span: solve.span,
                seconds: until - from,
                work: added,
            }),
        }
        let counts = [outcome.steps].into_iter().chain(outcome.evals).map(i64::cast_unsigned);
        self.bits.extend(counts);
        self.bits.push(outcome.loss.to_bits());
        let arrays = outcome.params.iter().chain(&outcome.reports);
        self.bits.extend(arrays.flat_map(crate::ir::Tensor::to_reals).map(f64::to_bits));
    }
}

impl Sink for Ear {
    fn event(&mut self, event: Event) {
        match event {
            Event::Solving(_) => self.place = None,
            Event::Progress(progress) => {
                let (from, _) = self.place.unwrap_or((progress.seconds, 0.0));
                self.place = Some((from, progress.seconds));
            }
            Event::Solved(solve) => self.solved(&solve),
            Event::Assert { .. } => {
                self.failed.extend(Assertion::of(&event).filter(|assertion| !assertion.held));
            }
            Event::Print { .. } | Event::Saved { .. } | Event::Plot { .. } => {}
        }
    }
}
