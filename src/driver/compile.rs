//! The way of a program: IR, passes, plan, machine code. This file is the table of contents of the
//! compiler behind the checker.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Engine, Session};
use crate::codegen::{self, Compiled, Instance, Refusal};
use crate::eval;
use crate::ir::{self, Function, Note, Op, Program, Tensor};
use crate::lower::RunError;
use crate::passes;
use crate::passes::differentiate::{LoopTape, Tapes};

/// Code that can run.
pub struct Code {
    program: Program,
    native: Option<Instance>,
    tapes: Vec<LoopTape>,
    inputs: Vec<Tensor>,
    results: Vec<Tensor>,
    notes: Rc<RefCell<Vec<Note>>>,
}

/// Takes a program through the passes to code. Where it needs more memory than it may have, reverse
/// mode is told to keep less, as long as it can.
///
/// # Errors
/// When it needs more than the limits allow.
pub fn compile(session: &Session, program: &Program) -> Result<Code, RunError> {
    debug_verify("lowering", program);
    let mut tapes = session.pass_options().tapes.afresh();
    let mut needed = u64::MAX;
    loop {
        match attempt(session, program, &tapes) {
            Ok(code) => return Ok(code),
            Err(Refusal::Memory { needed: now, limit }) => {
                needed = needed.min(to_u64(now));
                let Some(less) = tapes.smaller() else {
                    return Err(RunError::Memory {
                        needed,
                        limit: to_u64(limit),
                        reverse: differentiates(&program.main),
                        kept: tapes.largest(),
                    });
                };
                tapes = less;
            }
            Err(other) => return Err(RunError::Limit(other.to_string())),
        }
    }
}

/// The code of a program whose loops keep as much as they are told.
fn attempt(session: &Session, program: &Program, tapes: &Tapes) -> Result<Code, Refusal> {
    let mut program = program.clone();
    let observer = session.observer.clone();
    let mut observe = |pass: &'static str, program: &Program| {
        debug_verify(pass, program);
        if let Some(observer) = observer.borrow_mut().as_mut() {
            observer(pass, program);
        }
    };
    observe("lower", &program);
    let options = passes::Options { tapes: tapes.clone(), ..session.pass_options().clone() };
    passes::run_pipeline(&mut program, &options, &mut observe);
    let native = match session.options.engine {
        Engine::Oracle => None,
        Engine::Native if constant_results(&program).is_some() => None,
        Engine::Native => Some(native(session, &program)?),
    };
    Ok(Code {
        program,
        native,
        tapes: tapes.chosen(),
        inputs: Vec::new(),
        results: Vec::new(),
        notes: session.notes.clone(),
    })
}

fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Whether a function asks for reverse mode.
fn differentiates(function: &Function) -> bool {
    let mut found = false;
    function.walk(&mut |_, binding| found |= matches!(binding.op, Op::Vjp(_)));
    found
}

fn native(session: &Session, program: &Program) -> Result<Instance, Refusal> {
    let mut instance = codegen::compile(program, &native_options(session))?.instance()?;
    instance.watch(session.stop.clone());
    Ok(instance)
}

fn native_options(session: &Session) -> codegen::Options {
    codegen::Options {
        memory_limit: usize::try_from(session.options.memory_limit).unwrap_or(usize::MAX),
        ordered: session.options.exact,
        listing: session.options.listing,
        ..codegen::Options::default()
    }
}

/// In debug builds every program between passes is verified.
fn debug_verify(after: &str, program: &Program) {
    if cfg!(debug_assertions)
        && let Err(broken) = ir::verify(&program.main)
    {
        panic!("after {after}: {broken}\n{program}");
    }
}

/// The results, if the passes computed them all.
fn constant_results(program: &Program) -> Option<Vec<Tensor>> {
    let main = &program.main;
    main.results
        .iter()
        .map(|value| {
            let binding = main.bindings.iter().find(|b| b.values.contains(value))?;
            match &binding.op {
                Op::Constant(tensor) => Some(tensor.clone()),
                _ => None,
            }
        })
        .collect()
}

impl Code {
    /// The program after the passes.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The machine code with its plan; none if the passes computed all results, or the oracle runs.
    pub fn compiled(&self) -> Option<Compiled> {
        self.native.as_ref().map(Instance::compiled)
    }

    /// What its differentiated loops keep.
    pub fn tapes(&self) -> &[LoopTape] {
        &self.tapes
    }

    /// Sets all parameters.
    pub fn set_all(&mut self, inputs: &[Tensor]) {
        self.inputs = inputs.to_vec();
        if let Some(instance) = &mut self.native {
            for (at, tensor) in inputs.iter().enumerate() {
                instance.set(at, tensor);
            }
        }
    }

    /// Sets one parameter.
    pub fn set(&mut self, at: usize, tensor: Tensor) {
        if let Some(instance) = &mut self.native {
            instance.set(at, &tensor);
        }
        self.inputs[at] = tensor;
    }

    /// Runs on the parameters as they are.
    ///
    /// # Errors
    /// When the code stops before its end.
    pub fn run(&mut self) -> Result<(), RunError> {
        match &mut self.native {
            Some(instance) => {
                let ended = instance.run();
                for note in instance.take_notes() {
                    ir::add_note(&mut self.notes.borrow_mut(), note);
                }
                ended.map_err(|t| RunError::Trap { span: t.span, message: t.message })?;
                if instance.stopped() {
                    return Err(RunError::Interrupted("interrupted".into()));
                }
                Ok(())
            }
            None => {
                self.results = match constant_results(&self.program) {
                    Some(results) => results,
                    None => eval::eval_noting(&self.program, &self.inputs, &self.notes)
                        .map_err(|stop| RunError::Trap { span: stop.span, message: stop.text })?,
                };
                Ok(())
            }
        }
    }

    /// A result of the last run.
    pub fn get(&self, at: usize) -> Tensor {
        match &self.native {
            Some(instance) => instance.get(at),
            None => self.results[at].clone(),
        }
    }

    /// A real scalar result of the last run.
    pub fn real(&self, at: usize) -> f64 {
        match &self.native {
            Some(instance) => instance.real_scalar(at),
            None => self.results[at].reals()[0],
        }
    }

    /// An integer scalar result of the last run.
    pub fn int(&self, at: usize) -> i64 {
        match &self.native {
            Some(instance) => instance.int_scalar(at),
            None => self.results[at].ints()[0],
        }
    }

    /// An element of a real result of rank one of the last run.
    pub fn real_at(&self, at: usize, row: usize) -> f64 {
        match &self.native {
            Some(instance) => instance.real_element(at, row),
            None => self.results[at].reals()[row],
        }
    }

    /// An element of an integer result of rank one of the last run.
    pub fn int_at(&self, at: usize, row: usize) -> i64 {
        match &self.native {
            Some(instance) => instance.int_element(at, row),
            None => self.results[at].ints()[row],
        }
    }

    /// A parameter of the last run.
    pub fn input(&self, at: usize) -> Tensor {
        match &self.native {
            Some(instance) => instance.param(at),
            None => self.inputs[at].clone(),
        }
    }

    /// All results of the last run.
    pub fn all(&self) -> Vec<Tensor> {
        (0..self.program.main.results.len()).map(|at| self.get(at)).collect()
    }

    /// Makes the first `count` results the first `count` parameters of the next run.
    pub fn carry(&mut self, count: usize) {
        match &mut self.native {
            Some(instance) => {
                let pairs: Vec<(usize, usize)> = (0..count).map(|at| (at, at)).collect();
                instance.carry(&pairs);
            }
            None => {
                for at in 0..count {
                    self.inputs[at] = self.results[at].clone();
                }
            }
        }
    }
}
