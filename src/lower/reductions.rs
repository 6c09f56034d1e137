//! Reductions: of arrays over all entries, of generators over their indices only.

use super::generators::{Source, seeds};
use super::value::{Argument, Res, Scope, Val};
use super::{Lower, errors};
use crate::diag::Span;
use crate::ir::{Custom, Dim, Elem, Fold, Op, Tangents, Tensor, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{Arg, ArgValue, ExprKind};
use std::sync::Arc;

/// The reductions of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// From 0.
    Sum,
    /// Sum over count.
    Mean,
    /// From 1.
    Prod,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// Conjunction.
    All,
    /// Disjunction.
    Any,
    /// `log(sum(exp(x)))` without overflow.
    LogSumExp,
    /// The element, or index, of the greatest.
    ArgMax,
    /// The element, or index, of the least.
    ArgMin,
}

impl Lower<'_> {
    /// `sum(e for p in S)` and its kin.
    pub(crate) fn reduction_call(
        &mut self,
        what: Reduction,
        scope: &Scope,
        args: &[Arg],
        span: Span,
    ) -> Res<Val> {
        let [Arg { name: None, value: ArgValue::Generator(g, g_span) }] = args else {
            let args = self.arguments(scope, args)?;
            return self.reduction(what, args, span);
        };
        if let Some(by) = &g.by {
            return self.fail(errors::not_yet(by.span, "`by`"));
        }
        let draws = g.bindings.iter().find(|b| b.draw);
        if let Some(draw) = draws {
            return self.fail(errors::draw_outside_expect(draw.source.span));
        }
        let lists = g.bindings.iter().any(|b| matches!(&*b.source.kind, ExprKind::Name(_)));
        if (lists && self.over_list(scope, g)) || self.solves(scope, g) || seeds(g) {
            return self.reduce_list(what, scope, g, span);
        }
        let Some(bulk) = self.bulk_or_sizes(scope, g, *g_span, true)? else {
            return self.reduce_list(what, scope, g, span);
        };
        if matches!(what, Reduction::ArgMax | Reduction::ArgMin) {
            return self.arg_of(what, bulk, span);
        }
        let axes: Vec<usize> = (0..bulk.dims.len()).collect();
        let leaves = bulk.value.leaves().ok_or(super::Poisoned)?;
        let mut out = Vec::new();
        for leaf in &leaves {
            out.push(self.reduce_leaf(what, leaf, &axes, bulk.mask.as_ref(), span)?);
        }
        let shape = match &bulk.value {
            Val::Record(record) => Val::record(record.fields.clone()),
            other => other.clone(),
        };
        Ok(shape.rebuild(&mut out.into_iter()))
    }

    fn over_list(&mut self, scope: &Scope, g: &crate::syntax::ast::Generator) -> bool {
        let reports = self.reports.len();
        let found = g.bindings.iter().any(|b| match self.expr(scope, &b.source) {
            Ok(val) => matches!(val, Val::List(_) | Val::Strs(_)),
            Err(_) => false,
        });
        self.reports.truncate(reports);
        found
    }

    /// A reduction over compile-time values: one after the other.
    fn reduce_list(
        &mut self,
        what: Reduction,
        scope: &Scope,
        g: &crate::syntax::ast::Generator,
        span: Span,
    ) -> Res<Val> {
        let (vals, _) = self.unrolled(scope, g, span)?;
        let all = self.stack(vals, &[], span)?;
        if matches!(what, Reduction::ArgMax | Reduction::ArgMin) && g.bindings.len() == 1 {
            let source = self.expr(scope, &g.bindings[0].source)?;
            let source = self.source(&source, g.bindings[0].source.span, false)?;
            let index = self.arg_reduce(what, &all, 0, span)?;
            return match source {
                Source::Range { lo, .. } => self.arith("add", (&lo, span), (&index, span), span),
                Source::List(_) => Ok(index),
                source => self.source_at(&source, &index, span),
            };
        }
        match all {
            Val::List(_) | Val::Record(_) => {
                self.fail(errors::generator_of_values(g.body.span, &all.describe()))
            }
            all => self.reduce_leaf(what, &all, &[0], None, span),
        }
    }

    /// The least or greatest of two integers that may be dimensions; of unknown ones, where only
    /// shapes are checked, one that may equal anything.
    fn lesser_or_greater(&mut self, what: Reduction, x: &Dim, y: &Dim) -> Option<Dim> {
        let least = match what {
            Reduction::Min => true,
            Reduction::Max => false,
            _ => return None,
        };
        match (x.known(), y.known()) {
            (Some(x), Some(y)) => Some(Dim::Known(if least { x.min(y) } else { x.max(y) })),
            _ if self.symbolic => {
                self.next_unit += 1;
                Some(Dim::name(&format!("_{}", self.next_unit)))
            }
            _ => None,
        }
    }

    /// The reduction of a value: all entries, or the larger of two.
    pub(crate) fn reduction(&mut self, what: Reduction, args: Vec<Argument>, span: Span) -> Res<Val> {
        if let Some(given) = args.iter().find_map(|arg| arg.name.clone()) {
            return self.fail(errors::reduction_axis(given.span, what.name(), &given.name));
        }
        if let ([a, b], Some(name)) = (args.as_slice(), two_sided(what)) {
            if let (Val::Int(x), Val::Int(y)) = (&a.value, &b.value)
                && let Some(dim) = self.lesser_or_greater(what, x, y)
            {
                return Ok(Val::Int(dim));
            }
            return self.apply(name, &[(&a.value, a.span), (&b.value, b.span)], span);
        }
        let [arg] = args.as_slice() else {
            return self.fail(errors::reduction_arguments(span, what.name(), args.len()));
        };
        let value = match &arg.value {
            Val::Range(..) => {
                let source = self.source(&arg.value, arg.span, false)?;
                self.range_array(&source, arg.span)?
            }
            Val::List(items) => {
                // Arrays of different sizes: reduce each, then the results.
                if matches!(what, Reduction::ArgMax | Reduction::ArgMin | Reduction::Mean) {
                    return self.fail(errors::expected_array(arg.span, &arg.value.describe()));
                }
                let mut parts = Vec::new();
                for item in items.iter() {
                    let part = Argument { name: None, value: item.clone(), span: arg.span };
                    parts.push(self.reduction(what, vec![part], span)?);
                }
                self.stack(parts, &[], span)?
            }
            other => other.clone(),
        };
        let Some(leaves) = value.leaves() else {
            return self.fail(errors::expected_array(arg.span, &value.describe()));
        };
        if matches!(what, Reduction::ArgMax | Reduction::ArgMin) {
            let flat = self.flatten(&value, arg.span)?;
            return self.arg_reduce(what, &flat, 0, span);
        }
        if leaves.len() > 1 {
            let flat = self.flatten(&value, arg.span)?;
            return self.reduce_leaf(what, &flat, &[0], None, span);
        }
        let Some(leaf) = leaves.first() else {
            return self.fail(errors::expected_array(arg.span, &value.describe()));
        };
        let rank = leaf.ty().map_or(0, |ty| ty.rank());
        let axes: Vec<usize> = (0..rank).collect();
        self.reduce_leaf(what, leaf, &axes, None, span)
    }

    /// Reduces the axes of one array; `mask` says which of the leading elements count.
    fn reduce_leaf(
        &mut self,
        what: Reduction,
        leaf: &Val,
        axes: &[usize],
        mask: Option<&Val>,
        span: Span,
    ) -> Res<Val> {
        let ty = leaf.ty().ok_or(super::Poisoned)?;
        let logical = matches!(what, Reduction::All | Reduction::Any);
        if logical != (ty.elem == Elem::Bool) {
            if logical {
                return self.fail(errors::wrong_elem(span, "bool", &ty.to_string()));
            }
            // Where a number is wanted in a reduction, true counts as 1.
            let want = if what == Reduction::Sum { Elem::Int } else { Elem::Real };
            let numbers = self.cast(leaf, want, span)?;
            return self.reduce_leaf(what, &numbers, axes, mask, span);
        }
        let real = matches!(what, Reduction::Mean | Reduction::LogSumExp);
        let leaf = if real { self.cast_real(leaf, span)? } else { leaf.clone() };
        let ty = leaf.ty().ok_or(super::Poisoned)?;
        let empty = axes.iter().any(|a| ty.dims[*a].known() == Some(0));
        if empty && matches!(what, Reduction::Max | Reduction::Min | Reduction::Mean) {
            return self.fail(errors::empty_reduction(span, what.name()));
        }
        let fold = what.fold();
        let masked = match mask {
            Some(mask) => self.masked(&leaf, mask, fold, span)?,
            None => leaf,
        };
        match what {
            Reduction::Mean => {
                let sum = self.fold(Fold::Sum, &masked, axes, span)?;
                let count = match mask {
                    Some(mask) => {
                        let ones = self.cast(mask, Elem::Real, span)?;
                        self.fold(Fold::Sum, &ones, axes, span)?
                    }
                    None => {
                        let count = axes
                            .iter()
                            .try_fold(Dim::Known(1), |p, a| p.mul(&ty.dims[*a]))
                            .ok_or(super::Poisoned)?;
                        self.cast_real(&Val::Int(count), span)?
                    }
                };
                self.divide((&sum, span), (&count, span), span)
            }
            Reduction::LogSumExp => self.logsumexp(&masked, axes, span),
            _ => self.fold(fold, &masked, axes, span),
        }
    }

    /// Elements that do not count become the neutral element of the fold.
    fn masked(&mut self, leaf: &Val, mask: &Val, fold: Fold, span: Span) -> Res<Val> {
        let ty = leaf.ty().ok_or(super::Poisoned)?;
        let neutral = match (fold, ty.elem) {
            (Fold::Sum, Elem::Real) => Val::real(0.0),
            (Fold::Prod, Elem::Real) => Val::real(1.0),
            (Fold::Max, Elem::Real) => Val::real(f64::NEG_INFINITY),
            (Fold::Min, Elem::Real) => Val::real(f64::INFINITY),
            (Fold::Sum, _) => Val::int(0),
            (Fold::Prod, _) => Val::int(1),
            (Fold::Max, _) => Val::int(i64::MIN),
            (Fold::Min, _) => Val::int(i64::MAX),
            (Fold::All, _) => Val::bool(true),
            (Fold::Any, _) => Val::bool(false),
        };
        let rank = mask.ty().map_or(0, |ty| ty.rank());
        let m = self.value(mask, span)?;
        let axes: Vec<usize> = (0..rank).collect();
        self.build().at(span);
        let wide = self.build().broadcast(m, &ty.dims, &axes);
        let wide = self.wrap(wide);
        self.apply("where", &[(&wide, span), (leaf, span), (&neutral, span)], span)
    }

    /// Folds axes of an array.
    pub(crate) fn fold(&mut self, fold: Fold, leaf: &Val, axes: &[usize], span: Span) -> Res<Val> {
        let value = self.value(leaf, span)?;
        self.build().at(span);
        let value = self.build().reduce(fold, value, axes);
        Ok(self.wrap(value))
    }

    /// `m + log(sum(exp(x - m)))` with the maximum `m` as a constant.
    fn logsumexp(&mut self, leaf: &Val, axes: &[usize], span: Span) -> Res<Val> {
        let ty = leaf.ty().ok_or(super::Poisoned)?;
        let max = self.fold(Fold::Max, leaf, axes, span)?;
        let finite = self.apply("is_finite", &[(&max, span)], span)?;
        let max = self.apply("where", &[(&finite, span), (&max, span), (&Val::real(0.0), span)], span)?;
        let max = self.constant(&max, span)?;
        let kept: Vec<usize> = (0..ty.rank()).filter(|a| !axes.contains(a)).collect();
        let m = self.value(&max, span)?;
        self.build().at(span);
        let wide = self.build().broadcast(m, &ty.dims, &kept);
        let wide = self.wrap(wide);
        let shifted = self.apply("sub", &[(leaf, span), (&wide, span)], span)?;
        let grown = self.apply("exp", &[(&shifted, span)], span)?;
        let sum = self.fold(Fold::Sum, &grown, axes, span)?;
        let log = self.apply("log", &[(&sum, span)], span)?;
        self.apply("add", &[(&max, span), (&log, span)], span)
    }

    /// `constant(e)`: a function whose derivative has no results, which means zero.
    pub(crate) fn constant(&mut self, val: &Val, span: Span) -> Res<Val> {
        let Some(leaves) = val.leaves() else {
            return self.fail(errors::expected_array(span, &val.describe()));
        };
        let mut out = Vec::new();
        for leaf in leaves {
            let ty = leaf.ty().ok_or(super::Poisoned)?;
            if ty.elem != Elem::Real || matches!(leaf, Val::Known(_)) {
                out.push(leaf);
                continue;
            }
            let value = self.value(&leaf, span)?;
            self.open("constant", span);
            let x = self.param(ty.clone());
            let function = self.close(&[x], span)?.function;
            self.open("d constant", span);
            let _ = self.param(ty.clone());
            let _ = self.param(ty.clone());
            let tangent = self.close(&[], span)?.function;
            let op = Op::Custom(Arc::new(Custom { function, tangents: Tangents::Stated(tangent) }));
            out.extend(self.emit_op(op, vec![value], vec![ty], span));
        }
        Ok(val.rebuild(&mut out.into_iter()))
    }

    /// The index of the greatest or least along an axis.
    fn arg_reduce(&mut self, what: Reduction, val: &Val, axis: usize, span: Span) -> Res<Val> {
        let ty = val.ty().ok_or(super::Poisoned)?;
        if ty.dims.get(axis).and_then(Dim::known) == Some(0) {
            return self.fail(errors::empty_reduction(span, what.name()));
        }
        let val = if ty.elem == Elem::Bool { self.cast(val, Elem::Real, span)? } else { val.clone() };
        let value = self.value(&val, span)?;
        self.build().at(span);
        let value = self.build().arg_reduce(what == Reduction::ArgMax, value, axis);
        let result = self.wrap(value);
        if let Some(n) = ty.dims.get(axis).and_then(Dim::known) {
            let fact = super::stage::IntFact { lo: Some(0), hi: Some(n - 1), ..Default::default() };
            self.learn(&result, fact);
        }
        Ok(result)
    }

    /// `argmin(e for x in S)`: the element of S.
    fn arg_of(&mut self, what: Reduction, bulk: super::generators::Bulk, span: Span) -> Res<Val> {
        let value = match &bulk.mask {
            Some(mask) => {
                let real = self.cast_real(&bulk.value, span)?;
                let fold = if what == Reduction::ArgMax { Fold::Max } else { Fold::Min };
                self.masked(&real, mask, fold, span)?
            }
            None => bulk.value.clone(),
        };
        let Some(ty) = value.ty() else {
            return self.fail(errors::expected_array(span, &value.describe()));
        };
        if ty.rank() != bulk.dims.len() {
            return self.fail(errors::arg_of_arrays(span, &ty.to_string()));
        }
        let flat = self.flatten(&value, span)?;
        let mut index = self.arg_reduce(what, &flat, 0, span)?;
        let mut picks = Vec::new();
        for (k, source) in bulk.sources.iter().enumerate().rev() {
            let own = if k == 0 {
                index.clone()
            } else {
                let len = Val::Int(bulk.dims[k].clone());
                let own = self.int_divide("int_mod", (&index, span), (&len, span), span)?;
                index = self.int_divide("int_div", (&index, span), (&len, span), span)?;
                own
            };
            let own = self.row_index(source, own, span)?;
            picks.push(self.source_at(source, &own, span)?);
        }
        picks.reverse();
        Ok(if picks.len() == 1 { picks.remove(0) } else { Val::tuple(picks) })
    }

    /// The place of a row whose texts are wanted too is computed now, where that can be done.
    fn row_index(&mut self, source: &Source, index: Val, span: Span) -> Res<Val> {
        let Source::Table { record, .. } = source else { return Ok(index) };
        let texts = record.fields.iter().any(|(_, column)| matches!(column, Val::Strs(_)));
        if !texts || self.level() > 0 || self.symbolic {
            return Ok(index);
        }
        if !self.host.options().execute {
            return Ok(Val::int(0));
        }
        let known = self.force(&index, span)?;
        Ok(super::stage::known(&known))
    }

    /// All entries of a value as one vector.
    pub(crate) fn flatten(&mut self, val: &Val, span: Span) -> Res<Val> {
        let Some(leaves) = val.leaves() else {
            return self.fail(errors::not_a_vector(span, &val.describe()));
        };
        let real = leaves.iter().any(|l| l.ty().is_some_and(|t| t.elem == Elem::Real));
        let mut parts = Vec::new();
        for leaf in &leaves {
            let leaf = if real { self.cast_real(leaf, span)? } else { leaf.clone() };
            let ty: Ty = leaf.ty().ok_or(super::Poisoned)?;
            let count = ty.entries().ok_or(super::Poisoned)?;
            let value = self.value(&leaf, span)?;
            self.build().at(span);
            parts.push(self.build().reshape(value, &[count]));
        }
        if parts.is_empty() {
            return Ok(Val::Known(Tensor::real(&[0], Vec::new())));
        }
        self.build().at(span);
        let value = self.build().concat(&parts, 0);
        Ok(self.wrap(value))
    }
}

impl Reduction {
    /// What users call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Mean => "mean",
            Reduction::Prod => "prod",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::All => "all",
            Reduction::Any => "any",
            Reduction::LogSumExp => "logsumexp",
            Reduction::ArgMax => "argmax",
            Reduction::ArgMin => "argmin",
        }
    }

    fn fold(self) -> Fold {
        match self {
            Reduction::Sum | Reduction::Mean => Fold::Sum,
            Reduction::Prod => Fold::Prod,
            Reduction::Max | Reduction::LogSumExp | Reduction::ArgMax => Fold::Max,
            Reduction::Min | Reduction::ArgMin => Fold::Min,
            Reduction::All => Fold::All,
            Reduction::Any => Fold::Any,
        }
    }
}

fn two_sided(what: Reduction) -> Option<&'static str> {
    match what {
        Reduction::Max => Some("maximum"),
        Reduction::Min => Some("minimum"),
        Reduction::Sum
        | Reduction::Mean
        | Reduction::Prod
        | Reduction::All
        | Reduction::Any
        | Reduction::LogSumExp
        | Reduction::ArgMax
        | Reduction::ArgMin => None,
    }
}
