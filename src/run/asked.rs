//! What is asked about an expression in the scope of a session: its type, its code, its time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::brief::type_of;
use super::gradient;
use super::interpreter::Interpreter;
use super::runner::{Event, Planned, Runner, Sink, Spent};
use super::show::show_within;
use crate::diag::Report;
use crate::lower::{Host as _, Lower, Val};
use crate::syntax::ast::{Expr, File};
use crate::syntax::{names_in, parse_expr};

/// An evaluation is repeated for so long, if it is short.
const LONG: Duration = Duration::from_millis(300);
/// And at most so often.
const OFTEN: usize = 1_000;

/// What an evaluation took.
#[derive(Debug, Clone)]
pub struct Timed {
    /// The value as people read it.
    pub value: String,
    /// Names, types and shapes, then code: once.
    pub compile: Duration,
    /// The code itself: the median of all runs.
    pub run: Duration,
    /// How often it was run.
    pub runs: usize,
    /// Whether machine code was made; without, the value was computed by the compiler or its
    /// interpreter.
    pub native: bool,
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn event(&mut self, _: Event) {}
}

/// How an expression is evaluated.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// Nothing is run.
    Check,
    /// Its code is kept, and solves end at their start.
    Plan,
    /// As in an entry.
    Run,
}

/// An expression that was evaluated.
struct Evaluated {
    val: Option<Val>,
    planned: Vec<Planned>,
    spent: Spent,
    reports: Vec<Report>,
}

impl Interpreter {
    /// The type of an expression. Nothing is run.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn type_of(&mut self, text: &str) -> Result<String, Vec<Report>> {
        let e = self.question(text)?;
        let val = self.valued(&e, text, Mode::Check)?.val;
        if let Some(Val::Function(_)) = &val
            && let Some(heading) = self.declared(text.trim()).and_then(|item| self.heading(&item))
        {
            return Ok(heading);
        }
        Ok(val.map_or_else(String::new, |val| type_of(&val)))
    }

    /// The code that an expression runs; its solves end at their start.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn planned(&mut self, text: &str) -> Result<Vec<Planned>, Vec<Report>> {
        let e = self.question(text)?;
        self.valued(&e, text, Mode::Plan).map(|found| found.planned)
    }

    /// How long an expression takes to compile and to run.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn timed(&mut self, text: &str) -> Result<Timed, Vec<Report>> {
        let e = self.question(text)?;
        self.session.forget_code();
        let began = Instant::now();
        let first = self.valued(&e, text, Mode::Run)?;
        let whole = began.elapsed();
        let mut runs = vec![first.spent.run];
        while began.elapsed() < LONG && runs.len() < OFTEN {
            runs.push(self.valued(&e, text, Mode::Run)?.spent.run);
        }
        runs.sort();
        let value = match &first.val {
            Some(val) => show_within(val, self.session.options.width),
            None => String::new(),
        };
        let (count, run) = (runs.len(), runs[runs.len() / 2]);
        let compile = whole.saturating_sub(first.spent.run);
        Ok(Timed { value, compile, run, runs: count, native: first.spent.native })
    }

    /// The derivative of a function or objective that an entry declares, as a program.
    ///
    /// # Errors
    /// When it has errors or its derivative cannot be written; without reports if nothing is declared
    /// under that name.
    pub fn derivative(&mut self, name: &str) -> Result<String, Vec<Report>> {
        let place = self.names.all().into_iter().find(|(known, ..)| **known == *name).map(|(.., at)| at);
        let Some(at) = place.filter(|_| self.declared_here(name).is_some()) else {
            return Err(Vec::new());
        };
        let own = self.file(at.file);
        let others = self.kept.iter().rev().filter(|kept| !Rc::ptr_eq(&kept.file, &own));
        let newest = own.items.iter().rev().chain(others.flat_map(|kept| &kept.file.items)).cloned();
        let file = File { items: newest.collect() };
        let folder = self.folder.clone();
        let names = self.names.clone();
        gradient::derivative_among(&mut self.session, &folder, &file, Some(name), Some(&names))
    }

    /// A constant of the language.
    pub(super) fn constant(&mut self, name: &str) -> Option<Val> {
        let e = self.question(name).ok()?;
        self.valued(&e, name, Mode::Check).ok()?.val
    }

    /// Reads an expression that is no entry.
    fn question(&mut self, text: &str) -> Result<Expr, Vec<Report>> {
        let id = self.session.sources.add("the expression", text);
        parse_expr(id, text)
    }

    fn valued(&mut self, e: &Expr, text: &str, mode: Mode) -> Result<Evaluated, Vec<Report>> {
        let variables = self.names.variables();
        self.session.options.execute = mode != Mode::Check;
        let found = self.evaluate(e, text, mode);
        self.session.options.execute = true;
        crate::lower::Names::restore(&variables);
        self.session.loaded.clear();
        if found.reports.iter().any(Report::is_error) { Err(found.reports) } else { Ok(found) }
    }

    fn evaluate(&mut self, e: &Expr, text: &str, mode: Mode) -> Evaluated {
        let mut deaf = Deaf;
        let (folder, inputs) = (self.folder.clone(), self.inputs.clone());
        let mut runner = Runner::new(&mut self.session, &folder, inputs, &mut deaf);
        runner.plan_only = mode == Mode::Plan;
        let nothing = Rc::new(File::default());
        let mut lower = Lower::entry(&mut runner, self.names.clone(), &nothing, names_in(text));
        let val = lower.value_of(e).ok();
        let mut reports = lower.take_reports();
        drop(lower);
        reports.extend(runner.take_reports());
        debug_assert!(runner.options().execute || runner.planned.is_empty());
        Evaluated { val, planned: std::mem::take(&mut runner.planned), spent: runner.spent, reports }
    }
}
