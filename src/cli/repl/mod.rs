//! `minima repl`: entries from a terminal, or from standard input as a script.

mod colors;
mod columns;
mod commands;
mod complete;
mod history;
mod terminal;
mod words;

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::rc::Rc;

use super::args::Options;
use super::output::{self, Output};
use super::record::{Assertion, Record, does_not_hold};
use super::settings::Settings;
use super::signals::Signals;
use super::source::{self, Failure, Source};
use super::{exit, internal};
use crate::diag::{FileId, Report};
use crate::driver::{Session, WIDTH};
use crate::run::{Entered, Interpreter};
use crate::syntax::{Unread, continues_entry, parse_entry};

/// A session of the REPL.
struct Repl {
    /// What is bound. The line editor looks at it to complete names.
    interpreter: Rc<RefCell<Interpreter>>,
    output: Output,
    signals: Signals,
    verbose: bool,
    /// The configuration.
    settings: Settings,
    /// The exit code of the first entry that went wrong.
    code: u8,
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// The next entry.
    Go,
    /// The end of the session.
    Quit,
}

/// Runs the REPL, in the scope of a program if one is given.
pub fn repl(
    file: Option<&Path>,
    inputs: &[String],
    options: &Options,
    output: Output,
    signals: &Signals,
) -> Result<u8, Failure> {
    if options.json {
        return Err(Failure::usage("the REPL makes no JSON report; `minima run --json` does"));
    }
    let settings = Settings::new(options);
    let broken = |reports: Vec<Report>| panic!("the standard library has errors: {reports:?}");
    let mut session = Session::new(settings.session_options()).unwrap_or_else(broken);
    session.stop = signals.stop.clone();
    if let Some(at) = options.plant_panic.clone().filter(|at| at.starts_with("pass")) {
        *session.observer.borrow_mut() = Some(Box::new(move |pass, _| {
            assert!(at != format!("pass:{pass}"), "a planted panic after {pass}");
        }));
    }
    let mut interpreter = Interpreter::new(session, "");
    interpreter.inputs = source::inputs(inputs)?.into_iter().collect();
    let mut repl = Repl {
        interpreter: Rc::new(RefCell::new(interpreter)),
        output,
        signals: signals.clone(),
        verbose: options.verbose,
        settings,
        code: exit::OK,
    };
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        repl.signals.be_interactive();
    }
    if let Some(file) = file {
        repl.load(file)?;
    }
    if terminal {
        repl.converse(options)?;
        repl.code = exit::OK;
    } else {
        repl.script()?;
    }
    // The process ends, and the system takes back at once what would be freed value by value.
    let code = repl.code;
    std::mem::forget(repl);
    Ok(code)
}

impl Repl {
    /// Reads standard input as a script: results are printed, and the exit code is that of the first
    /// entry that went wrong.
    fn script(&mut self) -> Result<(), Failure> {
        let cannot = |why: std::io::Error| Failure::usage(format!("cannot read standard input: {why}"));
        let mut lines = std::io::stdin().lock().lines().peekable();
        while let Some(line) = lines.next() {
            let mut entry = line.map_err(cannot)?;
            if !entry.starts_with(':') {
                loop {
                    let goes_on = match lines.peek() {
                        Some(Ok(next)) => is_incomplete(&entry) || continues_entry(next),
                        Some(Err(_)) | None => false,
                    };
                    if !goes_on {
                        break;
                    }
                    entry.push('\n');
                    entry.push_str(&lines.next().unwrap_or_else(|| Ok(String::new())).map_err(cannot)?);
                }
            }
            if self.take(&entry) == Flow::Quit {
                break;
            }
            if let Some(code) = self.signals.received() {
                self.code = code;
                break;
            }
        }
        Ok(())
    }

    /// Takes an entry or a command.
    fn take(&mut self, text: &str) -> Flow {
        if text.trim().is_empty() {
            return Flow::Go;
        }
        match text.trim().strip_prefix(':') {
            Some(command) => self.command(command),
            None => {
                self.enter(text);
                Flow::Go
            }
        }
    }

    fn enter(&mut self, text: &str) {
        let goes_on = continues_entry(text);
        self.perform(|interpreter, record| match goes_on {
            true => interpreter.go_on(text, record),
            false => interpreter.enter(text, record),
        });
    }

    /// Takes the program of a file as an entry.
    fn load(&mut self, file: &Path) -> Result<(), Failure> {
        let source = Source::read(file)?;
        if source.is_text() {
            self.perform(|interpreter, record| {
                let mut entered = interpreter.load(&source.name, &source.text, &source.folder, record);
                let names: Vec<String> = entered.bound.iter().map(|(name, _)| name.to_string()).collect();
                entered.bound = match names.as_slice() {
                    [] => Vec::new(),
                    [one] => vec![("".into(), format!("{}: {one}", source.name))],
                    more => vec![("".into(), format!("{}: {}", source.name, more.join(", ")))],
                };
                entered
            });
            return Ok(());
        }
        Err(Failure::usage(format!("`{}` is not UTF-8 text", source.name)))
    }

    /// Does something to the session, and says what came of it. A panic is told, and leaves everything
    /// as it was.
    fn perform(&mut self, work: impl FnOnce(&mut Interpreter, &mut Record) -> Entered) {
        let width = output::width().unwrap_or(WIDTH);
        self.interpreter.borrow_mut().session.options.width = width;
        let mut record = Record::new(self.output, &self.signals, &self.settings, self.verbose);
        match self.guarded(|interpreter| work(interpreter, &mut record)) {
            Some(entered) => self.tell(&entered, &record),
            None => self.went_wrong(exit::INTERNAL),
        }
    }

    /// Runs something that Ctrl-C may interrupt and that may panic; none if it did.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Interpreter) -> T) -> Option<T> {
        let interpreter = self.interpreter.clone();
        let attention = self.signals.attend(self.output);
        let clock = self.settings.time_limit.value.map(|seconds| self.signals.watch(seconds));
        let done = internal::attempt(|| work(&mut interpreter.borrow_mut()));
        drop((clock, attention));
        match done {
            Ok(done) => Some(done),
            Err(said) => {
                interpreter.borrow_mut().recover();
                self.output.error(&internal::message(&said));
                self.output.note("note: the names are as they were before this entry");
                None
            }
        }
    }

    fn tell(&mut self, entered: &Entered, record: &Record) {
        let failed = record.assertions.iter().filter(|assertion| !assertion.held).map(does_not_hold);
        let reports: Vec<Report> = entered.reports.iter().cloned().chain(failed).collect();
        let interpreter = self.interpreter.clone();
        let interpreter = interpreter.borrow();
        self.output.reports(&reports, &interpreter.session.sources);
        if let Some(why) = entered.refused {
            self.output.error(why);
            self.went_wrong(exit::PROGRAM);
        }
        if !self.output.quiet {
            entered.bound.iter().for_each(|(_, line)| self.output.result(line));
        }
        let drawn = record.plots.iter().filter_map(|plot| plot.path.as_ref());
        record.saved.iter().chain(drawn).for_each(|path| self.output.note(&format!("note: wrote {path}")));
        for test in &entered.tests {
            let verdict = if test.passed { "passed" } else { "failed" };
            self.output.result(&format!("test \"{}\": {verdict}", test.name));
            let failed = test.events.iter().filter_map(Assertion::of).filter(|assertion| !assertion.held);
            let said: Vec<Report> =
                test.reports.iter().cloned().chain(failed.map(|one| does_not_hold(&one))).collect();
            self.output.reports(&said, &interpreter.session.sources);
        }
        self.went_wrong(exit::of_reports(&reports, self.settings.memory_limit.given));
        self.went_wrong(exit::of_solves(&record.solves));
        let unmet = record.assertions.iter().any(|assertion| !assertion.held);
        self.went_wrong(if unmet || entered.tests.iter().any(|test| !test.passed) {
            exit::UNMET
        } else {
            exit::OK
        });
    }

    fn went_wrong(&mut self, code: u8) {
        if self.code == exit::OK {
            self.code = code;
        }
    }
}

/// Whether an entry needs more lines. A documentation comment waits for what it is about.
fn is_incomplete(text: &str) -> bool {
    let last = text.trim_end().lines().next_back().unwrap_or("").trim_start();
    !text.trim_start().starts_with(':')
        && (last.starts_with("///") || matches!(parse_entry(FileId(u32::MAX), text), Err(Unread::Incomplete)))
}
