//! Who takes part: optimizers as they are written on the command line.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::program::Program;
use crate::diag::{FileId, Report, Span};
use crate::driver::{Optimizer, catalogue, families, optimizers};
use crate::syntax::ast::{Arg, ArgValue, Expr, ExprKind, Ident, OptimizerDecl, ParamSpec};
use crate::syntax::{parse_expr, print_type};

/// The family whose optimizers find their step lengths: a learning rate of theirs is a factor that is left at its
/// default.
const PARAMETER_FREE: &str = "parameter-free";

/// The name of the learning rate.
const LR: &str = "lr";

/// An optimizer that takes part.
#[derive(Debug, Clone)]
pub struct Entrant {
    /// As it was written.
    pub label: String,
    /// The call.
    pub expr: Expr,
    /// Whether it has a learning rate that was not given, itself or in the optimizer that it takes.
    pub tuned: bool,
    /// Whether it was named itself, and not by its family.
    pub named: bool,
}

/// The optimizers that can be named: those of the library, and of the program, which come first.
pub struct Known {
    decls: HashMap<String, Arc<OptimizerDecl>>,
    /// Names of the library whose learning rate is left alone.
    untuned: Vec<&'static str>,
    all: Vec<Optimizer>,
}

impl Known {
    /// Those of the library, of a program and of what it imports.
    pub fn new(program: &Program) -> Known {
        let files = program.imported.iter().chain(&program.files);
        let own: Vec<Optimizer> = files.flat_map(|file| optimizers(file, "", "")).collect();
        let free = families().into_iter().filter(|family| family.name == PARAMETER_FREE);
        let mut untuned: Vec<&'static str> = free.flat_map(|family| family.members).collect();
        untuned.retain(|name| !own.iter().any(|optimizer| optimizer.name == *name));
        let all = [catalogue(), own].concat();
        let decls = all.iter().map(|optimizer| (optimizer.name.clone(), optimizer.decl.clone())).collect();
        Known { decls, untuned, all }
    }

    /// Reads an optimizer: a name, or a call with some of its hyper-parameters.
    ///
    /// # Errors
    /// When the text is not that.
    pub fn entrant(&self, file: FileId, text: &str) -> Result<Entrant, Vec<Report>> {
        let whole = Span::new(file, 0, text.len());
        let expr = parse_expr(file, text)?;
        let expr = called(&expr);
        let Some(name) = name_of(&expr) else {
            return Err(vec![not_an_optimizer(whole, text.trim())]);
        };
        if !self.decls.contains_key(&*name.name) {
            return Err(vec![unknown(name.span, &name.name, &self.all)]);
        }
        let tuned = self.with_lr(&expr, 1.0).is_some();
        Ok(Entrant { label: text.split_whitespace().collect::<Vec<_>>().join(" "), expr, tuned, named: true })
    }

    /// The call with a learning rate; `None` where it has one already, or none at all. A wrapper without one gives it
    /// to the optimizer that it takes.
    pub fn with_lr(&self, e: &Expr, lr: f64) -> Option<Expr> {
        let call = called(e);
        let name = name_of(&call)?;
        let decl = self.decls.get(&*name.name)?;
        if self.untuned.contains(&&*name.name) {
            return None;
        }
        if let Some(at) = decl.params.iter().position(|param| &*param.name.name == LR) {
            return match argument(&call, at, LR) {
                Some(_) => None,
                None => Some(with_argument(&call, LR, literal(lr, e.span))),
            };
        }
        decl.params.iter().enumerate().filter(|(_, param)| takes_optimizer(param)).find_map(|(at, param)| {
            let inner = argument(&call, at, &param.name.name).or(param.default.as_ref())?;
            Some(with_argument(&call, &param.name.name, self.with_lr(inner, lr)?))
        })
    }
}

fn takes_optimizer(param: &ParamSpec) -> bool {
    param.ty.as_ref().is_some_and(|ty| print_type(ty) == "optimizer")
}

/// `adam()` of `adam`
fn called(e: &Expr) -> Expr {
    match &*e.kind {
        ExprKind::Paren(inner) => called(inner),
        ExprKind::Name(_) => {
            let kind = ExprKind::Call { function: e.clone(), args: Vec::new() };
            Expr { kind: Box::new(kind), span: e.span, depth: e.depth + 1 }
        }
        _ => e.clone(),
    }
}

/// The name that a call calls.
fn name_of(call: &Expr) -> Option<Ident> {
    let ExprKind::Call { function, .. } = &*call.kind else { return None };
    let ExprKind::Name(name) = &*function.kind else { return None };
    Some(Ident { name: name.clone(), span: function.span })
}

/// The argument for a hyper-parameter, by its name or its place.
fn argument<'e>(call: &'e Expr, place: usize, name: &str) -> Option<&'e Expr> {
    let ExprKind::Call { args, .. } = &*call.kind else { return None };
    let is_named = |arg: &&Arg| arg.name.as_ref().is_some_and(|n| &*n.name == name);
    let by_place = args.get(place).filter(|arg| arg.name.is_none());
    match &args.iter().find(is_named).or(by_place)?.value {
        ArgValue::Expr(e) => Some(e),
        ArgValue::Generator(..) => None,
    }
}

/// The call with an argument by name in the place of the one that it has.
fn with_argument(call: &Expr, name: &str, value: Expr) -> Expr {
    let mut call = call.clone();
    if let ExprKind::Call { args, .. } = &mut *call.kind {
        let span = value.span;
        let old = args.iter().position(|arg| match &arg.value {
            ArgValue::Expr(e) => e.span == span && arg.name.as_ref().is_none_or(|n| &*n.name == name),
            ArgValue::Generator(..) => false,
        });
        let given = args.iter().position(|arg| arg.name.as_ref().is_some_and(|n| &*n.name == name)).or(old);
        match given {
            Some(at) => args[at].value = ArgValue::Expr(value),
            None => args.push(Arg {
                name: Some(Ident { name: Arc::from(name), span }),
                value: ArgValue::Expr(value),
            }),
        }
    }
    call
}

fn literal(x: f64, span: Span) -> Expr {
    Expr { kind: Box::new(ExprKind::Real(x)), span, depth: 1 }
}

/// E0701. An optimizer that there is not.
pub fn unknown(span: Span, name: &str, known: &[Optimizer]) -> Report {
    Report::error("E0701", span, format!("there is no optimizer `{name}`"))
        .did_you_mean(name, known.iter().map(|optimizer| &*optimizer.name))
        .help("`minima optimizers` lists those of the library, `minima optimizers FILE` those of a program")
}

/// E0702. What stands in the place of an optimizer is none.
fn not_an_optimizer(span: Span, text: &str) -> Report {
    Report::error("E0702", span, format!("`{text}` is no optimizer"))
        .help("write its name, or a call with some of its hyper-parameters: `--using \"adam, lbfgs(m = 5)\"`")
}

/// E0703. An optimizer that cannot run on the problem.
pub fn cannot(span: Span, label: &str, why: &Report) -> Report {
    Report::error("E0703", span, format!("`{label}` cannot take part: {}", why.message))
        .note(format!("it asks for what is not there: `minima explain {}`", why.code))
}

/// E0704. A program without a solve that optimizers could be compared on.
pub fn no_solve(span: Span) -> Report {
    Report::error("E0704", span, "the program solves nothing that optimizers could be compared on").help(
        "compared is a `solve`, `minimize` or `maximize` that a statement of the file reaches, not one in a function",
    )
}

/// The texts between commas that stand outside of brackets.
pub fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::program::Program;
    use super::{Known, split};
    use crate::diag::FileId;
    use crate::syntax::print_expr;

    #[test]
    fn commas_in_brackets_do_not_split() {
        assert_eq!(
            split("adam, aggmo(betas = [0, 0.9]),lbfgs,"),
            ["adam", "aggmo(betas = [0, 0.9])", "lbfgs"]
        );
        assert_eq!(split(" "), Vec::<&str>::new());
    }

    #[test]
    fn a_learning_rate_goes_to_whoever_has_one() {
        let known = Known::new(&Program::default());
        let tuned = |text: &str| {
            let entrant = known.entrant(FileId(0), text).expect("an optimizer");
            known.with_lr(&entrant.expr, 0.5).map(|e| print_expr(&e))
        };
        assert_eq!(tuned("adam").as_deref(), Some("adam(lr = 0.5)"));
        assert_eq!(tuned("adam(b1 = 0.8)").as_deref(), Some("adam(b1 = 0.8, lr = 0.5)"));
        assert_eq!(tuned("adam(lr = 0.1)"), None);
        assert_eq!(tuned("adam(0.1)"), None, "by its place");
        assert_eq!(tuned("lbfgs"), None);
        assert_eq!(tuned("prodigy"), None, "its lr is a factor");
        assert_eq!(tuned("cautious").as_deref(), Some("cautious(base = adam(lr = 0.5))"));
        assert_eq!(tuned("cautious(lion)").as_deref(), Some("cautious(lion(lr = 0.5))"));
        assert_eq!(
            tuned("sam(base = lion(), rho = 0.1)").as_deref(),
            Some("sam(base = lion(lr = 0.5), rho = 0.1)")
        );
        assert_eq!(tuned("sam(base = sam(base = sgd(lr = 0.1)))"), None);
    }
}
