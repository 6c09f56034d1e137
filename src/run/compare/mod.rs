//! A solve of a program under several optimizers, learning rates and seeds: `minima compare`.
//!
//! What stands before the solve runs once for each seed, then the statement with the solve runs
//! with each optimizer in the place of its own, and ends there: nothing behind the solve is run.

mod entrants;
mod figures;

pub use entrants::{Entrant, Known, unknown as unknown_optimizer};

pub use figures::{Row, Spread, Standings, standings};

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::program::Program;
use super::runner::{Event, Only, Progress, Runner, Sink, SolveRecord};
use crate::diag::Report;
use crate::driver::{Family, Session};
use crate::lower::{Instead, Lower, SolveSite, solve_sites};
use crate::syntax::ast::{Expr, File, Stmt, StmtKind};

/// What is compared.
pub struct Contest {
    /// The solve.
    pub site: SolveSite,
    /// Who takes part.
    pub entrants: Vec<Entrant>,
    /// The learning rates of those that are tuned.
    pub grid: Vec<f64>,
    /// How many seeds, from that of the session on.
    pub seeds: i64,
    /// The most steps; without, as the program says.
    pub steps: Option<i64>,
}

/// An optimizer with a learning rate.
struct Variant {
    entrant: usize,
    lr: Option<f64>,
    using: Expr,
    /// Whether two seeds gave the same bits.
    same: bool,
}

/// One run of an optimizer.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Who ran, by place.
    pub entrant: usize,
    /// The learning rate, if it is of the grid.
    pub lr: Option<f64>,
    /// The seed.
    pub seed: i64,
    /// What came out.
    pub end: Result<Box<SolveRecord>, Failed>,
    /// The points along the way; their clock starts at the first step.
    pub points: Vec<Progress>,
}

/// Why an optimizer could not run to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The code of the error.
    pub code: String,
    /// What it says.
    pub message: String,
}

impl Trial {
    /// Why it ended, in a word; `error` where it had no end.
    pub fn status(&self) -> &str {
        self.end.as_ref().map_or("error", |solve| &*solve.outcome.status)
    }

    /// Whether it gave a result that can be used.
    pub fn usable(&self) -> bool {
        let good =
            |solve: &SolveRecord| solve.outcome.status != "numerical_error" && solve.outcome.loss.is_finite();
        self.end.as_ref().is_ok_and(|solve| good(solve))
    }

    /// Seconds from the first step to the last.
    pub fn seconds(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.seconds)
    }

    /// Everything but the clock.
    fn bits(&self) -> Vec<u64> {
        let losses = self.points.iter().map(|point| point.loss);
        let params = self.end.iter().flat_map(|solve| solve.outcome.params.iter().flat_map(|t| t.to_reals()));
        losses.chain(params).map(f64::to_bits).collect()
    }
}

/// The solves of a program that can be compared: those that its statements reach.
pub fn sites(program: &Program) -> Vec<SolveSite> {
    program.files.iter().flat_map(|file| solve_sites(file)).collect()
}

/// The last solve of a program.
///
/// # Errors
/// When it has none.
pub fn last_site(program: &Program) -> Result<SolveSite, Report> {
    let first = program.files.first().and_then(|file| file.items.first());
    let span = first.map(|item| item.span).unwrap_or_default();
    sites(program).pop().ok_or_else(|| entrants::no_solve(span))
}

/// Who takes part: optimizers with commas between, each a source of its own for reports.
///
/// # Errors
/// Reports of those that are no optimizers.
pub fn entrants(session: &mut Session, known: &Known, texts: &[String]) -> Result<Vec<Entrant>, Vec<Report>> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for part in texts.iter().flat_map(|text| entrants::split(text)) {
        let id = session.sources.add("<--using>", part);
        match known.entrant(id, part) {
            Ok(entrant) => found.push(entrant),
            Err(reports) => wrong.extend(reports),
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// All optimizers of a family of the library.
pub fn family_entrants(session: &mut Session, known: &Known, family: &Family) -> Vec<Entrant> {
    let names = family.members.iter().filter_map(|name| {
        let id = session.sources.add("<--family>", *name);
        known.entrant(id, name).ok()
    });
    names.map(|entrant| Entrant { named: false, ..entrant }).collect()
}

impl Contest {
    /// Elaborates each optimizer on the problem, and runs nothing. Those that came with their family and cannot take
    /// part are taken out and given, with the reasons.
    ///
    /// # Errors
    /// Reports of those that were named and cannot take part.
    pub fn check(
        &mut self,
        program: &Program,
        session: &mut Session,
        known: &Known,
    ) -> Result<Vec<(String, Failed)>, Vec<Report>> {
        session.options.execute = false;
        let (mut found, mut out) = (Vec::new(), Vec::new());
        let variants = self.variants(known, &self.grid[..self.grid.len().min(1)]);
        let variants: Vec<&Variant> = variants.iter().collect();
        self.round(program, session, &variants, 0, &mut |at, reports, _| {
            let entrant = &self.entrants[variants[at].entrant];
            let Some(first) = reports.iter().find(|report| report.is_error()) else { return };
            let span = entrant.expr.span;
            if !entrant.named {
                let why = Failed { code: first.code.to_string(), message: first.message.clone() };
                out.push((entrant.label.clone(), why));
            } else if first.span.file == span.file {
                found.push(first.clone());
            } else {
                found.push(entrants::cannot(span, &entrant.label, first));
            }
        })?;
        self.entrants.retain(|one| one.named || !out.iter().any(|(label, _)| *label == one.label));
        if found.is_empty() { Ok(out) } else { Err(found) }
    }

    /// How many runs there are, where a second seed changes the results of all.
    pub fn most_runs(&self, known: &Known) -> usize {
        let seeds = usize::try_from(self.seeds).unwrap_or(usize::MAX);
        self.variants(known, &self.grid).len().saturating_mul(seeds)
    }

    /// Runs all optimizers, each with all learning rates and seeds; tells of each run when it is done.
    ///
    /// # Errors
    /// Reports of what stops the program before the solve.
    pub fn run(
        &self,
        program: &Program,
        session: &mut Session,
        known: &Known,
        told: &mut dyn FnMut(&Trial),
    ) -> Result<Vec<Trial>, Vec<Report>> {
        session.options.execute = true;
        let first = session.options.seed;
        let mut variants = self.variants(known, &self.grid);
        let mut trials: Vec<Trial> = Vec::new();
        for k in 0..self.seeds {
            let running: Vec<usize> = (0..variants.len()).filter(|at| !variants[*at].same).collect();
            if running.is_empty() || session.stop.load(Ordering::Relaxed) {
                break;
            }
            let mut done: Vec<Trial> = Vec::new();
            let chosen: Vec<&Variant> = running.iter().map(|at| &variants[*at]).collect();
            session.options.seed = first.wrapping_add(k);
            let seed = session.options.seed;
            let result = self.round(program, session, &chosen, k, &mut |at, reports, ear| {
                let variant = chosen[at];
                let trial = trial(variant, seed, reports, ear);
                told(&trial);
                done.push(trial);
            });
            session.options.seed = first;
            result?;
            if k == 1 {
                for (at, now) in running.iter().zip(&done) {
                    let same = |old: &&Trial| old.entrant == now.entrant && old.lr == now.lr;
                    let before = trials.iter().find(same);
                    variants[*at].same =
                        now.end.is_ok() && before.is_some_and(|old| old.bits() == now.bits());
                }
            }
            trials.extend(done);
        }
        let place = |trial: &Trial| (trial.entrant, self.grid.iter().position(|lr| Some(*lr) == trial.lr));
        trials.sort_by_key(place);
        Ok(trials)
    }

    /// Each entrant with each of some learning rates, or as it is.
    fn variants(&self, known: &Known, grid: &[f64]) -> Vec<Variant> {
        let mut variants = Vec::new();
        for (entrant, one) in self.entrants.iter().enumerate() {
            if !one.tuned {
                variants.push(Variant { entrant, lr: None, using: one.expr.clone(), same: false });
            }
            let rates = if one.tuned { grid } else { &[] };
            variants.extend(rates.iter().filter_map(|lr| {
                let using = known.with_lr(&one.expr, *lr)?;
                Some(Variant { entrant, lr: Some(*lr), using, same: false })
            }));
        }
        variants
    }

    /// Runs the program up to the solve, and the solve with each optimizer. The k-th round adds k to a seed that the
    /// solve gives itself.
    fn round(
        &self,
        program: &Program,
        session: &mut Session,
        variants: &[&Variant],
        k: i64,
        each: &mut dyn FnMut(usize, &[Report], Heard),
    ) -> Result<(), Vec<Report>> {
        let Some((before, stmt)) = program.files.first().and_then(|file| parts(file, &self.site)) else {
            return Ok(());
        };
        let stop = session.stop.clone();
        let ear: Rc<RefCell<Heard>> = Rc::default();
        let mut listening = Listening(ear.clone());
        let mut runner = Runner::new(session, &program.folder, program.inputs.clone(), &mut listening);
        runner.only = Some(Only { span: self.site.span, steps: self.steps });
        let mut next = 0;
        let mut result = Ok(());
        while next < variants.len() && result.is_ok() {
            let mut lower = Lower::new(&mut runner);
            lower.program(&before);
            let reports = lower.take_reports();
            if reports.iter().any(Report::is_error) {
                result = Err(reports);
                break;
            }
            // A loop changes variables of the program around it: then all runs again.
            let end = if self.site.in_block { next + 1 } else { variants.len() };
            while next < end && !stop.load(Ordering::Relaxed) {
                ear.take();
                let using = variants[next].using.clone();
                let instead =
                    Instead { span: self.site.span, using, seed: k, unlimited: self.steps.is_some() };
                let reports = lower.rerun(&stmt, instead);
                each(next, &reports, ear.take());
                next += 1;
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        // Notes of inner solves are not about the comparison.
        runner.take_reports();
        result
    }
}

/// The file before the statement with the solve, with all declarations, and that statement.
fn parts(file: &File, site: &SolveSite) -> Option<(Rc<File>, Stmt)> {
    let stmt = file.items.get(site.item)?.clone();
    let declares = |item: &Stmt| {
        matches!(
            item.kind,
            StmtKind::Fn(_)
                | StmtKind::Type(_)
                | StmtKind::Objective(_)
                | StmtKind::Optimizer(_)
                | StmtKind::Primitive(_)
                | StmtKind::Members(_)
        )
    };
    let items = file.items.iter().enumerate();
    let before = items.filter(|(at, item)| *at < site.item || declares(item)).map(|(_, item)| item.clone());
    Some((Rc::new(File { items: before.collect() }), stmt))
}

/// What was heard of the last solve.
#[derive(Default)]
pub(crate) struct Heard {
    points: Vec<Progress>,
    solved: Option<Box<SolveRecord>>,
}

/// Hears of solves only.
struct Listening(Rc<RefCell<Heard>>);

impl Sink for Listening {
    fn event(&mut self, event: Event) {
        let mut heard = self.0.borrow_mut();
        match event {
            Event::Solving(_) => *heard = Heard::default(),
            Event::Progress(progress) => heard.points.push(progress),
            Event::Solved(solve) => heard.solved = Some(solve),
            Event::Print { .. } | Event::Assert { .. } | Event::Saved { .. } | Event::Plot { .. } => {}
        }
    }
}

fn trial(variant: &Variant, seed: i64, reports: &[Report], heard: Heard) -> Trial {
    let Heard { mut points, solved } = heard;
    let began = points.first().map_or(0.0, |point| point.seconds);
    points.iter_mut().for_each(|point| point.seconds -= began);
    let failed = || {
        let error = reports.iter().find(|report| report.is_error());
        let (code, message) = error.map_or(("", "the solve is not reached".to_string()), |report| {
            (report.code, report.message.clone())
        });
        Failed { code: code.to_string(), message }
    };
    if let Some(solve) = &solved
        && points.is_empty()
    {
        // It was done before its first step.
        let outcome = &solve.outcome;
        points.push(Progress {
            steps: outcome.steps,
            loss: outcome.loss,
            grad_norm: outcome.grad_norm,
            seconds: 0.0,
            evals: outcome.evals,
            reports: Vec::new(),
        });
    }
    Trial { entrant: variant.entrant, lr: variant.lr, seed, end: solved.ok_or_else(failed), points }
}
