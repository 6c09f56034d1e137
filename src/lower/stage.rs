//! Units of code and the functions inside them.
//!
//! A unit is compiled and run at once. It is a stack of functions under construction: opening one
//! begins the body of a control form, closing it gives a closed function and the values it
//! captured. Values of outer functions are captured when they are used; known arrays become
//! inputs of the unit.

use std::collections::HashMap;

use super::value::{Res, Staged, Val};
use super::{Lower, RunError, errors};
use crate::diag::Span;
use crate::ir::{self, Build, Data, Dim, Elem, Op, Program, Tensor, Ty};
use crate::math::Prim;
use crate::ops::Emit;

/// Code that is compiled and run at once.
pub(crate) struct Unit {
    id: usize,
    stages: Vec<Stage>,
    /// Known arrays taken as inputs.
    inputs: Vec<Tensor>,
    /// Symbolic dimensions used as values.
    dims: HashMap<Dim, ir::Value>,
    /// Whether it is the code of a solve.
    later: bool,
}

/// A function under construction.
struct Stage {
    /// Distinguishes functions that stood at the same level one after the other.
    id: usize,
    build: Build,
    /// Values of the function around it, with the parameters that stand for them.
    captures: Vec<(ir::Value, ir::Value)>,
}

/// What is known of a staged integer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IntFact {
    /// It is at least this.
    pub lo: Option<i64>,
    /// It is at most this.
    pub hi: Option<i64>,
    /// It is this value of the same function plus the offset.
    pub base: Option<ir::Value>,
    /// See `base`.
    pub offset: i64,
    /// Whether both ends of the interval are reached.
    pub tight: bool,
}

impl IntFact {
    /// A known integer.
    pub fn known(n: i64) -> IntFact {
        IntFact { lo: Some(n), hi: Some(n), base: None, offset: n, tight: true }
    }

    /// The index of a loop or generator of so many turns; of one without turns nothing is known.
    pub fn index(index: &Val, turns: i64) -> IntFact {
        let base = if let Val::Staged(s) = index { Some(s.value) } else { None };
        if turns <= 0 {
            return IntFact { base, ..IntFact::default() };
        }
        IntFact { lo: Some(0), hi: Some(turns - 1), base, offset: 0, tight: true }
    }

    /// Whether the interval is one number.
    pub fn is_known(self) -> bool {
        self.lo.is_some() && self.lo == self.hi
    }
}

/// A function taken off the stack.
pub(crate) struct Parked(Stage);

/// A closed function and what it captured.
pub(crate) struct Closed {
    /// The function; captures are its last parameters.
    pub function: ir::Function,
    /// The captured values in the function around it.
    pub captures: Vec<ir::Value>,
}

/// Known arrays of at most this many elements are written into the code.
const LITERAL: usize = 1;

impl Lower<'_> {
    /// Begins a unit.
    pub(crate) fn begin_unit(&mut self, name: &str, span: Span) {
        self.next_unit += 1;
        let stage = self.new_stage(name, span);
        let unit = Unit {
            id: self.next_unit,
            stages: vec![stage],
            inputs: Vec::new(),
            dims: HashMap::new(),
            later: false,
        };
        self.units.push(unit);
    }

    /// Ends a unit: its code and the known arrays it takes, after any parameters made by
    /// [`Lower::unit_param`].
    pub(crate) fn end_unit(&mut self, results: &[Val], span: Span) -> Res<(Program, Vec<Tensor>)> {
        let values = self.values(results, span)?;
        let mut unit = self.units.pop().expect("a unit was begun");
        let stage = unit.stages.pop().expect("a unit has a function");
        let main = stage.build.finish(values);
        let precision = self.host.options().precision;
        Ok((Program { main, precision }, unit.inputs))
    }

    /// A parameter of the unit, before all inputs. To be called before any code is built.
    pub(crate) fn unit_param(&mut self, ty: Ty) -> Val {
        let value = self.build().param(ty.clone());
        self.staged(value, ty)
    }

    fn unit(&mut self) -> &mut Unit {
        self.units.last_mut().expect("code is built inside a unit")
    }

    /// The number of the function under construction in its unit.
    pub(crate) fn level(&self) -> usize {
        self.units.last().map_or(0, |unit| unit.stages.len() - 1)
    }

    /// The function under construction.
    pub(crate) fn build(&mut self) -> &mut Build {
        &mut self.unit().stages.last_mut().expect("a unit has a function").build
    }

    /// Opens a function inside the one under construction.
    pub(crate) fn open(&mut self, name: &str, span: Span) {
        let stage = self.new_stage(name, span);
        self.unit().stages.push(stage);
    }

    fn new_stage(&mut self, name: &str, span: Span) -> Stage {
        self.next_unit += 1;
        Stage { id: self.next_unit, build: Build::new(name, span), captures: Vec::new() }
    }

    /// A parameter of the function just opened, before any captures.
    pub(crate) fn param(&mut self, ty: Ty) -> Val {
        let value = self.build().param(ty.clone());
        self.staged(value, ty)
    }

    /// Closes the function.
    pub(crate) fn close(&mut self, results: &[Val], span: Span) -> Res<Closed> {
        let values = self.values(results, span);
        let stage = self.unit().stages.pop().expect("a function was opened");
        let values = values?;
        let captures = stage.captures.iter().map(|(outer, _)| *outer).collect();
        Ok(Closed { function: stage.build.finish(values), captures })
    }

    /// Takes the function under construction off the stack, to build a sibling of it.
    pub(crate) fn park(&mut self) -> Parked {
        Parked(self.unit().stages.pop().expect("a function was opened"))
    }

    /// Puts it back.
    pub(crate) fn unpark(&mut self, parked: Parked) {
        self.unit().stages.push(parked.0);
    }

    /// Closes the function without using it.
    pub(crate) fn abandon(&mut self) {
        self.unit().stages.pop();
    }

    /// Closes all functions above a level without using them.
    pub(crate) fn abandon_to(&mut self, level: usize) {
        self.unit().stages.truncate(level + 1);
    }

    /// Whether the code around runs later, and perhaps often: inside a loop, a generator, a
    /// derivative, or the code of a solve. Nothing in it can be computed now.
    pub(crate) fn inside(&self) -> bool {
        self.units.iter().any(|unit| unit.later || unit.stages.len() > 1)
    }

    /// The unit just begun is the code of a solve.
    pub(crate) fn run_later(&mut self) {
        self.unit().later = true;
    }

    /// A value of the function under construction as a value of the language.
    pub(crate) fn staged(&self, value: ir::Value, ty: Ty) -> Val {
        let unit = self.units.last().map_or(0, |unit| unit.id);
        Val::Staged(Staged { unit, level: self.level(), value, ty })
    }

    /// Wraps a value just built.
    pub(crate) fn wrap(&mut self, value: ir::Value) -> Val {
        let ty = self.build().ty(value).clone();
        self.staged(value, ty)
    }

    /// The value in the function under construction that stands for an array.
    pub(crate) fn value(&mut self, val: &Val, span: Span) -> Res<ir::Value> {
        match val {
            Val::Staged(staged) => self.staged_value(staged, span),
            Val::Known(tensor) => Ok(self.known_value(tensor)),
            Val::Int(dim) => Ok(self.dim_value(dim)),
            Val::Poison => Err(super::Poisoned),
            Val::Str(_)
            | Val::Strs(_)
            | Val::Range(..)
            | Val::Tuple(_)
            | Val::Record(_)
            | Val::List(_)
            | Val::Function(_)
            | Val::Optimizer(_)
            | Val::Objective(_)
            | Val::Fit(_)
            | Val::Members(_) => self.fail(errors::expected_array(span, &val.describe())),
        }
    }

    /// [`Lower::value`] of several.
    pub(crate) fn values(&mut self, vals: &[Val], span: Span) -> Res<Vec<ir::Value>> {
        vals.iter().map(|val| self.value(val, span)).collect()
    }

    fn staged_value(&mut self, staged: &Staged, span: Span) -> Res<ir::Value> {
        let Some(unit) = self.units.last() else {
            return self.fail(errors::not_yet(span, "using a value of unfinished code here"));
        };
        if unit.id == staged.unit && staged.level < unit.stages.len() {
            return Ok(self.import(staged.level, staged.value));
        }
        if unit.id == staged.unit {
            return self.fail(errors::escapes(span));
        }
        let known = self.force_outer(staged, span)?;
        Ok(self.known_value(&known))
    }

    /// Brings a value of an outer function of the unit into the one under construction.
    fn import(&mut self, level: usize, value: ir::Value) -> ir::Value {
        let unit = self.units.last_mut().expect("code is built inside a unit");
        let mut at = value;
        for inner in level + 1..unit.stages.len() {
            let ty = unit.stages[inner - 1].build.ty(at).clone();
            let fact = self.ints.get(&(unit.stages[inner - 1].id, at)).copied();
            let stage = &mut unit.stages[inner];
            at = match stage.captures.iter().find(|(outer, _)| *outer == at) {
                Some((_, param)) => *param,
                None => {
                    let param = stage.build.param(ty);
                    stage.captures.push((at, param));
                    if let Some(fact) = fact {
                        let fact = IntFact { base: None, offset: 0, ..fact };
                        self.ints.insert((stage.id, param), fact);
                    }
                    param
                }
            };
        }
        at
    }

    /// The value of a known array: a literal if it is small, else an input of the unit.
    fn known_value(&mut self, tensor: &Tensor) -> ir::Value {
        if tensor.len() <= LITERAL {
            return self.build().constant(tensor.clone());
        }
        let unit = self.units.last_mut().expect("code is built inside a unit");
        let same = |known: &Tensor| same_data(known, tensor);
        let root = &mut unit.stages[0];
        let first = root.build.function().params.len() - unit.inputs.len();
        let value = match unit.inputs.iter().position(same) {
            Some(at) => root.build.function().params[first + at],
            None => {
                unit.inputs.push(tensor.clone());
                root.build.param(tensor.ty())
            }
        };
        self.import(0, value)
    }

    /// A dimension as a value; a symbolic one is a parameter of code that never runs.
    fn dim_value(&mut self, dim: &Dim) -> ir::Value {
        if let Some(n) = dim.known() {
            return self.build().int(n);
        }
        let unit = self.unit();
        let value = match unit.dims.get(dim) {
            Some(value) => *value,
            None => {
                let value = unit.stages[0].build.param(Ty::scalar(Elem::Int));
                unit.dims.insert(dim.clone(), value);
                value
            }
        };
        self.import(0, value)
    }

    /// Computes a value of a unit now; it must not be inside a loop or generator.
    pub(crate) fn force_staged(&mut self, staged: &Staged, span: Span) -> Res<Tensor> {
        self.force_outer(staged, span)
    }

    fn force_outer(&mut self, staged: &Staged, span: Span) -> Res<Tensor> {
        let Some(at) = self.units.iter().position(|unit| unit.id == staged.unit) else {
            return self.fail(errors::escapes(span));
        };
        if staged.level != 0 || self.units[at].stages.len() != 1 {
            return self.fail(errors::known_too_late(span));
        }
        let unit = &self.units[at];
        let mut main = unit.stages[0].build.function().clone();
        main.results = vec![staged.value];
        let inputs = unit.inputs.clone();
        let mut tensors = self.run_code(main, &inputs, span)?;
        tensors.pop().ok_or(super::Poisoned)
    }

    /// Runs code, turning failures into reports.
    pub(crate) fn run_code(&mut self, main: ir::Function, inputs: &[Tensor], span: Span) -> Res<Vec<Tensor>> {
        if !self.host.options().execute || self.symbolic {
            return Err(super::Poisoned);
        }
        let program = Program { main, precision: self.host.options().precision };
        match self.host.run(&program, inputs) {
            Ok(tensors) => Ok(tensors),
            Err(error) => Err(self.run_error(error, span)),
        }
    }

    /// Reports why code did not run to its end; the program ends here.
    pub(crate) fn run_error(&mut self, error: RunError, span: Span) -> super::Poisoned {
        self.halted = true;
        self.report(error.report(span))
    }

    /// Elaborates in a unit of its own and computes the result, as far as it is made of arrays. An array that is too
    /// large to be stood for where nothing is run is poison, and fails without a word.
    pub(crate) fn compute(
        &mut self,
        name: &str,
        span: Span,
        run: impl FnOnce(&mut Self) -> Res<Val>,
    ) -> Res<Val> {
        self.begin_unit(name, span);
        let units = self.units.len();
        let result = run(self).and_then(|val| self.finish_unit(&val, span));
        self.units.truncate(units - 1);
        match result {
            Ok(Val::Poison) => Err(super::Poisoned),
            other => other,
        }
    }

    /// Replaces every staged array in a value by a known one, computed by the innermost unit.
    fn finish_unit(&mut self, val: &Val, span: Span) -> Res<Val> {
        let mut staged = Vec::new();
        collect_staged(val, &mut staged);
        if staged.is_empty() {
            return Ok(val.clone());
        }
        if !self.host.options().execute || self.symbolic {
            return Ok(self.pretended_value(val));
        }
        let unit = self.units.last().expect("a unit was begun");
        let id = unit.id;
        let inputs = unit.inputs.clone();
        let mut main = unit.stages[0].build.function().clone();
        let mine: Vec<Staged> = staged.into_iter().filter(|s| s.unit == id).collect();
        main.results = mine.iter().map(|s| s.value).collect();
        let tensors = self.run_code(main, &inputs, span)?;
        let by_value: HashMap<ir::Value, Tensor> = mine.iter().map(|s| s.value).zip(tensors).collect();
        Ok(replace_staged(val, &|s: &Staged| {
            (s.unit == id).then(|| by_value.get(&s.value).map(known)).flatten()
        }))
    }

    /// A value that outlives its unit, of which only the type is known: nothing is run.
    pub(super) fn pretended_value(&mut self, val: &Val) -> Val {
        self.pretended |= !self.symbolic;
        abstract_value(val, &mut self.next_unit)
    }

    /// Records what is known of a staged integer.
    pub(crate) fn learn(&mut self, val: &Val, fact: IntFact) {
        if let Val::Staged(s) = val
            && let Some(stage) = self.stage_id(s)
        {
            self.ints.insert((stage, s.value), fact);
        }
    }

    /// The function that a staged value belongs to.
    pub(crate) fn stage_id(&self, staged: &Staged) -> Option<usize> {
        let unit = self.units.iter().find(|unit| unit.id == staged.unit)?;
        unit.stages.get(staged.level).map(|stage| stage.id)
    }

    /// What is known of an integer.
    pub(crate) fn int_fact(&self, val: &Val) -> IntFact {
        match val {
            Val::Int(Dim::Known(n)) => IntFact::known(*n),
            Val::Staged(s) => self
                .stage_id(s)
                .and_then(|stage| self.ints.get(&(stage, s.value)).copied())
                .unwrap_or(IntFact { base: Some(s.value), ..IntFact::default() }),
            Val::Known(t) if t.elem() == Elem::Int && t.len() == 1 => IntFact::known(t.ints()[0]),
            _ => IntFact::default(),
        }
    }

    /// Gives sibling functions the same last parameters: behind their own ones, the captures of all.
    pub(crate) fn share_captures(&mut self, closed: Vec<Closed>) -> (Vec<ir::Function>, Vec<ir::Value>) {
        let mut captures: Vec<ir::Value> = Vec::new();
        for one in &closed {
            let new = one.captures.iter().filter(|v| !captures.contains(v)).copied();
            captures.extend(new.collect::<Vec<_>>());
        }
        let types: Vec<Ty> = captures.iter().map(|v| self.build().ty(*v).clone()).collect();
        let functions = closed
            .into_iter()
            .map(|one| {
                let mut function = one.function;
                let own = function.params.split_off(function.params.len() - one.captures.len());
                for (v, ty) in captures.iter().zip(&types) {
                    let param = match one.captures.iter().position(|c| c == v) {
                        Some(at) => own[at],
                        None => function.fresh(ty.clone()),
                    };
                    function.params.push(param);
                }
                function
            })
            .collect();
        (functions, captures)
    }

    /// A primitive on values of the language that already fit it.
    pub(crate) fn emit(&mut self, name: &str, operands: &[Val], span: Span) -> Res<Val> {
        let values = self.values(operands, span)?;
        let build = self.build();
        build.at(span);
        let value = build.call(name, &values);
        Ok(self.wrap(value))
    }

    /// A primitive by its handle, on operands of equal dimensions.
    pub(crate) fn emit_prim(&mut self, prim: Prim, operands: &[Val], span: Span) -> Res<Val> {
        self.emit(prim.name(), operands, span)
    }

    /// Any op with several results.
    pub(crate) fn emit_op(
        &mut self,
        op: Op,
        operands: Vec<ir::Value>,
        types: Vec<Ty>,
        span: Span,
    ) -> Vec<Val> {
        let build = self.build();
        build.at(span);
        let values = build.bind(op, operands, types);
        values.into_iter().map(|value| self.wrap(value)).collect()
    }
}

/// A known array as a value: an integer scalar may be a dimension.
pub(crate) fn known(tensor: &Tensor) -> Val {
    match &tensor.data {
        Data::Int(data) if tensor.sizes.is_empty() => Val::int(data[0]),
        Data::Int(_) | Data::Real(_) | Data::Bool(_) => Val::Known(tensor.clone()),
    }
}

fn same_data(a: &Tensor, b: &Tensor) -> bool {
    let same = match (&a.data, &b.data) {
        (Data::Real(a), Data::Real(b)) => std::sync::Arc::ptr_eq(a, b),
        (Data::Int(a), Data::Int(b)) => std::sync::Arc::ptr_eq(a, b),
        (Data::Bool(a), Data::Bool(b)) => std::sync::Arc::ptr_eq(a, b),
        (Data::Real(_) | Data::Int(_) | Data::Bool(_), _) => false,
    };
    same && a.sizes == b.sizes
}

fn collect_staged(val: &Val, into: &mut Vec<Staged>) {
    replace_staged_with(val, &mut |s| {
        into.push(s.clone());
        None
    });
}

fn replace_staged(val: &Val, with: &dyn Fn(&Staged) -> Option<Val>) -> Val {
    replace_staged_with(val, &mut |s| with(s))
}

/// Walks a value; what `with` gives replaces a staged array.
fn replace_staged_with(val: &Val, with: &mut dyn FnMut(&Staged) -> Option<Val>) -> Val {
    use std::rc::Rc;
    match val {
        Val::Staged(s) => with(s).unwrap_or_else(|| val.clone()),
        Val::Tuple(items) => Val::tuple(items.iter().map(|v| replace_staged_with(v, with)).collect()),
        Val::List(items) => Val::list(items.iter().map(|v| replace_staged_with(v, with)).collect()),
        Val::Record(record) => {
            let fields =
                record.fields.iter().map(|(name, v)| (name.clone(), replace_staged_with(v, with))).collect();
            Val::Record(Rc::new(super::Record { fields, rows: record.rows.clone() }))
        }
        Val::Range(a, b) => {
            Val::Range(Box::new(replace_staged_with(a, with)), Box::new(replace_staged_with(b, with)))
        }
        Val::Optimizer(o) => Val::Optimizer(Rc::new(o.map_args(&mut |v| replace_staged_with(v, with)))),
        Val::Members(m) => {
            let args = m.args.iter().map(|(n, v)| (n.clone(), replace_staged_with(v, with))).collect();
            Val::Members(Rc::new(super::value::Members {
                decl: m.decl.clone(),
                args,
                scope: m.scope.clone(),
            }))
        }
        Val::Known(_)
        | Val::Int(_)
        | Val::Str(_)
        | Val::Strs(_)
        | Val::Function(_)
        | Val::Objective(_)
        | Val::Fit(_)
        | Val::Poison => val.clone(),
    }
}

/// Stand-ins for what code that does not run would have computed: an integer scalar becomes a
/// fresh symbolic dimension, anything else an array of zeros that is never looked at, or, with
/// symbolic dimensions, poison.
fn abstract_value(val: &Val, fresh: &mut usize) -> Val {
    replace_staged_with(val, &mut |s| {
        Some(if s.ty.rank() == 0 && s.ty.elem == Elem::Int {
            *fresh += 1;
            Val::Int(Dim::name(&format!("_{fresh}")))
        } else if s.ty.is_known() && s.ty.count() <= 1 << 24 {
            let sizes = s.ty.sizes();
            let count = s.ty.count();
            match s.ty.elem {
                Elem::Real => Val::Known(Tensor::real(&sizes, vec![0.5; count])),
                Elem::Int => Val::Known(Tensor::int(&sizes, vec![0; count])),
                Elem::Bool => Val::Known(Tensor::bool(&sizes, vec![true; count])),
            }
        } else {
            Val::Poison
        })
    })
}
