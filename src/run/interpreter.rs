//! A session of entries: each is read, checked and run in the scope of those before, whose names and
//! values are kept. What was run is not run again.
//!
//! An entry is a file of its own: all that may stand in a file may stand in it. It takes effect as a
//! whole or, where it is wrong, not at all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::brief::brief;
use super::program::{Ear, Tested, elaborate, run_test};
use super::runner::{Event, Runner, Sink};
use crate::diag::{Report, Span};
use crate::driver::Session;
use crate::ir::Precision;
use crate::lower::{self, Cell, Lower, Names, Val, errors};
use crate::syntax::ast::{File, Stmt, StmtKind};
use crate::syntax::{names_in, parse_file};

/// Names with their values, entry after entry.
pub struct Interpreter {
    /// What the entries run in.
    pub session: Session,
    /// Paths in entries are relative to this folder.
    pub folder: PathBuf,
    /// The values given to inputs.
    pub inputs: HashMap<String, String>,
    pub(super) names: Names,
    pub(super) kept: Vec<Kept>,
    /// The precision before any entry.
    precision: Precision,
    /// How many entries were read.
    count: usize,
    /// The present entry, or the last one.
    last: Option<Last>,
}

/// An entry that was right.
#[derive(Clone)]
pub(super) struct Kept {
    /// Its text.
    pub text: Arc<str>,
    /// Its tree.
    pub file: Rc<File>,
}

/// The last entry, and how things were before it.
struct Last {
    text: String,
    names: Names,
    variables: Vec<(Cell, Val)>,
    kept: usize,
}

/// What came of an entry, beside what it said.
#[derive(Debug, Default)]
pub struct Entered {
    /// Whether it took effect.
    pub right: bool,
    /// Why it was not taken at all.
    pub refused: Option<&'static str>,
    /// What was found wrong, or worth a warning.
    pub reports: Vec<Report>,
    /// The names that it bound, each with a line about its value.
    pub bound: Vec<(Arc<str>, String)>,
    /// Its tests.
    pub tests: Vec<Tested>,
}

impl Interpreter {
    /// Nothing is bound yet.
    pub fn new(session: Session, folder: impl Into<PathBuf>) -> Interpreter {
        Interpreter {
            precision: session.options.precision,
            session,
            folder: folder.into(),
            inputs: HashMap::new(),
            names: Names::default(),
            kept: Vec::new(),
            count: 0,
            last: None,
        }
    }

    /// Forgets all entries.
    pub fn reset(&mut self) {
        self.names = Names::default();
        self.kept.clear();
        self.last = None;
        self.session.options.precision = self.precision;
    }

    /// Takes an entry.
    pub fn enter(&mut self, text: &str, sink: &mut dyn Sink) -> Entered {
        self.count += 1;
        let name = format!("entry {}", self.count);
        let folder = self.folder.clone();
        self.take(&name, text, &folder, true, sink)
    }

    /// Takes the last entry again with a line added to it, in its place.
    pub fn go_on(&mut self, line: &str, sink: &mut dyn Sink) -> Entered {
        let Some(last) = self.last.take() else { return self.enter(line, sink) };
        Names::restore(&last.variables);
        self.names = last.names;
        self.kept.truncate(last.kept);
        self.enter(&format!("{}\n{line}", last.text), sink)
    }

    /// Takes a file as one entry; its paths are relative to its folder. Its tests are not run.
    pub fn load(&mut self, name: &str, text: &str, folder: &Path, sink: &mut dyn Sink) -> Entered {
        let entered = self.take(name, text, folder, false, sink);
        self.last = None;
        entered
    }

    /// Puts everything back as it was before an entry that ended in the midst of its work.
    pub fn recover(&mut self) {
        if let Some(last) = self.last.take() {
            Names::restore(&last.variables);
            self.names = last.names;
            self.kept.truncate(last.kept);
        }
        self.session.loaded.clear();
        self.session.observer.borrow_mut().take();
    }

    fn take(&mut self, name: &str, text: &str, folder: &Path, tests: bool, sink: &mut dyn Sink) -> Entered {
        let id = self.session.sources.add(name, text);
        let (file, reports) = parse_file(id, text);
        let (names, variables) = (self.names.clone(), self.names.variables());
        self.last = Some(Last { text: text.to_string(), names, variables, kept: self.kept.len() });
        let mut entered = Entered { reports, ..Entered::default() };
        let before = self.session.options.precision;
        let asked = asked_precision(&file).unwrap_or(before);
        if asked != before && !self.kept.is_empty() {
            entered.refused =
                Some("the precision cannot change after the first entry; `:reset` forgets all entries");
        }
        if entered.refused.is_some() || entered.reports.iter().any(Report::is_error) {
            return entered;
        }
        self.session.options.precision = asked;
        let work = Work { file: &Rc::new(file), folder, tests, mentioned: names_in(text) };
        self.perform(&work, sink, &mut entered);
        if entered.right {
            self.kept.push(Kept { text: Arc::from(text), file: work.file.clone() });
            entered.bound = self.bound(work.file);
        } else {
            self.session.options.precision = before;
        }
        self.session.loaded.clear();
        entered
    }

    /// Checks and runs an entry.
    fn perform(&mut self, work: &Work<'_>, sink: &mut dyn Sink, entered: &mut Entered) {
        let variables = self.names.variables();
        if work.needs_check() {
            self.session.options.execute = false;
            let found = self.elaborate(work, sink, |_| ()).1;
            self.session.options.execute = true;
            Names::restore(&variables);
            add(&mut entered.reports, found);
            if entered.reports.iter().any(Report::is_error) {
                return;
            }
        }
        let mut tests = Vec::new();
        let events: Rc<RefCell<Option<Vec<Event>>>> = Rc::default();
        let mut ear = Ear { events: events.clone(), all: true, sink };
        let (names, found) = self.elaborate(work, &mut ear, |lower| {
            for test in lower.tests().iter().filter(|_| work.tests) {
                tests.push(run_test(lower, test, &events));
            }
        });
        entered.tests = tests;
        // What was interrupted is kept as far as it came.
        let wrong = |report: &Report| report.is_error() && report.code != errors::INTERRUPTED;
        entered.right = !found.iter().any(wrong);
        add(&mut entered.reports, found);
        if entered.right {
            self.names = names;
        } else {
            Names::restore(&variables);
        }
    }

    fn elaborate(
        &mut self,
        work: &Work<'_>,
        sink: &mut dyn Sink,
        then: impl FnOnce(&mut Lower<'_>),
    ) -> (Names, Vec<Report>) {
        let mut runner = Runner::new(&mut self.session, work.folder, self.inputs.clone(), sink);
        let mut lower = Lower::entry(&mut runner, self.names.clone(), work.file, work.mentioned.clone());
        let mut reports = elaborate(&mut lower, std::slice::from_ref(work.file), then);
        let names = lower.into_names();
        reports.extend(runner.take_reports());
        (names, reports)
    }

    /// A line about each name that an entry has bound.
    fn bound(&self, file: &File) -> Vec<(Arc<str>, String)> {
        let mut lines: Vec<(Arc<str>, String)> = Vec::new();
        for item in &file.items {
            let heading = self.heading(item);
            for name in lower::bound_names(item) {
                let line = match (&heading, self.names.get(&name)) {
                    (Some(heading), _) => heading.clone(),
                    (None, Some(val)) => brief(&name, &val),
                    (None, None) => continue,
                };
                lines.retain(|(known, _)| *known != name);
                lines.push((name, line));
            }
        }
        lines
    }

    /// Where a text begins in a stretch, or the end of the stretch.
    fn before(&self, span: Span, text: &str) -> u32 {
        let length = self.session.sources.text(span).find(text);
        length.and_then(|length| u32::try_from(length).ok()).map_or(span.end, |length| span.start + length)
    }

    /// A declaration up to its body, in one line.
    pub(super) fn heading(&self, item: &Stmt) -> Option<String> {
        let body = match &item.kind {
            StmtKind::Fn(decl) => decl.body.span.start,
            StmtKind::Objective(decl) => decl.body.span.start,
            StmtKind::Optimizer(decl) => decl.body.span.start,
            StmtKind::Type(_) => item.span.end,
            StmtKind::Members(_) => self.before(item.span, "{"),
            StmtKind::Primitive(_) => self.before(item.span, "= native"),
            _ => return None,
        };
        let text = self.session.sources.text(Span { end: body, ..item.span });
        let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Some(line.trim_end_matches(['=', '{', ' ']).to_string())
    }
}

/// The precision that an entry asks for.
fn asked_precision(file: &File) -> Option<Precision> {
    file.items.iter().find_map(|item| match &item.kind {
        StmtKind::Precision(name) if &*name.name == "f32" => Some(Precision::F32),
        StmtKind::Precision(_) => Some(Precision::F64),
        _ => None,
    })
}

/// An entry to be done.
struct Work<'a> {
    file: &'a Rc<File>,
    folder: &'a Path,
    tests: bool,
    mentioned: Vec<Arc<str>>,
}

impl Work<'_> {
    /// Whether it may say or do something before its errors are found: then it is checked as a whole first.
    fn needs_check(&self) -> bool {
        let block = |item: &Stmt| {
            matches!(
                &item.kind,
                StmtKind::For { .. } | StmtKind::If(_) | StmtKind::Test(_) | StmtKind::Import { .. }
            )
        };
        self.file.items.len() > 1 || self.file.items.iter().any(block)
    }
}

/// Adds reports that were not added before.
fn add(reports: &mut Vec<Report>, found: Vec<Report>) {
    for report in found {
        if !reports.iter().any(|old| old.code == report.code && old.span == report.span) {
            reports.push(report);
        }
    }
}
