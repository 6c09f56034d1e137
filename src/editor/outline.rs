//! The shape of a text: what it declares, and what can be folded.

use super::document::Document;
use super::hover;
use super::names::{Def, Kind};
use super::scan::{Piece, scan};
use crate::diag::{FileId, Span};
use crate::lower::Sort;
use crate::syntax::ast::{Block, Ident, Pattern, Stmt, StmtKind};

/// Something that a text declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What it is, or its type.
    pub detail: String,
    /// What it stands for; tests have none.
    pub kind: Option<Kind>,
    /// The whole.
    pub whole: (usize, usize),
    /// Its name.
    pub at: (usize, usize),
    /// What is inside.
    pub inner: Vec<Symbol>,
}

/// What a text declares, in its order.
pub fn symbols(document: &Document) -> Vec<Symbol> {
    all(document, &document.file.items)
}

fn all(document: &Document, items: &[Stmt]) -> Vec<Symbol> {
    items.iter().flat_map(|item| of_stmt(document, item)).collect()
}

fn of_stmt(document: &Document, item: &Stmt) -> Vec<Symbol> {
    let named = |name: &Ident| symbol(document, item, name, Vec::new());
    let holding = |name: &Ident, body: &Block| symbol(document, item, name, all(document, &body.items));
    match &item.kind {
        StmtKind::Fn(decl) => vec![named(&decl.name)],
        StmtKind::Primitive(decl) => vec![named(&decl.name)],
        StmtKind::Type(decl) => vec![named(&decl.name)],
        StmtKind::Members(decl) => vec![named(&decl.name)],
        StmtKind::Objective(decl) => vec![holding(&decl.name, &decl.body)],
        StmtKind::Optimizer(decl) => vec![holding(&decl.name, &decl.body)],
        StmtKind::Input { name, .. } | StmtKind::Report { name, .. } => vec![named(name)],
        StmtKind::Param(decl) => vec![named(&decl.name)],
        StmtKind::State(states) => states.iter().map(|(name, ..)| named(name)).collect(),
        StmtKind::Let { pattern, .. } | StmtKind::Var { pattern, .. } | StmtKind::Draw { pattern, .. } => {
            let mut names = Vec::new();
            bound(pattern, &mut names);
            names.into_iter().map(named).collect()
        }
        StmtKind::Test(decl) => vec![Symbol {
            name: format!("test \"{}\"", decl.name),
            detail: String::new(),
            kind: None,
            whole: range(item.span),
            at: range(decl.name_span),
            inner: Vec::new(),
        }],
        _ => Vec::new(),
    }
}

fn symbol(document: &Document, item: &Stmt, name: &Ident, inner: Vec<Symbol>) -> Symbol {
    let own = |def: &&Def| def.at == name.span && def.at.file == FileId(0);
    let def = document.names.defs.iter().find(own);
    let about = def.and_then(|def| document.meaning(def).first());
    let about = about.filter(|what| what.sort != Sort::Function).map(|what| what.about.clone());
    let kind = def.map(|def| def.kind);
    let detail = about.unwrap_or_else(|| kind.map_or("", hover::kind_word).to_string());
    Symbol { name: name.name.to_string(), detail, kind, whole: range(item.span), at: range(name.span), inner }
}

fn bound<'p>(pattern: &'p Pattern, names: &mut Vec<&'p Ident>) {
    match pattern {
        Pattern::Name(name) => names.push(name),
        Pattern::Tuple(parts, _) => parts.iter().for_each(|part| bound(part, names)),
    }
}

fn range(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

/// Lines that can be folded away, both from 0, and whether they are a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// The first line, which stays.
    pub first: usize,
    /// The last line.
    pub last: usize,
    /// Whether it is a comment.
    pub comment: bool,
}

/// What can be folded: brackets over several lines, and comments of several lines.
pub fn folds(document: &Document) -> Vec<Fold> {
    let tokens = scan(&document.text);
    let line = |at: usize| document.lines.line(at);
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut comment: Option<(usize, usize)> = None;
    for token in &tokens {
        let here = line(token.start);
        if token.piece == Piece::Comment && token.fresh {
            comment = match comment {
                Some((first, last)) if last + 1 == here => Some((first, here)),
                before => {
                    found.extend(folded(before));
                    Some((here, here))
                }
            };
            continue;
        }
        found.extend(folded(comment.take()));
        match token.text {
            "{" | "[" | "(" if token.piece == Piece::Sign => open.push((token.text, here)),
            "}" | "]" | ")" if token.piece == Piece::Sign => {
                // The line of the closing bracket stays in sight.
                if let Some((_, first)) = open.pop()
                    && here > first + 1
                {
                    found.push(Fold { first, last: here - 1, comment: false });
                }
            }
            _ => {}
        }
    }
    found.extend(folded(comment));
    found.sort();
    found.dedup_by_key(|fold| fold.first);
    found
}

fn folded(comment: Option<(usize, usize)>) -> Option<Fold> {
    let (first, last) = comment.filter(|(first, last)| last > first)?;
    Some(Fold { first, last, comment: true })
}
