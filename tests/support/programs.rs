//! Running programs as `minima run` does.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use minima::driver::{Engine, Session, SessionOptions};
use minima::lower::Lower;
use minima::run::{Event, Runner, Sink, SolveRecord};

/// What a program did.
#[derive(Default)]
pub struct Ran {
    /// Its solves, in order.
    pub solves: Vec<SolveRecord>,
    /// What went wrong: assertions that did not hold, and reports.
    pub wrong: Vec<String>,
    /// How many assertions held.
    pub held: usize,
}

impl Sink for Ran {
    fn event(&mut self, event: Event) {
        match event {
            Event::Assert { held: true, .. } => self.held += 1,
            Event::Assert { message, detail, .. } => {
                self.wrong.push(format!("assert {message:?} {detail:?}"));
            }
            Event::Solved(record) => self.solves.push(*record),
            Event::Print { .. }
            | Event::Saved { .. }
            | Event::Plot { .. }
            | Event::Solving(_)
            | Event::Progress(_) => {}
        }
    }
}

/// Runs the text of a program as if it lay in a folder.
#[allow(dead_code, reason = "some of the tests run files only")]
pub fn run_text(text: &str, folder: &Path, engine: Engine) -> Ran {
    run_with(text, folder, SessionOptions { engine, ..SessionOptions::default() })
}

/// The same under options.
pub fn run_with(text: &str, folder: &Path, options: SessionOptions) -> Ran {
    let mut ran = Ran::default();
    let mut session = Session::new(options).expect("the standard library is sound");
    let id = session.sources.add("program.opt", text);
    let (file, mut reports) = minima::syntax::parse_file(id, text);
    {
        let mut runner = Runner::new(&mut session, folder, HashMap::new(), &mut ran);
        let mut lower = Lower::new(&mut runner);
        lower.program(&Rc::new(file));
        reports.extend(lower.take_reports());
    }
    let errors = reports.iter().filter(|r| r.is_error());
    let errors: Vec<String> = errors.map(|r| minima::diag::render(r, &session.sources, false)).collect();
    ran.wrong.extend(errors);
    ran
}
