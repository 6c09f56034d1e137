//! `stdlib/primitives.opt` to the facts of the primitives.
//!
//! A derivative becomes a scalar IR function. It may use primitives, numbers, operators, `where`
//! and `pi`, and must be linear in its tangents. The names `and`, `or`, `not` of primitives cannot
//! be called; their operators can be written.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Report, Span};
use crate::ir::{
    Build, Domain, Elem, Function, PrimitiveFacts, Primitives, Tensor, Ty, Value, infer_primitive,
};
use crate::math::{Kind, Prim};
use crate::syntax::ast::{Arg, ArgValue, BinOp, CmpOp, Expr, ExprKind, File, PrimitiveDecl, StmtKind};

/// The facts of all declared primitives.
pub fn primitive_facts(file: &File) -> Result<Primitives, Vec<Report>> {
    let mut by_prim = vec![PrimitiveFacts::default(); Prim::all().count()];
    let mut reports = Vec::new();
    for stmt in &file.items {
        let StmtKind::Primitive(decl) = &stmt.kind else {
            continue;
        };
        match facts_of(decl) {
            Ok((prim, facts)) => by_prim[prim.index()] = facts,
            Err(report) => reports.push(report),
        }
    }
    if reports.is_empty() { Ok(Primitives::new(by_prim)) } else { Err(reports) }
}

/// The facts of the one primitive that a tree declares.
pub fn primitive_facts_of(file: &File) -> Result<PrimitiveFacts, Vec<Report>> {
    let declared = file.items.iter().find_map(|stmt| match &stmt.kind {
        StmtKind::Primitive(decl) => Some(facts_of(decl)),
        _ => None,
    });
    declared
        .map_or_else(|| Ok(PrimitiveFacts::default()), |facts| Ok(facts.map_err(|report| vec![report])?.1))
}

fn facts_of(decl: &PrimitiveDecl) -> Result<(Prim, PrimitiveFacts), Report> {
    let prim = Prim::named(&decl.native)
        .ok_or_else(|| refused(decl.name.span, format!("no machine function `{}`", decl.native)))?;
    let domains = decl.params.iter().map(|param| param.set.as_ref().map(domain).transpose());
    let facts = PrimitiveFacts {
        derivative: derivative(decl, prim)?,
        domains: domains.collect::<Result<_, _>>()?,
        range: decl.range.as_ref().map(domain).transpose()?,
        facts: decl.facts.iter().map(|fact| fact.name.to_string()).collect(),
    };
    Ok((prim, facts))
}

/// E0190. A declaration of the standard library says what it cannot mean.
fn refused(span: Span, message: String) -> Report {
    Report::error("E0190", span, message)
}

/// An interval as the parser writes it: `interval(lo, hi, lo_closed, hi_closed)`.
pub(super) fn domain(set: &Expr) -> Result<Domain, Report> {
    let wrong = || refused(set.span, "a domain is an interval of numbers".to_string());
    let ExprKind::Call { args, .. } = &*set.kind else {
        return Err(wrong());
    };
    let args: Vec<&Expr> = args.iter().filter_map(plain).collect();
    let [lo, hi, lo_closed, hi_closed] = args.as_slice() else {
        return Err(wrong());
    };
    Ok(Domain {
        lo: number(lo).ok_or_else(wrong)?,
        hi: number(hi).ok_or_else(wrong)?,
        lo_closed: matches!(*lo_closed.kind, ExprKind::Bool(true)),
        hi_closed: matches!(*hi_closed.kind, ExprKind::Bool(true)),
    })
}

/// The expression of a positional argument.
pub(super) fn plain(arg: &Arg) -> Option<&Expr> {
    match &arg.value {
        ArgValue::Expr(value) if arg.name.is_none() => Some(value),
        ArgValue::Expr(_) | ArgValue::Generator(..) => None,
    }
}

/// The value of a literal, possibly negated; `inf` and `pi` are known.
pub(super) fn number(expr: &Expr) -> Option<f64> {
    match &*expr.kind {
        #[expect(clippy::cast_precision_loss, reason = "literals of the library are small")]
        ExprKind::Int(n) => Some(*n as f64),
        ExprKind::Real(x) => Some(*x),
        ExprKind::Name(name) if &**name == "inf" => Some(f64::INFINITY),
        ExprKind::Name(name) if &**name == "pi" => Some(std::f64::consts::PI),
        ExprKind::Neg(inner) => number(inner).map(|x| -x),
        ExprKind::Paren(inner) => number(inner),
        _ => None,
    }
}

fn derivative(decl: &PrimitiveDecl, prim: Prim) -> Result<Option<Function>, Report> {
    let Some(clause) = &decl.derivative else {
        return Ok(None);
    };
    let mut scope =
        Scope { build: Build::new(decl.name.name.to_string(), decl.name.span), names: HashMap::new() };
    let kinds = prim.signature().0;
    if decl.params.len() != kinds.len() {
        let message = format!("the machine function takes {} arguments", kinds.len());
        return Err(refused(decl.name.span, message));
    }
    for (param, kind) in decl.params.iter().zip(kinds) {
        scope.param(&param.name.name, elem_of(*kind));
    }
    let real = |kind: &&Kind| elem_of(**kind) == Elem::Real;
    if clause.params.len() != kinds.iter().filter(real).count() {
        let message = "a derivative has one tangent for each real argument".to_string();
        return Err(refused(clause.body.span, message));
    }
    for tangent in &clause.params {
        scope.param(&tangent.name, Elem::Real);
    }
    let result = scope.real(&clause.body)?;
    let function = scope.build.finish(vec![result]);
    Ok(Some(function))
}

fn elem_of(kind: Kind) -> Elem {
    match kind {
        Kind::Real | Kind::Number | Kind::Any => Elem::Real,
        Kind::Int => Elem::Int,
        Kind::Bool => Elem::Bool,
    }
}

/// A scalar function under construction.
struct Scope {
    build: Build,
    names: HashMap<Arc<str>, Value>,
}

impl Scope {
    fn param(&mut self, name: &Arc<str>, elem: Elem) {
        let value = self.build.param(Ty::scalar(elem));
        self.names.insert(name.clone(), value);
    }

    /// An expression; integers become real.
    fn real(&mut self, expr: &Expr) -> Result<Value, Report> {
        let found = self.expr(expr)?;
        Ok(self.as_real(found))
    }

    fn as_real(&mut self, (value, whole): (Value, Option<i64>)) -> Value {
        match whole {
            #[expect(clippy::cast_precision_loss, reason = "literals of the library are small")]
            Some(n) => self.build.real(n as f64),
            None => value,
        }
    }

    /// An expression. A whole literal may still become real: it is given with its number.
    fn expr(&mut self, expr: &Expr) -> Result<(Value, Option<i64>), Report> {
        self.build.at(expr.span);
        let value = match &*expr.kind {
            ExprKind::Int(n) => {
                let value = self.build.constant(Tensor::int_scalar(*n));
                return Ok((value, Some(*n)));
            }
            ExprKind::Real(x) => self.build.real(*x),
            ExprKind::Name(name) => match (self.names.get(name), number(expr)) {
                (Some(value), _) => *value,
                (None, Some(x)) => self.build.real(x),
                (None, None) => {
                    return Err(refused(expr.span, format!("`{name}` is not known here")));
                }
            },
            ExprKind::Paren(inner) => return self.expr(inner),
            ExprKind::Neg(inner) => {
                let inner = self.expr(inner)?;
                self.call("neg", vec![inner], expr.span)?
            }
            ExprKind::Not(inner) => {
                let inner = self.expr(inner)?;
                self.call("not", vec![inner], expr.span)?
            }
            ExprKind::Chain { first, rest } => {
                let mut sum = self.expr(first)?;
                for (op, span, next) in rest {
                    let next = self.expr(next)?;
                    let name = operator(*op)
                        .ok_or_else(|| refused(*span, "not an elementwise operator".to_string()))?;
                    sum = (self.call(name, vec![sum, next], *span)?, None);
                }
                return Ok(sum);
            }
            ExprKind::Compare { first, rest } => match rest.as_slice() {
                [(op, span, second)] => {
                    let operands = vec![self.expr(first)?, self.expr(second)?];
                    let name =
                        comparison(*op).ok_or_else(|| refused(*span, "not a comparison".to_string()))?;
                    self.call(name, operands, expr.span)?
                }
                _ => {
                    return Err(refused(expr.span, "comparisons do not chain here".to_string()));
                }
            },
            ExprKind::Power(base, exponent) => {
                let operands = vec![self.expr(base)?, self.expr(exponent)?];
                let name = if operands[1].1.is_some() { "powi" } else { "pow" };
                self.call(name, operands, expr.span)?
            }
            ExprKind::Call { function, args } => {
                let ExprKind::Name(name) = &*function.kind else {
                    return Err(refused(function.span, "only primitives are called".to_string()));
                };
                let args: Vec<&Expr> = args.iter().filter_map(plain).collect();
                let operands = args.into_iter().map(|arg| self.expr(arg)).collect::<Result<Vec<_>, _>>()?;
                self.call(name, operands, expr.span)?
            }
            _ => {
                return Err(refused(expr.span, "not an elementwise expression".to_string()));
            }
        };
        Ok((value, None))
    }

    /// A primitive; whole literals are tried as they are, then as reals.
    fn call(&mut self, name: &str, operands: Vec<(Value, Option<i64>)>, span: Span) -> Result<Value, Report> {
        let prim = Prim::named(name).ok_or_else(|| refused(span, format!("`{name}` is not a primitive")))?;
        self.build.at(span);
        let kinds = prim.signature().0;
        let others_are_int =
            operands.iter().any(|(value, whole)| whole.is_none() && self.build.ty(*value).elem == Elem::Int);
        let mut values = Vec::with_capacity(operands.len());
        for (at, operand) in operands.into_iter().enumerate() {
            let stays_whole = match kinds.get(at) {
                Some(Kind::Int) => true,
                Some(Kind::Number | Kind::Any) => others_are_int,
                Some(Kind::Real | Kind::Bool) | None => false,
            };
            values.push(if stays_whole { operand.0 } else { self.as_real(operand) });
        }
        let types: Vec<Ty> = values.iter().map(|v| self.build.ty(*v).clone()).collect();
        match infer_primitive(prim, &types) {
            Ok(_) => Ok(self.build.primitive(prim, &values)),
            Err(misfit) => Err(refused(span, format!("{name} {}", misfit.0))),
        }
    }
}

/// The primitive behind an operator.
pub(super) fn operator(op: BinOp) -> Option<&'static str> {
    match op {
        BinOp::Or => Some("or"),
        BinOp::And => Some("and"),
        BinOp::Add => Some("add"),
        BinOp::Sub => Some("sub"),
        BinOp::Mul => Some("mul"),
        BinOp::Div => Some("div"),
        BinOp::Mod => Some("int_mod"),
        BinOp::IntDiv => Some("int_div"),
        BinOp::Pipe | BinOp::MatMul => None,
    }
}

/// The primitive behind a comparison.
pub(super) fn comparison(op: CmpOp) -> Option<&'static str> {
    match op {
        CmpOp::Lt => Some("lt"),
        CmpOp::Le => Some("le"),
        CmpOp::Eq => Some("eq"),
        CmpOp::Ne => Some("ne"),
        CmpOp::Ge => Some("ge"),
        CmpOp::Gt => Some("gt"),
        CmpOp::In => None,
    }
}
