//! What a session knows of names: for people who look one up, and for completion.

use std::rc::Rc;
use std::sync::Arc;

use super::brief::{brief, type_of};
use super::interpreter::{Interpreter, Kept};
use crate::diag::{FileId, Span};
use crate::driver::families;
use crate::lower::{self, Function, Val};
use crate::syntax::ast::{Block, File, ParamSpec, Stmt, StmtKind};
use crate::syntax::parse_file;

/// Constants and functions that are part of the language itself.
const CONSTANTS: [&str; 5] = ["pi", "e", "inf", "zeros", "ones"];

impl Interpreter {
    /// The names that entries have bound, the latest first.
    pub fn own_names(&self) -> Vec<Arc<str>> {
        self.names.all().into_iter().map(|(name, ..)| name).collect()
    }

    /// The names of the standard library.
    pub fn library_names(&self) -> Vec<Arc<str>> {
        let built_in = lower::builtins().map(|(name, _)| name).chain(CONSTANTS).map(Arc::from);
        let mut names: Vec<Arc<str>> = self.session.library.names().into_iter().chain(built_in).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The optimizers: those of the entries, then those of the library.
    pub fn optimizers(&self) -> Vec<Arc<str>> {
        let own = self.names.all().into_iter().filter(|(name, val, _)| match val {
            Val::Optimizer(_) => true,
            Val::Function(_) => {
                self.declared_here(name).is_some_and(|item| matches!(item.kind, StmtKind::Optimizer(_)))
            }
            _ => false,
        });
        let own = own.map(|(name, ..)| name);
        let library = families().into_iter().flat_map(|family| family.members).map(Arc::from);
        own.chain(library).collect()
    }

    /// The names that may stand behind a path such as `fit.params`.
    pub fn fields(&self, path: &[&str]) -> Vec<Arc<str>> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let value = rest.iter().try_fold(self.names.get(first), |val, field| Some(val?.field_value(field)));
        value.flatten().map(|val| val.field_names()).unwrap_or_default()
    }

    /// The objective that a name stands for together with its data, by its own name.
    pub fn objective_of(&self, name: &str) -> Option<Arc<str>> {
        match self.names.get(name)? {
            Val::Objective(objective) => Some(Arc::from(&*objective.name)),
            _ => None,
        }
    }

    /// The reports of the objectives that entries declare.
    pub fn reports(&self) -> Vec<Arc<str>> {
        let declared = self.own_names().into_iter().filter_map(|name| self.declared_here(&name));
        let reports = |item: Stmt| match item.kind {
            StmtKind::Objective(decl) => report_names(&decl.body),
            _ => Vec::new(),
        };
        declared.flat_map(reports).collect()
    }

    /// The functions and objectives that entries declare.
    pub fn differentiable(&self) -> Vec<Arc<str>> {
        let declared = |name: &Arc<str>| {
            let item = self.declared_here(name);
            item.is_some_and(|item| matches!(item.kind, StmtKind::Fn(_) | StmtKind::Objective(_)))
        };
        self.own_names().into_iter().filter(declared).collect()
    }

    /// The parameters of what may be called by a name.
    pub fn parameters(&mut self, name: &str) -> Vec<Arc<str>> {
        if let Some(Val::Function(function)) = self.names.get(name) {
            match &*function {
                Function::User { decl, .. } => return parameter_names(&decl.params),
                Function::Native(_) => {}
                _ => return Vec::new(),
            }
        }
        if let Some(item) = self.declared(name) {
            return parameter_names(parameters_of(&item));
        }
        // Of what is built in: those that have to be named.
        let built_in = lower::called(name).unwrap_or_default().iter();
        built_in.filter_map(|text| text.split_once(" = ")).map(|(name, _)| Arc::from(name)).collect()
    }

    /// What there is to say of a name: how it is declared, what its comment says, where it stands.
    pub fn help(&mut self, name: &str) -> Option<String> {
        let bound = self.names.all().into_iter().find(|(known, ..)| **known == *name);
        if let Some((_, val, at)) = &bound
            && !matches!(val, Val::Function(_))
        {
            let place = self.place(*at);
            return Some(format!("{}\n{}\nbound in {place}", brief(name, val), type_of(val)));
        }
        if let Some(item) = self.declared(name) {
            let doc = self.comment_above(item.span).map(|doc| format!("\n{doc}")).unwrap_or_default();
            let heading = self.heading(&item).unwrap_or_else(|| name.to_string());
            return Some(format!("{heading}{doc}\ndeclared in {}", self.place(item.span)));
        }
        if let Some((_, val, at)) = &bound {
            return Some(format!("{}\nbound in {}", brief(name, val), self.place(*at)));
        }
        if CONSTANTS[..3].contains(&name) {
            let value = self.constant(name)?;
            return Some(format!("{}\npart of the language", brief(name, &value)));
        }
        let built_in = lower::builtins().find(|(known, _)| *known == name);
        let parameters = lower::called(name).unwrap_or_default().join(", ");
        built_in.map(|(name, about)| format!("{name}({parameters})\n{about}\npart of the language"))
    }

    /// The documentation comment above a declaration.
    fn comment_above(&self, span: Span) -> Option<String> {
        let before = self.session.sources.get(span.file).1.get(..span.start as usize)?;
        let lines = before.trim_end_matches(' ').lines().rev();
        let mut doc: Vec<&str> =
            lines.map_while(|line| line.trim().strip_prefix("///")).map(str::trim).collect();
        doc.reverse();
        (!doc.is_empty()).then(|| doc.join("\n"))
    }

    /// `first.opt:3`
    fn place(&self, span: Span) -> String {
        let (file, _) = self.session.sources.get(span.file);
        let (line, _) = self.session.sources.position(span);
        format!("{file}:{line}")
    }

    /// The declaration of a name: of the entries, else of the library.
    pub(super) fn declared(&mut self, name: &str) -> Option<Stmt> {
        if let Some(item) = self.declared_here(name) {
            return Some(item);
        }
        if self.names.get(name).is_some() {
            return None;
        }
        let (file, _) = self.session.library.file_of(name, &mut self.session.sources)?;
        named(&file, name).cloned()
    }

    /// The declaration of a name that an entry has bound, in the entry or in a file that it brought in.
    pub(super) fn declared_here(&self, name: &str) -> Option<Stmt> {
        let (_, _, at) = self.names.all().into_iter().find(|(known, ..)| **known == *name)?;
        named(&self.file(at.file), name).cloned()
    }

    /// The tree of an entry, or of a file that one brought in.
    pub(super) fn file(&self, id: FileId) -> Rc<File> {
        let of = |kept: &&Kept| kept.file.items.first().is_some_and(|item| item.span.file == id);
        match self.kept.iter().rev().find(of) {
            Some(kept) => kept.file.clone(),
            None => Rc::new(parse_file(id, self.session.sources.get(id).1).0),
        }
    }
}

/// The declaration of a name in a file.
fn named<'f>(file: &'f Rc<File>, name: &str) -> Option<&'f Stmt> {
    let declares =
        |item: &&Stmt| lower::declares(item) && lower::bound_names(item).iter().any(|bound| **bound == *name);
    file.items.iter().rev().find(declares)
}

fn parameters_of(item: &Stmt) -> &[ParamSpec] {
    match &item.kind {
        StmtKind::Fn(decl) => &decl.params,
        StmtKind::Objective(decl) => &decl.params,
        StmtKind::Optimizer(decl) => &decl.params,
        StmtKind::Members(decl) => &decl.params,
        StmtKind::Primitive(decl) => &decl.params,
        _ => &[],
    }
}

fn report_names(body: &Block) -> Vec<Arc<str>> {
    let name = |item: &Stmt| match &item.kind {
        StmtKind::Report { name, .. } => Some(name.name.clone()),
        _ => None,
    };
    body.items.iter().filter_map(name).collect()
}

fn parameter_names(params: &[ParamSpec]) -> Vec<Arc<str>> {
    params.iter().map(|param| param.name.name.clone()).collect()
}
