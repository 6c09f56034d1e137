//! What the grammar's actions call: small functions that make nodes.
//!
//! Every expression knows its depth. What nests deeper than [`MAX_DEPTH`] is replaced by
//! [`ExprKind::Error`] as soon as it is built, so no tree is ever deep enough to overflow a stack,
//! not even when it is dropped. Chains of one level are flat however long they are.

use std::sync::Arc;

use super::ast::*;
use super::depth::{deepest, depth_below, exprs_depth, statement_depth};
use super::errors::{self, Reports};
use super::token::unescape;
use crate::diag::{FileId, Span};

/// Makes the nodes of one file and keeps what there is to say about them.
pub struct Builder {
    file: FileId,
    /// What was wrong.
    pub reports: Reports,
}

/// A clause behind a function.
pub enum FnClause {
    /// `derivative dx -> e`
    Derivative(Span, LambdaClause),
    /// `prox (v, t) -> e`
    Prox(Span, LambdaClause),
    /// `is convex`
    Is(Span, Vec<Ident>),
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

/// A clause of an objective's `minimize`.
pub enum ClausePart {
    /// `over w, b`
    Over(Span, Vec<Ident>),
    /// `given v`
    Given(Span, Vec<Ident>),
    /// `subject to …`
    Subject(Span, Vec<Constraint>),
}

type Result = Option<(TypeExpr, Option<Expr>)>;

impl Builder {
    /// A builder for a file.
    pub fn new(file: FileId) -> Builder {
        Builder {
            file,
            reports: Reports::default(),
        }
    }

    /// A place in the file.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// A name.
    pub fn ident(&self, start: usize, name: &str, end: usize) -> Ident {
        Ident {
            name: name.into(),
            span: self.span(start, end),
        }
    }

    // Expressions

    /// An expression of any kind.
    pub fn expr(&mut self, start: usize, kind: ExprKind, end: usize) -> Expr {
        let span = self.span(start, end);
        self.spanned(span, kind)
    }

    fn spanned(&mut self, span: Span, kind: ExprKind) -> Expr {
        let depth = 1 + depth_below(&kind);
        self.limit(Expr {
            kind: Box::new(kind),
            span,
            depth,
        })
    }

    /// Replaces a tree that is too deep.
    fn limit(&mut self, expr: Expr) -> Expr {
        if expr.depth <= MAX_DEPTH {
            return expr;
        }
        self.reports.nested_too_deeply(expr.span);
        Expr {
            kind: Box::new(ExprKind::Error),
            span: expr.span,
            depth: 1,
        }
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
    pub fn chain(
        &mut self,
        mut left: Expr,
        op: BinOp,
        start: usize,
        end: usize,
        right: Expr,
    ) -> Expr {
        let (place, span) = (self.span(start, end), left.span.to(right.span));
        if let ExprKind::Chain { rest, .. } = &mut *left.kind
            && rest
                .first()
                .is_some_and(|(first, ..)| first.level() == op.level())
        {
            left.span = span;
            left.depth = left.depth.max(1 + right.depth);
            rest.push((op, place, right));
            return self.limit(left);
        }
        self.spanned(
            span,
            ExprKind::Chain {
                first: left,
                rest: vec![(op, place, right)],
            },
        )
    }

    /// `left op right`; goes on with the comparison on the left.
    pub fn compare(
        &mut self,
        mut left: Expr,
        op: CmpOp,
        start: usize,
        end: usize,
        right: Expr,
    ) -> Expr {
        let (place, span) = (self.span(start, end), left.span.to(right.span));
        if let ExprKind::Compare { rest, .. } = &mut *left.kind {
            left.span = span;
            left.depth = left.depth.max(1 + right.depth);
            rest.push((op, place, right));
            return self.limit(left);
        }
        self.spanned(
            span,
            ExprKind::Compare {
                first: left,
                rest: vec![(op, place, right)],
            },
        )
    }

    /// `base ^ exponent`; warns of `x^2'`, which transposes the 2.
    pub fn power(&mut self, base: Expr, exponent: Expr) -> Expr {
        if let ExprKind::Transpose(inner) = &*exponent.kind {
            self.reports.push(errors::transposed_exponent(
                exponent.span,
                base.span,
                inner.span,
            ));
        }
        let span = base.span.to(exponent.span);
        self.spanned(span, ExprKind::Power(base, exponent))
    }

    /// `head -> body`, with the head read as an expression.
    pub fn lambda(&mut self, start: usize, head: Expr, body: Expr, end: usize) -> Expr {
        let params = match *head.kind {
            ExprKind::Paren(inner) => vec![self.pattern(inner)],
            ExprKind::Tuple(items) => items.into_iter().map(|item| self.pattern(item)).collect(),
            kind => vec![self.pattern(Expr {
                kind: Box::new(kind),
                ..head
            })],
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
            ExprKind::Error => Pattern::Name(Ident {
                name: "_".into(),
                span,
            }),
            _ => {
                self.reports.push(errors::lambda_takes_names(span));
                Pattern::Name(Ident {
                    name: "_".into(),
                    span,
                })
            }
        }
    }

    /// A set after `in` in a declaration: a pair in brackets is an interval.
    pub fn set(&mut self, set: Expr) -> Expr {
        let (start, end) = (set.span.start as usize, set.span.end as usize);
        match *set.kind {
            ExprKind::Tuple(ends) if ends.len() == 2 => {
                self.interval(start, ends, false, false, end)
            }
            ExprKind::Array(ends) if ends.len() == 2 => self.interval(start, ends, true, true, end),
            kind => Expr {
                kind: Box::new(kind),
                ..set
            },
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

    fn interval(
        &mut self,
        start: usize,
        ends: Vec<Expr>,
        low: bool,
        high: bool,
        end: usize,
    ) -> Expr {
        if ends.len() != 2 {
            let span = self.span(start, end);
            self.reports
                .push(errors::interval_has_two_ends(span, ends.len()));
            return self.expr(start, ExprKind::Error, end);
        }
        let function = self.expr(start, ExprKind::Name("interval".into()), end);
        let low = self.expr(start, ExprKind::Bool(low), start + 1);
        let high = self.expr(end.saturating_sub(1), ExprKind::Bool(high), end);
        let args = ends
            .into_iter()
            .chain([low, high])
            .map(positional)
            .collect();
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
        let kind = if kind == SolveKind::Bound {
            ExprKind::Bound
        } else {
            ExprKind::Solve
        };
        self.expr(start, kind(solve), end)
    }

    /// Fills a list that a clause may give once.
    fn once<T>(&mut self, span: Span, clause: &str, slot: &mut Vec<T>, found: Vec<T>) {
        if slot.is_empty() {
            *slot = found;
        } else {
            self.reports.push(errors::clause_twice(span, clause));
        }
    }

    fn once_only<T>(&mut self, span: Span, clause: &str, slot: &mut Option<T>, found: T) {
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
            return TypeExpr {
                kind,
                span,
                depth: below + 1,
            };
        }
        self.reports.nested_too_deeply(span);
        let name = Ident {
            name: "real".into(),
            span,
        };
        let kind = TypeKind::Named {
            name,
            args: Vec::new(),
            dims: Vec::new(),
        };
        TypeExpr {
            kind,
            span,
            depth: 1,
        }
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
        self.ty(
            start,
            TypeKind::Function {
                params,
                result: Box::new(result),
            },
            below,
            end,
        )
    }

    // Statements

    /// A statement with its documentation.
    pub fn statement(
        &mut self,
        doc: Option<&str>,
        start: usize,
        kind: StmtKind,
        end: usize,
    ) -> Stmt {
        Stmt {
            kind,
            span: self.span(start, end),
            doc: doc.map(doc_text),
        }
    }

    /// `{ … }`; statements that have a home may stand in it only if that is `home`.
    pub fn block(&mut self, start: usize, items: Vec<Stmt>, end: usize, home: &str) -> Block {
        let span = self.span(start, end);
        self.check_values(&items);
        self.check_places(&items, home);
        let depth = 1 + deepest(items.iter().map(|item| statement_depth(&item.kind)));
        if depth <= MAX_DEPTH {
            return Block { items, span, depth };
        }
        self.reports.nested_too_deeply(span);
        Block {
            items: Vec::new(),
            span,
            depth: 1,
        }
    }

    /// An expression is a statement only at the end of its block.
    pub fn check_values(&mut self, items: &[Stmt]) {
        let before_last = items.split_last().map_or(items, |(_, before)| before);
        for item in before_last {
            if let StmtKind::Expr(expr) = &item.kind
                && !matches!(
                    &*expr.kind,
                    ExprKind::Solve(_) | ExprKind::Bound(_) | ExprKind::Error
                )
            {
                self.reports.push(errors::value_is_lost(expr));
            }
        }
    }

    /// Statements that belong to an objective or optimizer stand nowhere else.
    pub fn check_places(&mut self, items: &[Stmt], here: &str) {
        for item in items {
            if let Some((word, home)) = home_of(&item.kind)
                && home != here
            {
                self.reports
                    .push(errors::misplaced_statement(item.span, word, home));
            }
        }
    }

    /// `place = value`, `place += value`
    pub fn assign(&mut self, place: Expr, op: Option<BinOp>, value: Expr) -> StmtKind {
        let mut root = &place;
        while let ExprKind::Index { base, .. } | ExprKind::Field { base, .. } = &*root.kind {
            root = base;
        }
        if !matches!(&*root.kind, ExprKind::Name(_) | ExprKind::Error) {
            self.reports.push(errors::cannot_assign(&place));
        }
        StmtKind::Assign { place, op, value }
    }

    /// `fn …`
    pub fn function(
        &mut self,
        name: Ident,
        params: Vec<ParamSpec>,
        result: Result,
        body: Expr,
        clauses: Vec<FnClause>,
    ) -> StmtKind {
        let (result, range) = result.map_or((None, None), |(ty, range)| (Some(ty), range));
        let (derivative, prox, facts) = self.clauses(clauses);
        let decl = FnDecl {
            name,
            params,
            result,
            range,
            body,
            derivative,
            prox,
            facts,
        };
        StmtKind::Fn(Arc::new(decl))
    }

    /// `primitive …`
    pub fn primitive(
        &mut self,
        name: Ident,
        params: Vec<ParamSpec>,
        result: Result,
        native: &str,
        clauses: Vec<FnClause>,
    ) -> StmtKind {
        let (result, range) = result.map_or((None, None), |(ty, range)| (Some(ty), range));
        let (derivative, prox, facts) = self.clauses(clauses);
        if let Some(prox) = prox {
            self.reports.push(errors::prox_of_primitive(prox.body.span));
        }
        let native = unescape(native).into();
        let decl = PrimitiveDecl {
            name,
            params,
            result,
            range,
            native,
            derivative,
            facts,
        };
        StmtKind::Primitive(Arc::new(decl))
    }

    fn clauses(
        &mut self,
        clauses: Vec<FnClause>,
    ) -> (Option<LambdaClause>, Option<LambdaClause>, Vec<Ident>) {
        let (mut derivative, mut prox, mut facts) = (None, None, Vec::new());
        for clause in clauses {
            match clause {
                FnClause::Derivative(span, found) => {
                    self.once_only(span, "derivative", &mut derivative, found);
                }
                FnClause::Prox(span, found) => self.once_only(span, "prox", &mut prox, found),
                FnClause::Is(span, found) => self.once(span, "is", &mut facts, found),
            }
        }
        (derivative, prox, facts)
    }

    /// `test "name" { … }`
    pub fn test(&mut self, start: usize, name: &str, end: usize, body: Block) -> StmtKind {
        let (name, name_span) = (unescape(name).into(), self.span(start, end));
        StmtKind::Test(Arc::new(TestDecl {
            name,
            name_span,
            body,
        }))
    }

    /// `import "file" as name`
    pub fn import(
        &mut self,
        start: usize,
        path: &str,
        end: usize,
        name: Option<Ident>,
    ) -> StmtKind {
        let (path, path_span) = (unescape(path).into(), self.span(start, end));
        StmtKind::Import {
            path,
            path_span,
            name,
        }
    }

    /// `minimize e over w given v subject to …` in an objective
    pub fn clause(
        &mut self,
        maximize: bool,
        values: Vec<Expr>,
        parts: Vec<ClausePart>,
    ) -> StmtKind {
        let (mut over, mut given, mut constraints) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                ClausePart::Over(span, found) => self.once(span, "over", &mut over, found),
                ClausePart::Given(span, found) => self.once(span, "given", &mut given, found),
                ClausePart::Subject(span, found) => {
                    self.once(span, "subject to", &mut constraints, found);
                }
            }
        }
        StmtKind::Clause(Arc::new(ClauseDecl {
            maximize,
            values,
            over,
            given,
            constraints,
        }))
    }
}

/// `rule name: pattern => replacement if condition`
pub fn rule(
    exact: bool,
    name: Ident,
    pattern: Expr,
    replacement: Expr,
    condition: Option<Expr>,
) -> StmtKind {
    StmtKind::Rule(Arc::new(RuleDecl {
        exact,
        name,
        pattern,
        replacement,
        condition,
    }))
}

/// `objective …`
pub fn objective(name: Ident, params: Option<Vec<ParamSpec>>, body: Block) -> StmtKind {
    let params = params.unwrap_or_default();
    StmtKind::Objective(Arc::new(ObjectiveDecl { name, params, body }))
}

/// `optimizer …`
pub fn optimizer(name: Ident, params: Option<Vec<ParamSpec>>, body: Block) -> StmtKind {
    let params = params.unwrap_or_default();
    StmtKind::Optimizer(Arc::new(OptimizerDecl { name, params, body }))
}

/// `set …` or `distribution …`
pub fn members(
    distribution: bool,
    name: Ident,
    params: Option<Vec<ParamSpec>>,
    lines: Vec<Vec<Member>>,
) -> StmtKind {
    let members = lines.into_iter().flatten().collect();
    let params = params.unwrap_or_default();
    StmtKind::Members(Arc::new(MembersDecl {
        distribution,
        name,
        params,
        members,
    }))
}

/// `type Name(dims) = type`
pub fn type_decl(name: Ident, params: Option<Vec<Ident>>, ty: TypeExpr) -> StmtKind {
    let params = params.unwrap_or_default();
    StmtKind::Type(Arc::new(TypeDecl { name, params, ty }))
}

/// `param w: ty in SET = init`
pub fn param(
    name: Ident,
    ty: Option<TypeExpr>,
    set: Option<Expr>,
    start: Option<ParamStart>,
) -> StmtKind {
    StmtKind::Param(Arc::new(ParamDecl {
        name,
        ty,
        set,
        start,
    }))
}

/// `if c { … } else if … else { … }`
pub fn if_block(
    condition: Expr,
    then: Block,
    more: Vec<(Expr, Block)>,
    otherwise: Option<Block>,
) -> IfBlock {
    IfBlock {
        arms: with_first((condition, then), more),
        otherwise,
    }
}

/// A list from its first element and the others.
pub fn with_first<T>(first: T, mut rest: Vec<T>) -> Vec<T> {
    rest.insert(0, first);
    rest
}

fn positional(value: Expr) -> Arg {
    Arg {
        name: None,
        value: ArgValue::Expr(value),
    }
}

/// The text of `///` lines, joined by newlines, without the slashes and one space.
fn doc_text(lines: &str) -> Arc<str> {
    let texts = lines
        .lines()
        .filter_map(|line| line.trim().strip_prefix("///"));
    let texts = texts.map(|text| text.strip_prefix(' ').unwrap_or(text).trim_end());
    texts.collect::<Vec<_>>().join("\n").into()
}

/// The word of a statement that has a home, and where that is.
fn home_of(kind: &StmtKind) -> Option<(&'static str, &'static str)> {
    match kind {
        StmtKind::Param(_) => Some(("param", "objective")),
        StmtKind::Clause(_) => Some(("minimize", "objective")),
        StmtKind::Players(_) => Some(("players", "optimizer")),
        StmtKind::State(_) => Some(("state", "optimizer")),
        StmtKind::Step(_) => Some(("step", "optimizer")),
        StmtKind::Answer { .. } => Some(("answer", "optimizer")),
        StmtKind::Each { .. } => Some(("each", "optimizer")),
        StmtKind::Otherwise(_) => Some(("otherwise", "optimizer")),
        _ => None,
    }
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
