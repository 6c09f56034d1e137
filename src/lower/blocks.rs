//! Statements: bindings, assignments, loops and choices. A `var` is a cell; a loop is a function
//! of the cells that its body assigns.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::expr::known_bool;
use super::generators::Source;
use super::stage::IntFact;
use super::value::{Cell, Function, Res, Scope, Slot, Val};
use super::walk::pattern_names;
use super::{Lower, errors, walk};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Loop, Op, Ty};
use crate::syntax::ast::{Binding, Block, Expr, ExprKind, Generator, IfBlock, Pattern, Stmt, StmtKind};

/// A loop under a range of at most this many turns may be unrolled.
const UNROLL: i64 = 100_000;

impl Lower<'_> {
    /// A block with a value: its last statement is an expression.
    pub(crate) fn block_value(&mut self, scope: &Scope, block: &Block) -> Res<Val> {
        let mut scope = scope.clone();
        let Some((last, before)) = block.items.split_last() else {
            return self.fail(errors::block_without_value(block.span));
        };
        self.statements(&mut scope, before)?;
        match &last.kind {
            StmtKind::Expr(e) => self.expr(&scope, e),
            StmtKind::If(arms) => self.if_block_value(&scope, arms, last.span),
            _ => self.fail(errors::block_without_value(last.span)),
        }
    }

    /// Statements one after the other; after an erroneous one the others are still looked at.
    pub(crate) fn statements(&mut self, scope: &mut Scope, items: &[Stmt]) -> Res<()> {
        let mut result = Ok(());
        for item in items {
            if let Err(poisoned) = self.statement(scope, item) {
                self.poison_assigned(scope, item);
                result = Err(poisoned);
            }
        }
        result
    }

    /// What a statement that went wrong would have assigned has no value: what is left of it from
    /// before has perhaps another shape.
    fn poison_assigned(&self, scope: &Scope, item: &Stmt) {
        for name in walk::assigned(std::slice::from_ref(item)) {
            if let Some(Slot::Var(cell, _)) = scope.get(&name)
                && !self.is_hidden(cell)
            {
                *cell.borrow_mut() = Val::Poison;
            }
        }
    }

    /// One statement inside a block of code.
    pub(crate) fn statement(&mut self, scope: &mut Scope, item: &Stmt) -> Res<()> {
        match &item.kind {
            StmtKind::Let { pattern, ty, value } => {
                let val = self.expr(scope, value);
                let val = match (val, ty) {
                    (Ok(val), Some(ty)) => self.fit(ty, &val, value.span, scope),
                    (val, _) => val,
                };
                self.bind_or_poison(scope, pattern, val, value.span)
            }
            StmtKind::Var { pattern, ty, value } => {
                let val = self.expr(scope, value);
                let val = match (val, ty) {
                    (Ok(val), Some(ty)) => self.fit(ty, &val, value.span, scope),
                    (val, _) => val,
                };
                self.bind_var(scope, pattern, val)
            }
            StmtKind::Draw { pattern, ty, source, given } => {
                let val = self.draw(scope, pattern, ty.as_ref(), source, given.as_ref());
                self.bind_or_poison(scope, pattern, val, source.span)
            }
            StmtKind::Assign { place, op, value } => self.assign(scope, place, *op, value, item.span),
            StmtKind::For { binding, condition, body } => {
                self.for_loop(scope, binding, condition.as_ref(), body, item.span)
            }
            StmtKind::If(arms) => self.if_statement(scope, arms, item.span),
            StmtKind::Fn(_) | StmtKind::Type(_) => self.declare(scope, item),
            StmtKind::Expr(e) => {
                // The parser speaks of values that are lost in the middle of a block, unless they are those of solves.
                self.expr(scope, e)?;
                self.fail(errors::value_not_used(item.span))
            }
            StmtKind::Print(_) | StmtKind::Plot { .. } | StmtKind::Save { .. } => {
                self.fail(errors::only_at_top(item.span, "`print`, `plot` and `save` stand"))
            }
            StmtKind::Assert { .. } => self.fail(errors::only_at_top(item.span, "`assert` stands")),
            StmtKind::Stop { status, condition } => self.stop(scope, status, condition, item.span),
            StmtKind::Report { name, value } => self.report_in_step(scope, name, value),
            StmtKind::Error => Err(super::Poisoned),
            StmtKind::Primitive(_)
            | StmtKind::Rule(_)
            | StmtKind::Objective(_)
            | StmtKind::Optimizer(_)
            | StmtKind::Members(_)
            | StmtKind::Test(_)
            | StmtKind::Import { .. }
            | StmtKind::Input { .. }
            | StmtKind::Precision(_)
            | StmtKind::Param(_)
            | StmtKind::Clause(_)
            | StmtKind::Players(_)
            | StmtKind::State(_)
            | StmtKind::Step(_)
            | StmtKind::Answer { .. }
            | StmtKind::Each { .. }
            | StmtKind::Otherwise(_) => self.fail(errors::not_here(item.span)),
        }
    }

    /// Binds a pattern, or poisons its names so that they cause no further reports.
    pub(crate) fn bind_or_poison(
        &mut self,
        scope: &mut Scope,
        pattern: &Pattern,
        val: Res<Val>,
        span: Span,
    ) -> Res<()> {
        let result = val.and_then(|val| self.bind(scope, pattern, &val, span));
        if result.is_err() {
            poison(scope, pattern);
        }
        result
    }

    /// Binds the names of a pattern to the parts of a value.
    pub(crate) fn bind(&mut self, scope: &mut Scope, pattern: &Pattern, val: &Val, span: Span) -> Res<()> {
        match pattern {
            Pattern::Name(name) => {
                if &*name.name != "_" {
                    self.denotes(name.span, val);
                    *scope = scope.with(&name.name, Slot::Let(val.clone(), name.span));
                }
                Ok(())
            }
            Pattern::Tuple(patterns, at) => {
                let parts = self.parts(val, patterns.len(), *at, span)?;
                for (pattern, part) in patterns.iter().zip(parts) {
                    self.bind(scope, pattern, &part, span)?;
                }
                Ok(())
            }
        }
    }

    /// The parts of a tuple, record or short array.
    fn parts(&mut self, val: &Val, count: usize, pattern: Span, span: Span) -> Res<Vec<Val>> {
        let parts: Option<Vec<Val>> = match val {
            Val::Tuple(items) | Val::List(items) => Some(items.to_vec()),
            Val::Record(record) => Some(record.fields.iter().map(|(_, v)| v.clone()).collect()),
            _ => None,
        };
        match parts {
            Some(parts) if parts.len() == count => Ok(parts),
            Some(parts) => self.fail(errors::pattern_count(pattern, count, parts.len(), span)),
            None => {
                let rows = val.ty().and_then(|ty| ty.dims.first().and_then(Dim::known));
                if rows == i64::try_from(count).ok() {
                    return (0..count)
                        .map(|k| self.take(val, &Val::int(i64::try_from(k).unwrap_or(0)), span))
                        .collect();
                }
                self.fail(errors::not_a_tuple(pattern, count, span, &val.describe()))
            }
        }
    }

    fn bind_var(&mut self, scope: &mut Scope, pattern: &Pattern, val: Res<Val>) -> Res<()> {
        match (pattern, val) {
            (Pattern::Name(name), Ok(val)) => {
                self.denotes(name.span, &val);
                let cell: Cell = Rc::new(RefCell::new(val));
                *scope = scope.with(&name.name, Slot::Var(cell, name.span));
                Ok(())
            }
            (Pattern::Name(_), Err(poisoned)) => {
                poison(scope, pattern);
                Err(poisoned)
            }
            (Pattern::Tuple(patterns, at), val) => {
                let parts = val.and_then(|val| self.parts(&val, patterns.len(), *at, *at));
                match parts {
                    Ok(parts) => {
                        for (pattern, part) in patterns.iter().zip(parts) {
                            self.bind_var(scope, pattern, Ok(part))?;
                        }
                        Ok(())
                    }
                    Err(poisoned) => {
                        poison(scope, pattern);
                        Err(poisoned)
                    }
                }
            }
        }
    }

    /// `place = e`, `place += e`.
    pub(crate) fn assign(
        &mut self,
        scope: &Scope,
        place: &Expr,
        op: Option<crate::syntax::ast::BinOp>,
        value: &Expr,
        span: Span,
    ) -> Res<()> {
        let Some(name) = walk::root(place) else {
            return self.fail(errors::not_a_place(place.span));
        };
        let cell = match self.slot(scope, name) {
            Some(Slot::Var(cell, _)) => cell.clone(),
            Some(Slot::Let(Val::Poison, _)) => return Err(super::Poisoned),
            Some(Slot::Let(_, at)) => {
                let report = match super::given_at(scope) {
                    Some(given) if given == *at => errors::assigned_given(place.span, name),
                    Some(_) => errors::assigned_let(place.span, name, *at, errors::Home::Optimizer),
                    None => errors::assigned_let(place.span, name, *at, errors::Home::Other),
                };
                return self.fail(report);
            }
            None => {
                let optimizer = super::given_at(scope).is_some();
                let home = if optimizer { errors::Home::Optimizer } else { errors::Home::Other };
                // Said once: what reads the name later is no further mistake.
                self.globals = self.globals.with(name, Slot::Let(Val::Poison, place.span));
                return self.fail(errors::assigned_unknown(place.span, name, home));
            }
        };
        let new = self.expr(scope, value);
        let old = cell.borrow().clone();
        let result = new.and_then(|new| match op {
            // `z[idx] += v` adds repeated indices: it is one scatter, not a read and a write.
            Some(op) => self.update(scope, place, &old, Some(op), (&new, value.span), span),
            None => self.update(scope, place, &old, None, (&new, value.span), span),
        });
        match result {
            Ok(val) => {
                *cell.borrow_mut() = val;
                Ok(())
            }
            Err(poisoned) => Err(poisoned),
        }
    }

    /// The value of a variable with a part of it replaced.
    fn update(
        &mut self,
        scope: &Scope,
        place: &Expr,
        old: &Val,
        op: Option<crate::syntax::ast::BinOp>,
        new: (&Val, Span),
        span: Span,
    ) -> Res<Val> {
        match &*place.kind {
            ExprKind::Paren(inner) => self.update(scope, inner, old, op, new, span),
            ExprKind::Name(_) => {
                let val = match op {
                    Some(op) => self.combine(op, (old, place.span), new, span)?,
                    None => new.0.clone(),
                };
                self.keep_type(old, val, span)
            }
            ExprKind::Field { base, field } => {
                let whole = self.place_value(scope, base, old)?;
                let part = self.field(&whole, field, base.span)?;
                let part = match op {
                    Some(op) => self.combine(op, (&part, place.span), new, span)?,
                    None => self.keep_type(&part, new.0.clone(), span)?,
                };
                let whole = with_field(&whole, &field.name, part);
                self.update(scope, base, old, None, (&whole, span), span)
            }
            ExprKind::Index { base, args } => {
                let whole = self.place_value(scope, base, old)?;
                let whole = self.index_update(scope, &whole, base.span, args, op, new, span)?;
                self.update(scope, base, old, None, (&whole, span), span)
            }
            _ => self.fail(errors::not_a_place(place.span)),
        }
    }

    /// The present value of a place inside a variable.
    fn place_value(&mut self, scope: &Scope, place: &Expr, root: &Val) -> Res<Val> {
        let found = match &*place.kind {
            ExprKind::Name(_) => root.clone(),
            ExprKind::Paren(inner) => self.place_value(scope, inner, root)?,
            ExprKind::Field { base, field } => {
                let whole = self.place_value(scope, base, root)?;
                self.field(&whole, field, base.span)?
            }
            ExprKind::Index { base, args } => {
                let whole = self.place_value(scope, base, root)?;
                self.index_value(scope, &whole, base.span, args, place.span)?
            }
            _ => return self.fail(errors::not_a_place(place.span)),
        };
        if matches!(found, Val::Poison) { Err(super::Poisoned) } else { Ok(found) }
    }

    /// An operator of an assignment.
    pub(crate) fn combine(
        &mut self,
        op: crate::syntax::ast::BinOp,
        a: (&Val, Span),
        b: (&Val, Span),
        span: Span,
    ) -> Res<Val> {
        use crate::syntax::ast::BinOp;
        match op {
            BinOp::Add => self.arith("add", a, b, span),
            BinOp::Sub => self.arith("sub", a, b, span),
            BinOp::Mul => self.arith("mul", a, b, span),
            BinOp::Div => self.divide(a, b, span),
            BinOp::Or | BinOp::And | BinOp::Pipe | BinOp::Mod | BinOp::IntDiv | BinOp::MatMul => {
                self.fail(errors::not_here(span))
            }
        }
    }

    /// A real variable stays real when an integer is assigned.
    fn keep_type(&mut self, old: &Val, new: Val, span: Span) -> Res<Val> {
        match (old.ty(), new.ty()) {
            (Some(a), Some(b)) if a.elem == Elem::Real && b.elem == Elem::Int => {
                self.cast(&new, Elem::Real, span)
            }
            _ => Ok(new),
        }
    }

    /// `for p in S { … }`
    /// `let s = s + i` in a loop does not change the `s` around it.
    pub(crate) fn warn_of_lost_lets(&mut self, scope: &Scope, body: &Block) {
        for name in walk::lost_lets(&body.items) {
            if let Some(outer) = scope.get(&name.name) {
                let report = errors::let_is_lost(name.span, &name.name, outer.span());
                self.report(report);
            }
        }
    }

    pub(crate) fn for_loop(
        &mut self,
        scope: &Scope,
        binding: &Binding,
        condition: Option<&Expr>,
        body: &Block,
        span: Span,
    ) -> Res<()> {
        if binding.draw {
            return self.fail(errors::not_yet(span, "a loop over a draw"));
        }
        self.warn_of_lost_lets(scope, body);
        let source = self.expr(scope, &binding.source)?;
        let source = self.source(&source, binding.source.span, true)?;
        let cells = self.assigned_cells(scope, body);
        let staged = !matches!(source, Source::List(_))
            && !self.solves_block(scope, body)
            && cells.iter().all(|cell| cell.borrow().is_numeric());
        if staged {
            let reports = self.reports.len();
            match self.staged_loop(scope, binding, condition, body, &source, &cells, span)? {
                Looped::Done => return Ok(()),
                Looped::Grows if self.source_len(&source).known().is_some_and(|n| n <= UNROLL) => {
                    self.reports.truncate(reports);
                }
                Looped::Grows => {
                    let names = walk::assigned(&body.items);
                    return self.fail(errors::loop_changes_shape(span, &names));
                }
            }
        }
        self.unrolled_loop(scope, binding, condition, body, &source, span)
    }

    /// Cells that code changes behind the user's back: counters, the last evaluation, the status.
    pub(crate) fn hidden_cells(&self) -> Vec<Cell> {
        self.effects.iter().chain(&self.memo).cloned().collect()
    }

    fn is_hidden(&self, cell: &Cell) -> bool {
        self.effects.iter().chain(&self.memo).any(|known| Rc::ptr_eq(known, cell))
    }

    /// The cells that a body assigns, with those changed behind the user's back.
    fn assigned_cells(&self, scope: &Scope, body: &Block) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.hidden_cells();
        for name in walk::assigned(&body.items) {
            if let Some(Slot::Var(cell, _)) = self.slot(scope, &name)
                && !cells.iter().any(|known| Rc::ptr_eq(known, cell))
            {
                cells.push(cell.clone());
            }
        }
        cells
    }

    /// The body once for each element, each after the other.
    fn unrolled_loop(
        &mut self,
        scope: &Scope,
        binding: &Binding,
        condition: Option<&Expr>,
        body: &Block,
        source: &Source,
        span: Span,
    ) -> Res<()> {
        let Some(count) = self.source_len(source).known() else {
            return self.fail(errors::unroll_unknown(span));
        };
        let runs = self.host.options().execute && !self.symbolic;
        for k in 0..count {
            let index = Val::int(k);
            let item = self.source_at(source, &index, binding.source.span)?;
            let mut inner = scope.clone();
            self.bind(&mut inner, &binding.pattern, &item, binding.source.span)?;
            if let Some(condition) = condition {
                let c = self.condition(&inner, condition)?;
                // What is still being computed is computed now, as the solves in the body are.
                match known_bool(&self.settle(&c, condition.span)?) {
                    Some(true) => {}
                    Some(false) => break,
                    // Where nothing is run, the body is looked at once.
                    None if k == 0 && !runs => {}
                    None if !runs => break,
                    None => return self.fail(errors::unrolled_while(condition.span)),
                }
            }
            self.indices.push(index);
            let result = self.statements(&mut inner, &body.items);
            self.indices.pop();
            result?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn staged_loop(
        &mut self,
        scope: &Scope,
        binding: &Binding,
        condition: Option<&Expr>,
        body: &Block,
        source: &Source,
        cells: &[Cell],
        span: Span,
    ) -> Res<Looped> {
        let before: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let mut starts = before.clone();
        let mut rounds = 0;
        let result = loop {
            let reports = self.reports.len();
            match self.loop_attempt(scope, binding, condition, body, source, cells, &starts, span) {
                Ok(Attempt::Done) => break Ok(Looped::Done),
                Ok(Attempt::Grows) => break Ok(Looped::Grows),
                Ok(Attempt::Real(which)) if rounds < 8 => {
                    // An integer start became real in the body: start as real.
                    self.reports.truncate(reports);
                    rounds += 1;
                    for (k, leaves) in which {
                        starts[k] = self.reals(&starts[k], &leaves, span)?;
                    }
                }
                Ok(Attempt::Real(_)) => {
                    let names = walk::assigned(&body.items);
                    break self.fail(errors::loop_changes_shape(span, &names));
                }
                Err(poisoned) => break Err(poisoned),
            }
        };
        if !matches!(result, Ok(Looped::Done)) {
            for (cell, val) in cells.iter().zip(&before) {
                *cell.borrow_mut() = val.clone();
            }
        }
        result
    }

    /// The value with the marked leaves converted to reals.
    fn reals(&mut self, val: &Val, which: &[bool], span: Span) -> Res<Val> {
        let leaves = val.leaves().unwrap_or_default();
        let mut out = Vec::new();
        for (leaf, real) in leaves.iter().zip(which) {
            out.push(if *real { self.cast(leaf, Elem::Real, span)? } else { leaf.clone() });
        }
        Ok(val.rebuild(&mut out.into_iter()))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn loop_attempt(
        &mut self,
        scope: &Scope,
        binding: &Binding,
        condition: Option<&Expr>,
        body: &Block,
        source: &Source,
        cells: &[Cell],
        starts: &[Val],
        span: Span,
    ) -> Res<Attempt> {
        let starts_leaves: Vec<Vec<Val>> =
            starts.iter().map(|val| val.leaves().unwrap_or_default()).collect();
        let types: Vec<Ty> = starts_leaves.iter().flatten().filter_map(Val::ty).collect();
        let flat: Vec<Val> = starts_leaves.iter().flatten().cloned().collect();
        let operands = self.values(&flat, span)?;
        self.open("loop", span);
        let index = self.loop_params(cells, starts, &types, source);
        let params: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let dynamic = condition.is_some() || matches!(source, Source::Dynamic { .. });
        let outer = self.conditional;
        self.conditional += usize::from(dynamic);
        let run = self.loop_body(scope, binding, body, source, &index, span);
        self.conditional = outer;
        if run.is_err() {
            self.abandon();
            return Err(super::Poisoned);
        }
        let after: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        match compare_starts(starts, &after) {
            Compared::Same => {}
            other => {
                self.abandon();
                restore(cells, starts);
                return Ok(if let Compared::Real(which) = other {
                    Attempt::Real(which)
                } else {
                    Attempt::Grows
                });
            }
        }
        let leaves: Vec<Val> = after.iter().flat_map(|val| val.leaves().unwrap_or_default()).collect();
        let leaves = self.convert_leaves(&leaves, &types, span)?;
        let body_closed = self.close(&leaves, span)?;
        let mut closed = vec![body_closed];
        if dynamic {
            let condition = (binding, condition);
            closed.push(self.loop_condition(scope, condition, source, cells, starts, &types, span)?);
        }
        let (mut functions, captures) = self.share_captures(closed);
        let condition = if dynamic { functions.pop() } else { None };
        let body = functions.pop().expect("a loop has a body");
        let trip = self.source_len(source);
        let op = Loop { trip, condition, body, carried: types.len() };
        let mut all = operands;
        all.extend(captures);
        let results = self.emit_op(Op::Loop(Arc::new(op)), all, types, span);
        let mut results = results.into_iter();
        for (k, (cell, start)) in cells.iter().zip(starts).enumerate() {
            let result = start.rebuild(&mut results);
            let untouched = same_values(&after[k], &params[k]);
            *cell.borrow_mut() = if untouched { start.clone() } else { result };
        }
        Ok(Attempt::Done)
    }

    /// The parameters of a loop's body: the index, then the carried values, put into their cells.
    fn loop_params(&mut self, cells: &[Cell], starts: &[Val], types: &[Ty], source: &Source) -> Val {
        let index = self.param(Ty::scalar(Elem::Int));
        if let Some(n) = self.source_len(source).known() {
            self.learn(&index, IntFact::index(&index, n));
        }
        let params: Vec<Val> = types.iter().map(|ty| self.param(ty.clone())).collect();
        let mut params = params.into_iter();
        for (cell, start) in cells.iter().zip(starts) {
            *cell.borrow_mut() = start.rebuild(&mut params);
        }
        index
    }

    fn loop_body(
        &mut self,
        scope: &Scope,
        binding: &Binding,
        body: &Block,
        source: &Source,
        index: &Val,
        span: Span,
    ) -> Res<()> {
        let item = self.source_at(source, index, binding.source.span)?;
        let mut inner = scope.clone();
        self.bind(&mut inner, &binding.pattern, &item, span)?;
        self.indices.push(index.clone());
        let result = self.statements(&mut inner, &body.items);
        self.indices.pop();
        result
    }

    /// `while c`, and the end of a range that is only known at run time.
    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn loop_condition(
        &mut self,
        scope: &Scope,
        (binding, condition): (&Binding, Option<&Expr>),
        source: &Source,
        cells: &[Cell],
        starts: &[Val],
        types: &[Ty],
        span: Span,
    ) -> Res<super::stage::Closed> {
        self.open("while", span);
        let index = self.loop_params(cells, starts, types, source);
        let c = (|| {
            let mut c = Val::bool(true);
            if let Source::Dynamic { .. } = source {
                c = self.source_mask(source, &index, span)?;
            }
            if let Some(condition) = condition {
                let item = self.source_at(source, &index, binding.source.span)?;
                let mut inner = scope.clone();
                self.bind(&mut inner, &binding.pattern, &item, span)?;
                let mine = self.condition(&inner, condition)?;
                c = match known_bool(&c) {
                    Some(_) => mine,
                    None => self.apply("and", &[(&c, span), (&mine, span)], span)?,
                };
            }
            Ok(c)
        })();
        match c {
            Ok(c) => self.close(&[c], span),
            Err(poisoned) => {
                self.abandon();
                Err(poisoned)
            }
        }
    }

    /// `if c { … } else { … }` as a statement.
    fn if_statement(&mut self, scope: &Scope, arms: &IfBlock, span: Span) -> Res<()> {
        let mut cells: Vec<Cell> = Vec::new();
        let blocks = arms.arms.iter().map(|(_, body)| body).chain(&arms.otherwise);
        for body in blocks {
            for cell in self.assigned_cells(scope, body) {
                if !self.is_hidden(&cell) && !cells.iter().any(|known| Rc::ptr_eq(known, &cell)) {
                    cells.push(cell);
                }
            }
        }
        self.if_arms(scope, &arms.arms, arms.otherwise.as_ref(), &cells, span, false).map(|_| ())
    }

    /// `if c { … } else { … }` with a value.
    pub(crate) fn if_block_value(&mut self, scope: &Scope, arms: &IfBlock, span: Span) -> Res<Val> {
        if arms.otherwise.is_none() {
            return self.fail(errors::if_without_else(span));
        }
        let mut cells: Vec<Cell> = Vec::new();
        for body in arms.arms.iter().map(|(_, body)| body).chain(&arms.otherwise) {
            for cell in self.assigned_cells(scope, body) {
                if !self.is_hidden(&cell) && !cells.iter().any(|known| Rc::ptr_eq(known, &cell)) {
                    cells.push(cell);
                }
            }
        }
        self.if_arms(scope, &arms.arms, arms.otherwise.as_ref(), &cells, span, true)
    }

    fn if_arms(
        &mut self,
        scope: &Scope,
        arms: &[(Expr, Block)],
        otherwise: Option<&Block>,
        cells: &[Cell],
        span: Span,
        valued: bool,
    ) -> Res<Val> {
        let unit = Val::tuple(Vec::new());
        let run = |lower: &mut Self, body: Option<&Block>| -> Res<Val> {
            match body {
                Some(body) if valued => lower.block_value(scope, body),
                Some(body) => {
                    let mut inner = scope.clone();
                    lower.statements(&mut inner, &body.items).map(|()| unit.clone())
                }
                None => Ok(unit.clone()),
            }
        };
        let Some(((condition, then), rest)) = arms.split_first() else {
            return run(self, otherwise);
        };
        let c = self.condition(scope, condition)?;
        match known_bool(&c) {
            Some(true) => return run(self, Some(then)),
            Some(false) => return self.if_arms(scope, rest, otherwise, cells, span, valued),
            None => {}
        }
        let before: Vec<Val> = cells.iter().map(|cell| cell.borrow().clone()).collect();
        let present = |cells: &[Cell]| Val::tuple(cells.iter().map(|c| c.borrow().clone()).collect());
        let result = self.choose(
            &c,
            span,
            &mut |lower| {
                restore(cells, &before);
                let val = run(lower, Some(then))?;
                Ok(Val::tuple(vec![val, present(cells)]))
            },
            &mut |lower| {
                restore(cells, &before);
                let val = lower.if_arms(scope, rest, otherwise, cells, span, valued)?;
                Ok(Val::tuple(vec![val, present(cells)]))
            },
        );
        restore(cells, &before);
        let result = result?;
        let Val::Tuple(parts) = &result else { return Err(super::Poisoned) };
        if let [val, Val::Tuple(after)] = parts.as_slice() {
            for (cell, new) in cells.iter().zip(after.iter()) {
                *cell.borrow_mut() = new.clone();
            }
            return Ok(val.clone());
        }
        Err(super::Poisoned)
    }

    /// Whether a block solves anything that has to be run here and now, itself or through the
    /// functions it calls.
    pub(crate) fn solves_block(&mut self, scope: &Scope, body: &Block) -> bool {
        if self.inside() {
            return false;
        }
        let mut names = Vec::new();
        let mut found = false;
        walk::block(body, &mut |e| note_solves(e, &mut found, &mut names));
        found || self.names_solve(scope, &names, 0)
    }

    /// The same of the body of a generator.
    pub(crate) fn solves(&mut self, scope: &Scope, g: &Generator) -> bool {
        if self.inside() {
            return false;
        }
        let mut names = Vec::new();
        let mut found = false;
        walk::expr(&g.body, &mut |e| note_solves(e, &mut found, &mut names));
        // What it binds itself hides what is around.
        let mut bound = Vec::new();
        g.bindings.iter().for_each(|binding| pattern_names(&binding.pattern, &mut bound));
        names.retain(|name| !bound.contains(name));
        found || self.names_solve(scope, &names, 0)
    }

    fn names_solve(&mut self, scope: &Scope, names: &[Arc<str>], depth: usize) -> bool {
        if depth > 8 {
            return false;
        }
        names.iter().any(|name| {
            let Some(Slot::Let(Val::Function(function), _)) = self.slot(scope, name).cloned() else {
                return false;
            };
            let Function::User { decl, scope } = &*function else { return false };
            let mut inner = Vec::new();
            let mut found = false;
            walk::expr(&decl.body, &mut |e| note_solves(e, &mut found, &mut inner));
            inner.retain(|n| *n != decl.name.name);
            found || self.names_solve(scope, &inner, depth + 1)
        })
    }
}

fn note_solves(e: &Expr, found: &mut bool, names: &mut Vec<Arc<str>>) -> bool {
    match &*e.kind {
        ExprKind::Solve(_) => *found = true,
        ExprKind::Name(name) if !names.contains(name) => names.push(name.clone()),
        _ => {}
    }
    !*found
}

/// Binds the names of a pattern to an erroneous value.
pub(crate) fn poison(scope: &mut Scope, pattern: &Pattern) {
    match pattern {
        Pattern::Name(name) => {
            *scope = scope.with(&name.name, Slot::Let(Val::Poison, name.span));
        }
        Pattern::Tuple(patterns, _) => patterns.iter().for_each(|p| poison(scope, p)),
    }
}

fn restore(cells: &[Cell], vals: &[Val]) {
    for (cell, val) in cells.iter().zip(vals) {
        *cell.borrow_mut() = val.clone();
    }
}

/// Whether two values are made of the very same staged arrays.
pub(crate) fn same_values(a: &Val, b: &Val) -> bool {
    let (Some(xs), Some(ys)) = (a.leaves(), b.leaves()) else { return false };
    xs.len() == ys.len()
        && xs.iter().zip(&ys).all(|(x, y)| match (x, y) {
            (Val::Staged(x), Val::Staged(y)) => x.unit == y.unit && x.level == y.level && x.value == y.value,
            (Val::Int(x), Val::Int(y)) => x == y,
            _ => false,
        })
}

/// A record with one field replaced.
fn with_field(record: &Val, name: &str, part: Val) -> Val {
    match record {
        Val::Record(record) => {
            let fields = record
                .fields
                .iter()
                .map(|(n, v)| (n.clone(), if **n == *name { part.clone() } else { v.clone() }))
                .collect();
            Val::Record(Rc::new(super::Record { fields, rows: record.rows.clone() }))
        }
        other => other.clone(),
    }
}

enum Looped {
    Done,
    Grows,
}

enum Attempt {
    Done,
    Grows,
    /// By cell, which leaves must start as reals.
    Real(Vec<(usize, Vec<bool>)>),
}

enum Compared {
    Same,
    Grows,
    Real(Vec<(usize, Vec<bool>)>),
}

/// Whether the carried values have the same types after a turn as before.
fn compare_starts(starts: &[Val], after: &[Val]) -> Compared {
    let mut real = Vec::new();
    for (k, (a, b)) in starts.iter().zip(after).enumerate() {
        let (Some(x), Some(y)) = (a.leaves(), b.leaves()) else { return Compared::Grows };
        if x.len() != y.len() {
            return Compared::Grows;
        }
        let mut marks = Vec::new();
        for (x, y) in x.iter().zip(&y) {
            let (Some(x), Some(y)) = (x.ty(), y.ty()) else { return Compared::Grows };
            if !super::arith::same_dims(&x.dims, &y.dims) {
                return Compared::Grows;
            }
            marks.push(x.elem == Elem::Int && y.elem == Elem::Real);
            if x.elem != y.elem
                && !(x.elem == Elem::Int && y.elem == Elem::Real)
                && !(x.elem == Elem::Real && y.elem == Elem::Int)
            {
                return Compared::Grows;
            }
        }
        if marks.contains(&true) {
            real.push((k, marks));
        }
    }
    if real.is_empty() { Compared::Same } else { Compared::Real(real) }
}
