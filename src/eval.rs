//! The oracle: a slow and plain interpreter of programs and of loop nests.
//!
//! It says what the IR means. No optimisation is ever allowed in. The derivative forms have no
//! meaning here: differentiation removes them first.

use std::cell::RefCell;
use std::sync::Arc;

use crate::diag::Span;
use crate::ir::{
    At, Binding, Custom, Data, Elem, Fold, Function, If, Loop, Map, Nest, Node, NodeId, Note, Op, Precision,
    Program, Tensor, Trap, Ty, Value, add_note, indices, space, zero,
};
use crate::math::{Kind, Prim, Scalar};
use crate::ops::Watch;

/// Why a run ended early, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// A sentence.
    pub text: String,
    /// The binding.
    pub span: Span,
}

/// The results of a program. Every dimension must be a number.
///
/// # Panics
/// If the program has derivative forms, or does not pass the verifier.
pub fn eval(program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Stop> {
    eval_noting(program, inputs, &RefCell::default())
}

/// [`eval`], with what the run notes beside its results.
///
/// # Panics
/// As [`eval`].
pub fn eval_noting(
    program: &Program,
    inputs: &[Tensor],
    notes: &RefCell<Vec<Note>>,
) -> Result<Vec<Tensor>, Stop> {
    let run = Run { precision: program.precision, blame: false, notes, stated: None };
    run.start(&program.main, inputs).map_err(|halt| match halt {
        Halt::Stop(stop) => stop,
        Halt::Blame(span, text) => Stop { text, span },
    })
}

/// The first result in execution order, also inside control forms, that is infinite or NaN though
/// the reals it was computed from are finite, and a sentence about it such as `log of -0.3`.
/// Literals are not blamed. `None` too if the program stops before there is one.
///
/// # Panics
/// As [`eval`].
pub fn first_non_finite(program: &Program, inputs: &[Tensor]) -> Option<(Span, String)> {
    let notes = RefCell::default();
    let run = Run { precision: program.precision, blame: true, notes: &notes, stated: None };
    match run.start(&program.main, inputs) {
        Err(Halt::Blame(span, text)) => Some((span, text)),
        Err(Halt::Stop(_)) | Ok(_) => None,
    }
}

/// The arguments that functions with their own derivative are called with, in order, up to a number of
/// calls; also if the program stops before its end.
///
/// # Panics
/// As [`eval`].
pub fn stated_calls(program: &Program, inputs: &[Tensor], limit: usize) -> Vec<(Arc<Custom>, Vec<Tensor>)> {
    let (notes, calls) = (RefCell::default(), RefCell::default());
    let stated = Some(Stated { calls: &calls, limit });
    let run = Run { precision: program.precision, blame: false, notes: &notes, stated };
    // What was called before a stop was called all the same.
    let _ = run.start(&program.main, inputs);
    calls.into_inner()
}

/// How a run goes.
#[derive(Clone, Copy)]
struct Run<'n> {
    precision: Precision,
    /// Whether the first non-finite result ends it.
    blame: bool,
    notes: &'n RefCell<Vec<Note>>,
    stated: Option<Stated<'n>>,
}

/// The calls of functions with their own derivative.
#[derive(Clone, Copy)]
struct Stated<'n> {
    calls: &'n RefCell<Vec<(Arc<Custom>, Vec<Tensor>)>>,
    limit: usize,
}

/// Why it ended.
enum Halt {
    Stop(Stop),
    Blame(Span, String),
}

impl Run<'_> {
    fn start(self, main: &Function, inputs: &[Tensor]) -> Result<Vec<Tensor>, Halt> {
        let expected = main.params.iter().map(|param| main.ty(*param).clone());
        let expected: Vec<Ty> = expected.collect();
        let found: Vec<Ty> = inputs.iter().map(Tensor::ty).collect();
        if expected != found {
            let list = |types: &[Ty]| -> String {
                let texts: Vec<String> = types.iter().map(ToString::to_string).collect();
                format!("({})", texts.join(", "))
            };
            let (expected, found) = (list(&expected), list(&found));
            return Err(Halt::Stop(Stop {
                text: format!("expected inputs of types {expected}, found {found}"),
                span: Span::default(),
            }));
        }
        let inputs = inputs.iter().map(|input| self.rounded(input.clone()));
        self.function(main, inputs.collect())
    }

    fn function(self, function: &Function, arguments: Vec<Tensor>) -> Result<Vec<Tensor>, Halt> {
        let mut values: Vec<Option<Tensor>> = vec![None; function.types.len()];
        for (param, argument) in function.params.iter().zip(arguments) {
            values[param.0 as usize] = Some(argument);
        }
        for binding in &function.bindings {
            let operands = look_up(&values, &binding.operands);
            let results = self.binding(function, binding, &operands)?;
            for (value, result) in binding.values.iter().zip(results) {
                values[value.0 as usize] = Some(result);
            }
        }
        Ok(look_up(&values, &function.results))
    }

    fn binding(
        self,
        function: &Function,
        binding: &Binding,
        operands: &[Tensor],
    ) -> Result<Vec<Tensor>, Halt> {
        let stop = |trap: Trap| {
            let (text, span) = (trap.0, binding.span);
            Halt::Stop(Stop { text, span })
        };
        let result = match &binding.op {
            Op::Constant(tensor) => return Ok(vec![self.rounded(tensor.clone())]),
            Op::Primitive(prim) => {
                let elem = function.ty(binding.values[0]).elem;
                elementwise(*prim, operands, elem).map_err(stop)?
            }
            Op::Structural(op) => {
                if let Some(watch) = binding.op.downcast::<Watch>()
                    && let Some((figures, times)) = Watch::found(operands)
                {
                    let note = Note { concern: watch.concern, span: binding.span, figures, times };
                    add_note(&mut self.notes.borrow_mut(), note);
                }
                let operands: Vec<&Tensor> = operands.iter().collect();
                op.eval(&operands).map_err(stop)?
            }
            Op::Loop(op) => return self.repeat(op, operands, &stop),
            Op::If(op) => return self.choose(op, operands),
            Op::Map(op) => return self.map(op, operands, &stop),
            Op::Custom(op) => {
                if let Some(stated) = self.stated
                    && stated.calls.borrow().len() < stated.limit
                {
                    stated.calls.borrow_mut().push((op.clone(), operands.to_vec()));
                }
                return self.function(&op.function, operands.to_vec());
            }
            Op::Jvp(_) | Op::Vjp(_) => {
                panic!("differentiation removes derivative forms before a program is run")
            }
        };
        let result = self.rounded(result);
        match self.blame.then(|| complaint(&binding.op, operands, &result)) {
            Some(Some(text)) => Err(Halt::Blame(binding.span, text)),
            Some(None) | None => Ok(vec![result]),
        }
    }

    fn repeat(
        self,
        op: &Loop,
        operands: &[Tensor],
        stop: &dyn Fn(Trap) -> Halt,
    ) -> Result<Vec<Tensor>, Halt> {
        let trip = op.trip.size();
        let (first, captures) = operands.split_at(op.carried);
        let mut carried = first.to_vec();
        let stacked = op.body.results.len() - op.carried;
        let mut rows: Vec<Vec<Tensor>> = vec![Vec::new(); stacked];
        for i in 0..trip {
            let arguments = || [&[counter(i)], &carried[..], captures].concat();
            if let Some(condition) = &op.condition {
                let go_on = self.function(condition, arguments())?;
                if go_on[0].bools() == [false] {
                    break;
                }
            }
            let mut results = self.function(&op.body, arguments())?;
            let new_rows = results.split_off(op.carried);
            for (rows, row) in rows.iter_mut().zip(new_rows) {
                rows.push(row);
            }
            carried = results;
        }
        let types = op.body.result_types();
        for (rows, ty) in rows.iter().zip(&types[op.carried..]) {
            carried.push(stack(rows, trip, ty).map_err(stop)?);
        }
        Ok(carried)
    }

    fn choose(self, op: &If, operands: &[Tensor]) -> Result<Vec<Tensor>, Halt> {
        let branch = match operands[0].bools() {
            [true] => &op.then,
            _ => &op.otherwise,
        };
        self.function(branch, operands[1..].to_vec())
    }

    fn map(self, op: &Map, operands: &[Tensor], stop: &dyn Fn(Trap) -> Halt) -> Result<Vec<Tensor>, Halt> {
        let trip = op.trip.size();
        let mut rows: Vec<Vec<Tensor>> = vec![Vec::new(); op.body.results.len()];
        for i in 0..trip {
            let results = self.function(&op.body, [&[counter(i)], operands].concat())?;
            for (rows, row) in rows.iter_mut().zip(results) {
                rows.push(row);
            }
        }
        let types = op.body.result_types();
        let stacks = rows.iter().zip(&types);
        stacks.map(|(rows, ty)| stack(rows, trip, ty).map_err(stop)).collect()
    }

    /// The tensor in the program's precision.
    fn rounded(self, tensor: Tensor) -> Tensor {
        match (self.precision, &tensor.data) {
            (Precision::F32, Data::Real(data)) => {
                let data = data.iter().map(|x| round_to_f32(*x)).collect();
                Tensor { sizes: tensor.sizes, data: Data::Real(Arc::new(data)) }
            }
            (Precision::F32, Data::Int(_) | Data::Bool(_)) | (Precision::F64, _) => tensor,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is what it is for")]
fn round_to_f32(x: f64) -> f64 {
    f64::from(x as f32)
}

fn look_up(values: &[Option<Tensor>], which: &[Value]) -> Vec<Tensor> {
    let look = |value: &Value| values[value.0 as usize].clone();
    which.iter().map(|value| look(value).expect("values are bound before they are read")).collect()
}

fn counter(i: usize) -> Tensor {
    Tensor::int_scalar(i64::try_from(i).expect("sizes fit 64 bits"))
}

fn elementwise(prim: Prim, operands: &[Tensor], elem: Elem) -> Result<Tensor, Trap> {
    let mut flat = 0;
    Tensor::tabulate(elem, &operands[0].sizes, |_| {
        let arguments = operands.iter().map(|operand| operand.scalar_at(flat));
        let arguments: Vec<Scalar> = arguments.collect();
        flat += 1;
        Ok(prim.apply(&arguments))
    })
}

/// Rows one after the other, those that are missing zero.
fn stack(rows: &[Tensor], trip: usize, ty: &Ty) -> Result<Tensor, Trap> {
    let sizes: Vec<usize> = [trip].into_iter().chain(ty.sizes()).collect();
    Tensor::tabulate(ty.elem, &sizes, |at| {
        let row = rows.get(at[0]);
        Ok(row.map_or(zero(ty.elem), |row| row.at(&at[1..])))
    })
}

/// What is to be said of a result that is not finite though its operands are.
fn complaint(op: &Op, operands: &[Tensor], result: &Tensor) -> Option<String> {
    if result.elem() != Elem::Real {
        return None;
    }
    let finite = |tensor: &Tensor| tensor.elem() != Elem::Real || all_finite(tensor);
    match op {
        Op::Primitive(prim) => {
            let blamed = |flat: &usize| {
                !is_finite(result.scalar_at(*flat))
                    && operands.iter().all(|operand| is_finite(operand.scalar_at(*flat)))
            };
            let flat = (0..result.len()).find(blamed)?;
            let operands = operands.iter().map(|operand| spoken(operand.scalar_at(flat)));
            let operands: Vec<String> = operands.collect();
            Some(format!("{} of {}", prim.name(), operands.join(" and ")))
        }
        Op::Structural(_) if !all_finite(result) && operands.iter().all(finite) => {
            let found = (0..result.len()).map(|flat| result.scalar_at(flat)).find(|x| !is_finite(*x))?;
            Some(format!("finite numbers give {}", spoken(found)))
        }
        Op::Structural(_) | Op::Constant(_) => None,
        Op::Loop(_) | Op::If(_) | Op::Map(_) | Op::Custom(_) | Op::Jvp(_) | Op::Vjp(_) => None,
    }
}

fn all_finite(tensor: &Tensor) -> bool {
    (0..tensor.len()).all(|flat| is_finite(tensor.scalar_at(flat)))
}

fn is_finite(x: Scalar) -> bool {
    match x {
        Scalar::Real(x) => x.is_finite(),
        Scalar::Int(_) | Scalar::Bool(_) => true,
    }
}

/// A number with six digits.
fn spoken(x: Scalar) -> String {
    match x {
        Scalar::Real(x) => {
            let short: f64 = format!("{x:.5e}").parse().unwrap_or(x);
            if short != 0.0 && !(1e-4..1e9).contains(&short.abs()) {
                format!("{short:e}")
            } else {
                short.to_string()
            }
        }
        Scalar::Int(n) => n.to_string(),
        Scalar::Bool(b) => b.to_string(),
    }
}

/// What a loop nest computes from its operands, in `f64`.
///
/// # Panics
/// If the nest is not well formed: a node refers to a later one, an affine index is out of range.
pub fn eval_nest(nest: &Nest, operands: &[&Tensor]) -> Result<Tensor, Trap> {
    let body = NodeId(nest.nodes.len() - 1);
    let elem = node_elem(nest, body, operands);
    Tensor::tabulate(elem, &nest.dims, |at| {
        let Some(fold) = nest.fold else {
            return point(nest, at, operands);
        };
        fold_points(nest, fold, elem, at, operands)
    })
}

fn fold_points(
    nest: &Nest,
    fold: Fold,
    elem: Elem,
    at: &[usize],
    operands: &[&Tensor],
) -> Result<Scalar, Trap> {
    let mut so_far = fold.start(elem);
    for inner in indices(&nest.folded) {
        let next = point(nest, &[at, &inner].concat(), operands)?;
        so_far = fold.step().apply(&[so_far, next]);
    }
    Ok(so_far)
}

/// The body at one point of the loops.
fn point(nest: &Nest, at: &[usize], operands: &[&Tensor]) -> Result<Scalar, Trap> {
    let vars = at.iter().map(|i| i64::try_from(*i).expect("sizes fit 64 bits"));
    let mut point = Point { nest, vars: vars.collect(), operands, known: space(&[nest.nodes.len()])? };
    point.known.resize(nest.nodes.len(), None);
    point.node(NodeId(nest.nodes.len() - 1))
}

struct Point<'a> {
    nest: &'a Nest,
    vars: Vec<i64>,
    operands: &'a [&'a Tensor],
    known: Vec<Option<Scalar>>,
}

impl Point<'_> {
    fn node(&mut self, id: NodeId) -> Result<Scalar, Trap> {
        if let Some(scalar) = self.known[id.0] {
            return Ok(scalar);
        }
        let nest = self.nest;
        let scalar = match &nest.nodes[id.0] {
            Node::Read { operand, at } => self.read(*operand, at)?,
            Node::Constant(tensor) => tensor.scalar_at(0),
            Node::Index(form) => Scalar::Int(form.at(&self.vars)),
            Node::Primitive(prim, operands) => {
                let operands: Result<Vec<Scalar>, Trap> =
                    operands.iter().map(|operand| self.node(*operand)).collect();
                prim.apply(&operands?)
            }
            Node::Within { ranges, then, otherwise } => {
                let inside = ranges.iter().all(|(form, lo, hi)| (*lo..*hi).contains(&form.at(&self.vars)));
                self.node(if inside { *then } else { *otherwise })?
            }
        };
        self.known[id.0] = Some(scalar);
        Ok(scalar)
    }

    fn read(&mut self, operand: usize, at: &[At]) -> Result<Scalar, Trap> {
        let mut index = Vec::new();
        for (at, size) in at.iter().zip(&self.operands[operand].sizes) {
            index.push(match at {
                At::Affine(form) => {
                    let place = form.at(&self.vars);
                    usize::try_from(place).expect("affine indices are in range")
                }
                At::Computed(node) => match self.node(*node)? {
                    Scalar::Int(place) => Trap::place(place, *size)?,
                    Scalar::Real(_) | Scalar::Bool(_) => panic!("indices are integers"),
                },
            });
        }
        Ok(self.operands[operand].at(&index))
    }
}

/// The kind of a node's value.
fn node_elem(nest: &Nest, id: NodeId, operands: &[&Tensor]) -> Elem {
    match &nest.nodes[id.0] {
        Node::Read { operand, .. } => operands[*operand].elem(),
        Node::Constant(tensor) => tensor.elem(),
        Node::Index(_) => Elem::Int,
        Node::Primitive(prim, inner) => match prim.signature().1 {
            Kind::Real => Elem::Real,
            Kind::Int => Elem::Int,
            Kind::Bool => Elem::Bool,
            Kind::Number | Kind::Any => {
                let last = inner[inner.len() - 1];
                node_elem(nest, last, operands)
            }
        },
        Node::Within { then, .. } => node_elem(nest, *then, operands),
    }
}
