//! Minima's side: programs run as `minima run` runs them, timed without their compilation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use minima::driver::{Code, Session, SessionOptions, compile};
use minima::run::{Event, Program, Progress, Sink, SolveRecord};

use super::clock::{self, PROCESSOR};

/// A program of this folder with values for its inputs.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its file.
    pub file: &'static str,
    /// `name=value`.
    pub inputs: HashMap<String, String>,
}

/// What a solve said.
pub struct Solved {
    /// Seconds from the first recorded point to the last: the steps with the trace that a user gets
    /// by default, without the compilation.
    pub seconds: f64,
    /// The rest.
    pub record: SolveRecord,
}

/// Keeps what solves say.
#[derive(Default)]
struct Ear {
    /// After so many steps the clock is read.
    budget: i64,
    /// The clock at the first recorded point, and at the last.
    clock: (f64, f64),
    first: Option<Progress>,
    last: Option<Progress>,
    solved: Vec<Solved>,
}

impl Ear {
    /// Seconds of the solve that ended. It tells of the seconds that passed; those of the processor are known of a solve
    /// that ran all its steps.
    fn seconds(&self) -> f64 {
        let steps = self.last.as_ref().map_or(0, |last| last.steps);
        match (&self.first, &self.last) {
            _ if PROCESSOR.load(Ordering::Relaxed) && steps == self.budget => self.clock.1 - self.clock.0,
            (Some(first), Some(last)) => last.seconds - first.seconds,
            _ => 0.0,
        }
    }
}

impl Sink for Ear {
    fn event(&mut self, event: Event) {
        match event {
            Event::Solving(_) => (self.first, self.last) = (None, None),
            Event::Progress(progress) => {
                if self.first.is_none() {
                    self.first = Some(progress.clone());
                    self.clock.0 = clock::now();
                } else if progress.steps == self.budget {
                    self.clock.1 = clock::now();
                }
                self.last = Some(progress);
            }
            Event::Solved(record) => self.solved.push(Solved { seconds: self.seconds(), record: *record }),
            _ => {}
        }
    }
}

/// The folder of the programs.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

/// How many threads Minima uses where it may use so many.
pub fn threads(most: usize) -> usize {
    most
}

/// A new session for so many threads.
pub fn session(threads: usize) -> Session {
    Session::new(SessionOptions { threads, ..SessionOptions::default() })
        .unwrap_or_else(|_| panic!("the library is sound"))
}

impl Source {
    /// A program with inputs.
    pub fn new(file: &'static str, inputs: &[(&str, usize)]) -> Source {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_string(), value.to_string())).collect();
        Source { file, inputs }
    }

    /// The same with another value for an input.
    pub fn with(&self, name: &str, value: usize) -> Source {
        let mut source = self.clone();
        source.inputs.insert(name.to_string(), value.to_string());
        source
    }

    /// The program, read.
    pub fn read(&self, session: &mut Session) -> Program {
        let path = folder().join(self.file);
        let text = std::fs::read_to_string(&path).unwrap();
        let file = session.sources.add(self.file, text.as_str());
        let mut program = Program::new(folder());
        program.inputs = self.inputs.clone();
        program.read(file, &text);
        program
    }

    /// Runs the program, and gives its solves.
    pub fn solves(&self, threads: usize) -> Vec<Solved> {
        let mut session = session(threads);
        let mut program = self.read(&mut session);
        let budget = self.inputs.get("budget").and_then(|text| text.parse().ok());
        let mut ear = Ear { budget: budget.unwrap_or(-1), ..Ear::default() };
        program.run(&mut session, &mut ear);
        assert!(!program.is_wrong(), "{}: {:?}", self.file, program.reports);
        ear.solved
    }

    /// Runs a program of one solve.
    pub fn solve(&self, threads: usize) -> Solved {
        self.solves(threads).pop().unwrap()
    }

    /// The code of the last statement that computes, ready to run.
    pub fn code(&self, threads: usize) -> Code {
        let mut session = session(threads);
        let mut program = self.read(&mut session);
        let planned = program.plan(&mut session).pop().unwrap();
        assert!(!program.is_wrong(), "{}: {:?}", self.file, program.reports);
        let mut code = compile(&session, &planned.program).unwrap_or_else(|_| panic!("it compiles"));
        code.set_all(&planned.inputs);
        code
    }
}

/// All results of code as one list.
pub fn results(code: &mut Code) -> Vec<f64> {
    code.run().unwrap_or_else(|_| panic!("it runs"));
    code.all().iter().flat_map(|tensor| tensor.to_reals()).collect()
}

/// Seconds of one of so many runs.
pub fn timed(code: &mut Code, times: usize) -> f64 {
    let begin = clock::now();
    for _ in 0..times {
        code.run().unwrap_or_else(|_| panic!("it runs"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let times = times as f64;
    (clock::now() - begin) / times
}
