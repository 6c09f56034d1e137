//! The entries of a session as a file that runs.
//!
//! They stand in their order. A definition whose names are all bound again further down is left out
//! where nothing in between reads them: a function that was written five times stands there once.

use std::path::PathBuf;
use std::sync::Arc;

use super::interpreter::{Interpreter, Kept};
use super::program::Program;
use crate::diag::Report;
use crate::lower;
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::names_in;

/// What happens next to a name, further down.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// It is read.
    Read,
    /// It is bound by a statement.
    Bound,
}

/// What is known of a name while entries are looked at from the last to the first.
struct Later {
    name: Arc<str>,
    next: Next,
    /// Whether it is declared further down: then it is known everywhere, and cannot be declared again.
    declared: bool,
}

impl Interpreter {
    /// The entries that were right, as a program.
    pub fn program(&self) -> String {
        let mut kept: Vec<&Kept> = Vec::new();
        let mut later: Vec<Later> = Vec::new();
        for entry in self.kept.iter().rev() {
            let bound = bindings(entry);
            let needless = |(name, declared): &(Arc<str>, bool)| {
                let known = later.iter().find(|known| known.name == *name);
                known.is_some_and(|known| known.next == Next::Bound || (*declared && known.declared))
            };
            let quiet = entry.file.items.iter().all(defines);
            if quiet && !bound.is_empty() && bound.iter().all(needless) {
                continue;
            }
            for (name, declared) in &bound {
                note(&mut later, name, Next::Bound, *declared);
            }
            for name in names_in(&entry.text).iter().filter(|name| reads(entry, name)) {
                note(&mut later, name, Next::Read, false);
            }
            kept.push(entry);
        }
        let texts: Vec<String> = kept.iter().rev().map(|entry| as_statements(entry)).collect();
        if texts.is_empty() { String::new() } else { texts.join("\n") + "\n" }
    }

    /// What is wrong with a text as a program in a folder.
    pub fn check(&mut self, name: &str, text: &str, folder: PathBuf) -> Vec<Report> {
        let id = self.session.sources.add(name, text);
        let mut program = Program::new(folder);
        program.inputs = self.inputs.clone();
        program.read(id, text);
        program.check(&mut self.session);
        self.session.options.execute = true;
        self.session.loaded.clear();
        program.reports
    }
}

fn note(later: &mut Vec<Later>, name: &Arc<str>, next: Next, declared: bool) {
    match later.iter_mut().find(|known| known.name == *name) {
        Some(known) => (known.next, known.declared) = (next, known.declared || declared),
        None => later.push(Later { name: name.clone(), next, declared }),
    }
}

/// The text of an entry in a file, where only `print` shows the value of an expression.
fn as_statements(entry: &Kept) -> String {
    let mut text = entry.text.trim_end().to_string();
    for item in entry.file.items.iter().rev() {
        if let StmtKind::Expr(_) = &item.kind {
            text.insert_str((item.span.start as usize).min(text.len()), "print ");
        }
    }
    text
}

/// The names that an entry defines, with whether it declares them.
fn bindings(entry: &Kept) -> Vec<(Arc<str>, bool)> {
    let bound = |item: &Stmt| {
        let declared = lower::declares(item);
        lower::bound_names(item).into_iter().map(move |name| (name, declared)).collect::<Vec<_>>()
    };
    entry.file.items.iter().filter(|item| defines(item)).flat_map(bound).collect()
}

/// Whether an entry reads a name that stands in it: it binds it nowhere, or mentions it elsewhere too.
fn reads(entry: &Kept, name: &Arc<str>) -> bool {
    let bound = bindings(entry).iter().any(|(bound, _)| bound == name);
    !bound || entry.file.items.iter().any(|item| lower::mentions(item, name))
}

/// Whether a statement only gives names to values.
fn defines(item: &Stmt) -> bool {
    lower::declares(item)
        || matches!(
            &item.kind,
            StmtKind::Let { .. } | StmtKind::Draw { .. } | StmtKind::Var { .. } | StmtKind::Input { .. }
        )
}
