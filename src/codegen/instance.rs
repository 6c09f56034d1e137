//! Running compiled code.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::diag::Span;
use crate::ir::{Concern, Data, Elem, Note, Precision, Tensor, Trap, add_note};
use crate::plan::ItemId;
use crate::runtime::{Arena, Context};

use super::{Compiled, Inner, Measured, Refusal};

/// A compiled program with memory of its own.
pub struct Instance {
    program: Arc<Inner>,
    arena: Arena,
    stop: Arc<AtomicBool>,
    notes: Vec<Note>,
    measured: Rc<Measured>,
}

/// Why a run could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trapped {
    /// The place in the user's program.
    pub span: Span,
    /// What happened, as a sentence.
    pub message: String,
}

impl fmt::Display for Trapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({} bytes)", self.arena.size())
    }
}

impl Instance {
    pub(super) fn new(program: Arc<Inner>) -> Result<Instance, Refusal> {
        let arena = Arena::new(program.plan.arena)
            .map_err(|error| Refusal::Memory { needed: error.bytes, limit: program.options.memory_limit })?;
        let stop = Arc::new(AtomicBool::new(false));
        let measured = Measured::new(&program.code.meters);
        let mut instance = Instance { program, arena, stop, notes: Vec::new(), measured };
        let program = instance.program.clone();
        for (item, tensor) in &program.plan.constants {
            instance.write(*item, tensor);
        }
        Ok(instance)
    }

    /// Lets loops end early when the flag is set; the results of such a run mean nothing.
    pub fn watch(&mut self, stop: Arc<AtomicBool>) {
        self.stop = stop;
    }

    /// What is measured of it, where [`super::Options::profile`] asks for that.
    pub fn measured(&self) -> Rc<Measured> {
        self.measured.clone()
    }

    /// The program it runs.
    pub fn compiled(&self) -> Compiled {
        Compiled { inner: self.program.clone() }
    }

    /// Sets a parameter.
    ///
    /// # Panics
    /// If the tensor has another type than the parameter.
    pub fn set(&mut self, param: usize, tensor: &Tensor) {
        let item = self.program.plan.params[param];
        self.write(item, tensor);
    }

    /// Runs the program on its parameters.
    pub fn run(&mut self) -> Result<(), Trapped> {
        let mut context = Context::new(Arc::as_ptr(&self.stop));
        context.threads = self.program.options.threads;
        // SAFETY: the code was compiled with this signature, and lives as long as `program`.
        let entry: extern "C" fn(*mut Context, *mut u8) =
            unsafe { std::mem::transmute(self.program.code.entry()) };
        let mut laps = self.measured.laps.borrow_mut();
        if self.program.options.profile {
            context.laps = laps.as_mut_ptr();
            context.last = Some(Instant::now());
        }
        entry(&raw mut context, self.arena.base());
        drop(laps);
        for noted in &context.noted {
            if let (Ok(site), Ok(concern)) = (usize::try_from(noted.site), usize::try_from(noted.concern)) {
                let note = Note {
                    concern: Concern::ALL[concern],
                    span: self.program.code.sites[site - 1],
                    figures: noted.figures,
                    times: noted.times,
                };
                add_note(&mut self.notes, note);
            }
        }
        match usize::try_from(context.site) {
            Ok(0) | Err(_) => Ok(()),
            Ok(site) => Err(Trapped {
                span: self.program.code.sites[site - 1],
                message: sentence(context.index, context.size),
            }),
        }
    }

    /// What was noted since this was asked last.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Whether the last run was told to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A result of the last run.
    pub fn get(&self, result: usize) -> Tensor {
        self.read(self.program.plan.results[result])
    }

    /// A parameter, as it was set or carried last.
    pub fn param(&self, param: usize) -> Tensor {
        self.read(self.program.plan.params[param])
    }

    /// Copies results to parameters of the same types, for the next run.
    ///
    /// # Panics
    /// If the types differ.
    pub fn carry(&mut self, pairs: &[(usize, usize)]) {
        for (result, param) in pairs {
            let plan = &self.program.plan;
            let (from, to) = (plan.results[*result], plan.params[*param]);
            let (a, b) = (plan.item(from), plan.item(to));
            assert!(a.elem == b.elem && a.sizes == b.sizes, "result {result} does not fit parameter {param}");
            let bytes = a.count() * plan.width(a.elem);
            let (from, to) = (plan.offset(from), plan.offset(to));
            let arena = self.arena.slice_mut::<u8>(0, self.arena.size());
            arena.copy_within(from..from + bytes, to);
        }
    }

    /// A real scalar result.
    pub fn real_scalar(&self, result: usize) -> f64 {
        let plan = &self.program.plan;
        let offset = plan.offset(self.scalar(result, Elem::Real));
        match plan.precision {
            Precision::F64 => self.arena.slice::<f64>(offset, 1)[0],
            Precision::F32 => f64::from(self.arena.slice::<f32>(offset, 1)[0]),
        }
    }

    /// An integer scalar result.
    pub fn int_scalar(&self, result: usize) -> i64 {
        let offset = self.program.plan.offset(self.scalar(result, Elem::Int));
        self.arena.slice::<i64>(offset, 1)[0]
    }

    /// An element of a real result.
    pub fn real_element(&self, result: usize, at: usize) -> f64 {
        let plan = &self.program.plan;
        let id = plan.results[result];
        let (offset, count) = (plan.offset(id), plan.item(id).count());
        match plan.precision {
            Precision::F64 => self.arena.slice::<f64>(offset, count)[at],
            Precision::F32 => f64::from(self.arena.slice::<f32>(offset, count)[at]),
        }
    }

    /// An element of an integer result.
    pub fn int_element(&self, result: usize, at: usize) -> i64 {
        let plan = &self.program.plan;
        let id = plan.results[result];
        self.arena.slice::<i64>(plan.offset(id), plan.item(id).count())[at]
    }

    /// A truth value.
    pub fn bool_scalar(&self, result: usize) -> bool {
        let offset = self.program.plan.offset(self.scalar(result, Elem::Bool));
        self.arena.slice::<u8>(offset, 1)[0] != 0
    }

    /// A real result whose elements are read in place, where reals are `f64`.
    pub fn reals(&self, result: usize) -> Option<&[f64]> {
        let plan = &self.program.plan;
        let id = plan.results[result];
        let item = plan.item(id);
        (item.elem == Elem::Real && plan.precision == Precision::F64)
            .then(|| self.arena.slice(plan.offset(id), item.count()))
    }

    fn scalar(&self, result: usize, elem: Elem) -> ItemId {
        let id = self.program.plan.results[result];
        let item = self.program.plan.item(id);
        assert!(item.is_scalar() && item.elem == elem, "result {result} is not a scalar of {elem}");
        id
    }

    fn read(&self, id: ItemId) -> Tensor {
        let plan = &self.program.plan;
        let item = plan.item(id);
        let (offset, count) = (plan.offset(id), item.count());
        match (item.elem, plan.precision) {
            (Elem::Real, Precision::F64) => {
                Tensor::real(&item.sizes, self.arena.slice(offset, count).to_vec())
            }
            (Elem::Real, Precision::F32) => {
                let data = self.arena.slice::<f32>(offset, count);
                Tensor::real(&item.sizes, data.iter().map(|x| f64::from(*x)).collect())
            }
            (Elem::Int, _) => Tensor::int(&item.sizes, self.arena.slice(offset, count).to_vec()),
            (Elem::Bool, _) => {
                let data = self.arena.slice::<u8>(offset, count);
                Tensor::bool(&item.sizes, data.iter().map(|b| *b != 0).collect())
            }
        }
    }

    fn write(&mut self, id: ItemId, tensor: &Tensor) {
        let plan = &self.program.plan;
        let item = plan.item(id);
        assert!(
            item.sizes == tensor.sizes && item.elem == tensor.elem(),
            "a {}{:?} is not set to {}",
            item.elem,
            item.sizes,
            tensor.ty()
        );
        if item.is_scalar() && item.buffer.is_none() {
            return;
        }
        let (offset, count) = (plan.offset(id), item.count());
        match (&tensor.data, plan.precision) {
            (Data::Real(data), Precision::F64) => {
                self.arena.slice_mut(offset, count).copy_from_slice(data);
            }
            (Data::Real(data), Precision::F32) => {
                let target = self.arena.slice_mut::<f32>(offset, count);
                for (to, from) in target.iter_mut().zip(data.iter()) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "reals are rounded to the program's precision"
                    )]
                    let rounded = *from as f32;
                    *to = rounded;
                }
            }
            (Data::Int(data), _) => self.arena.slice_mut(offset, count).copy_from_slice(data),
            (Data::Bool(data), _) => {
                let target = self.arena.slice_mut::<u8>(offset, count);
                for (to, from) in target.iter_mut().zip(data.iter()) {
                    *to = u8::from(*from);
                }
            }
        }
    }
}

/// What an index out of range is called.
fn sentence(index: i64, size: i64) -> String {
    let size = usize::try_from(size).unwrap_or(0);
    match Trap::place(index, size) {
        Err(trap) => trap.0,
        Ok(_) => format!("index {index} is out of range"),
    }
}
