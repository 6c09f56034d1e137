//! A program of the command line: its texts, its configuration, its session.

use std::path::{Path, PathBuf};

use super::args::Options;
use super::exit;
use super::output::Output;
use super::record::{Record, does_not_hold};
use super::settings::Settings;
use super::signals::{Signals, Watch};
use super::source::{self, Failure, Source};
use super::trace::Tracer;
use super::watch;
use crate::data;
use crate::diag::{Report, nearest};
use crate::driver::Session;
use crate::run::{self, Checked, Planned, Sink, Tested};

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
    /// The program itself, with its reports.
    pub code: run::Program,
    output: Output,
    signals: Signals,
    verbose: bool,
    plant: Option<String>,
    /// Where to write down which files were read.
    read_files: Option<PathBuf>,
}

impl Program {
    /// Reads the program of a file with `name=value` for its inputs. Its errors are kept.
    ///
    /// # Errors
    /// When the file cannot be read or an input has no `=`.
    pub fn of_file(
        file: &Path,
        inputs: &[String],
        options: &Options,
        signals: &Signals,
    ) -> Result<Program, Failure> {
        let inputs = source::inputs(inputs)?;
        Ok(Program::open(vec![Source::read(file)?], options, inputs, signals))
    }

    /// Reads a program. Its errors are kept.
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
        let mut session = Session::new(settings.session_options()).unwrap_or_else(broken);
        session.stop = signals.stop.clone();
        let folder = sources.first().map(|source| source.folder.clone()).unwrap_or_default();
        let mut code = run::Program::new(folder);
        code.inputs = inputs.iter().cloned().collect();
        for source in &sources {
            match source.add_to(&mut session.sources) {
                (id, None) => code.read(id, &source.text),
                (_, Some(report)) => code.reports.push(report),
            }
        }
        code.files.iter().for_each(|file| settings.heed(file));
        session.options = settings.session_options();
        let program = Program {
            sources,
            settings,
            session,
            inputs,
            code,
            output: Output::new(options),
            signals: signals.clone(),
            verbose: options.verbose,
            plant: options.plant_panic.clone(),
            read_files: options.read_files.clone(),
        };
        program.stage("parse");
        program
    }

    /// Checks the whole program without running anything. Inputs that no statement asks for are an
    /// error of the command line.
    pub fn check(&mut self) -> Result<(), Failure> {
        let asked = self.code.check(&mut self.session);
        self.stage("check");
        self.list_files(&[]);
        if self.code.is_wrong() { Ok(()) } else { self.inputs_are_known(&asked) }
    }

    /// Runs the program; every step goes to the tracer, if there is one.
    pub fn run(&mut self, tracer: Option<Tracer>) -> Record {
        let _watch = self.begin();
        // Loops look whether they are to stop, as solves do, and say so.
        self.signals.be_patient();
        let mut record = self.record();
        self.session.options.every_step = tracer.is_some();
        tracer.into_iter().for_each(|tracer| record.trace_to(tracer));
        self.code.run(&mut self.session, &mut record);
        self.list_files(&record.saved);
        self.report_failed(&record);
        record
    }

    /// Runs the program, heard by another than the terminal.
    pub fn measure(&mut self, sink: &mut dyn Sink) {
        let _watch = self.begin();
        self.code.run(&mut self.session, sink);
    }

    /// Runs the program with every solve ended at its start, and gives its code.
    pub fn plan(&mut self) -> Vec<Planned> {
        let _watch = self.begin();
        self.code.plan(&mut self.session)
    }

    /// Checks the derivatives of the program, with every solve ended at its start.
    pub fn gradcheck(&mut self) -> Vec<Checked> {
        let _watch = self.begin();
        self.code.gradcheck(&mut self.session)
    }

    /// Runs the program, then its tests. Only what the tests print is shown.
    pub fn test(&mut self) -> Vec<Tested> {
        let _watch = self.begin();
        let mut record = self.record();
        let tests = self.code.test(&mut self.session, &mut record);
        self.list_files(&record.saved);
        self.report_failed(&record);
        tests
    }

    /// A record without anything in it.
    pub fn record(&self) -> Record {
        Record::new(self.output, &self.signals, &self.settings, self.verbose)
    }

    /// The exit code, as far as the reports decide.
    pub fn exit_code(&self) -> u8 {
        exit::of_reports(&self.code.reports, self.settings.memory_limit.given)
    }

    /// Starts the clock.
    fn begin(&mut self) -> Option<Watch> {
        let watch = self.settings.time_limit.value.map(|seconds| self.signals.watch(seconds));
        if let Some(at) = self.plant.clone().filter(|at| at.starts_with("pass")) {
            *self.session.observer.borrow_mut() = Some(Box::new(move |pass, _| {
                assert!(at != format!("pass:{pass}"), "a planted panic after {pass}");
            }));
        }
        self.stage("run");
        watch
    }

    /// Writes down which files were read, for `watch`, but for those that the program wrote itself.
    fn list_files(&self, saved: &[String]) {
        let Some(list) = &self.read_files else { return };
        let folder = self.sources.first().map(|source| source.folder.clone()).unwrap_or_default();
        let saved: Vec<PathBuf> = saved.iter().map(|path| data::resolve(&folder, path)).collect();
        let read = self.session.files.iter().filter(|(path, _)| !saved.contains(path));
        let lines: String = read.map(|(path, stamp)| watch::line(path, *stamp)).collect();
        // Without the list, changes of these files are not seen; the run itself is the same.
        drop(std::fs::write(list, lines));
    }

    fn report_failed(&mut self, record: &Record) {
        let failed = record.assertions.iter().filter(|assertion| !assertion.held);
        self.code.reports.extend(failed.map(does_not_hold));
    }

    /// Panics where the hidden option says so.
    fn stage(&self, name: &str) {
        assert!(self.plant.as_deref() != Some(name), "a planted panic at {name}");
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
