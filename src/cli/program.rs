//! The way of a program from its text to its end: it is read, checked as a whole, and only then
//! run, so that no result is printed by a program that has errors which could be found before.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::args::Options;
use super::output::Output;
use super::record::{Record, does_not_hold};
use super::settings::Settings;
use super::signals::Signals;
use super::source::{Failure, Source};
use super::exit;
use crate::diag::{Report, Span, nearest};
use crate::driver::Session;
use crate::lower::Lower;
use crate::run::{Event, Planned, Runner, Sink};
use crate::syntax::ast::{File, Stmt};
use crate::syntax::parse_file;

/// A program with its session.
pub struct Program {
    /// The texts: one, but for `eval`.
    pub sources: Vec<Source>,
    /// The configuration.
    pub settings: Settings,
    /// What it runs in.
    pub session: Session,
    /// The values given to its inputs.
    pub inputs: Vec<(String, String)>,
    /// Everything found wrong, or worth a warning.
    pub reports: Vec<Report>,
    files: Vec<Rc<File>>,
    output: Output,
    signals: Signals,
    verbose: bool,
    plant: Option<String>,
}

/// What elaboration told, beside the reports.
struct Heard {
    asked: Vec<String>,
    planned: Vec<Planned>,
    tests: Vec<Tested>,
}

/// A test that was run.
pub struct Tested {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it passed.
    pub passed: bool,
    /// What it printed.
    pub prints: Vec<String>,
    /// Its errors and failed assertions.
    pub reports: Vec<Report>,
}

/// What is done with a program after it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Check,
    Run,
    Plan,
    Test,
}

impl Program {
    /// Reads a program. Its errors are kept. Several texts are read one after the other, each in
    /// the scope of those before.
    pub fn open(
        sources: Vec<Source>,
        options: &Options,
        inputs: Vec<(String, String)>,
        signals: &Signals,
    ) -> Program {
        let mut settings = Settings::new(options);
        let broken = |reports: Vec<Report>| {
            let said: Vec<String> = reports.into_iter().map(|report| report.message).collect();
            panic!("the standard library has errors: {}", said.join("; "))
        };
        let mut session = Session::new(settings.session_options(false)).unwrap_or_else(broken);
        session.stop = signals.stop.clone();
        let mut reports = Vec::new();
        let mut files = Vec::new();
        for source in &sources {
            let (id, wrong) = source.add_to(&mut session.sources);
            let (file, found) = match wrong {
                Some(report) => (File::default(), vec![report]),
                None => parse_file(id, &source.text),
            };
            settings.heed(&file);
            reports.extend(found);
            files.push(Rc::new(file));
        }
        let program = Program {
            sources,
            settings,
            session,
            inputs,
            reports,
            files,
            output: Output::new(options),
            signals: signals.clone(),
            verbose: options.verbose,
            plant: options.plant_panic.clone(),
        };
        program.stage("parse");
        program
    }

    /// The trees of the texts.
    pub fn files(&self) -> &[Rc<File>] {
        &self.files
    }

    /// Whether an error was found.
    pub fn is_wrong(&self) -> bool {
        self.reports.iter().any(Report::is_error)
    }

    /// Elaborates the whole program without running anything. Inputs that no statement asks for
    /// are an error of the command line.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.session.options = self.settings.session_options(false);
        let syntax: Vec<Report> = std::mem::take(&mut self.reports);
        let record = Rc::new(RefCell::new(self.record()));
        let heard = self.elaborate(Aim::Check, &record);
        let broken: Vec<&Stmt> = self
            .files
            .iter()
            .flat_map(|file| &file.items)
            .filter(|item| syntax.iter().any(|report| report.is_error() && covers(item.span, report.span)))
            .collect();
        self.reports.retain(|report| {
            !is_doubtful(report)
                && !broken.iter().any(|item| covers(item.span, report.span))
                && (broken.is_empty() || !is_about_names(report))
        });
        syntax.into_iter().for_each(|report| self.add(report));
        self.stage("check");
        if self.is_wrong() { Ok(()) } else { self.inputs_are_known(&heard.asked) }
    }

    /// Runs the program.
    pub fn run(&mut self) -> Record {
        self.begin();
        let record = Rc::new(RefCell::new(self.record()));
        self.elaborate(Aim::Run, &record);
        self.end(record)
    }

    /// Runs the program with every solve ended at its start, and gives its code.
    pub fn plan(&mut self) -> Vec<Planned> {
        self.begin();
        let mut record = self.record();
        record.live = false;
        self.elaborate(Aim::Plan, &Rc::new(RefCell::new(record))).planned
    }

    /// Runs the program, then its tests. Only what the tests print is shown.
    pub fn test(&mut self) -> (Record, Vec<Tested>) {
        self.begin();
        let mut record = self.record();
        record.live = false;
        let record = Rc::new(RefCell::new(record));
        let heard = self.elaborate(Aim::Test, &record);
        (self.end(record), heard.tests)
    }

    /// The exit code, as far as the reports decide.
    pub fn exit_code(&self) -> u8 {
        let wrong = self.reports.iter().filter(|report| report.code != "E0506");
        exit::of_reports(wrong, self.settings.memory_limit.given)
    }

    fn record(&self) -> Record {
        Record::new(self.output, &self.signals, self.verbose)
    }

    fn begin(&mut self) {
        self.session.options = self.settings.session_options(true);
        if let Some(seconds) = self.settings.time_limit.value {
            self.signals.watch(seconds);
        }
        if let Some(at) = self.plant.clone().filter(|at| at.starts_with("pass")) {
            *self.session.observer.borrow_mut() = Some(Box::new(move |pass, _| {
                assert!(at != format!("pass:{pass}"), "a planted panic after {pass}");
            }));
        }
        self.stage("run");
    }

    /// Takes the record back, and reports what it has of assertions that do not hold.
    fn end(&mut self, record: Rc<RefCell<Record>>) -> Record {
        let record = Rc::into_inner(record).map(RefCell::into_inner).unwrap_or_else(|| self.record());
        for assertion in record.assertions.iter().filter(|assertion| !assertion.held) {
            self.reports.push(does_not_hold(assertion));
        }
        record
    }

    /// Panics where the hidden option says so.
    fn stage(&self, name: &str) {
        assert!(self.plant.as_deref() != Some(name), "a planted panic at {name}");
    }

    fn elaborate(&mut self, aim: Aim, record: &Rc<RefCell<Record>>) -> Heard {
        let inputs: HashMap<String, String> = self.inputs.iter().cloned().collect();
        let folder = self.sources.first().map_or(PathBuf::new(), |source| source.folder.clone());
        let mut sink = Shared(record.clone());
        let mut runner = Runner::new(&mut self.session, &folder, inputs, &mut sink);
        runner.plan_only = aim == Aim::Plan;
        let mut lower = Lower::new(&mut runner);
        for file in &self.files {
            lower.program(file);
        }
        let mut reports = lower.take_reports();
        let mut tests = Vec::new();
        let sound = !lower.halted() && !reports.iter().any(Report::is_error);
        match aim {
            Aim::Run | Aim::Plan => {}
            Aim::Check => {
                for test in lower.tests() {
                    lower.run_test(&test);
                }
                reports.extend(lower.take_reports());
            }
            Aim::Test if sound => tests = run_tests(&mut lower, record),
            Aim::Test => {}
        }
        drop(lower);
        reports.extend(runner.take_reports());
        let heard =
            Heard { asked: runner.asked_inputs().to_vec(), planned: std::mem::take(&mut runner.planned), tests };
        for report in reports {
            self.add(report);
        }
        heard
    }

    /// Adds a report that was not added before.
    fn add(&mut self, report: Report) {
        let known = |old: &Report| old.code == report.code && old.span == report.span;
        if !self.reports.iter().any(known) {
            self.reports.push(report);
        }
    }

    fn inputs_are_known(&self, asked: &[String]) -> Result<(), Failure> {
        let Some((name, _)) = self.inputs.iter().find(|(name, _)| !asked.contains(name)) else {
            return Ok(());
        };
        let message = format!("the program has no input `{name}`");
        Err(Failure::usage(match nearest(name, asked.iter().map(String::as_str)) {
            Some(near) => format!("{message}; did you mean `{near}`?"),
            None if asked.is_empty() => format!("{message}; it has none"),
            None => format!("{message}; its inputs are {}", asked.join(", ")),
        }))
    }
}

/// Runs the tests of a program, each with its own share of what is said.
fn run_tests(lower: &mut Lower<'_>, record: &Rc<RefCell<Record>>) -> Vec<Tested> {
    let mut tests = Vec::new();
    record.borrow_mut().live = true;
    for test in lower.tests() {
        let (prints, assertions) = {
            let record = record.borrow();
            (record.prints.len(), record.assertions.len())
        };
        let done = lower.run_test(&test);
        let mut reports = lower.take_reports();
        let mut record = record.borrow_mut();
        // What a test asserts is told with the test, not with the program.
        let failed = record.assertions.split_off(assertions);
        reports.extend(failed.iter().filter(|assertion| !assertion.held).map(does_not_hold));
        tests.push(Tested {
            name: test.name.to_string(),
            span: test.span,
            passed: done && !reports.iter().any(Report::is_error),
            prints: record.prints.split_off(prints),
            reports,
        });
    }
    tests
}

/// What a program says goes to a record that others look at meanwhile.
struct Shared(Rc<RefCell<Record>>);

impl Sink for Shared {
    fn event(&mut self, event: Event) {
        self.0.borrow_mut().event(event);
    }
}

fn covers(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.start <= outer.end
}

/// Whether the report could be wrong only because nothing is run in a check: it says that a value
/// is not known.
fn is_doubtful(report: &Report) -> bool {
    let doubtful = [
        "E0216", "E0217", "E0229", "E0232", "E0241", "E0242", "E0255", "E0259", "E0260", "E0262", "E0263",
        "E0264", "E0265",
    ];
    doubtful.contains(&report.code)
}

/// Whether the report could follow from a statement that could not be read.
fn is_about_names(report: &Report) -> bool {
    report.code.starts_with("E03")
}
