//! The derivative of a function of a file, as a program.
//!
//! The names in its dimensions get sizes, the code of the gradient takes the way of all code
//! through the passes, and is written with the names put back. That a size was rightly explained
//! is tested by doing it again at other sizes: the texts must be the same.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::{Event, Runner, Sink};
use crate::diag::{Report, Span};
use crate::driver::Session;
use crate::export::{self, Assigned, Layout, Signature};
use crate::ir::Function;
use crate::lower::{self, Differentiated, GradientCode, Lower, Names, errors};
use crate::passes;
use crate::passes::differentiate::Tapes;
use crate::syntax::ast::{
    Block, Expr, ExprKind, File, FnDecl, Ident, Pattern, Stmt, StmtKind, TypeExpr, TypeKind,
};

/// Sizes for the names in dimensions, then values for integer parameters: far apart.
type Primes = ([i64; 12], [i64; 6]);

/// Any two that give the same text will do: a number of the program may be a size by chance, and
/// a function may want its later sizes smaller than its first.
const CHOICES: [Primes; 4] = [
    ([127, 223, 331, 439, 547, 653, 761, 863, 971, 1087, 1187, 1291], [23, 37, 47, 59, 71, 83]),
    ([139, 239, 347, 457, 563, 673, 787, 887, 991, 1093, 1201, 1303], [29, 41, 53, 61, 73, 89]),
    ([1259, 1151, 1051, 947, 839, 739, 631, 523, 419, 311, 211, 113], [91, 79, 67, 57, 43, 31]),
    ([1327, 1231, 1123, 1013, 907, 797, 691, 587, 479, 373, 263, 149], [87, 77, 63, 49, 39, 27]),
];

/// The derivative of the named function or objective of a file, or of the only function, or of the
/// first objective. Other statements of the file run only if the function needs them.
///
/// # Errors
/// When there is no such function, it has errors, or its derivative cannot be written.
pub fn derivative(
    session: &mut Session,
    folder: &Path,
    file: &File,
    name: Option<&str>,
) -> Result<String, Vec<Report>> {
    derivative_among(session, folder, file, name, None)
}

/// [`derivative`] where the names of the file may be bound already, in a session.
pub(super) fn derivative_among(
    session: &mut Session,
    folder: &Path,
    file: &File,
    name: Option<&str>,
    names: Option<&Names>,
) -> Result<String, Vec<Report>> {
    let mut what = find(file, name).map_err(|report| vec![report])?;
    let around = names.and_then(|names| names.around(name?));
    what.home = around.unwrap_or(what.home);
    let target = Stmt { kind: StmtKind::Fn(what.decl.clone()), span: what.decl.name.span, doc: None };
    let needed = Rc::new(File { items: lower::needed(&file.items, &target) });
    // What the function needs of its file is computed, even where the program is only checked.
    let execute = std::mem::replace(&mut session.options.execute, true);
    let found = agreed(session, folder, &Ground { file, needed, names }, &what);
    session.options.execute = execute;
    found
}

/// What a function stands on.
struct Ground<'a> {
    file: &'a File,
    /// The statements that it needs.
    needed: Rc<File>,
    /// The names that they have bound, if they have been run.
    names: Option<&'a Names>,
}

/// The text that two choices of sizes agree on.
fn agreed(
    session: &mut Session,
    folder: &Path,
    ground: &Ground<'_>,
    what: &Differentiated,
) -> Result<String, Vec<Report>> {
    let mut seen: Vec<String> = Vec::new();
    let mut wrong = None;
    for primes in &CHOICES {
        match text(session, folder, ground, what, primes) {
            Ok(found) if seen.contains(&found) => return Ok(found),
            Ok(found) => seen.push(found),
            Err(reports) => wrong = wrong.or(Some(reports)),
        }
    }
    let why = "numbers that depend on the sizes in a way that is not simple";
    let varies = || vec![errors::unprintable(what.decl.name.span, why)];
    Err(wrong.filter(|_| seen.len() < 2).unwrap_or_else(varies))
}

fn find(file: &File, name: Option<&str>) -> Result<Differentiated, Report> {
    let mut functions: Vec<(Arc<str>, Differentiated)> = Vec::new();
    let mut objectives: Vec<(Arc<str>, Option<Differentiated>, Span)> = Vec::new();
    for item in &file.items {
        match &item.kind {
            StmtKind::Fn(decl) => {
                functions.extend(Differentiated::function(decl).map(|what| (decl.name.name.clone(), what)));
            }
            StmtKind::Objective(decl) => {
                objectives.push((decl.name.name.clone(), Differentiated::objective(decl), decl.name.span));
            }
            _ => {}
        }
    }
    let known: Vec<&str> =
        functions.iter().map(|(n, _)| &**n).chain(objectives.iter().map(|(n, ..)| &**n)).collect();
    let span = file.items.first().map(|item| item.span).unwrap_or_default();
    let nothing = || errors::nothing_to_differentiate(span, name, &known);
    let objective = |entry: Option<&(Arc<str>, Option<Differentiated>, Span)>| match entry {
        Some((_, Some(what), _)) => Ok(what.clone()),
        Some((_, None, at)) => {
            Err(errors::not_yet(*at, "printing the derivative of a game or of several objectives"))
        }
        None => Err(nothing()),
    };
    match name {
        Some(name) => match functions.iter().find(|(n, _)| **n == *name) {
            Some((_, what)) => Ok(what.clone()),
            None => objective(objectives.iter().find(|(n, ..)| **n == *name)),
        },
        None if !objectives.is_empty() => objective(objectives.first()),
        None => match functions.as_slice() {
            [(_, what)] => Ok(what.clone()),
            _ => Err(nothing()),
        },
    }
}

/// Says nothing.
struct Silent;

impl Sink for Silent {
    fn event(&mut self, _: Event) {}
}

/// The text at one choice of sizes, of a file of which only a part is needed.
fn text(
    session: &mut Session,
    folder: &Path,
    ground: &Ground<'_>,
    what: &Differentiated,
    primes: &Primes,
) -> Result<String, Vec<Report>> {
    let mut sink = Silent;
    let mut runner = Runner::new(session, folder, HashMap::new(), &mut sink);
    let mut lower = match ground.names {
        Some(names) => Lower::entry(&mut runner, names.clone(), &File::default(), Vec::new()),
        None => Lower::new(&mut runner),
    };
    if ground.names.is_none() {
        lower.program(&ground.needed);
    }
    let (mut dims, mut ints) = (primes.0.iter(), primes.1.iter());
    let mut size = |_: &str, whole: bool| {
        let next = if whole { ints.next() } else { dims.next() };
        // There are more names than anyone uses; the last sizes are shared, and then the texts differ.
        next.copied().unwrap_or(97)
    };
    let code = lower.gradient_code(what, &mut size);
    let reports = lower.take_reports();
    drop(lower);
    let mut reports = [reports, runner.take_reports()].concat();
    reports.retain(Report::is_error);
    let span = what.decl.name.span;
    let code = match code {
        Ok(code) if reports.is_empty() => code,
        _ if reports.is_empty() => return Err(vec![errors::unprintable(span, "what only a run can tell")]),
        _ => return Err(reports),
    };
    written(session, ground, what, code).map_err(|report| vec![report])
}

fn written(
    session: &mut Session,
    ground: &Ground<'_>,
    what: &Differentiated,
    code: GradientCode,
) -> Result<String, Report> {
    let decls = declarations(&ground.needed, &what.decl);
    let mut program = code.program;
    // A program that is read shows no segments: what is kept is not its concern.
    let tapes = Tapes::within(Tapes::ALL);
    let options = passes::Options { tapes, ..session.pass_options().clone() };
    passes::run_pipeline(&mut program, &options, &mut |_, _| {});
    let reading = session.reading_options();
    program.main = passes::simplify(&program.main, &reading);
    label(&mut program.main, code.labels.len());
    program.main = passes::simplify(&program.main, &reading);
    let signature = Signature {
        name: format!("{}_grad", what.decl.name.name),
        params: what.decl.params.clone(),
        result: result_type(what),
        arguments: code.arguments,
        layout: code.layout.clone(),
        sizes: code.sizes,
        lets: decls.iter().flat_map(|decl| lets(decl)).collect(),
        labels: code.labels,
        results: result_names(what, &code.layout),
        declared: lower::declared(&ground.file.items),
        assigned: decls.iter().flat_map(|decl| assigned(decl)).collect(),
    };
    let text = export::minima(&program.main, &signature);
    text.map_err(|why| {
        let nowhere = why.span == Span::default() || why.span.file == export::LABELS;
        let span = if nowhere { what.decl.name.span } else { why.span };
        errors::unprintable(span, &why.what)
    })
}

/// The function, then those that it may call.
fn declarations<'a>(needed: &'a File, decl: &'a FnDecl) -> Vec<&'a FnDecl> {
    let others = needed.items.iter().filter_map(|item| match &item.kind {
        StmtKind::Fn(other) if other.name.span != decl.name.span => Some(&**other),
        _ => None,
    });
    [decl].into_iter().chain(others).collect()
}

/// Takes the last results off a function; their places remember which they were.
fn label(function: &mut Function, count: usize) {
    let named = function.results.split_off(function.results.len() - count);
    for binding in &mut function.bindings {
        if let [value] = binding.values[..]
            && let Some(at) = named.iter().position(|v| *v == value)
        {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            binding.span = Span { file: export::LABELS, start: at, end: at };
        }
    }
}

/// The type of the gradient: that of the parameter, or a record of several.
fn result_type(what: &Differentiated) -> Option<TypeExpr> {
    let mut fields: Vec<(Ident, TypeExpr)> = Vec::new();
    for name in &what.wrt {
        let param = what.decl.params.iter().find(|p| p.name.name == *name)?;
        fields.push((param.name.clone(), param.ty.clone()?));
    }
    match fields.as_slice() {
        [(_, ty)] if !what.fields => Some(ty.clone()),
        _ => Some(TypeExpr {
            kind: TypeKind::Record { fields, dims: Vec::new() },
            span: Span::default(),
            depth: 2,
        }),
    }
}

/// `dx` for the gradient in x, `dW` for its part W.
fn result_names(what: &Differentiated, layout: &Layout) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    let whole = what.wrt.first().cloned().unwrap_or_else(|| Arc::from("x"));
    parts_of(layout, &whole, &mut names);
    names
}

fn parts_of(layout: &Layout, name: &Arc<str>, names: &mut Vec<Arc<str>>) {
    match layout {
        Layout::Array => {
            let joint = if name.chars().count() == 1 { "" } else { "_" };
            names.push(Arc::from(format!("d{joint}{name}")));
        }
        Layout::Tuple(parts) => parts.iter().for_each(|part| parts_of(part, name, names)),
        Layout::Record(fields) => fields.iter().for_each(|(field, part)| parts_of(part, field, names)),
    }
}

/// The assignments of a function.
fn assigned(decl: &FnDecl) -> Vec<Assigned> {
    let mut found = Vec::new();
    lower::assignments(&decl.body, &mut |name, value, span| {
        found.push(Assigned { name: name.clone(), value: value.clone(), span });
    });
    found
}

/// The names that the function gives to expressions: by `let`, and to what generators run over.
fn lets(decl: &FnDecl) -> Vec<(Arc<str>, Expr)> {
    let mut found = Vec::new();
    if let ExprKind::Block(block) = &*decl.body.kind {
        lets_of(block, &mut found);
    }
    lower::generators(&decl.body, &mut |binding| match (&binding.pattern, &*binding.source.kind) {
        (Pattern::Name(name), ExprKind::Call { .. }) => {
            found.push((name.name.clone(), binding.source.clone()))
        }
        (Pattern::Tuple(patterns, _), ExprKind::Tuple(sources)) => {
            found.extend(patterns.iter().zip(sources).filter_map(|(p, e)| match (p, &*e.kind) {
                (Pattern::Name(name), ExprKind::Call { .. }) => Some((name.name.clone(), e.clone())),
                _ => None,
            }));
        }
        _ => {}
    });
    found
}

fn lets_of(block: &Block, found: &mut Vec<(Arc<str>, Expr)>) {
    for item in &block.items {
        match &item.kind {
            StmtKind::Let { pattern: Pattern::Name(name), value, .. } => {
                found.push((name.name.clone(), value.clone()))
            }
            StmtKind::For { body, .. } => lets_of(body, found),
            _ => {}
        }
    }
}
