//! A world for programs that keeps the code that is run.

use std::rc::Rc;
use std::sync::Arc;

use minima::data::{Loaded, Reading};
use minima::diag::{Report, Span};
use minima::driver::{Code, Engine, compile};
use minima::eval::{Stop, eval};
use minima::ir::{Program, Tensor};
use minima::lower::{Host, Options, Outcome, Plot, Res, RunError, SolvePlan, Val};
use minima::run::Runner;
use minima::syntax::ast;

/// Code that a program ran, with what it was given and what it gave.
pub struct Ran {
    /// As elaborated.
    pub program: Program,
    /// What it was given.
    pub inputs: Vec<Tensor>,
    /// As compiled.
    pub code: Code,
    /// What the machine code gave, if there is any.
    pub native: Option<Vec<Tensor>>,
    /// What the interpreter gave for the same program after the passes.
    pub oracle: Vec<Tensor>,
}

/// Runs code as a program does, and keeps what was run for each `print`.
pub struct Recorder<'s> {
    /// The world itself.
    pub inner: Runner<'s>,
    /// Which prints are run by the interpreter only.
    interpreted: Vec<usize>,
    /// The code run since the last `print`.
    last: Option<Ran>,
    /// The code of each `print`; `None` where nothing had to be computed.
    pub printed: Vec<Option<Ran>>,
}

impl<'s> Recorder<'s> {
    /// Around a world.
    pub fn new(inner: Runner<'s>, interpreted: Vec<usize>) -> Recorder<'s> {
        Recorder { inner, interpreted, last: None, printed: Vec::new() }
    }
}

impl Host for Recorder<'_> {
    fn options(&self) -> &Options {
        self.inner.options()
    }

    fn run(&mut self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let interpreted = self.interpreted.contains(&self.printed.len());
        let session = &mut *self.inner.session;
        session.options.engine = if interpreted { Engine::Oracle } else { Engine::Native };
        let mut code = compile(session, program)?;
        code.set_all(inputs);
        code.run()?;
        let found = code.all();
        let (native, oracle) = if interpreted {
            (None, found.clone())
        } else {
            let stop = |stop: Stop| RunError::Trap { span: stop.span, message: stop.text };
            (Some(found.clone()), eval(code.program(), inputs).map_err(stop)?)
        };
        let (program, inputs) = (program.clone(), inputs.to_vec());
        self.last = Some(Ran { program, inputs, code, native, oracle });
        Ok(found)
    }

    fn print(&mut self, _: &[(Option<Arc<str>>, Val)], _: Span) -> Result<(), Box<Report>> {
        self.printed.push(self.last.take());
        Ok(())
    }

    fn solve(&mut self, plan: &SolvePlan) -> Result<Outcome, RunError> {
        self.inner.solve(plan)
    }

    fn library_names(&self) -> Vec<Arc<str>> {
        self.inner.library_names()
    }

    fn library_file(&mut self, name: &str) -> Res<Option<Rc<ast::File>>> {
        self.inner.library_file(name)
    }

    fn load(&mut self, reading: Reading<'_>, span: Span) -> Result<Option<Loaded>, Box<Report>> {
        self.inner.load(reading, span)
    }

    fn import(&mut self, path: &str, span: Span) -> Result<Rc<ast::File>, Box<Report>> {
        self.inner.import(path, span)
    }

    fn input(&mut self, name: &str) -> Option<String> {
        self.inner.input(name)
    }

    fn save(&mut self, value: &Val, path: &str, span: Span) -> Result<(), Box<Report>> {
        self.inner.save(value, path, span)
    }

    fn plot(&mut self, plot: &Plot, span: Span) -> Result<(), Box<Report>> {
        self.inner.plot(plot, span)
    }

    fn assertion(&mut self, held: bool, message: Option<&str>, detail: Option<String>, span: Span) {
        self.inner.assertion(held, message, detail, span);
    }

    fn named_solve(&mut self, name: &str, span: Span) {
        self.inner.named_solve(name, span);
    }
}
