//! What the grammar's actions call to make statements and declarations.

use std::sync::Arc;

use super::ast::*;
use super::build::{Builder, with_first};
use super::depth::{deepest, statement_depth};
use super::errors;
use super::token::unescape;
use crate::diag::Span;

/// A clause behind a function.
pub enum FnClause {
    /// `derivative dx -> e`
    Derivative(Span, LambdaClause),
    /// `prox (v, t) -> e`
    Prox(Span, LambdaClause),
    /// `is convex`
    Is(Span, Vec<Ident>),
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
    /// A statement with its documentation.
    pub fn statement(&mut self, doc: Option<&str>, start: usize, kind: StmtKind, end: usize) -> Stmt {
        Stmt { kind, span: self.span(start, end), doc: doc.map(doc_text) }
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
        Block { items: Vec::new(), span, depth: 1 }
    }

    /// The statements of a file: its values are taken, and no `end` stands where a `}` does here.
    pub fn check_file(&mut self, items: &[Stmt]) {
        let Some(span) = block_end(items) else { return self.check_values(items) };
        if !items.iter().any(|item| matches!(item.kind, StmtKind::Error)) {
            self.reports.push(errors::block_word(span, "end"));
        }
    }

    /// An expression is a statement only at the end of its block.
    pub fn check_values(&mut self, items: &[Stmt]) {
        let before_last = items.split_last().map_or(items, |(_, before)| before);
        for item in before_last {
            if let StmtKind::Expr(expr) = &item.kind
                && !matches!(&*expr.kind, ExprKind::Solve(_) | ExprKind::Bound(_) | ExprKind::Error)
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
                self.reports.push(errors::misplaced_statement(item.span, word, home));
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
        let decl = FnDecl { name, params, result, range, body, derivative, prox, facts };
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
        let decl = PrimitiveDecl { name, params, result, range, native, derivative, facts };
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
        StmtKind::Test(Arc::new(TestDecl { name, name_span, body }))
    }

    /// `import "file" as name`
    pub fn import(&mut self, start: usize, path: &str, end: usize, name: Option<Ident>) -> StmtKind {
        let (path, path_span) = (unescape(path).into(), self.span(start, end));
        StmtKind::Import { path, path_span, name }
    }

    /// `minimize e over w given v subject to …` in an objective
    pub fn clause(&mut self, maximize: bool, values: Vec<Expr>, parts: Vec<ClausePart>) -> StmtKind {
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
        StmtKind::Clause(Arc::new(ClauseDecl { maximize, values, over, given, constraints }))
    }
}

/// `rule name: pattern => replacement if condition`
pub fn rule(
    kind: RuleKind,
    name: Ident,
    pattern: Expr,
    replacement: Expr,
    condition: Option<Expr>,
) -> StmtKind {
    StmtKind::Rule(Arc::new(RuleDecl { kind, name, pattern, replacement, condition }))
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
    StmtKind::Members(Arc::new(MembersDecl { distribution, name, params, members }))
}

/// `type Name(dims) = type`
pub fn type_decl(name: Ident, params: Option<Vec<Ident>>, ty: TypeExpr) -> StmtKind {
    let params = params.unwrap_or_default();
    StmtKind::Type(Arc::new(TypeDecl { name, params, ty }))
}

/// `param w: ty in SET = init`
pub fn param(name: Ident, ty: Option<TypeExpr>, set: Option<Expr>, start: Option<ParamStart>) -> StmtKind {
    StmtKind::Param(Arc::new(ParamDecl { name, ty, set, start }))
}

/// `if c { … } else if … else { … }`
pub fn if_block(condition: Expr, then: Block, more: Vec<(Expr, Block)>, otherwise: Option<Block>) -> IfBlock {
    IfBlock { arms: with_first((condition, then), more), otherwise }
}

/// The text of `///` lines, joined by newlines, without the slashes and one space.
fn doc_text(lines: &str) -> Arc<str> {
    let texts = lines.lines().filter_map(|line| line.trim().strip_prefix("///"));
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

/// A bare `end` among statements that bind no such name.
fn block_end(items: &[Stmt]) -> Option<Span> {
    let binds = |item: &Stmt| match &item.kind {
        StmtKind::Let { pattern, .. } | StmtKind::Var { pattern, .. } | StmtKind::Draw { pattern, .. } => {
            names_end(pattern)
        }
        StmtKind::Input { name, .. } => &*name.name == "end",
        _ => false,
    };
    if items.iter().any(binds) {
        return None;
    }
    items.iter().find_map(|item| match &item.kind {
        StmtKind::Expr(expr) => match &*expr.kind {
            ExprKind::Name(name) if &**name == "end" => Some(expr.span),
            _ => None,
        },
        _ => None,
    })
}

fn names_end(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Name(name) => &*name.name == "end",
        Pattern::Tuple(parts, _) => parts.iter().any(names_end),
    }
}
