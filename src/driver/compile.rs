//! The way of a program: IR, passes, plan, machine code. This file is the table of contents of the
//! compiler behind the checker.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::{Engine, Session};
use crate::codegen::{self, Compiled, Instance, Refusal};
use crate::eval;
use crate::ir::{self, Function, Note, Op, Program, Tensor, Value};
use crate::lower::RunError;
use crate::passes;
use crate::passes::differentiate::LoopTape;

/// Code that can run.
pub struct Code {
    made: Arc<Made>,
    native: Option<Instance>,
    inputs: Vec<Tensor>,
    results: Vec<Tensor>,
    notes: Rc<RefCell<Vec<Note>>>,
}

/// What the compiler makes of a program.
struct Made {
    /// The program after the passes.
    program: Program,
    /// Its machine code; none if the passes computed all results, or it is interpreted.
    compiled: Option<Compiled>,
    /// What its differentiated loops keep.
    tapes: Vec<LoopTape>,
}

/// How a program is made into code.
#[derive(Clone)]
struct Way {
    passes: passes::Options,
    codegen: codegen::Options,
    engine: Engine,
    /// Whether code of little work is interpreted: it runs once, and machine code takes longer to make.
    once: bool,
}

/// A program is interpreted where it is told to run once and computes at most so many elements.
const LITTLE: usize = 1_000;

/// Programs that were compiled, the latest last.
#[derive(Default)]
pub(super) struct Known(Vec<(Program, codegen::Options, Arc<Made>)>);

impl Known {
    /// The most programs that are kept.
    const MOST: usize = 24;
    /// Programs with literals of more elements than this are not kept.
    const LITERALS: usize = 1 << 16;

    fn find(&mut self, program: &Program, options: &codegen::Options) -> Option<Arc<Made>> {
        let at = self.0.iter().position(|(known, under, _)| {
            under == options && known.precision == program.precision && ir::same(&known.main, &program.main)
        })?;
        let found = self.0.remove(at);
        let made = found.2.clone();
        self.0.push(found);
        Some(made)
    }

    fn keep(&mut self, program: &Program, options: codegen::Options, made: &Arc<Made>) {
        if made.compiled.is_none() {
            return;
        }
        let mut literals = 0;
        program.main.walk(&mut |_, binding| {
            literals += if let Op::Constant(tensor) = &binding.op { tensor.len() } else { 0 };
        });
        if literals > Known::LITERALS {
            return;
        }
        if self.0.len() == Known::MOST {
            self.0.remove(0);
        }
        self.0.push((program.clone(), options, made.clone()));
    }
}

/// Takes a program through the passes to code. Where it needs more memory than it may have, reverse
/// mode is told to keep less, as long as it can. A program that was compiled before in this session
/// is not compiled again.
///
/// # Errors
/// When it needs more than the limits allow.
pub fn compile(session: &Session, program: &Program) -> Result<Code, RunError> {
    compile_by(session, program, &Way::of(session))
}

/// [`compile`] for a program that will run once: where it does little, it is interpreted.
///
/// # Errors
/// As [`compile`].
pub fn compile_once(session: &Session, program: &Program) -> Result<Code, RunError> {
    compile_by(session, program, &Way { once: true, ..Way::of(session) })
}

/// Code of two programs, made side by side; the first runs once.
///
/// # Errors
/// As [`compile`], for each.
pub fn compile_both(
    session: &Session,
    first: &Program,
    second: &Program,
) -> (Result<Code, RunError>, Result<Code, RunError>) {
    let (since, before) = (Instant::now(), session.compiling.get());
    let done = compile_beside(session, first, second);
    // What each took is part of what both took.
    session.compiling.set(before + since.elapsed());
    done
}

fn compile_beside(
    session: &Session,
    first: &Program,
    second: &Program,
) -> (Result<Code, RunError>, Result<Code, RunError>) {
    let way = Way { once: true, ..Way::of(session) };
    let known = session.known.borrow_mut().find(first, &way.codegen).is_some();
    if known || way.engine == Engine::Oracle || session.observer.borrow().is_some() {
        return (compile_by(session, first, &way), compile(session, second));
    }
    let made = || make(first, &way, &mut |_, _| ()).ok();
    let (made, second) = thread::scope(|scope| {
        let beside = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, made);
        let second = compile(session, second);
        (beside.ok().and_then(|thread| thread.join().ok()).flatten(), second)
    });
    // What went wrong beside is said by trying again.
    let made = made.map(Arc::new);
    let first = match made.as_ref().map(|made| code(session, made)) {
        Some(Ok(code)) => {
            made.iter().for_each(|made| session.known.borrow_mut().keep(first, way.codegen, made));
            Ok(code)
        }
        Some(Err(_)) | None => compile_by(session, first, &way),
    };
    (first, second)
}

/// Address space for the stack of a thread that compiles. Pages are taken when they are touched.
const STACK: usize = 256 << 20;

fn compile_by(session: &Session, program: &Program, way: &Way) -> Result<Code, RunError> {
    let since = Instant::now();
    let done = find_or_make(session, program, way);
    session.compiling.set(session.compiling.get() + since.elapsed());
    done
}

fn find_or_make(session: &Session, program: &Program, way: &Way) -> Result<Code, RunError> {
    debug_verify("lowering", program);
    let observed = session.observer.borrow().is_some();
    let cached = way.engine == Engine::Native && !observed;
    if cached
        && let Some(made) = session.known.borrow_mut().find(program, &way.codegen)
        && let Ok(code) = code(session, &made)
    {
        return Ok(code);
    }
    let observer = session.observer.clone();
    let mut observe = |pass: &'static str, program: &Program| {
        if let Some(observer) = observer.borrow_mut().as_mut() {
            observer(pass, program);
        }
    };
    let mut way = way.clone();
    way.passes.tapes = way.passes.tapes.afresh();
    let mut needed = u64::MAX;
    loop {
        let made = make(program, &way, &mut observe).map(Arc::new);
        match made.and_then(|made| Ok((code(session, &made)?, made))) {
            Ok((code, made)) => {
                if cached {
                    session.known.borrow_mut().keep(program, way.codegen, &made);
                }
                return Ok(code);
            }
            Err(Refusal::Memory { needed: now, limit }) => {
                needed = needed.min(to_u64(now));
                let Some(less) = way.passes.tapes.smaller() else {
                    return Err(RunError::Memory {
                        needed,
                        limit: to_u64(limit),
                        reverse: differentiates(&program.main),
                        kept: way.passes.tapes.largest(),
                    });
                };
                way.passes.tapes = less;
            }
            Err(other) => return Err(RunError::Limit(other.to_string())),
        }
    }
}

/// The program after the passes, and its machine code.
fn make(
    program: &Program,
    way: &Way,
    observe: &mut dyn FnMut(&'static str, &Program),
) -> Result<Made, Refusal> {
    let mut program = program.clone();
    let mut observe = |pass: &'static str, program: &Program| {
        debug_verify(pass, program);
        observe(pass, program);
    };
    observe("lower", &program);
    passes::run_pipeline(&mut program, &way.passes, &mut observe);
    let interpreted = way.engine == Engine::Oracle
        || constant_results(&program).is_some()
        || way.once && !way.codegen.profile && work(&program.main) <= LITTLE;
    let compiled = if interpreted { None } else { Some(codegen::compile(&program, &way.codegen)?) };
    Ok(Made { program, compiled, tapes: way.passes.tapes.chosen() })
}

/// Code with memory of its own.
fn code(session: &Session, made: &Arc<Made>) -> Result<Code, Refusal> {
    let mut native = match &made.compiled {
        Some(compiled) => Some(compiled.instance()?),
        None => None,
    };
    if let Some(instance) = &mut native {
        instance.watch(session.stop.clone());
        if session.options.profile {
            session.measured.borrow_mut().push(instance.measured());
        }
    }
    Ok(Code {
        made: made.clone(),
        native,
        inputs: Vec::new(),
        results: Vec::new(),
        notes: session.notes.clone(),
    })
}

/// How many elements a function makes and reads, roughly; loops count as too many.
fn work(function: &Function) -> usize {
    let entries = |value: &Value| {
        let ty = function.ty(*value);
        if ty.is_known() { ty.count() } else { LITTLE + 1 }
    };
    let own = function.bindings.iter().map(|binding| {
        let values = binding.values.iter().chain(&binding.operands).map(entries);
        let inner = match &binding.op {
            Op::Constant(_) => return 0,
            Op::Primitive(_) | Op::Structural(_) => 0,
            Op::If(op) => work(&op.then).saturating_add(work(&op.otherwise)),
            Op::Loop(_) | Op::Map(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => LITTLE + 1,
        };
        values.fold(inner, usize::saturating_add)
    });
    own.fold(0, usize::saturating_add)
}

impl Way {
    fn of(session: &Session) -> Way {
        let options = &session.options;
        Way {
            passes: passes::Options {
                tapes: session.pass_options().tapes.afresh(),
                ..session.pass_options().clone()
            },
            codegen: codegen::Options {
                memory_limit: usize::try_from(options.memory_limit).unwrap_or(usize::MAX),
                ordered: options.exact,
                listing: options.listing,
                threads: options.threads,
                profile: options.profile,
                vectors: options.vectors,
                ..codegen::Options::default()
            },
            engine: options.engine,
            once: false,
        }
    }
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
        &self.made.program
    }

    /// The machine code with its plan; none if the passes computed all results, or it is interpreted.
    pub fn compiled(&self) -> Option<Compiled> {
        self.native.as_ref().map(Instance::compiled)
    }

    /// What its differentiated loops keep.
    pub fn tapes(&self) -> &[LoopTape] {
        &self.made.tapes
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
                self.results = match constant_results(&self.made.program) {
                    Some(results) => results,
                    None => eval::eval_noting(&self.made.program, &self.inputs, &self.notes)
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
        (0..self.made.program.main.results.len()).map(|at| self.get(at)).collect()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Code, compile, compile_both, compile_once};
    use crate::diag::Span;
    use crate::driver::{Session, SessionOptions};
    use crate::ir::{Build, Elem, Precision, Program, Tensor, Ty};
    use crate::math::Prim;

    /// `x * number + x` for a vector of a length.
    fn program(number: f64, length: i64) -> Program {
        let mut build = Build::new("main", Span::default());
        let ty = Ty::new(Elem::Real, vec![crate::ir::Dim::Known(length)]);
        let x = build.param(ty);
        let count = usize::try_from(length).expect("a length");
        let factor = build.constant(Tensor::real(&[count], vec![number; count]));
        let [mul, add] = ["mul", "add"].map(|name| Prim::named(name).expect("it is a machine function"));
        let product = build.primitive(mul, &[x, factor]);
        let sum = build.primitive(add, &[product, x]);
        Program { main: build.finish(vec![sum]), precision: Precision::F64 }
    }

    fn first(code: &mut Code, length: usize) -> f64 {
        code.set_all(&[Tensor::real(&[length], vec![2.0; length])]);
        code.run().expect("it runs");
        code.get(0).reals()[0]
    }

    #[test]
    fn a_program_is_compiled_once_in_a_session() {
        let session = Session::new(SessionOptions::default()).expect("the library is sound");
        let made = |number| compile(&session, &program(number, 3)).expect("it compiles");
        let (mut a, b, c) = (made(3.0), made(3.0), made(4.0));
        assert!(a.compiled().is_some() && Arc::ptr_eq(&a.made, &b.made) && !Arc::ptr_eq(&a.made, &c.made));
        assert_eq!(first(&mut a, 3), 8.0);
    }

    #[test]
    fn what_does_little_and_runs_once_is_interpreted() {
        let session = Session::new(SessionOptions::default()).expect("the library is sound");
        let once = |length| compile_once(&session, &program(3.0, length)).expect("it compiles");
        let (mut little, mut much) = (once(3), once(3000));
        assert!(little.compiled().is_none() && much.compiled().is_some());
        assert_eq!((first(&mut little, 3), first(&mut much, 3000)), (8.0, 8.0));
    }

    #[test]
    fn two_programs_are_made_side_by_side() {
        let session = Session::new(SessionOptions::default()).expect("the library is sound");
        for _ in 0..2 {
            let (a, b) = compile_both(&session, &program(3.0, 3000), &program(5.0, 3));
            let (mut a, mut b) = (a.expect("it compiles"), b.expect("it compiles"));
            assert_eq!((first(&mut a, 3000), first(&mut b, 3)), (8.0, 12.0));
        }
    }
}
