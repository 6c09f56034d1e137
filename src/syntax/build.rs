//! What the grammar's actions call: small functions that make nodes.
//!
//! Every expression knows its depth. What nests deeper than [`MAX_DEPTH`] is replaced by
//! [`ExprKind::Error`] as soon as it is built, so no tree is ever deep enough to overflow a stack,
//! not even when it is dropped. Chains of one level are flat however long they are.

use super::ast::*;
use super::depth::{deepest, depth_below, exprs_depth};
use super::errors::{self, Reports};
use super::token::unescape;
use crate::diag::{FileId, Span};

/// Makes the nodes of one file and keeps what there is to say about them.
pub struct Builder {
    file: FileId,
    /// What was wrong.
    pub reports: Reports,
}

/// A clause of a `solve`.
pub enum SolvePart {
    /// `over x = x0`
    Over(Span, Vec<ParamDecl>),
    /// `subject to …`
    Subject(Span, Vec<Constraint>),
    /// `from e`
    From(Span, Expr),
    /// `using e`
    Using(Span, Expr),
    /// `until e`
    Until(Span, Expr),
    /// `with batch = 64`
    With(Span, Vec<Arg>),
}

impl Builder {
    /// A builder for a file.
    pub fn new(file: FileId) -> Builder {
        Builder { file, reports: Reports::default() }
    }

    /// A place in the file.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// A name.
    pub fn ident(&self, start: usize, name: &str, end: usize) -> Ident {
        Ident { name: name.into(), span: self.span(start, end) }
    }

    // Expressions

    /// An expression of any kind.
    pub fn expr(&mut self, start: usize, kind: ExprKind, end: usize) -> Expr {
        let span = self.span(start, end);
        self.spanned(span, kind)
    }

    fn spanned(&mut self, span: Span, kind: ExprKind) -> Expr {
        let depth = 1 + depth_below(&kind);
        self.limit(Expr { kind: Box::new(kind), span, depth })
    }

    /// Replaces a tree that is too deep.
    fn limit(&mut self, expr: Expr) -> Expr {
        if expr.depth <= MAX_DEPTH {
            return expr;
        }
        self.reports.nested_too_deeply(expr.span);
        Expr { kind: Box::new(ExprKind::Error), span: expr.span, depth: 1 }
    }

    /// A variable.
    pub fn name(&mut self, start: usize, name: &str, end: usize) -> Expr {
        self.expr(start, ExprKind::Name(name.into()), end)
    }

    /// A string.
    pub fn string(&mut self, start: usize, inside: &str, end: usize) -> Expr {
        self.expr(start, ExprKind::Str(unescape(inside).into()), end)
    }

    /// `left op right`; goes on with the chain on the left if it is of the same level.
    pub fn chain(&mut self, mut left: Expr, op: BinOp, start: usize, end: usize, right: Expr) -> Expr {
        let (place, span) = (self.span(start, end), left.span.to(right.span));
        if let ExprKind::Chain { rest, .. } = &mut *left.kind
            && rest.first().is_some_and(|(first, ..)| first.level() == op.level())
        {
            left.span = span;
            left.depth = left.depth.max(1 + right.depth);
            rest.push((op, place, right));
            return self.limit(left);
        }
        self.spanned(span, ExprKind::Chain { first: left, rest: vec![(op, place, right)] })
    }

    /// `left op right`; goes on with the comparison on the left.
    pub fn compare(&mut self, mut left: Expr, op: CmpOp, start: usize, end: usize, right: Expr) -> Expr {
        let (place, span) = (self.span(start, end), left.span.to(right.span));
        if let ExprKind::Compare { rest, .. } = &mut *left.kind {
            left.span = span;
            left.depth = left.depth.max(1 + right.depth);
            rest.push((op, place, right));
            return self.limit(left);
        }
        self.spanned(span, ExprKind::Compare { first: left, rest: vec![(op, place, right)] })
    }

    /// `base ^ exponent`; warns of `x^2'`, which transposes the 2.
    pub fn power(&mut self, base: Expr, exponent: Expr) -> Expr {
        if let ExprKind::Transpose(inner) = &*exponent.kind {
            self.reports.push(errors::transposed_exponent(exponent.span, base.span, inner.span));
        }
        let span = base.span.to(exponent.span);
        self.spanned(span, ExprKind::Power(base, exponent))
    }

    /// `head -> body`, with the head read as an expression.
    pub fn lambda(&mut self, start: usize, head: Expr, body: Expr, end: usize) -> Expr {
        let params = match *head.kind {
            ExprKind::Paren(inner) => vec![self.pattern(inner)],
            ExprKind::Tuple(items) => items.into_iter().map(|item| self.pattern(item)).collect(),
            kind => vec![self.pattern(Expr { kind: Box::new(kind), ..head })],
        };
        self.expr(start, ExprKind::Lambda { params, body }, end)
    }

    fn pattern(&mut self, expr: Expr) -> Pattern {
        let span = expr.span;
        match *expr.kind {
            ExprKind::Name(name) => Pattern::Name(Ident { name, span }),
            ExprKind::Paren(inner) => self.pattern(inner),
            ExprKind::Tuple(items) => {
                let items = items.into_iter().map(|item| self.pattern(item)).collect();
                Pattern::Tuple(items, span)
            }
            ExprKind::Error => Pattern::Name(Ident { name: "_".into(), span }),
            _ => {
                self.reports.push(errors::lambda_takes_names(span));
                Pattern::Name(Ident { name: "_".into(), span })
            }
        }
    }

    /// A set after `in` in a declaration: a pair in brackets is an interval.
    pub fn set(&mut self, set: Expr) -> Expr {
        let (start, end) = (set.span.start as usize, set.span.end as usize);
        match *set.kind {
            ExprKind::Tuple(ends) if ends.len() == 2 => self.interval(start, ends, false, false, end),
            ExprKind::Array(ends) if ends.len() == 2 => self.interval(start, ends, true, true, end),
            kind => Expr { kind: Box::new(kind), ..set },
        }
    }

    /// `(lo, hi]`
    pub fn half_open(&mut self, start: usize, lo: Expr, rest: Vec<Expr>, end: usize) -> Expr {
        self.interval(start, with_first(lo, rest), false, true, end)
    }

    /// `[lo, hi)`
    pub fn open_half(&mut self, start: usize, ends: Vec<Expr>, end: usize) -> Expr {
        self.interval(start, ends, true, false, end)
    }

    fn interval(&mut self, start: usize, ends: Vec<Expr>, low: bool, high: bool, end: usize) -> Expr {
        if ends.len() != 2 {
            let span = self.span(start, end);
            self.reports.push(errors::interval_has_two_ends(span, ends.len()));
            return self.expr(start, ExprKind::Error, end);
        }
        let function = self.expr(start, ExprKind::Name("interval".into()), end);
        let low = self.expr(start, ExprKind::Bool(low), start + 1);
        let high = self.expr(end.saturating_sub(1), ExprKind::Bool(high), end);
        let args = ends.into_iter().chain([low, high]).map(positional).collect();
        self.expr(start, ExprKind::Call { function, args }, end)
    }

    /// `solve`, `minimize`, `maximize` or `bound` with its clauses.
    pub fn solve(
        &mut self,
        start: usize,
        kind: SolveKind,
        values: Vec<Expr>,
        parts: Vec<SolvePart>,
        end: usize,
    ) -> Expr {
        let mut solve = SolveExpr {
            kind,
            values,
            over: Vec::new(),
            constraints: Vec::new(),
            from: None,
            using: None,
            until: None,
            options: Vec::new(),
        };
        for part in parts {
            match part {
                SolvePart::Over(span, over) => self.once(span, "over", &mut solve.over, over),
                SolvePart::Subject(span, constraints) => {
                    self.once(span, "subject to", &mut solve.constraints, constraints);
                }
                SolvePart::From(span, from) => self.once_only(span, "from", &mut solve.from, from),
                SolvePart::Using(span, using) => {
                    self.once_only(span, "using", &mut solve.using, using);
                }
                SolvePart::Until(span, until) => {
                    self.once_only(span, "until", &mut solve.until, until);
                }
                SolvePart::With(span, options) => {
                    self.once(span, "with", &mut solve.options, options);
                }
            }
        }
        let kind = if kind == SolveKind::Bound { ExprKind::Bound } else { ExprKind::Solve };
        self.expr(start, kind(solve), end)
    }

    /// Fills a list that a clause may give once.
    pub(super) fn once<T>(&mut self, span: Span, clause: &str, slot: &mut Vec<T>, found: Vec<T>) {
        if slot.is_empty() {
            *slot = found;
        } else {
            self.reports.push(errors::clause_twice(span, clause));
        }
    }

    /// Fills a place that a clause may give once.
    pub(super) fn once_only<T>(&mut self, span: Span, clause: &str, slot: &mut Option<T>, found: T) {
        if slot.is_none() {
            *slot = Some(found);
        } else {
            self.reports.push(errors::clause_twice(span, clause));
        }
    }

    // Types

    fn ty(&mut self, start: usize, kind: TypeKind, below: u32, end: usize) -> TypeExpr {
        let span = self.span(start, end);
        if below < MAX_DEPTH {
            return TypeExpr { kind, span, depth: below + 1 };
        }
        self.reports.nested_too_deeply(span);
        let name = Ident { name: "real".into(), span };
        let kind = TypeKind::Named { name, args: Vec::new(), dims: Vec::new() };
        TypeExpr { kind, span, depth: 1 }
    }

    /// `real[n, d]`, `Mlp(d, h)`
    pub fn named_type(
        &mut self,
        start: usize,
        name: Ident,
        args: Option<Vec<Expr>>,
        dims: Option<Vec<Expr>>,
        end: usize,
    ) -> TypeExpr {
        let (args, dims) = (args.unwrap_or_default(), dims.unwrap_or_default());
        let below = exprs_depth(&args).max(exprs_depth(&dims));
        self.ty(start, TypeKind::Named { name, args, dims }, below, end)
    }

    /// `(w: real[d], b: real)`
    pub fn record_type(
        &mut self,
        start: usize,
        fields: Vec<(Ident, TypeExpr)>,
        dims: Option<Vec<Expr>>,
        end: usize,
    ) -> TypeExpr {
        let dims = dims.unwrap_or_default();
        let below = deepest(fields.iter().map(|(_, ty)| ty.depth)).max(exprs_depth(&dims));
        self.ty(start, TypeKind::Record { fields, dims }, below, end)
    }

    /// `(real, int)`
    pub fn tuple_type(
        &mut self,
        start: usize,
        items: Vec<TypeExpr>,
        dims: Vec<Expr>,
        end: usize,
    ) -> TypeExpr {
        let below = deepest(items.iter().map(|ty| ty.depth)).max(exprs_depth(&dims));
        self.ty(start, TypeKind::Tuple { items, dims }, below, end)
    }

    /// `(a, b) -> c`
    pub fn function_type(
        &mut self,
        start: usize,
        params: Vec<TypeExpr>,
        result: TypeExpr,
        end: usize,
    ) -> TypeExpr {
        let below = deepest(params.iter().map(|ty| ty.depth)).max(result.depth);
        self.ty(start, TypeKind::Function { params, result: Box::new(result) }, below, end)
    }
}

/// A list from its first element and the others.
pub fn with_first<T>(first: T, mut rest: Vec<T>) -> Vec<T> {
    rest.insert(0, first);
    rest
}

fn positional(value: Expr) -> Arg {
    Arg { name: None, value: ArgValue::Expr(value) }
}

impl BinOp {
    /// Chains hold operators of one level; a higher level binds tighter.
    pub fn level(self) -> u8 {
        match self {
            BinOp::Or => 0,
            BinOp::And => 1,
            BinOp::Pipe => 2,
            BinOp::Add | BinOp::Sub => 3,
            BinOp::Mul | BinOp::Div | BinOp::Mod | BinOp::IntDiv => 4,
            BinOp::MatMul => 5,
        }
    }
}
