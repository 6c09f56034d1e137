//! The way of a program from its text to its end: it is read, checked as a whole, and only then
//! run, so that no result is printed by a program with errors that can be found before.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use super::gradcheck::{self, Checked};
use super::runner::{Event, Planned, Runner, Sink};
use crate::diag::{FileId, Report, Span};
use crate::driver::Session;
use crate::lower::{Denoted, Lower, Places, Test};
use crate::syntax::ast::{File, Stmt};
use crate::syntax::parse_file;

/// A program: one text, or several that are read one after the other, each in the scope of those
/// before.
#[derive(Debug, Default)]
pub struct Program {
    /// The trees.
    pub files: Vec<Rc<File>>,
    /// The trees of what they import, as its check found them.
    pub imported: Vec<Rc<File>>,
    /// Paths in the program are relative to this folder.
    pub folder: PathBuf,
    /// The values given to its inputs.
    pub inputs: HashMap<String, String>,
    /// Everything found wrong, or worth a warning.
    pub reports: Vec<Report>,
}

/// What places denote.
type Denotations = Vec<(Span, Vec<Denoted>)>;

/// A test that was run.
#[derive(Debug, Clone)]
pub struct Tested {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it ran to its end and all its assertions held.
    pub passed: bool,
    /// Its errors.
    pub reports: Vec<Report>,
    /// What it said.
    pub events: Vec<Event>,
}

impl Program {
    /// A program in a folder, without text yet.
    pub fn new(folder: impl Into<PathBuf>) -> Program {
        Program { folder: folder.into(), ..Program::default() }
    }

    /// Reads one more text.
    pub fn read(&mut self, file: FileId, text: &str) {
        let (tree, reports) = parse_file(file, text);
        self.reports.extend(reports);
        self.files.push(Rc::new(tree));
    }

    /// Whether an error was found.
    pub fn is_wrong(&self) -> bool {
        self.reports.iter().any(Report::is_error)
    }

    /// Elaborates the whole program, its tests too, and runs nothing. Gives the names of the inputs
    /// that the program has.
    pub fn check(&mut self, session: &mut Session) -> Vec<String> {
        self.checked(session, None).0
    }

    /// Checks the program for an editor: gives what the places of one of its files denote, too. Data stay loaded in
    /// the session.
    pub fn study(&mut self, session: &mut Session, file: FileId) -> Vec<(Span, Vec<Denoted>)> {
        self.checked(session, Some(file)).1
    }

    fn checked(&mut self, session: &mut Session, studied: Option<FileId>) -> (Vec<String>, Denotations) {
        session.options.execute = false;
        let syntax: Vec<Report> = std::mem::take(&mut self.reports);
        let mut deaf = Deaf;
        let mut runner = Runner::new(session, &self.folder, self.inputs.clone(), &mut deaf);
        runner.studied = studied;
        let mut places = None;
        let found = elaborate_all(&self.files, &mut runner, |lower| {
            for test in lower.tests() {
                lower.run_test(&test);
            }
            places = lower.take_places();
        });
        let inputs = runner.asked_inputs().to_vec();
        self.imported = runner.imported.iter().map(|(_, file)| file.clone()).collect();
        let broken: Vec<&Stmt> = self
            .files
            .iter()
            .flat_map(|file| &file.items)
            .filter(|item| syntax.iter().any(|report| report.is_error() && covers(item.span, report.span)))
            .collect();
        let found: Vec<Report> = found
            .into_iter()
            .filter(|report| !broken.iter().any(|item| covers(item.span, report.span)))
            .filter(|report| broken.is_empty() || !is_about_names(report))
            .collect();
        self.add(syntax);
        self.add(found);
        (inputs, places.map(Places::all).unwrap_or_default())
    }

    /// Runs the program.
    pub fn run(&mut self, session: &mut Session, sink: &mut dyn Sink) {
        session.options.execute = true;
        let mut runner = Runner::new(session, &self.folder, self.inputs.clone(), sink);
        let found = elaborate_all(&self.files, &mut runner, |_| ());
        self.add(found);
    }

    /// Runs the program with every solve ended at its start, and gives its code.
    pub fn plan(&mut self, session: &mut Session) -> Vec<Planned> {
        session.options.execute = true;
        let mut deaf = Deaf;
        let mut runner = Runner::new(session, &self.folder, self.inputs.clone(), &mut deaf);
        runner.plan_only = true;
        let found = elaborate_all(&self.files, &mut runner, |_| ());
        let planned = std::mem::take(&mut runner.planned);
        self.add(found);
        planned
    }

    /// Runs the program with every solve ended at its start, and checks the derivatives it has.
    pub fn gradcheck(&mut self, session: &mut Session) -> Vec<Checked> {
        session.options.execute = true;
        let mut deaf = Deaf;
        let mut runner = Runner::new(session, &self.folder, self.inputs.clone(), &mut deaf);
        runner.plan_only = true;
        let mut stated = Vec::new();
        let found = elaborate_all(&self.files, &mut runner, |lower| {
            stated = gradcheck::stated(lower, &self.files);
        });
        let planned = std::mem::take(&mut runner.planned);
        self.add(found);
        match gradcheck::check(session, &planned, &stated) {
            Ok(checked) => {
                self.add(gradcheck::reports(&checked));
                checked
            }
            Err(error) => {
                let span = self.files.first().and_then(|file| file.items.first()).map(|item| item.span);
                self.add(vec![error.report(span.unwrap_or_default())]);
                Vec::new()
            }
        }
    }

    /// Runs the program, then its tests. What the program prints is not told; what the tests assert
    /// is told with each test.
    pub fn test(&mut self, session: &mut Session, sink: &mut dyn Sink) -> Vec<Tested> {
        session.options.execute = true;
        let events: Rc<RefCell<Option<Vec<Event>>>> = Rc::default();
        let mut ear = Ear { events: events.clone(), all: false, sink };
        let mut runner = Runner::new(session, &self.folder, self.inputs.clone(), &mut ear);
        let mut tests = Vec::new();
        let found = elaborate_all(&self.files, &mut runner, |lower| {
            for test in lower.tests() {
                tests.push(run_test(lower, &test, &events));
            }
        });
        self.add(found);
        tests
    }

    /// Adds reports that were not added before.
    fn add(&mut self, found: Vec<Report>) {
        let mut known: HashSet<_> = self.reports.iter().map(|old| (old.code, old.span)).collect();
        self.reports.extend(found.into_iter().filter(|report| known.insert((report.code, report.span))));
    }
}

/// Elaborates all texts and, if they are without errors, what `then` asks for. Gives the reports.
fn elaborate_all(
    files: &[Rc<File>],
    runner: &mut Runner<'_>,
    then: impl FnOnce(&mut Lower<'_>),
) -> Vec<Report> {
    let studied = runner.studied;
    let mut lower = Lower::new(runner);
    studied.into_iter().for_each(|file| lower.write_down(file));
    let mut reports = elaborate(&mut lower, files, then);
    drop(lower);
    reports.extend(runner.take_reports());
    reports
}

/// [`elaborate_all`] in a scope that may know names already.
pub(super) fn elaborate(
    lower: &mut Lower<'_>,
    files: &[Rc<File>],
    then: impl FnOnce(&mut Lower<'_>),
) -> Vec<Report> {
    for file in files {
        lower.program(file);
    }
    let mut reports = lower.take_reports();
    if lower.only_checks() || !lower.halted() && !reports.iter().any(Report::is_error) {
        then(lower);
    }
    reports.extend(lower.take_reports());
    reports
}

pub(super) fn run_test(
    lower: &mut Lower<'_>,
    test: &Test,
    events: &Rc<RefCell<Option<Vec<Event>>>>,
) -> Tested {
    *events.borrow_mut() = Some(Vec::new());
    let done = lower.run_test(test);
    let reports = lower.take_reports();
    let events = events.borrow_mut().take().unwrap_or_default();
    let held = events.iter().all(|event| !matches!(event, Event::Assert { held: false, .. }));
    let passed = done && held && !reports.iter().any(Report::is_error);
    Tested { name: test.name.to_string(), span: test.span, passed, reports, events }
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn event(&mut self, _: Event) {}
}

/// Keeps the events of the test that runs, if one runs.
pub(super) struct Ear<'s> {
    /// The events of the test.
    pub events: Rc<RefCell<Option<Vec<Event>>>>,
    /// Whether what is printed outside of tests is told.
    pub all: bool,
    /// Where all is told.
    pub sink: &'s mut dyn Sink,
}

impl Sink for Ear<'_> {
    fn event(&mut self, event: Event) {
        let print = matches!(event, Event::Print { .. });
        let assert = matches!(event, Event::Assert { .. });
        match self.events.borrow_mut().as_mut() {
            Some(events) => {
                events.push(event.clone());
                if !assert {
                    self.sink.event(event);
                }
            }
            None if print && !self.all => {}
            None => self.sink.event(event),
        }
    }
}

fn covers(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.start <= outer.end
}

/// Whether the report could follow from a statement that could not be read.
fn is_about_names(report: &Report) -> bool {
    report.code.starts_with("E03")
}
