//! Derivatives: `grad(f)` and its kin make functions whose code is differentiated by a pass.

use std::rc::Rc;
use std::sync::Arc;

use super::value::{Argument, Function, Native, NativeCall, Res, Role, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Diff, Elem, Op, Ty};
use crate::ops::Emit;
use crate::syntax::ast::Pattern;

/// A function under differentiation, as code: its leaves, result and captures.
pub(super) struct Traced {
    /// The function, its leaves marked.
    pub(super) diff: Diff,
    operands: Vec<crate::ir::Value>,
    results: Vec<Ty>,
    /// What it gives.
    pub(super) shape: Val,
    counted: usize,
}

impl Lower<'_> {
    /// `grad(f)`, `value_and_grad(f)`: of a scalar function in its first argument, or in those named.
    pub(crate) fn gradient(&mut self, f: Val, wrt: Vec<Arc<str>>, with_value: bool, _span: Span) -> Res<Val> {
        if let Val::Function(function) = &f
            && let Function::Native(Native { role: Role::Problem(problem), .. }) = &**function
        {
            let problem = problem.clone();
            let call: NativeCall = Rc::new(move |lower, args, span| {
                let point = lower.one_argument("grad(f)", args, span)?;
                let (value, gradient) = lower.problem_gradient(&problem, &point, span)?;
                Ok(if with_value { Val::tuple(vec![value, gradient]) } else { gradient })
            });
            return Ok(Val::native("grad(f)", call));
        }
        let call: NativeCall = Rc::new(move |lower, args, span| {
            let active = lower.active_args(&f, &args, &wrt, span)?;
            let (value, cotangents) = lower.reverse(&f, args, &active, None, span)?;
            let gradient = one_or_tuple(cotangents);
            Ok(if with_value { Val::tuple(vec![value, gradient]) } else { gradient })
        });
        Ok(Val::native("grad", call))
    }

    /// The value, and the cotangents of the active arguments, given by their places.
    pub(crate) fn reverse(
        &mut self,
        f: &Val,
        args: Vec<Argument>,
        active: &[usize],
        cotangent: Option<&Val>,
        span: Span,
    ) -> Res<(Val, Vec<Val>)> {
        let args = self.real_args(args, active, span)?;
        let traced = self.traced(f, &args, active, span)?;
        self.warn_of_lost_arguments(f, (&traced, &args, active), span);
        let reals: Vec<Ty> = traced.results.iter().filter(|ty| ty.elem == Elem::Real).cloned().collect();
        let seeds = match cotangent {
            None => {
                let scalar = matches!(reals.as_slice(), [ty] if ty.rank() == 0)
                    && traced.results.len() == 1 + traced.counted;
                if !scalar {
                    return self.fail(errors::grad_of_array(span, &traced.shape.describe()));
                }
                vec![self.build().real(1.0)]
            }
            Some(u) => {
                let leaves = u.leaves().ok_or(super::Poisoned)?;
                let mut seeds = Vec::new();
                for leaf in &leaves {
                    let leaf = self.cast_real(leaf, span)?;
                    seeds.push(self.value(&leaf, span)?);
                }
                let same = seeds.len() == reals.len()
                    && seeds
                        .iter()
                        .zip(&reals)
                        .all(|(v, ty)| super::arith::same_dims(&self.build().ty(*v).dims.clone(), &ty.dims));
                if !same {
                    return self.fail(errors::records_differ(span, &u.describe(), &traced.shape.describe()));
                }
                seeds
            }
        };
        let mut operands = traced.operands.clone();
        operands.extend(seeds);
        let mut types = traced.results.clone();
        let diff = traced.diff;
        types.extend(
            diff.function
                .params
                .iter()
                .zip(&diff.active)
                .filter(|(_, on)| **on)
                .map(|(p, _)| diff.function.ty(*p).clone()),
        );
        let results = self.emit_op(Op::Vjp(Arc::new(diff)), operands, types, span);
        let (values, cotangents) = results.split_at(traced.results.len());
        let values = self.settle_effects(values, traced.counted, span)?;
        let value = traced.shape.rebuild(&mut values.into_iter());
        let mut cotangents = cotangents.iter().cloned();
        let gradients = active.iter().map(|at| args[*at].value.rebuild(&mut cotangents)).collect();
        Ok((value, gradients))
    }

    /// The places of the arguments that are differentiated, in the order in which they are named;
    /// the first one if none is.
    pub(super) fn active_args(
        &mut self,
        f: &Val,
        args: &[Argument],
        wrt: &[Arc<str>],
        span: Span,
    ) -> Res<Vec<usize>> {
        if args.is_empty() {
            return self.fail(errors::argument_count(span, "this derivative", 1, 0));
        }
        if wrt.is_empty() {
            return Ok(vec![0]);
        }
        let (called, names) = signature(f);
        let mut next = 0;
        let mut given: Vec<Option<Arc<str>>> = Vec::new();
        for arg in args {
            given.push(match &arg.name {
                Some(name) => Some(name.name.clone()),
                None => {
                    next += 1;
                    names.get(next - 1).cloned()
                }
            });
        }
        let mut places = Vec::new();
        for name in wrt {
            let known: Vec<&str> = names.iter().map(|n| &**n).collect();
            match given.iter().position(|n| n.as_ref() == Some(name)) {
                Some(place) => places.push(place),
                None if names.contains(name) => {
                    return self.fail(errors::missing_arguments(span, &called, &[&**name], false));
                }
                None => return self.fail(errors::unknown_argument(span, &called, name, &known)),
            }
        }
        Ok(places)
    }

    /// Active arguments are real.
    pub(super) fn real_args(
        &mut self,
        mut args: Vec<Argument>,
        active: &[usize],
        span: Span,
    ) -> Res<Vec<Argument>> {
        for at in active {
            let arg = &mut args[*at];
            let Some(leaves) = arg.value.leaves() else {
                return self.fail(errors::not_a_vector(arg.span, &arg.value.describe()));
            };
            let leaves = leaves.iter().map(|leaf| self.cast_real(leaf, span)).collect::<Res<Vec<Val>>>()?;
            arg.value = arg.value.rebuild(&mut leaves.into_iter());
        }
        Ok(args)
    }

    /// The function as code in its active arguments.
    pub(super) fn traced(&mut self, f: &Val, args: &[Argument], active: &[usize], span: Span) -> Res<Traced> {
        let mut operands = Vec::new();
        let mut types = Vec::new();
        for at in active {
            for leaf in args[*at].value.leaves().unwrap_or_default() {
                operands.push(self.value(&leaf, args[*at].span)?);
                types.push(leaf.ty().ok_or(super::Poisoned)?);
            }
        }
        let memo = std::mem::take(&mut self.memo);
        let effects: Vec<Val> = self.effects.iter().map(|c| c.borrow().clone()).collect();
        self.open("f", span);
        for cell in &self.effects {
            *cell.borrow_mut() = Val::int(0);
        }
        let params: Vec<Val> = types.iter().map(|ty| self.param(ty.clone())).collect();
        let mut params = params.into_iter();
        let mut inner = args.to_vec();
        for at in active {
            inner[*at].value = args[*at].value.rebuild(&mut params);
        }
        let result = self.call(f, inner, span);
        self.memo = memo;
        let counted: Vec<Val> = self.effects.iter().map(|c| c.borrow().clone()).collect();
        for (cell, val) in self.effects.iter().zip(&effects) {
            *cell.borrow_mut() = val.clone();
        }
        let leaves = result.and_then(|val| {
            let Some(leaves) = val.leaves() else {
                return self.fail(errors::grad_of_array(span, &val.describe()));
            };
            // A constant result is a real that depends on nothing.
            let leaves: Vec<Val> =
                leaves
                    .iter()
                    .map(|leaf| {
                        if matches!(leaf, Val::Int(_)) {
                            self.cast_real(leaf, span)
                        } else {
                            Ok(leaf.clone())
                        }
                    })
                    .collect::<Res<_>>()?;
            Ok((val, leaves))
        });
        let (shape, mut leaves) = match leaves {
            Ok(found) => found,
            Err(poisoned) => {
                self.abandon();
                return Err(poisoned);
            }
        };
        let count = counted.len();
        leaves.extend(counted);
        let closed = self.close(&leaves, span)?;
        operands.extend(&closed.captures);
        let mut on = vec![true; types.len()];
        on.resize(closed.function.params.len(), false);
        let results = closed.function.result_types();
        let diff = Diff { function: closed.function, active: on };
        Ok(Traced { diff, operands, results, shape, counted: count })
    }

    /// Takes the counters off the end of results and adds them to those around.
    fn settle_effects(&mut self, results: &[Val], counted: usize, span: Span) -> Res<Vec<Val>> {
        let (values, counts) = results.split_at(results.len() - counted);
        let cells = self.effects.clone();
        for (cell, count) in cells.iter().zip(counts) {
            let old = cell.borrow().clone();
            let new = self.arith("add", (&old, span), (count, span), span)?;
            *cell.borrow_mut() = new;
        }
        Ok(values.to_vec())
    }

    /// `jvp(f, x, v)`: the derivative of f at x in the direction v.
    pub(crate) fn forward(&mut self, f: &Val, x: &Argument, v: &Argument, span: Span) -> Res<(Val, Val)> {
        self.forward_in(f, vec![x.clone()], 0, v, span)
    }

    /// The value, and the derivative in a direction of one argument.
    pub(super) fn forward_in(
        &mut self,
        f: &Val,
        args: Vec<Argument>,
        at: usize,
        v: &Argument,
        span: Span,
    ) -> Res<(Val, Val)> {
        let args = self.real_args(args, &[at], span)?;
        let traced = self.traced(f, &args, &[at], span)?;
        self.warn_of_lost_arguments(f, (&traced, &args, &[at]), span);
        let x = &args[at];
        let (Some(directions), Some(points)) = (v.value.leaves(), x.value.leaves()) else {
            return self.fail(errors::not_a_vector(v.span, &v.value.describe()));
        };
        if directions.len() != points.len() {
            return self.fail(errors::records_differ(span, &x.value.describe(), &v.value.describe()));
        }
        let mut operands = traced.operands.clone();
        for (leaf, point) in directions.iter().zip(&points) {
            let leaf = self.cast_real(leaf, v.span)?;
            let (a, b) = (point.ty().ok_or(super::Poisoned)?, leaf.ty().ok_or(super::Poisoned)?);
            self.require_dims((&a, x.span), (&b, v.span), span)?;
            operands.push(self.value(&leaf, v.span)?);
        }
        let mut types = traced.results.clone();
        types.extend(traced.results.iter().filter(|ty| ty.elem == Elem::Real).cloned());
        let count = traced.results.len();
        let results = self.emit_op(Op::Jvp(Arc::new(traced.diff)), operands, types, span);
        let (values, tangents) = results.split_at(count);
        let values = self.settle_effects(values, traced.counted, span)?;
        let value = traced.shape.rebuild(&mut values.into_iter());
        let mut tangents = tangents.iter().cloned();
        let zero_or = |lower: &mut Self, leaf: &Val, tangents: &mut dyn Iterator<Item = Val>| -> Res<Val> {
            let ty = leaf.ty().ok_or(super::Poisoned)?;
            if ty.elem == Elem::Real {
                return tangents.next().ok_or(super::Poisoned);
            }
            let zero = lower.build().zeros(&ty.with_elem(Elem::Real));
            Ok(lower.wrap(zero))
        };
        let mut out = Vec::new();
        for leaf in value.leaves().unwrap_or_default() {
            out.push(zero_or(self, &leaf, &mut tangents)?);
        }
        let tangent = value.rebuild(&mut out.into_iter());
        Ok((value, tangent))
    }

    /// `vjp(f, x, u)`: the transposed derivative of f at x applied to u.
    pub(crate) fn backward(&mut self, f: &Val, x: &Argument, u: &Val, span: Span) -> Res<Val> {
        let (_, cotangents) = self.reverse(f, vec![x.clone()], &[0], Some(u), span)?;
        cotangents.into_iter().next().ok_or(super::Poisoned)
    }

    /// `hvp(f, x, v)`: the Hessian of f at x times v.
    pub(crate) fn hessian_vector(&mut self, f: &Val, x: &Argument, v: &Argument, span: Span) -> Res<Val> {
        if let Val::Function(function) = f
            && let Function::Native(Native { role: Role::Problem(problem), .. }) = &**function
        {
            let problem = problem.clone();
            return self.problem_hvp(&problem, x, v, span);
        }
        let gradient = self.gradient(f.clone(), Vec::new(), false, span)?;
        self.forward(&gradient, x, v, span).map(|(_, tangent)| tangent)
    }

    /// The only argument of a derivative.
    pub(crate) fn one_argument(&mut self, name: &str, args: Vec<Argument>, span: Span) -> Res<Argument> {
        let count = args.len();
        match args.into_iter().next() {
            Some(arg) if count == 1 => Ok(arg),
            _ => self.fail(errors::argument_count(span, name, 1, count)),
        }
    }
}

/// What a function is called, and the names that `wrt` may name.
pub(super) fn signature(f: &Val) -> (Arc<str>, Vec<Arc<str>>) {
    let Val::Function(function) = f else { return (Arc::from("the objective"), Vec::new()) };
    match &**function {
        Function::User { decl, .. } => {
            (decl.name.name.clone(), decl.params.iter().map(|p| p.name.name.clone()).collect())
        }
        Function::Lambda { params, .. } => {
            let name = |p: &Pattern| match p {
                Pattern::Name(name) => name.name.clone(),
                _ => Arc::from("_"),
            };
            (Arc::from("x -> …"), params.iter().map(name).collect())
        }
        _ => (Arc::from("the function"), Vec::new()),
    }
}

/// The only value, or all as a tuple.
pub(super) fn one_or_tuple(mut values: Vec<Val>) -> Val {
    if values.len() == 1 { values.remove(0) } else { Val::tuple(values) }
}
