//! The syntax tree. Every node knows its span; no tree is deeper than [`MAX_DEPTH`].

use std::sync::Arc;

use crate::diag::Span;

/// The deepest tree the parser builds; what nests deeper is refused with an error.
pub const MAX_DEPTH: u32 = 256;

/// A name as written, with its place.
#[derive(Debug, Clone)]
pub struct Ident {
    /// The letters.
    pub name: Arc<str>,
    /// Where they stand.
    pub span: Span,
}

/// A source file: one block.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Its statements, in order.
    pub items: Vec<Stmt>,
}

/// A statement or declaration, with the documentation comment above it.
#[derive(Debug, Clone)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// From its first to its last token.
    pub span: Span,
    /// The text of the `///` lines above it, joined by newlines.
    pub doc: Option<Arc<str>>,
}

/// The kinds of statement.
#[derive(Debug, Clone)]
pub enum StmtKind {
    /// `fn name(params) -> ty = body derivative … prox … is …`
    Fn(Arc<FnDecl>),
    /// `primitive name(params) -> ty = native "log" derivative … is …`
    Primitive(Arc<PrimitiveDecl>),
    /// `[exact | stable] rule name: pattern => replacement [if condition]`
    Rule(Arc<RuleDecl>),
    /// `type Name(dims) = type`
    Type(Arc<TypeDecl>),
    /// `objective name(params) { … }`
    Objective(Arc<ObjectiveDecl>),
    /// `optimizer name(params) { … }`
    Optimizer(Arc<OptimizerDecl>),
    /// `set name(params) { … }` or `distribution name(params) { … }`
    Members(Arc<MembersDecl>),
    /// `test "name" { … }`
    Test(Arc<TestDecl>),
    /// `import "file.opt" [as m]`
    Import { path: Arc<str>, path_span: Span, name: Option<Ident> },
    /// `input name: ty = default`
    Input { name: Ident, ty: Option<TypeExpr>, default: Option<Expr> },
    /// `precision f32`
    Precision(Ident),
    /// `let p: ty = e`
    Let { pattern: Pattern, ty: Option<TypeExpr>, value: Expr },
    /// `let p: ty ~ e [given e]`
    Draw { pattern: Pattern, ty: Option<TypeExpr>, source: Expr, given: Option<Expr> },
    /// `var p: ty = e`
    Var { pattern: Pattern, ty: Option<TypeExpr>, value: Expr },
    /// `place = e`, `place += e` …; the place is a name, index or field expression.
    Assign { place: Expr, op: Option<BinOp>, value: Expr },
    /// `for p in S [while c] { … }`, or over a draw.
    For { binding: Binding, condition: Option<Expr>, body: Block },
    /// `if c { … } else { … }` as a statement.
    If(Box<IfBlock>),
    /// `print e, …`
    Print(Vec<Arg>),
    /// `plot e, … [to "file"] [with …]`
    Plot { values: Vec<Arg>, path: Option<Expr>, options: Vec<Arg> },
    /// `save e to "file"`
    Save { value: Expr, path: Expr },
    /// `assert c, "message"`
    Assert { condition: Expr, message: Option<Expr> },
    /// An expression on a line of its own.
    Expr(Expr),
    // Inside objectives:
    /// `param w: ty [in SET] = init` or `~ D`
    Param(Arc<ParamDecl>),
    /// `minimize e, … [over …] [given …] [subject to …]`
    Clause(Arc<ClauseDecl>),
    /// `report name = e`, in objectives and optimizers.
    Report { name: Ident, value: Expr },
    // Inside optimizers:
    /// `players x, y`
    Players(Vec<Ident>),
    /// `state s = e, …`
    State(Vec<(Ident, Option<TypeExpr>, Expr)>),
    /// `step { … }`
    Step(Block),
    /// `answer e [, multipliers = …]`
    Answer { value: Expr, more: Vec<Arg> },
    /// `stop STATUS if c`
    Stop { status: Ident, condition: Expr },
    /// `each W: ty { … }`
    Each { name: Ident, ty: Option<TypeExpr>, body: Block },
    /// `otherwise using e`
    Otherwise(Expr),
    /// A statement the parser could not read; it has been reported.
    Error,
}

/// `fn` with all its clauses.
#[derive(Debug, Clone)]
pub struct FnDecl {
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<ParamSpec>,
    /// The declared type of the result.
    pub result: Option<TypeExpr>,
    /// The range, after `in`.
    pub range: Option<Expr>,
    /// The body: an expression, or a block expression.
    pub body: Expr,
    /// `derivative dx, dy -> e` (one tangent name per differentiable parameter).
    pub derivative: Option<LambdaClause>,
    /// `prox (v, t) -> e`
    pub prox: Option<LambdaClause>,
    /// Facts after `is`.
    pub facts: Vec<Ident>,
}

/// The names and body of a `derivative` or `prox` clause.
#[derive(Debug, Clone)]
pub struct LambdaClause {
    /// The bound names.
    pub params: Vec<Ident>,
    /// What they are bound in.
    pub body: Expr,
}

/// An elementwise primitive with its facts.
#[derive(Debug, Clone)]
pub struct PrimitiveDecl {
    /// Its name.
    pub name: Ident,
    /// Its parameters; a domain stands in `set`.
    pub params: Vec<ParamSpec>,
    /// The declared type of the result.
    pub result: Option<TypeExpr>,
    /// The range, after `in`.
    pub range: Option<Expr>,
    /// The name of the machine function.
    pub native: Arc<str>,
    /// The derivative, linear in its parameters.
    pub derivative: Option<LambdaClause>,
    /// Facts after `is`.
    pub facts: Vec<Ident>,
}

/// A rewrite rule.
#[derive(Debug, Clone)]
pub struct RuleDecl {
    /// What it promises.
    pub kind: RuleKind,
    /// Its name.
    pub name: Ident,
    /// What it matches.
    pub pattern: Expr,
    /// What it puts there.
    pub replacement: Expr,
    /// When.
    pub condition: Option<Expr>,
}

/// What a rewrite rule promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// It keeps every bit.
    Exact,
    /// It is true on the reals, and no dearer.
    Real,
    /// It is true on the reals, and more accurate.
    Stable,
}

/// A named type.
#[derive(Debug, Clone)]
pub struct TypeDecl {
    /// Its name.
    pub name: Ident,
    /// Its dimension parameters.
    pub params: Vec<Ident>,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// An objective: parameters and a block of statements.
#[derive(Debug, Clone)]
pub struct ObjectiveDecl {
    /// Its name.
    pub name: Ident,
    /// Its data and constants.
    pub params: Vec<ParamSpec>,
    /// Its statements.
    pub body: Block,
}

/// An optimizer: hyper-parameters and a block of statements.
#[derive(Debug, Clone)]
pub struct OptimizerDecl {
    /// Its name.
    pub name: Ident,
    /// Its hyper-parameters.
    pub params: Vec<ParamSpec>,
    /// Its statements.
    pub body: Block,
}

/// A set or a distribution: members, one per line.
#[derive(Debug, Clone)]
pub struct MembersDecl {
    /// `true` for a distribution, `false` for a set.
    pub distribution: bool,
    /// Its name.
    pub name: Ident,
    /// Its parameters.
    pub params: Vec<ParamSpec>,
    /// `name(params) = e`
    pub members: Vec<Member>,
}

/// One member of a set or distribution.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: Ident,
    /// Its parameters, none for a plain value.
    pub params: Vec<ParamSpec>,
    /// Its value.
    pub body: Expr,
}

/// A test.
#[derive(Debug, Clone)]
pub struct TestDecl {
    /// What it is called.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// What it runs.
    pub body: Block,
}

/// `param w: ty in SET = init`.
#[derive(Debug, Clone)]
pub struct ParamDecl {
    /// Its name.
    pub name: Ident,
    /// Its type; a scalar real if left out.
    pub ty: Option<TypeExpr>,
    /// The set it lives in.
    pub set: Option<Expr>,
    /// The start.
    pub start: Option<ParamStart>,
}

/// Where a param starts.
#[derive(Debug, Clone)]
pub enum ParamStart {
    /// `= e`
    Value(Expr),
    /// `~ D`
    Draw(Expr),
}

/// `minimize e1, e2 over … given … subject to …`.
#[derive(Debug, Clone)]
pub struct ClauseDecl {
    /// `maximize` rather than `minimize`.
    pub maximize: bool,
    /// The objectives; more than one is a multi-objective problem.
    pub values: Vec<Expr>,
    /// The params of this player.
    pub over: Vec<Ident>,
    /// The leader's params, for a follower.
    pub given: Vec<Ident>,
    /// The constraints.
    pub constraints: Vec<Constraint>,
}

/// A constraint, possibly named, possibly a family.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name.
    pub name: Option<Ident>,
    /// The comparison or membership.
    pub value: Expr,
    /// `for p in S`
    pub family: Option<Binding>,
}

/// A parameter of a function, objective or optimizer.
#[derive(Debug, Clone)]
pub struct ParamSpec {
    /// Its name.
    pub name: Ident,
    /// Its type, if declared.
    pub ty: Option<TypeExpr>,
    /// Its domain, after `in`.
    pub set: Option<Expr>,
    /// Its default.
    pub default: Option<Expr>,
}

/// A block of statements; the last may be its value.
#[derive(Debug, Clone)]
pub struct Block {
    /// The statements.
    pub items: Vec<Stmt>,
    /// From `{` to `}`.
    pub span: Span,
    /// One more than the deepest expression or block in it.
    pub depth: u32,
}

/// `if c { … } else if … else { … }`.
#[derive(Debug, Clone)]
pub struct IfBlock {
    /// Conditions with their blocks, in order.
    pub arms: Vec<(Expr, Block)>,
    /// The block when none holds.
    pub otherwise: Option<Block>,
}

/// What a `let` binds.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// A name; `_` binds nothing.
    Name(Ident),
    /// `(p, q)`
    Tuple(Vec<Pattern>, Span),
}

impl Pattern {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Pattern::Name(name) => name.span,
            Pattern::Tuple(_, span) => *span,
        }
    }
}

/// A type as written.
#[derive(Debug, Clone)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
    /// One more than the deepest type or dimension in it.
    pub depth: u32,
}

/// The kinds of type.
#[derive(Debug, Clone)]
pub enum TypeKind {
    /// `real`, `int`, `real[n, d]`, `Mlp(d, h)`, `Name[n]`: base name, arguments in `( )`, dimensions in `[ ]`.
    Named { name: Ident, args: Vec<Expr>, dims: Vec<Expr> },
    /// `(w: real[d], b: real)`, possibly with dimensions behind it.
    Record { fields: Vec<(Ident, TypeExpr)>, dims: Vec<Expr> },
    /// `(real, int)`, possibly with dimensions behind it.
    Tuple { items: Vec<TypeExpr>, dims: Vec<Expr> },
    /// `a -> b`, `(a, b) -> c`.
    Function { params: Vec<TypeExpr>, result: Box<TypeExpr> },
}

/// An expression with its span and the depth of its tree.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Box<ExprKind>,
    /// Where it stands, without parentheses around it.
    pub span: Span,
    /// One more than the deepest child.
    pub depth: u32,
}

/// The kinds of expression.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `42`
    Int(i64),
    /// `1.5e3`
    Real(f64),
    /// `true`
    Bool(bool),
    /// `"text"`
    Str(Arc<str>),
    /// `x`
    Name(Arc<str>),
    /// A left-associative chain of operators of one level: `a + b - c`. Flat, however long.
    Chain { first: Expr, rest: Vec<(BinOp, Span, Expr)> },
    /// `a < b <= c`. Flat.
    Compare { first: Expr, rest: Vec<(CmpOp, Span, Expr)> },
    /// `a ^ b`
    Power(Expr, Expr),
    /// `-a`
    Neg(Expr),
    /// `not a`
    Not(Expr),
    /// `a..b`; in an index either side may be missing, and `:` is the range with neither.
    Range(Option<Expr>, Option<Expr>),
    /// `x -> e`, `(x, y) -> e`
    Lambda { params: Vec<Pattern>, body: Expr },
    /// `if c then a else b`; a chain of `else if` is flat.
    If { arms: Vec<(Expr, Expr)>, otherwise: Expr },
    /// `if c { … } else { … }` as a value.
    IfBlock(IfBlock),
    /// `f(args)`
    Call { function: Expr, args: Vec<Arg> },
    /// `a[i, j]`; also `zeros[n, d]`.
    Index { base: Expr, args: Vec<Expr> },
    /// `r.w`
    Field { base: Expr, field: Ident },
    /// `A'`
    Transpose(Expr),
    /// `[a, b, c]`
    Array(Vec<Expr>),
    /// `[e for p in S]`
    Comprehension(Generator),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `(w = a, b = c)`
    Record(Vec<(Ident, Expr)>),
    /// `{ … }` with a value.
    Block(Block),
    /// `(e)`: kept so that chains end at parentheses and the printer shows them.
    Paren(Expr),
    /// `(e with seed = 1)`
    With { value: Expr, options: Vec<Arg> },
    /// `solve …`, `minimize …`, `maximize …`
    Solve(SolveExpr),
    /// `bound e over x in SET using …`
    Bound(SolveExpr),
    /// An expression the parser could not read; it has been reported.
    Error,
}

/// `e for p in S, q ~ D if c by m`.
#[derive(Debug, Clone)]
pub struct Generator {
    /// What is computed for each.
    pub body: Expr,
    /// The bindings, outermost first.
    pub bindings: Vec<Binding>,
    /// `if c`
    pub filter: Option<Expr>,
    /// `by pathwise(64)`
    pub by: Option<Expr>,
}

/// `p in S` runs over S; `p ~ S` draws from it.
#[derive(Debug, Clone)]
pub struct Binding {
    /// What is bound.
    pub pattern: Pattern,
    /// `~` rather than `in`.
    pub draw: bool,
    /// What it runs over.
    pub source: Expr,
}

/// An argument: positional, named, or a generator (last of the call).
#[derive(Debug, Clone)]
pub struct Arg {
    /// `name = value`
    pub name: Option<Ident>,
    /// What is passed.
    pub value: ArgValue,
}

/// What is passed.
#[derive(Debug, Clone)]
pub enum ArgValue {
    /// A plain value.
    Expr(Expr),
    /// `e for p in S`
    Generator(Generator, Span),
}

/// `solve P …`, `minimize e over … `, `solve F(z) == 0 over z = z0`, `bound e over …`; the clauses in any order.
#[derive(Debug, Clone)]
pub struct SolveExpr {
    /// What is solved.
    pub kind: SolveKind,
    /// `solve P`, `solve F(z) == 0`, or the minimized expressions.
    pub values: Vec<Expr>,
    /// `over x: ty in SET = x0, …`
    pub over: Vec<ParamDecl>,
    /// `subject to …`
    pub constraints: Vec<Constraint>,
    /// `from START`
    pub from: Option<Expr>,
    /// `using OPTIMIZER`
    pub using: Option<Expr>,
    /// `until CONDITION`
    pub until: Option<Expr>,
    /// `with batch = 64, …`
    pub options: Vec<Arg>,
}

/// Which word began the solve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolveKind {
    /// `solve`
    Solve,
    /// `minimize`
    Minimize,
    /// `maximize`
    Maximize,
    /// `bound`
    Bound,
}

/// Binary operators of the left-associative chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `|>`
    Pipe,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `mod`
    Mod,
    /// `div`
    IntDiv,
    /// `@`
    MatMul,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CmpOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `>=`
    Ge,
    /// `>`
    Gt,
    /// `in`, only in constraints: `subject to X in psd`
    In,
}

impl BinOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinOp::Or => "or",
            BinOp::And => "and",
            BinOp::Pipe => "|>",
            BinOp::Add => "+",
            BinOp::Sub => "-",
            BinOp::Mul => "*",
            BinOp::Div => "/",
            BinOp::Mod => "mod",
            BinOp::IntDiv => "div",
            BinOp::MatMul => "@",
        }
    }
}

impl CmpOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            CmpOp::Lt => "<",
            CmpOp::Le => "<=",
            CmpOp::Eq => "==",
            CmpOp::Ne => "!=",
            CmpOp::Ge => ">=",
            CmpOp::Gt => ">",
            CmpOp::In => "in",
        }
    }
}
