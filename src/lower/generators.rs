//! Generators: what they range over, and arrays and reductions made of them.

use std::rc::Rc;
use std::sync::Arc;

use super::expr::known_bool;
use super::stage::IntFact;
use super::value::{Cell, Record, Res, Scope, Val};
use super::walk::pattern_names;
use super::{Lower, errors, walk};
use crate::diag::{Report, Span};
use crate::ir::{Dim, Elem, Map, Op, Ty};
use crate::syntax::ast::{ArgValue, ExprKind, Generator};

/// A generator over sizes is unrolled for at most so many.
const SIZES: usize = 100;

/// What a generator or loop ranges over.
#[derive(Clone)]
pub(crate) enum Source {
    /// `lo..lo+len`
    Range { lo: Val, len: Dim },
    /// A range whose ends are known only at run time: the first `len` integers from `lo` on
    /// cover it, and `from <= i < to` holds for those in it.
    Dynamic { lo: i64, len: Dim, from: Val, to: Val },
    /// The elements along the first dimension of an array.
    Rows { array: Val, len: Dim },
    /// The rows of a table.
    Table { record: Rc<Record>, len: Dim },
    /// Several at once.
    Parallel { parts: Vec<Source>, len: Dim },
    /// A list of compile-time values: always unrolled.
    List(Rc<Vec<Val>>),
}

/// The value of a generator under a reduction.
pub(crate) struct Bulk {
    /// One array per leaf of the body, with a leading dimension per binding.
    pub value: Val,
    /// Which elements count, with the same leading dimensions; `None` is all.
    pub mask: Option<Val>,
    /// The leading dimensions.
    pub dims: Vec<Dim>,
    /// What was ranged over, for `argmin`.
    pub sources: Vec<Source>,
}

impl Lower<'_> {
    /// What a value ranges over.
    pub(crate) fn source(&mut self, val: &Val, span: Span, dynamic: bool) -> Res<Source> {
        match val {
            Val::Range(lo, hi) => self.range_source(lo, hi, span, dynamic),
            Val::Staged(_) | Val::Known(_) => {
                let ty = val.ty().ok_or(super::Poisoned)?;
                match ty.dims.first() {
                    Some(len) => Ok(Source::Rows { array: val.clone(), len: len.clone() }),
                    None => self.fail(errors::not_a_collection(span, &val.describe())),
                }
            }
            Val::Record(record) if record.rows.is_some() => {
                let len = record.rows.clone().ok_or(super::Poisoned)?;
                Ok(Source::Table { record: record.clone(), len })
            }
            Val::Tuple(items) => {
                let parts =
                    items.iter().map(|item| self.source(item, span, false)).collect::<Res<Vec<Source>>>()?;
                let Some(first) = parts.first() else {
                    return self.fail(errors::not_a_collection(span, &val.describe()));
                };
                let len = self.source_len(first);
                for (part, item) in parts.iter().zip(items.iter()) {
                    let other = self.source_len(part);
                    if !super::arith::same_dims(std::slice::from_ref(&other), std::slice::from_ref(&len)) {
                        let (a, b) = (items[0].describe(), item.describe());
                        let lengths = (&*len.to_string(), &*other.to_string());
                        return self.fail(errors::parallel_lengths(span, &a, &b, lengths));
                    }
                }
                if parts.iter().any(|part| matches!(part, Source::List(_))) {
                    let count = len.known().unwrap_or(0);
                    let rows = (0..count)
                        .map(|k| {
                            let row = parts
                                .iter()
                                .map(|part| self.source_at(part, &Val::int(k), span))
                                .collect::<Res<Vec<Val>>>()?;
                            Ok(Val::tuple(row))
                        })
                        .collect::<Res<Vec<Val>>>()?;
                    return Ok(Source::List(Rc::new(rows)));
                }
                Ok(Source::Parallel { parts, len })
            }
            Val::List(items) => Ok(Source::List(items.clone())),
            Val::Strs(texts) => Ok(Source::List(Rc::new(texts.iter().map(|text| Val::text(text)).collect()))),
            Val::Poison => Err(super::Poisoned),
            Val::Int(_)
            | Val::Str(_)
            | Val::Record(_)
            | Val::Function(_)
            | Val::Optimizer(_)
            | Val::Objective(_)
            | Val::Fit(_)
            | Val::Members(_) => self.fail(errors::not_a_collection(span, &val.describe())),
        }
    }

    fn range_source(&mut self, lo: &Val, hi: &Val, span: Span, dynamic: bool) -> Res<Source> {
        if let (Val::Int(a), Val::Int(b)) = (lo, hi) {
            let len = b.sub(a).ok_or(super::Poisoned)?;
            let len = if len.known().is_some_and(|n| n < 0) { Dim::Known(0) } else { len };
            return Ok(Source::Range { lo: lo.clone(), len });
        }
        let (from, to) = (self.int_fact(lo), self.int_fact(hi));
        if from.base == to.base && from.base.is_some() {
            let len = Dim::Known((to.offset - from.offset).max(0));
            return Ok(Source::Range { lo: lo.clone(), len });
        }
        if self.symbolic {
            self.next_unit += 1;
            let len = Dim::name(&format!("_{}", self.next_unit));
            return Ok(Source::Dynamic { lo: 0, len, from: lo.clone(), to: hi.clone() });
        }
        match (from.lo, to.hi) {
            (Some(first), Some(end)) if dynamic => {
                let len = Dim::Known((end - first).max(0));
                Ok(Source::Dynamic { lo: first, len, from: lo.clone(), to: hi.clone() })
            }
            (Some(_), Some(_)) => self.fail(errors::range_varies(span)),
            _ => self.fail(errors::range_unbounded(span)),
        }
    }

    /// How many elements.
    pub(crate) fn source_len(&self, source: &Source) -> Dim {
        match source {
            Source::Range { len, .. }
            | Source::Dynamic { len, .. }
            | Source::Rows { len, .. }
            | Source::Table { len, .. }
            | Source::Parallel { len, .. } => len.clone(),
            Source::List(items) => Dim::from(items.len()),
        }
    }

    /// The element at an index.
    pub(crate) fn source_at(&mut self, source: &Source, index: &Val, span: Span) -> Res<Val> {
        match source {
            Source::Range { lo, .. } => self.arith("add", (lo, span), (index, span), span),
            Source::Dynamic { lo, .. } => self.arith("add", (&Val::int(*lo), span), (index, span), span),
            Source::Rows { array, .. } => self.take(array, index, span),
            Source::Table { record, .. } => self.table_row(record, index, span),
            Source::Parallel { parts, .. } => {
                let items =
                    parts.iter().map(|part| self.source_at(part, index, span)).collect::<Res<Vec<Val>>>()?;
                Ok(Val::tuple(items))
            }
            Source::List(items) => match index {
                Val::Int(Dim::Known(k)) => {
                    let at = usize::try_from(*k).ok();
                    at.and_then(|k| items.get(k)).cloned().ok_or(super::Poisoned)
                }
                _ => self.fail(errors::list_needs_known_index(span)),
            },
        }
    }

    /// Whether the element at an index of a dynamic range is in it.
    pub(crate) fn source_mask(&mut self, source: &Source, index: &Val, span: Span) -> Res<Val> {
        let Source::Dynamic { from, to, .. } = source else { return Ok(Val::bool(true)) };
        let (from, to) = (from.clone(), to.clone());
        let i = self.source_at(source, index, span)?;
        let above = self.compare("le", (&from, span), (&i, span), span)?;
        let below = self.compare("lt", (&i, span), (&to, span), span)?;
        self.both(&above, &below, span)
    }

    /// Conjunction, decided where one side is known.
    pub(crate) fn both(&mut self, a: &Val, b: &Val, span: Span) -> Res<Val> {
        match (known_bool(a), known_bool(b)) {
            (Some(false), _) | (_, Some(true)) => Ok(a.clone()),
            (Some(true), _) | (_, Some(false)) => Ok(b.clone()),
            (None, None) => self.apply("and", &[(a, span), (b, span)], span),
        }
    }

    /// The row of a table.
    fn table_row(&mut self, record: &Rc<Record>, index: &Val, span: Span) -> Res<Val> {
        let mut fields = Vec::new();
        for (name, column) in &record.fields {
            let cell = match column {
                // A text is never part of code: a row at a computed place has none.
                Val::Strs(_) if !matches!(index, Val::Int(_)) => {
                    self.left_out.push(name.clone());
                    continue;
                }
                Val::Strs(texts) => {
                    let k = self.static_int(index, span)?;
                    let text = usize::try_from(k).ok().and_then(|k| texts.get(k));
                    Val::text(text.map_or("", |text| text))
                }
                Val::Record(_) => {
                    let parts = self.source(column, span, false)?;
                    self.source_at(&parts, index, span)?
                }
                _ => self.take(column, index, span)?,
            };
            fields.push((name.clone(), cell));
        }
        Ok(Val::record(fields))
    }

    /// `[e for p in S, q in T]`: each binding adds a dimension.
    pub(crate) fn comprehension(&mut self, scope: &Scope, g: &Generator, span: Span) -> Res<Val> {
        if let Some(by) = &g.by {
            return self.fail(errors::not_yet(by.span, "`by`"));
        }
        if let Some(filter) = &g.filter {
            return self.fail(errors::filter_in_array(filter.span));
        }
        if self.must_unroll(scope, g)? {
            let (vals, shape) = self.unrolled(scope, g, span)?;
            return self.stack_shape(vals, &shape, span);
        }
        match self.bulk_or_sizes(scope, g, span, false)? {
            Some(bulk) => Ok(as_table(bulk)),
            None => {
                let (vals, shape) = self.unrolled(scope, g, span)?;
                self.stack_shape(vals, &shape, span)
            }
        }
    }

    /// The body of a generator for all elements at once; `None` where it has to know its elements, as sizes are known,
    /// and they are a few integers: then it is unrolled.
    pub(crate) fn bulk_or_sizes(
        &mut self,
        scope: &Scope,
        g: &Generator,
        span: Span,
        reduced: bool,
    ) -> Res<Option<Bulk>> {
        let (reports, level) = (self.reports.len(), self.level());
        let found = self.bulk(scope, g, 0, span, reduced);
        let unknown = |report: &Report| errors::is_about_knowledge(report.code);
        if found.is_ok() || self.reports.len() == reports || !self.reports[reports..].iter().all(unknown) {
            return found.map(Some);
        }
        let told = self.reports.split_off(reports);
        if !self.are_sizes(scope, g) {
            self.reports.truncate(reports);
            self.reports.extend(told);
            return found.map(Some);
        }
        self.reports.truncate(reports);
        self.abandon_to(level);
        Ok(None)
    }

    /// Whether a generator runs over a few known integers.
    fn are_sizes(&mut self, scope: &Scope, g: &Generator) -> bool {
        g.bindings.iter().all(|binding| match self.expr(scope, &binding.source) {
            Ok(Val::Known(t)) => t.elem() == Elem::Int && t.sizes.len() == 1 && t.len() <= SIZES,
            Ok(Val::Range(lo, hi)) => match (&*lo, &*hi) {
                (Val::Int(Dim::Known(a)), Val::Int(Dim::Known(b))) => {
                    b.checked_sub(*a).and_then(|n| usize::try_from(n).ok()).is_some_and(|n| n <= SIZES)
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Whether a generator is over compile-time values or solves something in its body.
    fn must_unroll(&mut self, scope: &Scope, g: &Generator) -> Res<bool> {
        if self.solves(scope, g) || seeds(g) {
            return Ok(true);
        }
        let mut inner = scope.clone();
        for binding in &g.bindings {
            // Later sources may depend on earlier elements; compile-time lists do not.
            let lists = match &*binding.source.kind {
                ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Array(_) | ExprKind::Tuple(_) => true,
                ExprKind::Range(..) | ExprKind::Call { .. } | ExprKind::Comprehension(_) => false,
                _ => true,
            };
            if !lists || binding.draw {
                super::blocks::poison(&mut inner, &binding.pattern);
                continue;
            }
            let reports = self.reports.len();
            let val = self.expr(&inner, &binding.source);
            self.reports.truncate(reports);
            if let Ok(val) = val
                && is_list(&val)
            {
                return Ok(true);
            }
            super::blocks::poison(&mut inner, &binding.pattern);
        }
        Ok(false)
    }

    /// The values of a generator, one after the other, and how many per binding.
    pub(crate) fn unrolled(
        &mut self,
        scope: &Scope,
        g: &Generator,
        span: Span,
    ) -> Res<(Vec<Val>, Vec<usize>)> {
        let mut vals = Vec::new();
        let mut shape = Vec::new();
        self.unroll_binding(scope, g, 0, &mut vals, &mut shape, span)?;
        Ok((vals, shape))
    }

    fn unroll_binding(
        &mut self,
        scope: &Scope,
        g: &Generator,
        at: usize,
        vals: &mut Vec<Val>,
        shape: &mut Vec<usize>,
        span: Span,
    ) -> Res<()> {
        let Some(binding) = g.bindings.get(at) else {
            if let Some(filter) = &g.filter {
                let c = self.condition(scope, filter)?;
                match known_bool(&c) {
                    Some(true) => {}
                    Some(false) => return Ok(()),
                    None => return self.fail(errors::filter_unknown(filter.span)),
                }
            }
            vals.push(self.expr(scope, &g.body)?);
            return Ok(());
        };
        if binding.draw {
            return self.fail(errors::not_yet(binding.source.span, "a draw in a generator"));
        }
        let source = self.expr(scope, &binding.source)?;
        let source = self.source(&source, binding.source.span, false)?;
        let Some(count) = self.source_len(&source).known() else {
            return self.fail(errors::unroll_unknown(span));
        };
        if shape.len() == at {
            shape.push(usize::try_from(count).unwrap_or(0));
        }
        for k in 0..count {
            let index = Val::int(k);
            let item = self.source_at(&source, &index, binding.source.span)?;
            let mut inner = scope.clone();
            self.bind(&mut inner, &binding.pattern, &item, binding.source.span)?;
            self.indices.push(index);
            let result = self.unroll_binding(&inner, g, at + 1, vals, shape, span);
            self.indices.pop();
            result?;
        }
        Ok(())
    }

    /// Stacks unrolled values: a flat table for records, nested dimensions for arrays.
    fn stack_shape(&mut self, vals: Vec<Val>, shape: &[usize], span: Span) -> Res<Val> {
        let records = vals.iter().any(|val| matches!(val, Val::Record(_) | Val::Str(_)));
        let count: usize = shape.iter().product();
        if records || shape.len() <= 1 || count != vals.len() {
            if !vals.is_empty() && vals.iter().all(|val| matches!(val, Val::Str(_))) {
                let text = |val: &Val| if let Val::Str(t) = val { t.to_string() } else { String::new() };
                return Ok(Val::Strs(Arc::new(vals.iter().map(text).collect())));
            }
            return self.stack(vals, &[], span);
        }
        let inner = shape[1..].iter().product::<usize>().max(1);
        let rows = vals
            .chunks(inner)
            .map(|chunk| self.stack_shape(chunk.to_vec(), &shape[1..], span))
            .collect::<Res<Vec<Val>>>()?;
        self.stack(rows, &[], span)
    }

    /// The body of a generator for all elements at once, from binding `at` on. Under a reduction
    /// (`reduced`) ranges may vary and a filter may follow.
    pub(crate) fn bulk(
        &mut self,
        scope: &Scope,
        g: &Generator,
        at: usize,
        span: Span,
        reduced: bool,
    ) -> Res<Bulk> {
        let Some(binding) = g.bindings.get(at) else { return self.bulk_body(scope, g, span) };
        if binding.draw {
            return self.fail(errors::draw_outside_expect(binding.source.span));
        }
        let value = self.expr(scope, &binding.source)?;
        let source = self.source(&value, binding.source.span, reduced)?;
        let len = self.source_len(&source);
        let mut inner = None;
        let both = self.map(&len, span, |lower, index| {
            let (guard, conditional) = (lower.guard.clone(), lower.conditional);
            let inside = lower.bulk_inside(scope, g, at, &source, index, span, reduced);
            lower.guard = guard;
            lower.conditional = conditional;
            let bulk = inside?;
            if !bulk.value.is_numeric() {
                return lower.fail(errors::generator_of_values(g.body.span, &bulk.value.describe()));
            }
            let parts = [bulk.value.clone()].into_iter().chain(bulk.mask.clone());
            let parts = Val::tuple(parts.collect());
            inner = Some(bulk);
            Ok(parts)
        })?;
        let (Val::Tuple(parts), Some(bulk)) = (&both, inner) else { return Err(super::Poisoned) };
        let types: Vec<Ty> = both.leaves().unwrap_or_default().iter().filter_map(Val::ty).collect();
        self.check_size(&types, span)?;
        let (value, mask) = (parts[0].clone(), parts.get(1).cloned());
        let mut dims = vec![len];
        dims.extend(bulk.dims);
        let mut sources = vec![source];
        sources.extend(bulk.sources);
        Ok(Bulk { value, mask, dims, sources })
    }

    /// The counters that are no longer zero, with what they have: what an element does not count needs no sum.
    pub(super) fn counted(&self) -> (Vec<Cell>, Vec<Val>) {
        let none = |val: &Val| matches!(val, Val::Int(Dim::Known(0)));
        let changed: Vec<Cell> = self.effects.iter().filter(|cell| !none(&cell.borrow())).cloned().collect();
        let counts = changed.iter().map(|cell| cell.borrow().clone()).collect();
        (changed, counts)
    }

    /// Adds what all elements counted to counters.
    pub(super) fn count_effects(&mut self, cells: &[Cell], counts: Vec<Val>, span: Span) -> Res<()> {
        for (cell, counts) in cells.iter().zip(counts) {
            let sum = self.fold(crate::ir::Fold::Sum, &counts, &[0], span)?;
            let old = cell.borrow().clone();
            let new = self.arith("add", (&old, span), (&sum, span), span)?;
            *cell.borrow_mut() = new;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one generator")]
    fn bulk_inside(
        &mut self,
        scope: &Scope,
        g: &Generator,
        at: usize,
        source: &Source,
        index: &Val,
        span: Span,
        reduced: bool,
    ) -> Res<Bulk> {
        let mask = self.source_mask(source, index, span)?;
        if known_bool(&mask).is_none() {
            self.guard = Some(match self.guard.clone() {
                Some(outer) => self.both(&outer, &mask, span)?,
                None => mask.clone(),
            });
            self.conditional += 1;
        }
        let binding = &g.bindings[at];
        let item = self.source_at(source, index, binding.source.span)?;
        let mut inner = scope.clone();
        self.bind(&mut inner, &binding.pattern, &item, binding.source.span)?;
        let mut bulk = self.bulk(&inner, g, at + 1, span, reduced)?;
        if known_bool(&mask).is_none() {
            bulk.mask = Some(match bulk.mask.take() {
                Some(other) => self.apply("and", &[(&other, span), (&mask, span)], span)?,
                None => self.spread(&mask, &bulk.dims, span)?,
            });
        }
        Ok(bulk)
    }

    /// The innermost body, with its filter.
    fn bulk_body(&mut self, scope: &Scope, g: &Generator, span: Span) -> Res<Bulk> {
        let mut mask = None;
        if let Some(filter) = &g.filter {
            let c = self.condition(scope, filter)?;
            self.guard = Some(match self.guard.clone() {
                Some(outer) => self.both(&outer, &c, span)?,
                None => c.clone(),
            });
            self.conditional += 1;
            mask = Some(c);
        }
        let value = self.expr(scope, &g.body)?;
        Ok(Bulk { value, mask, dims: Vec::new(), sources: Vec::new() })
    }

    /// A function for every index of `0..len` at once.
    pub(crate) fn map(
        &mut self,
        len: &Dim,
        span: Span,
        body: impl FnOnce(&mut Self, &Val) -> Res<Val>,
    ) -> Res<Val> {
        self.open("each", span);
        let memo = std::mem::take(&mut self.memo);
        let effects: Vec<Val> = self.effects.iter().map(|c| c.borrow().clone()).collect();
        for cell in &self.effects {
            *cell.borrow_mut() = Val::int(0);
        }
        let index = self.param(Ty::scalar(Elem::Int));
        if let Some(n) = len.known() {
            self.learn(&index, IntFact::index(&index, n));
        }
        self.in_map += 1;
        self.indices.push(index.clone());
        let val = body(self, &index);
        self.indices.pop();
        self.in_map -= 1;
        self.memo = memo;
        let (changed, counted) = self.counted();
        for (cell, val) in self.effects.iter().zip(&effects) {
            *cell.borrow_mut() = val.clone();
        }
        let Ok(val) = val else {
            self.abandon();
            return Err(super::Poisoned);
        };
        let Some(mut leaves) = val.leaves() else {
            self.abandon();
            return self.fail(errors::generator_of_values(span, &val.describe()));
        };
        leaves.extend(counted);
        let types: Vec<Ty> = leaves
            .iter()
            .filter_map(Val::ty)
            .map(|ty| {
                let mut dims = vec![len.clone()];
                dims.extend(ty.dims);
                Ty::new(ty.elem, dims)
            })
            .collect();
        let closed = self.close(&leaves, span)?;
        let op = Map { trip: len.clone(), body: closed.function };
        let results = self.emit_op(Op::Map(Arc::new(op)), closed.captures, types, span);
        let mut results = results.into_iter();
        let val = val.rebuild(&mut results);
        self.count_effects(&changed, results.collect(), span)?;
        Ok(val)
    }

    /// Refuses arrays beyond the memory limit before anything is allocated.
    pub(crate) fn check_size(&mut self, types: &[Ty], span: Span) -> Res<()> {
        let limit = self.host.options().memory_limit;
        for ty in types {
            let mut bytes: Option<u64> = Some(8);
            for dim in &ty.dims {
                match dim.known() {
                    Some(n) => {
                        let n = u64::try_from(n).unwrap_or(0);
                        bytes = bytes.and_then(|b| b.checked_mul(n));
                    }
                    None => return Ok(()),
                }
            }
            if bytes.is_none_or(|bytes| bytes > limit) {
                return self.fail(errors::too_large(span, &ty.to_string(), bytes, limit));
            }
        }
        Ok(())
    }
}

/// A generator of records is a table.
fn as_table(bulk: Bulk) -> Val {
    match &bulk.value {
        Val::Record(record) => {
            let rows = bulk.dims.first().cloned();
            Val::Record(Rc::new(Record { fields: record.fields.clone(), rows }))
        }
        _ => bulk.value,
    }
}

/// Whether what is bound decides a seed, which has to be known when code is built.
pub(super) fn seeds(g: &Generator) -> bool {
    let mut names = Vec::new();
    g.bindings.iter().for_each(|binding| pattern_names(&binding.pattern, &mut names));
    let mut found = false;
    walk::expr(&g.body, &mut |e| {
        if let ExprKind::With { options, .. } = &*e.kind {
            found |= options.iter().any(|option| match &option.value {
                ArgValue::Expr(e) => walk::mentions(e, &names),
                ArgValue::Generator(..) => false,
            });
        }
        !found
    });
    found
}

fn is_list(val: &Val) -> bool {
    match val {
        Val::List(_) | Val::Strs(_) => true,
        Val::Tuple(items) => items.iter().any(is_list),
        Val::Record(record) => {
            record.rows.is_some() && record.fields.iter().any(|(_, v)| matches!(v, Val::Strs(_)))
        }
        _ => false,
    }
}
