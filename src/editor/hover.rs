//! What an editor shows of the thing under the pointer.

use std::fmt::Write as _;

use super::document::{Document, member};
use super::names::{Def, Kind, Target, Use};
use super::shelf::{self, Book, Shelf};
use crate::diag::Span;
use crate::lower::{Denoted, Sort, Val};
use crate::run;
use crate::syntax::ast::{Stmt, StmtKind};

/// The most columns and fields that are listed.
const LISTED: usize = 40;
/// The most letters of a value.
const SHORT: usize = 60;

/// A text in Markdown, and the bytes that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The text.
    pub text: String,
    /// First byte and end.
    pub at: (usize, usize),
}

/// What is known of the thing at a place.
pub fn hover(document: &Document, shelf: &Shelf, at: usize) -> Option<Hover> {
    let place = u32::try_from(at).ok()?;
    // Just behind a name is not on it.
    let inside = |span: Span| place < span.end;
    if let Some(def) = document.names.def_at(place).filter(|def| inside(document.names.defs[*def].at)) {
        let def = &document.names.defs[def];
        return Some(Hover { text: of_def(document, def, def.at), at: range(def.at) });
    }
    match document.names.use_at(place) {
        Some(one) if inside(one.at) => {
            let text = of_use(document, shelf, one)?;
            Some(Hover { text, at: range(one.at) })
        }
        _ => of_expression(document, at),
    }
}

fn range(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

fn of_use(document: &Document, shelf: &Shelf, one: &Use) -> Option<String> {
    if let Target::Field(base) = one.target {
        return of_field(document, base, one);
    }
    match one.target {
        Target::Def(def) => Some(of_def(document, &document.names.defs[def], one.at)),
        Target::Library => shelf.book(&one.name).map(|book| of_book(&book)),
        Target::Given => Some(given(document, one)),
        Target::Figure => Some(figure(&one.name)),
        Target::Field(_) | Target::Unknown => {
            let found = document.denoted(one.at).first()?;
            Some(code(&typed(&one.name, found)))
        }
    }
}

fn of_field(document: &Document, base: Span, one: &Use) -> Option<String> {
    let what = document.denoted(base).iter().find_map(|what| Some((what, member(what, &one.name)?)));
    let Some((whole, field)) = what else {
        // A view of the problem, or a field of something that was not met.
        let found = document.denoted(one.at).first().or_else(|| document.denoted(base.to(one.at)).first())?;
        return Some(code(&typed(&one.name, found)));
    };
    let mut text = code(&typed(&one.name, &field.what));
    let place = match whole.sort {
        Sort::Table => "a column",
        Sort::Fit => match document.target(one).map(|def| document.names.defs[def].kind) {
            Some(Kind::Param) => "a param at the answer",
            Some(Kind::Report) => "a report at the answer",
            _ => "a figure of the result of a solve",
        },
        Sort::Optimizer => "a hyper-parameter",
        Sort::Objective => "a report of the objective",
        _ => "a field",
    };
    let _ = write!(text, "\n\n{place}");
    if let Some(doc) = document.target(one).and_then(|def| document.names.defs[def].doc.clone()) {
        let _ = write!(text, "\n\n{doc}");
    }
    Some(text + &members(&field.what))
}

/// The smallest expression around a place.
fn of_expression(document: &Document, at: usize) -> Option<Hover> {
    let letter = document.text.get(at..)?.chars().next()?;
    if letter.is_whitespace() || super::text::in_name(letter) {
        return None;
    }
    let study = document.study.as_ref()?;
    let (place, found) = study.around(at)?;
    let what = found.first()?;
    // Numbers and texts say what they are themselves.
    let written = document.text.get(place.0..place.1)?;
    if written.starts_with('"') || written.parse::<f64>().is_ok() {
        return None;
    }
    Some(Hover { text: code(&what.about), at: place })
}

/// A definition, as seen at a place.
fn of_def(document: &Document, def: &Def, at: Span) -> String {
    let found = match document.denoted(at) {
        [] => document.meaning(def),
        found => found,
    };
    let mut text = match declaration(document, def) {
        Some(item) => code(&shelf::signature(item, document_text(document, def))),
        None => code(&headline(document, def, found)),
    };
    if def.kind == Kind::Parameter || def.kind == Kind::HyperParameter || def.kind == Kind::Dimension {
        let _ = write!(text, "\n\n{}", role(document, def));
    }
    if let Some(doc) = &def.doc {
        let _ = write!(text, "\n\n{doc}");
    }
    let mut all: Vec<String> = found.iter().map(|what| format!("`{}`", what.about)).collect();
    all.dedup();
    let written = matches!(def.kind, Kind::Parameter | Kind::HyperParameter) && def.typed;
    if all.len() > 1 || (written && !all.is_empty()) {
        let _ = write!(text, "\n\nseen as {}", all.join(", "));
    }
    if let [what] = found {
        text += &members(what);
    }
    text
}

/// The text that a definition stands in.
fn document_text<'d>(document: &'d Document, def: &Def) -> &'d str {
    document.source(def.at.file)
}

/// The declaration that makes a definition.
pub fn declaration<'d>(document: &'d Document, def: &Def) -> Option<&'d Stmt> {
    let callable = matches!(
        def.kind,
        Kind::Function | Kind::Objective | Kind::Optimizer | Kind::Distribution | Kind::Set | Kind::Type
    );
    if !callable {
        return None;
    }
    statement(document.items(def.at.file), def.item)
}

/// The statement of a span, at any depth of blocks.
fn statement(items: &[Stmt], span: Span) -> Option<&Stmt> {
    items.iter().find_map(|item| {
        if item.span == span {
            return Some(item);
        }
        let inner: &[Stmt] = match &item.kind {
            StmtKind::Objective(decl) => &decl.body.items,
            StmtKind::Optimizer(decl) => &decl.body.items,
            StmtKind::Test(decl) => &decl.body.items,
            StmtKind::Step(body) | StmtKind::For { body, .. } | StmtKind::Each { body, .. } => &body.items,
            StmtKind::Fn(decl) => match &*decl.body.kind {
                crate::syntax::ast::ExprKind::Block(block) => &block.items,
                _ => &[],
            },
            _ => &[],
        };
        statement(inner, span)
    })
}

/// `let X: real[569, 30]`
fn headline(document: &Document, def: &Def, found: &[Denoted]) -> String {
    let word = match def.kind {
        Kind::Var => "var ",
        Kind::Input => "input ",
        Kind::Param => "param ",
        Kind::State => "state ",
        Kind::Report => "report ",
        Kind::Let | Kind::Draw => "let ",
        Kind::Module => return format!("import … as {}", def.name),
        Kind::Dimension => return format!("{}: int", def.name),
        _ => "",
    };
    let written = (def.kind == Kind::Parameter || def.kind == Kind::HyperParameter) && def.typed;
    let body = match found {
        _ if written => document.written(def.item).to_string(),
        [what] => typed(&def.name, what),
        [first, ..] => format!("{}: {}", def.name, first.about),
        [] => def.name.to_string(),
    };
    format!("{word}{body}")
}

/// What a definition of a kind is.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Let | Kind::Draw => "a value",
        Kind::Var => "a variable",
        Kind::Input => "an input",
        Kind::Function => "a function",
        Kind::Objective => "an objective",
        Kind::Optimizer => "an optimizer",
        Kind::Distribution => "a distribution",
        Kind::Set => "a set",
        Kind::Type => "a type",
        Kind::Param => "a param",
        Kind::Parameter => "a parameter",
        Kind::HyperParameter => "a hyper-parameter",
        Kind::State => "a state",
        Kind::Report => "a report",
        Kind::Binding => "bound by a generator or loop",
        Kind::Dimension => "a size",
        Kind::Module => "a module",
        Kind::Member => "a member",
    }
}

/// Whose parameter it is.
fn role(document: &Document, def: &Def) -> String {
    let owner = document.names.defs.iter().find(|owner| {
        owner.params.iter().any(|k| document.names.defs[*k].at == def.at) && owner.kind != Kind::Module
    });
    match (def.kind, owner) {
        (Kind::Dimension, _) => "a size, bound by the arguments".into(),
        (Kind::HyperParameter, Some(owner)) => format!("a hyper-parameter of `{}`", owner.name),
        (_, Some(owner)) => format!("a parameter of `{}`", owner.name),
        _ => "a parameter".into(),
    }
}

/// `x: real[3] = [1, 2, 3]`
fn typed(name: &str, what: &Denoted) -> String {
    match &what.value {
        Some(value) => {
            let shown = run::show(&Val::Known(value.clone()));
            let short = shown.chars().count() <= SHORT && !shown.contains('\n');
            if short {
                format!("{name}: {} = {shown}", what.about)
            } else {
                format!("{name}: {}", what.about)
            }
        }
        None => format!("{name}: {}", what.about),
    }
}

/// What stands behind a dot, as a list.
fn members(what: &Denoted) -> String {
    if what.fields.is_empty() || !matches!(what.sort, Sort::Table | Sort::Fit | Sort::Record) {
        return String::new();
    }
    let mut lines: Vec<String> = what
        .fields
        .iter()
        .take(LISTED)
        .map(|member| format!("  {}: {}", member.name, member.what.about))
        .collect();
    if what.fields.len() > LISTED {
        lines.push(format!("  … {} in all", what.fields.len()));
    }
    format!("\n\n{}", code(&lines.join("\n")))
}

/// A page of the library.
pub fn of_book(book: &Book) -> String {
    let mut text = code(&book.signature);
    if !book.doc.is_empty() {
        let _ = write!(text, "\n\n{}", book.doc);
    }
    text
}

fn given(document: &Document, one: &Use) -> String {
    let about = match &*one.name {
        "x" => "the vector of all params: a step changes it",
        "g" => "the gradient at `x`",
        "f" => "the problem: `f(u)` is its value, `grad(f)(u)` its gradient",
        _ => "the number of the step, from 1",
    };
    let head = match document.denoted(one.at).first() {
        Some(what) if what.sort == Sort::Array => typed(&one.name, what),
        _ => one.name.to_string(),
    };
    format!("{}\n\n{about}", code(&head))
}

/// What a figure of a stopping condition is.
pub fn figure(name: &str) -> String {
    let about = match name {
        "steps" => "int: steps done",
        "epochs" => "real: how often all rows were seen, under `with batch`",
        "loss" => "real: the loss at the point",
        "grad_norm" => "real: the norm of the gradient at the point",
        "change" => "real: how far the last step went",
        "evals" => "int: evaluations of all kinds together",
        "seconds" => "real: wall-clock time since the start",
        "violation" => "real: how far equations are from holding",
        "start_loss" => "real: the loss at the start",
        _ => "a figure",
    };
    let (ty, text) = about.split_once(": ").unwrap_or(("real", about));
    format!("{}\n\n{text}", code(&format!("{name}: {ty}")))
}

/// A block of code.
fn code(text: &str) -> String {
    format!("```minima\n{text}\n```")
}
