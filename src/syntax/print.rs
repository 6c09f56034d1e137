//! Tree to text: the canonical form, which parses to the same tree again.
//!
//! Parentheses of the source are nodes of the tree and are printed as such; trees made by the
//! compiler get those they need from the precedence of their operators.

use super::ast::*;
use super::parse::parse_expr;
use crate::diag::FileId;

/// An expression on one line, but for the blocks in it.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer::default();
    printer.expr(expr, Level::Anything);
    printer.out
}

/// A type.
pub fn print_type(ty: &TypeExpr) -> String {
    let mut printer = Printer::default();
    printer.ty(ty);
    printer.out
}

/// A statement with its documentation, without a line end.
pub fn print_stmt(stmt: &Stmt) -> String {
    let mut printer = Printer::default();
    printer.stmt(stmt);
    printer.out
}

/// A file: one statement after the other, with empty lines around those of several lines.
pub fn print_file(file: &File) -> String {
    let mut out = String::new();
    let mut long_before = false;
    for item in &file.items {
        let text = print_stmt(item);
        let long = text.contains('\n');
        if !out.is_empty() && (long || long_before) {
            out.push('\n');
        }
        out.push_str(&text);
        out.push('\n');
        long_before = long;
    }
    out
}

/// How tight an expression binds, and how tight its place wants it, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// A `solve`: on its own or in parentheses.
    Anything,
    /// A block: also behind `=` and `->`.
    Value,
    Expr,
    Simple,
    Or,
    And,
    Not,
    Compare,
    Pipe,
    Range,
    Sum,
    Product,
    MatMul,
    Unary,
    Power,
    Postfix,
}

/// The level of a chain with this operator, and the level of its operands.
fn chain_levels(op: BinOp) -> (Level, Level) {
    match op {
        BinOp::Or => (Level::Or, Level::And),
        BinOp::And => (Level::And, Level::Not),
        BinOp::Pipe => (Level::Pipe, Level::Range),
        BinOp::Add | BinOp::Sub => (Level::Sum, Level::Product),
        BinOp::Mul | BinOp::Div | BinOp::Mod | BinOp::IntDiv => (Level::Product, Level::MatMul),
        BinOp::MatMul => (Level::MatMul, Level::Unary),
    }
}

/// How tight an expression binds.
pub(super) fn level(kind: &ExprKind) -> Level {
    match kind {
        ExprKind::Solve(_) | ExprKind::Bound(_) => Level::Anything,
        ExprKind::Block(_) | ExprKind::IfBlock(_) => Level::Value,
        ExprKind::If { .. } => Level::Expr,
        ExprKind::Lambda { .. } => Level::Simple,
        ExprKind::Chain { rest, .. } => rest.first().map_or(Level::Postfix, |(op, ..)| chain_levels(*op).0),
        ExprKind::Not(_) => Level::Not,
        ExprKind::Compare { .. } => Level::Compare,
        ExprKind::Range(..) => Level::Range,
        ExprKind::Neg(_) => Level::Unary,
        ExprKind::Int(value) if *value < 0 => Level::Unary,
        ExprKind::Real(value) if value.is_sign_negative() => Level::Unary,
        ExprKind::Power(..) => Level::Power,
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Str(_)
        | ExprKind::Name(_)
        | ExprKind::Call { .. }
        | ExprKind::Index { .. }
        | ExprKind::Field { .. }
        | ExprKind::Transpose(_)
        | ExprKind::Array(_)
        | ExprKind::Comprehension(_)
        | ExprKind::Tuple(_)
        | ExprKind::Record(_)
        | ExprKind::Paren(_)
        | ExprKind::With { .. }
        | ExprKind::Error => Level::Postfix,
    }
}

/// The text so far.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) out: String,
    pub(super) indent: usize,
}

impl Printer {
    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }

    /// Items with commas between them.
    pub(super) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Printer, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            each(self, item);
        }
    }

    pub(super) fn names(&mut self, names: &[Ident]) {
        self.list(names, |printer, name| printer.put(&name.name));
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, |printer, expr| printer.expr(expr, Level::Expr));
    }

    /// A word and an expression behind it, if there is one.
    pub(super) fn behind(&mut self, word: &str, expr: &Option<Expr>) {
        if let Some(expr) = expr {
            self.put(word);
            self.expr(expr, Level::Expr);
        }
    }

    // Expressions

    /// An expression where `place` is wanted; in parentheses if it binds looser.
    pub(super) fn expr(&mut self, expr: &Expr, place: Level) {
        if level(&expr.kind) >= place {
            return self.kind(&expr.kind);
        }
        self.put("(");
        self.kind(&expr.kind);
        self.put(")");
    }

    pub(super) fn kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Int(value) => self.put(&integer(*value)),
            ExprKind::Real(value) => self.put(&real(*value)),
            ExprKind::Bool(value) => self.put(if *value { "true" } else { "false" }),
            ExprKind::Str(text) => self.put(&quoted(text)),
            ExprKind::Name(name) => self.put(name),
            ExprKind::Chain { first, rest } => self.chain(first, rest),
            ExprKind::Compare { first, rest } => self.compare(first, rest),
            ExprKind::Power(base, exponent) => {
                self.expr(base, Level::Postfix);
                self.put("^");
                self.exponent(exponent);
            }
            ExprKind::Neg(value) => self.prefix("-", value, Level::Unary),
            ExprKind::Not(value) => self.prefix("not ", value, Level::Not),
            ExprKind::Range(lo, hi) => self.range(lo, hi),
            ExprKind::Lambda { params, body } => self.lambda(params, body),
            ExprKind::If { arms, otherwise } => self.choice(arms, otherwise),
            ExprKind::IfBlock(block) => self.if_block(block),
            ExprKind::Call { function, args } => {
                self.expr(function, Level::Postfix);
                self.put("(");
                self.list(args, Printer::arg);
                self.put(")");
            }
            ExprKind::Index { base, args } => {
                self.expr(base, Level::Postfix);
                self.bracketed(args);
            }
            ExprKind::Field { base, field } => {
                self.expr(base, Level::Postfix);
                self.put(".");
                self.put(&field.name);
            }
            ExprKind::Transpose(value) => {
                self.expr(value, Level::Postfix);
                self.put("'");
            }
            ExprKind::Array(items) => self.bracketed(items),
            ExprKind::Comprehension(generator) => {
                self.put("[");
                self.generator(generator);
                self.put("]");
            }
            ExprKind::Tuple(items) => {
                self.put("(");
                self.exprs(items);
                self.put(")");
            }
            ExprKind::Record(fields) => {
                self.put("(");
                self.list(fields, |printer, (name, value)| printer.named(name, value, Level::Value));
                self.put(")");
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Paren(value) => {
                self.put("(");
                self.expr(value, Level::Anything);
                self.put(")");
            }
            ExprKind::With { value, options } => {
                self.put("(");
                self.expr(value, Level::Expr);
                self.put(" with ");
                self.list(options, Printer::arg);
                self.put(")");
            }
            ExprKind::Solve(solve) | ExprKind::Bound(solve) => self.solve(solve),
            ExprKind::Error => self.put("?"),
        }
    }

    pub(super) fn chain(&mut self, first: &Expr, rest: &[(BinOp, crate::diag::Span, Expr)]) {
        let operand = rest.first().map_or(Level::Postfix, |(op, ..)| chain_levels(*op).1);
        self.expr(first, operand);
        for (op, _, term) in rest {
            self.put(" ");
            self.put(op.text());
            self.put(" ");
            self.expr(term, operand);
        }
    }

    pub(super) fn compare(&mut self, first: &Expr, rest: &[(CmpOp, crate::diag::Span, Expr)]) {
        self.expr(first, Level::Pipe);
        for (op, _, term) in rest {
            self.put(" ");
            self.put(op.text());
            self.put(" ");
            match op {
                CmpOp::In => self.set(term),
                CmpOp::Lt | CmpOp::Le | CmpOp::Eq | CmpOp::Ne | CmpOp::Ge | CmpOp::Gt => {
                    self.expr(term, Level::Pipe);
                }
            }
        }
    }

    pub(super) fn prefix(&mut self, sign: &str, value: &Expr, place: Level) {
        self.put(sign);
        self.expr(value, place);
    }

    /// An exponent may have a sign without parentheses.
    pub(super) fn exponent(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Neg(value) => {
                self.put("-");
                self.exponent(value);
            }
            _ => self.expr(expr, Level::Power),
        }
    }

    pub(super) fn range(&mut self, lo: &Option<Expr>, hi: &Option<Expr>) {
        if lo.is_none() && hi.is_none() {
            return self.put(":");
        }
        if let Some(lo) = lo {
            self.expr(lo, Level::Sum);
        }
        self.put("..");
        if let Some(hi) = hi {
            self.expr(hi, Level::Sum);
        }
    }

    pub(super) fn lambda(&mut self, params: &[Pattern], body: &Expr) {
        match params {
            [Pattern::Name(name)] => self.put(&name.name),
            _ => {
                self.put("(");
                self.list(params, Printer::pattern);
                self.put(")");
            }
        }
        self.put(" -> ");
        self.expr(body, Level::Value);
    }

    pub(super) fn choice(&mut self, arms: &[(Expr, Expr)], otherwise: &Expr) {
        for (condition, value) in arms {
            self.put("if ");
            self.expr(condition, Level::Expr);
            self.put(" then ");
            self.expr(value, Level::Expr);
            self.put(" else ");
        }
        self.expr(otherwise, Level::Simple);
    }

    pub(super) fn bracketed(&mut self, items: &[Expr]) {
        self.put("[");
        self.exprs(items);
        self.put("]");
    }

    pub(super) fn named(&mut self, name: &Ident, value: &Expr, place: Level) {
        self.put(&name.name);
        self.put(" = ");
        self.expr(value, place);
    }

    pub(super) fn arg(&mut self, arg: &Arg) {
        if let Some(name) = &arg.name {
            self.put(&name.name);
            self.put(" = ");
        }
        match &arg.value {
            ArgValue::Expr(value) if arg.name.is_some() => self.expr(value, Level::Value),
            ArgValue::Expr(value) => self.expr(value, Level::Expr),
            ArgValue::Generator(generator, _) => self.generator(generator),
        }
    }

    pub(super) fn generator(&mut self, generator: &Generator) {
        self.expr(&generator.body, Level::Expr);
        self.put(" for ");
        self.list(&generator.bindings, Printer::binding);
        self.behind(" if ", &generator.filter);
        self.behind(" by ", &generator.by);
    }

    pub(super) fn binding(&mut self, binding: &Binding) {
        self.pattern(&binding.pattern);
        self.put(if binding.draw { " ~ " } else { " in " });
        self.expr(&binding.source, Level::Expr);
    }

    pub(super) fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Name(name) => self.put(&name.name),
            Pattern::Tuple(items, _) => {
                self.put("(");
                self.list(items, Printer::pattern);
                self.put(")");
            }
        }
    }

    /// A set after `in`; intervals get their brackets back.
    pub(super) fn set(&mut self, set: &Expr) {
        let Some((lo, hi, low, high)) = interval(set) else {
            return self.expr(set, Level::Or);
        };
        self.put(if low { "[" } else { "(" });
        self.expr(lo, Level::Expr);
        self.put(", ");
        self.expr(hi, Level::Expr);
        self.put(if high { "]" } else { ")" });
    }

    pub(super) fn solve(&mut self, solve: &SolveExpr) {
        self.put(match solve.kind {
            SolveKind::Solve => "solve ",
            SolveKind::Minimize => "minimize ",
            SolveKind::Maximize => "maximize ",
            SolveKind::Bound => "bound ",
        });
        self.exprs(&solve.values);
        if !solve.over.is_empty() {
            self.put(" over ");
            self.list(&solve.over, Printer::param);
        }
        self.constraints(&solve.constraints);
        self.behind(" from ", &solve.from);
        self.behind(" using ", &solve.using);
        self.behind(" until ", &solve.until);
        if !solve.options.is_empty() {
            self.put(" with ");
            self.list(&solve.options, Printer::plain_arg);
        }
    }

    /// An argument outside parentheses, where a block cannot stand.
    pub(super) fn plain_arg(&mut self, arg: &Arg) {
        match (&arg.name, &arg.value) {
            (Some(name), ArgValue::Expr(value)) => self.named(name, value, Level::Expr),
            (None, ArgValue::Expr(value)) => self.expr(value, Level::Expr),
            (_, ArgValue::Generator(..)) => self.arg(arg),
        }
    }

    pub(super) fn constraints(&mut self, constraints: &[Constraint]) {
        if constraints.is_empty() {
            return;
        }
        self.put(" subject to ");
        self.list(constraints, |printer, constraint| {
            if let Some(name) = &constraint.name {
                printer.put(&name.name);
                printer.put(": ");
            }
            printer.expr(&constraint.value, Level::Or);
            if let Some(family) = &constraint.family {
                printer.put(" for ");
                printer.binding(family);
            }
        });
    }

    // Types

    pub(super) fn ty(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Named { name, args, dims } => {
                self.put(&name.name);
                if !args.is_empty() {
                    self.put("(");
                    self.exprs(args);
                    self.put(")");
                }
                self.dims(dims);
            }
            TypeKind::Record { fields, dims } => {
                self.put("(");
                self.list(fields, |printer, (name, ty)| {
                    printer.put(&name.name);
                    printer.put(": ");
                    printer.ty(ty);
                });
                self.put(")");
                self.dims(dims);
            }
            TypeKind::Tuple { items, dims } => {
                self.put("(");
                self.list(items, Printer::ty);
                self.put(")");
                self.dims(dims);
            }
            TypeKind::Function { params, result } => {
                self.param_types(params);
                self.put(" -> ");
                self.ty(result);
            }
        }
    }

    pub(super) fn param_types(&mut self, params: &[TypeExpr]) {
        match params {
            [single] if !needs_group(single) => self.ty(single),
            _ => {
                self.put("(");
                self.list(params, Printer::ty);
                self.put(")");
            }
        }
    }

    pub(super) fn dims(&mut self, dims: &[Expr]) {
        if !dims.is_empty() {
            self.bracketed(dims);
        }
    }

    pub(super) fn annotation(&mut self, ty: &Option<TypeExpr>) {
        if let Some(ty) = ty {
            self.put(": ");
            self.ty(ty);
        }
    }
}

/// Whether a single parameter type would be read as something else without parentheses.
fn needs_group(ty: &TypeExpr) -> bool {
    match &ty.kind {
        TypeKind::Function { .. } => true,
        TypeKind::Tuple { dims, .. } => dims.is_empty(),
        TypeKind::Named { .. } | TypeKind::Record { .. } => false,
    }
}

/// The ends of an interval, and whether they belong to it.
fn interval(set: &Expr) -> Option<(&Expr, &Expr, bool, bool)> {
    let ExprKind::Call { function, args } = &*set.kind else {
        return None;
    };
    let ExprKind::Name(name) = &*function.kind else {
        return None;
    };
    let plain = |arg: &'_ Arg| arg.name.is_none();
    if &**name != "interval" || !args.iter().all(plain) {
        return None;
    }
    let values: Option<Vec<&Expr>> = args
        .iter()
        .map(|arg| match &arg.value {
            ArgValue::Expr(value) => Some(value),
            ArgValue::Generator(..) => None,
        })
        .collect();
    let [lo, hi, low, high] = *values?.as_slice() else {
        return None;
    };
    match (&*low.kind, &*high.kind) {
        (ExprKind::Bool(low), ExprKind::Bool(high)) => Some((lo, hi, *low, *high)),
        _ => None,
    }
}

/// An integer, in groups of three digits from 10_000 on.
fn integer(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut grouped = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

/// A real in the shorter of its two notations, with all its bits.
fn real(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let plain = format!("{value:?}");
    let scientific = format!("{value:e}");
    let small_or_large = value != 0.0 && !(1e-2..1e5).contains(&value.abs());
    if small_or_large && scientific.len() < plain.len() { scientific } else { plain }
}

/// What reads a field or column of a name: `.mass`, or `["mass (kg)"]` where that is no name.
pub fn access(name: &str) -> String {
    let read = parse_expr(FileId(u32::MAX), &format!("x.{name}"));
    let plain = read.is_ok_and(|e| matches!(&*e.kind, ExprKind::Field { field, .. } if *field.name == *name));
    if plain { format!(".{name}") } else { format!("[{}]", quoted(name)) }
}

/// A string literal.
pub fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
