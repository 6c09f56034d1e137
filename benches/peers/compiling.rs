//! How long a program takes from its text to machine code (row 12): reading, elaborating and compiling all that it runs
//! up to its solve, without running any of it and without reading data.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use minima::data::{Loaded, Reading};
use minima::diag::{Report, Span};
use minima::driver::compile;
use minima::ir::{Program, Tensor};
use minima::lower::{Host, Lower, Options, Outcome, Plot, Res, RunError, SolvePlan, Val};
use minima::run::{Event, Runner, Sink};
use minima::syntax::ast::File;

use super::clock::worked;
use super::measure::median;
use super::ours::{self, Source};

/// Says nothing.
struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: Event) {}
}

/// Compiles what a program runs, and takes out of the time what is no compilation.
struct Compiler<'s, 'r> {
    runner: &'r mut Runner<'s>,
    other: f64,
}

impl Compiler<'_, '_> {
    fn apart<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let begin = worked();
        let done = work(self);
        self.other += worked() - begin;
        done
    }
}

impl Host for Compiler<'_, '_> {
    fn options(&self) -> &Options {
        self.runner.options()
    }

    fn run(&mut self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let mut code = compile(self.runner.session, program)?;
        self.apart(|_| {
            code.set_all(inputs);
            code.run()?;
            Ok(code.all())
        })
    }

    fn solve(&mut self, plan: &SolvePlan) -> Result<Outcome, RunError> {
        for program in [&plan.start, &plan.chunk, &plan.finish] {
            compile(self.runner.session, program)?;
        }
        Err(RunError::Interrupted("nothing more is compiled".into()))
    }

    fn library_names(&self) -> Vec<Arc<str>> {
        self.runner.library_names()
    }

    fn library_file(&mut self, name: &str) -> Res<Option<Rc<File>>> {
        self.runner.library_file(name)
    }

    fn load(&mut self, reading: Reading<'_>, span: Span) -> Result<Option<Loaded>, Box<Report>> {
        self.apart(|this| this.runner.load(reading, span))
    }

    fn import(&mut self, path: &str, span: Span) -> Result<Rc<File>, Box<Report>> {
        self.runner.import(path, span)
    }

    fn input(&mut self, name: &str) -> Option<String> {
        self.runner.input(name)
    }

    fn print(&mut self, _: &[(Option<Arc<str>>, Val)], _: Span) -> Result<(), Box<Report>> {
        Ok(())
    }

    fn save(&mut self, _: &Val, _: &str, _: Span) -> Result<(), Box<Report>> {
        Ok(())
    }

    fn plot(&mut self, plot: &Plot, span: Span) -> Result<(), Box<Report>> {
        self.runner.plot(plot, span)
    }

    fn assertion(&mut self, _: bool, _: Option<&str>, _: Option<String>, _: Span) {}

    fn named_solve(&mut self, _: &str, _: Span) {}
}

fn once(source: &Source) -> f64 {
    let mut session = ours::session(1);
    let begin = worked();
    let program = source.read(&mut session);
    let mut sink = Silent;
    let mut runner = Runner::new(&mut session, Path::new(&program.folder), program.inputs.clone(), &mut sink);
    let mut compiler = Compiler { runner: &mut runner, other: 0.0 };
    let mut lower = Lower::new(&mut compiler);
    program.files.iter().for_each(|file| lower.program(file));
    drop(lower);
    worked() - begin - compiler.other
}

/// The median of the seconds of so many compilations.
pub fn seconds(source: &Source, rounds: usize) -> f64 {
    let mut times: Vec<f64> = (0..rounds).map(|_| once(source)).collect();
    median(&mut times)
}
