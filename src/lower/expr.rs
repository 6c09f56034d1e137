//! Expressions.

use std::cell::Cell as StdCell;
use std::rc::Rc;
use std::sync::Arc;

use super::blocks::same_values;
use super::value::{Argument, Function, Record, Res, Scope, Slot, Val};
use super::{Lower, errors};
use crate::diag::{Label, Span};
use crate::ir::{Dim, Elem, If, Op, Tensor, Ty};
use crate::ops::Emit;
use crate::syntax::ast::{self, BinOp, CmpOp, Expr, ExprKind};

impl Lower<'_> {
    /// What an expression denotes.
    pub(crate) fn expr(&mut self, scope: &Scope, expr: &Expr) -> Res<Val> {
        let found = self.deeper(expr.span, |lower| lower.expr_inner(scope, expr));
        if let Ok(val) = &found {
            self.denotes(expr.span, val);
        }
        found
    }

    fn expr_inner(&mut self, scope: &Scope, expr: &Expr) -> Res<Val> {
        let span = expr.span;
        match &*expr.kind {
            ExprKind::Int(n) => Ok(Val::int(*n)),
            ExprKind::Real(x) => Ok(Val::real(*x)),
            ExprKind::Bool(b) => Ok(Val::bool(*b)),
            ExprKind::Str(text) => Ok(Val::Str(text.clone())),
            ExprKind::Name(name) => self.lookup(scope, name, span),
            ExprKind::Paren(inner) => self.expr(scope, inner),
            ExprKind::Chain { first, rest } => self.chain(scope, first, rest),
            ExprKind::Compare { first, rest } => self.comparison(scope, first, rest),
            ExprKind::Power(base, exponent) => {
                let a = self.expr(scope, base)?;
                if matches!(a, Val::Function(_)) {
                    let found = a.describe();
                    return self.fail(errors::operator_takes_numbers(span, "pow", base.span, &found));
                }
                let b = self.expr(scope, exponent)?;
                self.power((&a, base.span), (&b, exponent.span), span)
            }
            ExprKind::Neg(inner) => {
                let a = self.expr(scope, inner)?;
                self.negate((&a, inner.span), span)
            }
            ExprKind::Not(inner) => {
                let a = self.expr(scope, inner)?;
                match known_bool(&a) {
                    Some(b) => Ok(Val::bool(!b)),
                    None => self.apply("not", &[(&a, inner.span)], span),
                }
            }
            ExprKind::Range(lo, hi) => self.range(scope, lo.as_ref(), hi.as_ref(), span),
            ExprKind::Lambda { params, body } => {
                let (params, body, scope) = (params.clone(), body.clone(), scope.clone());
                Ok(Val::Function(Rc::new(Function::Lambda { params, body, scope })))
            }
            ExprKind::If { arms, otherwise } => self.if_expr(scope, arms, otherwise, span),
            ExprKind::IfBlock(block) => self.if_block_value(scope, block, span),
            ExprKind::Call { function, args } => self.call_expr(scope, function, args, span),
            ExprKind::Index { base, args } => self.index_expr(scope, base, args, span),
            ExprKind::Field { base, field } => {
                if let (ExprKind::Name(name), "g") = (&*base.kind, &*field.name)
                    && let Some(super::Slot::Let(gradient, _)) = scope.get(&gradient_name(name))
                {
                    return Ok(gradient.clone());
                }
                let base_val = self.expr(scope, base)?;
                self.field(&base_val, field, base.span)
            }
            ExprKind::Transpose(inner) => {
                let a = self.expr(scope, inner)?;
                self.transpose(&a, span)
            }
            ExprKind::Array(items) => self.array(scope, items, span),
            ExprKind::Comprehension(generator) => self.comprehension(scope, generator, span),
            ExprKind::Tuple(items) => {
                let items = items.iter().map(|item| self.expr(scope, item)).collect::<Res<Vec<Val>>>()?;
                Ok(Val::tuple(items))
            }
            ExprKind::Record(fields) => self.record(scope, fields),
            ExprKind::Block(block) => self.block_value(scope, block),
            ExprKind::With { value, options } => self.with_options(scope, value, options, span),
            ExprKind::Solve(solve) => self.solve_expr(scope, solve, span),
            ExprKind::Bound(_) => self.fail(errors::not_yet(span, "`bound`")),
            ExprKind::Error => Err(super::Poisoned),
        }
    }

    fn record(&mut self, scope: &Scope, fields: &[(ast::Ident, Expr)]) -> Res<Val> {
        let mut out: Vec<(Arc<str>, Val)> = Vec::new();
        for (name, value) in fields {
            if out.iter().any(|(known, _)| *known == name.name) {
                return self.fail(errors::field_twice(name.span, &name.name));
            }
            let value = self.expr(scope, value)?;
            out.push((name.name.clone(), value));
        }
        Ok(Val::record(out))
    }

    /// A left-associative chain, however long.
    fn chain(&mut self, scope: &Scope, first: &Expr, rest: &[(BinOp, Span, Expr)]) -> Res<Val> {
        let mut left = self.expr(scope, first)?;
        let mut span = first.span;
        for (op, op_span, right) in rest {
            let whole = span.to(right.span);
            let reports = self.reports.len();
            let result = self.binary(scope, *op, (&left, span), right, whole, *op_span);
            if result.is_err() {
                self.label_bindings(reports, scope, [first, right].into_iter());
            }
            left = result?;
            span = whole;
        }
        Ok(left)
    }

    /// Reports of shapes that do not fit say where the names among the operands are bound.
    pub(crate) fn label_bindings<'e>(
        &mut self,
        from: usize,
        scope: &Scope,
        operands: impl Iterator<Item = &'e Expr> + Clone,
    ) {
        for report in self.reports.iter_mut().skip(from) {
            if !matches!(report.code, "E0203" | "E0210") || scope.is_library() {
                continue;
            }
            for operand in operands.clone() {
                let ExprKind::Name(name) = &*operand.kind else { continue };
                let Some(Slot::Let(_, at) | Slot::Var(_, at)) = scope.get(name) else { continue };
                let shown = report.labels.iter().any(|label| label.span == operand.span);
                let apart =
                    report.labels.iter().all(|label| label.span != *at) && at.file == report.span.file;
                let given = super::given_at(scope) == Some(*at);
                if shown && apart && !given && report.labels.len() < 4 {
                    report.labels.push(Label { span: *at, text: format!("`{name}` is bound here") });
                }
            }
        }
    }

    fn binary(
        &mut self,
        scope: &Scope,
        op: BinOp,
        left: (&Val, Span),
        right: &Expr,
        span: Span,
        op_span: Span,
    ) -> Res<Val> {
        if let (BinOp::And | BinOp::Or, Some(known)) = (op, known_bool(left.0)) {
            // The right side is not looked at where the left decides.
            return if known == (op == BinOp::Or) { Ok(Val::bool(known)) } else { self.expr(scope, right) };
        }
        let b = self.expr(scope, right)?;
        let b_at = (&b, right.span);
        match op {
            BinOp::Or | BinOp::And => match (known_bool(&b), op) {
                (Some(false), BinOp::Or) | (Some(true), BinOp::And) => Ok(left.0.clone()),
                _ => self.apply(if op == BinOp::Or { "or" } else { "and" }, &[left, b_at], span),
            },
            BinOp::Pipe => {
                let args = vec![Argument { name: None, value: left.0.clone(), span: left.1 }];
                self.call(&b, args, span)
            }
            BinOp::Add => self.arith("add", left, b_at, span),
            BinOp::Sub => self.arith("sub", left, b_at, span),
            BinOp::Mul => self.arith("mul", left, b_at, span),
            BinOp::Div => self.divide(left, b_at, span),
            BinOp::Mod => self.int_divide("int_mod", left, b_at, span),
            BinOp::IntDiv => self.int_divide("int_div", left, b_at, span),
            BinOp::MatMul => self.matmul(left, b_at, span, op_span),
        }
    }

    /// `a < b <= c` means `a < b and b <= c`.
    fn comparison(&mut self, scope: &Scope, first: &Expr, rest: &[(CmpOp, Span, Expr)]) -> Res<Val> {
        let mut left = self.expr(scope, first)?;
        let mut left_span = first.span;
        let mut all: Option<Val> = None;
        for (op, _, right) in rest {
            let b = self.expr(scope, right)?;
            let span = left_span.to(right.span);
            let Some(name) = compare_name(*op) else {
                return self.fail(errors::not_yet(span, "membership in a set"));
            };
            let one = self.compare(name, (&left, left_span), (&b, right.span), span)?;
            all = Some(match all {
                None => one,
                Some(before) => match (known_bool(&before), known_bool(&one)) {
                    (Some(x), Some(y)) => Val::bool(x && y),
                    _ => self.apply("and", &[(&before, span), (&one, span)], span)?,
                },
            });
            left = b;
            left_span = right.span;
        }
        all.ok_or(super::Poisoned)
    }

    /// `lo..hi`
    fn range(&mut self, scope: &Scope, lo: Option<&Expr>, hi: Option<&Expr>, span: Span) -> Res<Val> {
        let (Some(lo), Some(hi)) = (lo, hi) else {
            return self.fail(errors::open_range(span));
        };
        let a = self.expr(scope, lo)?;
        let b = self.expr(scope, hi)?;
        for (val, at) in [(&a, lo.span), (&b, hi.span)] {
            match val.ty() {
                Some(ty) if ty.rank() == 0 && ty.elem == Elem::Int => {}
                _ => return self.fail(errors::range_of_ints(at, &val.describe())),
            }
        }
        if let (ExprKind::Int(from), ExprKind::Int(to)) = (&*lo.kind, &*hi.kind)
            && from > to
        {
            return self.fail(errors::range_runs_up(span, *from, *to));
        }
        Ok(Val::Range(Box::new(a), Box::new(b)))
    }

    /// `if c then a else …`
    fn if_expr(&mut self, scope: &Scope, arms: &[(Expr, Expr)], otherwise: &Expr, span: Span) -> Res<Val> {
        let Some(((condition, then), rest)) = arms.split_first() else {
            return self.expr(scope, otherwise);
        };
        let c = self.condition(scope, condition)?;
        match known_bool(&c) {
            Some(true) => self.expr(scope, then),
            Some(false) => self.if_expr(scope, rest, otherwise, span),
            None => {
                let from = self.reports.len();
                let chosen = self.choose(&c, span, &mut |lower| lower.expr(scope, then), &mut |lower| {
                    lower.if_expr(scope, rest, otherwise, span)
                });
                let other = rest.first().map_or(otherwise, |(_, then)| then);
                for report in self.reports.iter_mut().skip(from) {
                    if report.code == "E0216" && report.span == span && report.labels.is_empty() {
                        let sides = [(then.span, "one side"), (other.span, "the other")];
                        report
                            .labels
                            .extend(sides.map(|(span, text)| Label { span, text: text.to_string() }));
                    }
                }
                chosen
            }
        }
    }

    /// A scalar truth value.
    pub(crate) fn condition(&mut self, scope: &Scope, condition: &Expr) -> Res<Val> {
        let c = self.expr(scope, condition)?;
        self.as_condition(c, condition.span)
    }

    /// A truth value, or an error that says what was found in its place.
    pub(crate) fn as_condition(&mut self, c: Val, span: Span) -> Res<Val> {
        match c.ty() {
            Some(ty) if ty.rank() == 0 && ty.elem == Elem::Bool => Ok(c),
            Some(ty) if ty.elem == Elem::Bool => self.fail(errors::condition_is_array(span, &c.describe())),
            _ => self.fail(errors::condition_kind(span, &c.describe())),
        }
    }

    /// A choice at run time: both sides become functions, their results must agree in type, but
    /// integers become reals where the other side is real.
    ///
    /// Cells that change behind the user's back are carried through both sides.
    pub(crate) fn choose(
        &mut self,
        c: &Val,
        span: Span,
        then: &mut dyn FnMut(&mut Self) -> Res<Val>,
        otherwise: &mut dyn FnMut(&mut Self) -> Res<Val>,
    ) -> Res<Val> {
        let cells = self.hidden_cells();
        if cells.is_empty() {
            return self.choose_plain(c, span, then, otherwise);
        }
        let before: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let restore = |vals: &[Val]| {
            for (cell, val) in cells.iter().zip(vals) {
                *cell.borrow_mut() = val.clone();
            }
        };
        // A cell that neither side changes keeps its value, so that it is still known to be the same.
        let changed: Vec<StdCell<bool>> = cells.iter().map(|_| StdCell::new(false)).collect();
        let present = || {
            let after: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
            for ((old, new), changed) in before.iter().zip(&after).zip(&changed) {
                changed.set(changed.get() || !same_values(old, new));
            }
            Val::tuple(after)
        };
        let result = self.choose_plain(
            c,
            span,
            &mut |lower| {
                restore(&before);
                let val = then(lower)?;
                Ok(Val::tuple(vec![val, present()]))
            },
            &mut |lower| {
                restore(&before);
                let val = otherwise(lower)?;
                Ok(Val::tuple(vec![val, present()]))
            },
        );
        restore(&before);
        let Val::Tuple(parts) = result? else { return Err(super::Poisoned) };
        let [val, Val::Tuple(after)] = parts.as_slice() else { return Err(super::Poisoned) };
        for ((cell, new), changed) in cells.iter().zip(after.iter()).zip(&changed) {
            if changed.get() {
                *cell.borrow_mut() = new.clone();
            }
        }
        Ok(val.clone())
    }

    fn choose_plain(
        &mut self,
        c: &Val,
        span: Span,
        then: &mut dyn FnMut(&mut Self) -> Res<Val>,
        otherwise: &mut dyn FnMut(&mut Self) -> Res<Val>,
    ) -> Res<Val> {
        let (outer, guard) = (self.guard.clone(), self.in_map > 0);
        let not_c = if guard { Some(self.apply("not", &[(c, span)], span)?) } else { None };
        // First pass: the types of both sides.
        let with_guard = |lower: &mut Self, own: Option<&Val>| -> Res<()> {
            lower.guard = match (own, &outer) {
                (Some(own), Some(outer)) => Some(lower.apply("and", &[(own, span), (outer, span)], span)?),
                (Some(own), None) => Some(own.clone()),
                (None, outer) => outer.clone(),
            };
            Ok(())
        };
        let own = guard.then(|| c.clone());
        with_guard(self, own.as_ref())?;
        self.open("then", span);
        self.conditional += 1;
        let a = then(self);
        self.conditional -= 1;
        let a_ok = a.as_ref().ok().cloned();
        self.guard.clone_from(&outer);
        let first = match a_ok {
            Some(a) => self.branch_leaves(a, span),
            None => Err(super::Poisoned),
        };
        let Ok((shape_a, leaves_a)) = first else {
            self.abandon();
            // The other side may hold errors of its own.
            self.open("otherwise", span);
            self.conditional += 1;
            // Its value is of no use, its reports are.
            let _ = otherwise(self);
            self.conditional -= 1;
            self.abandon();
            return Err(super::Poisoned);
        };
        let types_a: Vec<Ty> = leaves_a.iter().filter_map(Val::ty).collect();
        // The other side is built as a sibling: park this one.
        let parked = self.park();
        with_guard(self, not_c.as_ref())?;
        self.open("otherwise", span);
        self.conditional += 1;
        let b = otherwise(self).and_then(|b| self.branch_leaves(b, span));
        self.conditional -= 1;
        self.guard = outer;
        let Ok((shape_b, leaves_b)) = b else {
            self.abandon();
            return Err(super::Poisoned);
        };
        let types_b: Vec<Ty> = leaves_b.iter().filter_map(Val::ty).collect();
        let unified = self.unify_branches(&types_a, &types_b);
        let Some(unified) = unified else {
            self.abandon();
            let (a, b) = (shape_a.describe(), shape_b.describe());
            return self.fail(errors::branches_differ(span, &a, &b));
        };
        let leaves_b = self.convert_leaves(&leaves_b, &unified, span)?;
        let otherwise = self.close(&leaves_b, span)?;
        self.unpark(parked);
        let leaves_a = self.convert_leaves(&leaves_a, &unified, span)?;
        let then = self.close(&leaves_a, span)?;
        let results = self.emit_if(c, then, otherwise, &unified, span)?;
        Ok(shape_a.rebuild(&mut results.into_iter()))
    }

    fn branch_leaves(&mut self, val: Val, span: Span) -> Res<(Val, Vec<Val>)> {
        match val.leaves() {
            Some(leaves) => Ok((val, leaves)),
            None => self.fail(errors::choice_of_values(span, &val.describe())),
        }
    }

    fn unify_branches(&self, a: &[Ty], b: &[Ty]) -> Option<Vec<Ty>> {
        if a.len() != b.len() {
            return None;
        }
        let one = |(a, b): (&Ty, &Ty)| {
            if !super::arith::same_dims(&a.dims, &b.dims) {
                return None;
            }
            match (a.elem, b.elem) {
                (x, y) if x == y => Some(a.clone()),
                (Elem::Real, Elem::Int) | (Elem::Int, Elem::Real) => Some(a.with_elem(Elem::Real)),
                _ => None,
            }
        };
        a.iter().zip(b).map(one).collect()
    }

    pub(crate) fn convert_leaves(&mut self, leaves: &[Val], types: &[Ty], span: Span) -> Res<Vec<Val>> {
        leaves.iter().zip(types).map(|(leaf, ty)| self.cast(leaf, ty.elem, span)).collect()
    }

    /// Binds an `if` of two closed branches, each with the captures of both.
    pub(crate) fn emit_if(
        &mut self,
        c: &Val,
        then: super::stage::Closed,
        otherwise: super::stage::Closed,
        types: &[Ty],
        span: Span,
    ) -> Res<Vec<Val>> {
        let c = self.value(c, span)?;
        let (mut functions, captures) = self.share_captures(vec![then, otherwise]);
        let otherwise = functions.pop().expect("two branches");
        let then = functions.pop().expect("two branches");
        let op = If { then, otherwise };
        let mut operands = vec![c];
        operands.extend(captures);
        Ok(self.emit_op(Op::If(Arc::new(op)), operands, types.to_vec(), span))
    }

    /// `r.w` of records, tables, results, objectives and optimizers.
    pub(crate) fn field(&mut self, base: &Val, field: &ast::Ident, base_span: Span) -> Res<Val> {
        match base {
            Val::Record(record) => match record.get(&field.name) {
                Some(Val::Poison) => Err(super::Poisoned),
                Some(value) => Ok(value.clone()),
                None => {
                    if self.left_out.contains(&field.name) {
                        return self.fail(errors::text_of_row(field.span, &field.name));
                    }
                    let names: Vec<&str> = record.fields.iter().map(|(n, _)| &**n).collect();
                    let table = record.rows.is_some();
                    self.fail(errors::unknown_field(field.span, &field.name, &names, table))
                }
            },
            Val::Fit(fit) => {
                let fit = fit.clone();
                self.fit_field(&fit, field)
            }
            // Results of solves, one after the other: a column of them.
            Val::List(items) if items.iter().all(|item| matches!(item, Val::Fit(_))) => {
                let items = items.clone();
                let column = items.iter().map(|item| self.field(item, field, base_span));
                let column = column.collect::<Res<Vec<Val>>>()?;
                self.stack(column, &[], base_span)
            }
            Val::Objective(objective) => {
                let objective = objective.clone();
                self.objective_field(&objective, field)
            }
            Val::Optimizer(optimizer) => match optimizer.arg(&field.name) {
                Some(value) => Ok(value),
                None => {
                    let names = optimizer.names();
                    let names: Vec<&str> = names.iter().map(|n| &**n).collect();
                    self.fail(errors::unknown_field(field.span, &field.name, &names, false))
                }
            },
            Val::Function(function) => {
                let function = function.clone();
                self.function_field(&function, field, base_span)
            }
            Val::Members(members) => {
                let members = members.clone();
                self.members_field(&members, field)
            }
            Val::Poison => Err(super::Poisoned),
            Val::Staged(_)
            | Val::Known(_)
            | Val::Int(_)
            | Val::Str(_)
            | Val::Strs(_)
            | Val::Range(..)
            | Val::Tuple(_)
            | Val::List(_) => {
                self.fail(errors::no_fields(field.span, &field.name, base_span, &base.describe()))
            }
        }
    }

    /// `[a, b, c]`: scalars stack to an array, arrays of equal type gain a dimension, rows of
    /// matrices are blocks, anything else is a list.
    fn array(&mut self, scope: &Scope, items: &[Expr], span: Span) -> Res<Val> {
        if let Some(blocks) = self.blocks(scope, items, span)? {
            return Ok(blocks);
        }
        let vals = items.iter().map(|item| self.expr(scope, item)).collect::<Res<Vec<Val>>>()?;
        let spans: Vec<Span> = items.iter().map(|item| item.span).collect();
        self.stack(vals, &spans, span)
    }

    /// Values side by side along a new leading dimension, or a list if they differ.
    pub(crate) fn stack(&mut self, vals: Vec<Val>, spans: &[Span], span: Span) -> Res<Val> {
        if vals.is_empty() {
            return Ok(Val::Known(Tensor::real(&[0], Vec::new())));
        }
        let text = |val: &Val| if let Val::Str(text) = val { Some(text.to_string()) } else { None };
        if let Some(texts) = vals.iter().map(text).collect::<Option<Vec<String>>>() {
            return Ok(Val::Strs(Arc::new(texts)));
        }
        if let Some(known) = stack_known(&vals) {
            return Ok(Val::Known(known));
        }
        let types: Option<Vec<Ty>> = vals.iter().map(Val::ty).collect();
        let Some(types) = types else { return self.stack_records(vals, span) };
        let real = types.iter().any(|ty| ty.elem == Elem::Real);
        let bools = types.iter().filter(|ty| ty.elem == Elem::Bool).count();
        if bools != 0 && bools != types.len() {
            let k = types.iter().position(|ty| ty.elem != types[0].elem).unwrap_or(0);
            return self.fail(errors::items_differ(
                spans[k.min(spans.len() - 1)],
                &types[0].to_string(),
                &types[k].to_string(),
            ));
        }
        if types.iter().any(|ty| !super::arith::same_dims(&ty.dims, &types[0].dims)) {
            return Ok(Val::list(vals));
        }
        let elem = if real { Elem::Real } else { types[0].elem };
        let mut parts = Vec::new();
        let mut wide = vec![Dim::Known(1)];
        wide.extend(types[0].dims.iter().cloned());
        for (val, at) in vals.iter().zip(spans.iter().chain(std::iter::repeat(&span))) {
            let val = self.cast(val, elem, *at)?;
            let value = self.value(&val, *at)?;
            parts.push(self.build().reshape(value, &wide));
        }
        self.build().at(span);
        let value = self.build().concat(&parts, 0);
        Ok(self.wrap(value))
    }

    /// Records of equal fields become a table if every field stacks or is a text.
    fn stack_records(&mut self, vals: Vec<Val>, span: Span) -> Res<Val> {
        let Some(Val::Record(first)) = vals.first().cloned() else { return Ok(Val::list(vals)) };
        let names: Vec<Arc<str>> = first.fields.iter().map(|(name, _)| name.clone()).collect();
        let mut rows = Vec::new();
        for val in &vals {
            match val {
                Val::Record(row)
                    if row.fields.len() == names.len()
                        && row.fields.iter().zip(&names).all(|((name, _), known)| name == known) =>
                {
                    rows.push(row.clone());
                }
                _ => return Ok(Val::list(vals)),
            }
        }
        let mut fields = Vec::new();
        for (k, name) in names.iter().enumerate() {
            let column: Vec<Val> = rows.iter().map(|row| row.fields[k].1.clone()).collect();
            let texts: Option<Vec<String>> = column
                .iter()
                .map(|val| if let Val::Str(text) = val { Some(text.to_string()) } else { None })
                .collect();
            let column = match texts {
                Some(texts) => Val::Strs(Arc::new(texts)),
                None => self.stack(column, &[], span)?,
            };
            if matches!(column, Val::List(_)) {
                return Ok(Val::list(vals));
            }
            fields.push((name.clone(), column));
        }
        let rows = Some(Dim::from(vals.len()));
        Ok(Val::Record(Rc::new(Record { fields, rows })))
    }

    /// `(e with seed = k)`
    fn with_options(&mut self, scope: &Scope, value: &Expr, options: &[ast::Arg], span: Span) -> Res<Val> {
        let mut seed = self.seed;
        for option in options {
            match (&option.name, &option.value) {
                (Some(name), ast::ArgValue::Expr(e)) if &*name.name == "seed" => {
                    let val = self.expr(scope, e)?;
                    seed = self.static_int(&val, e.span)?;
                }
                _ => return self.fail(errors::only_seed(span)),
            }
        }
        let before = std::mem::replace(&mut self.seed, seed);
        let result = self.expr(scope, value);
        self.seed = before;
        result
    }

    /// An integer that is known while code is built.
    pub(crate) fn static_int(&mut self, val: &Val, span: Span) -> Res<i64> {
        match val {
            Val::Int(Dim::Known(n)) => Ok(*n),
            Val::Int(_) => Err(super::Poisoned),
            _ => self.fail(errors::expected_known_int(span, &val.describe())),
        }
    }
}

/// The truth value, if it is known.
pub(crate) fn known_bool(val: &Val) -> Option<bool> {
    match val {
        Val::Known(t) if t.sizes.is_empty() && t.elem() == Elem::Bool => Some(t.bools()[0]),
        _ => None,
    }
}

/// The machine name of a comparison.
pub(crate) fn compare_name(op: CmpOp) -> Option<&'static str> {
    Some(match op {
        CmpOp::Lt => "lt",
        CmpOp::Le => "le",
        CmpOp::Eq => "eq",
        CmpOp::Ne => "ne",
        CmpOp::Ge => "ge",
        CmpOp::Gt => "gt",
        CmpOp::In => return None,
    })
}

/// Known values of one type, stacked.
fn stack_known(vals: &[Val]) -> Option<Tensor> {
    let tensor = |val: &Val| match val {
        Val::Known(t) => Some(t.clone()),
        Val::Int(Dim::Known(n)) => Some(Tensor::int_scalar(*n)),
        _ => None,
    };
    let parts: Vec<Tensor> = vals.iter().map(tensor).collect::<Option<_>>()?;
    let first = parts.first()?;
    if parts.iter().any(|part| part.sizes != first.sizes) {
        return None;
    }
    let mut sizes = vec![parts.len()];
    sizes.extend(&first.sizes);
    if parts.iter().all(|part| part.elem() == Elem::Int) {
        let data = parts.iter().flat_map(|part| part.ints().to_vec()).collect();
        return Some(Tensor::int(&sizes, data));
    }
    if parts.iter().all(|part| part.elem() == Elem::Bool) {
        let data = parts.iter().flat_map(|part| part.bools().to_vec()).collect();
        return Some(Tensor::bool(&sizes, data));
    }
    if parts.iter().any(|part| part.elem() == Elem::Bool) {
        return None;
    }
    Some(Tensor::real(&sizes, parts.iter().flat_map(Tensor::to_reals).collect()))
}

/// The name under which the gradient `W.g` of an array of an `each` block stands in scope.
pub(super) fn gradient_name(name: &str) -> std::sync::Arc<str> {
    std::sync::Arc::from(format!("{name}.g"))
}
