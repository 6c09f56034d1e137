//! Entry after entry of a session: what one elaboration leaves behind for the next.
//!
//! A program is one file, and its functions see the names of the file. In a session each entry is a
//! file of its own in the scope of those before, and a name may be bound again. What was made before
//! keeps what it was made of: declarations of an entry stand in a scope that bears the number of the
//! entry, and what they do not find there is looked up among the names as they were when the entry
//! ended, its *home*. Of what is bound again nothing is kept but what is still mentioned.

use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::host::Host;
use super::objective::{Objective, fit_names};
use super::value::{Cell, Function, Native, Res, Role, Scope, Slot, Val};
use super::{Lower, derivative};
use crate::diag::Span;
use crate::syntax::ast::{Expr, File, Stmt, StmtKind};

/// The names of a session, between two entries.
#[derive(Clone, Default)]
pub struct Names {
    globals: Scope,
    /// The names that the declarations of each entry mention, as they were when it ended.
    homes: Rc<Vec<Scope>>,
    library: HashMap<Arc<str>, Option<Val>>,
    judged: Vec<Weak<Objective>>,
    next_unit: usize,
}

/// An entry that is being elaborated.
pub(super) struct Entry {
    /// The names that stand in its text; none if it brings in other files.
    mentioned: Option<Vec<Arc<str>>>,
    /// Whether it declares something that looks names up later.
    declares: bool,
}

impl Names {
    /// What a name is bound to.
    pub fn get(&self, name: &str) -> Option<Val> {
        self.globals.get(name).map(value_of)
    }

    /// All names with what they are bound to and where, the latest first.
    pub fn all(&self) -> Vec<(Arc<str>, Val, Span)> {
        let bound = |name: Arc<str>| {
            let slot = self.globals.get(&name)?;
            let (Slot::Let(_, at) | Slot::Var(_, at)) = slot;
            Some((name.clone(), value_of(slot), *at))
        };
        self.globals.names().into_iter().filter_map(bound).collect()
    }

    /// The names around a declaration: those that it was made of.
    pub fn around(&self, name: &str) -> Option<Scope> {
        let Some(Slot::Let(Val::Function(function), _)) = self.globals.get(name) else { return None };
        match &**function {
            Function::User { scope, .. } => Some(scope.clone()),
            Function::Native(Native { role: Role::Objective(scope), .. }) => Some(scope.clone()),
            _ => None,
        }
    }

    /// The variables with their present values, to be put back by [`Names::restore`].
    pub fn variables(&self) -> Vec<(Cell, Val)> {
        let cell = |name: &Arc<str>| match self.globals.get(name) {
            Some(Slot::Var(cell, _)) => Some((cell.clone(), cell.borrow().clone())),
            Some(Slot::Let(..)) | None => None,
        };
        self.globals.names().iter().filter_map(cell).collect()
    }

    /// Gives variables the values they had.
    pub fn restore(variables: &[(Cell, Val)]) {
        for (cell, val) in variables {
            *cell.borrow_mut() = val.clone();
        }
    }
}

/// What a name is bound to now.
fn value_of(slot: &Slot) -> Val {
    match slot {
        Slot::Let(val, _) => val.clone(),
        Slot::Var(cell, _) => cell.borrow().clone(),
    }
}

impl Val {
    /// The names that may stand behind a dot after it.
    pub fn field_names(&self) -> Vec<Arc<str>> {
        match self {
            Val::Record(record) => record.fields.iter().map(|(name, _)| name.clone()).collect(),
            Val::Fit(fit) => fit_names(fit),
            Val::Objective(objective) => {
                objective.reports.iter().map(|(name, _)| name.name.clone()).collect()
            }
            Val::Optimizer(optimizer) => optimizer.names(),
            _ => Vec::new(),
        }
    }

    /// What stands behind a dot after it, where that is known without elaborating anything.
    pub fn field_value(&self, name: &str) -> Option<Val> {
        match self {
            Val::Record(record) => record.get(name).cloned(),
            Val::Fit(fit) if name == "params" => Some(Val::record(fit.params.clone())),
            Val::Fit(fit) => {
                let mut own = fit.params.iter().chain(&fit.reports);
                own.find(|(known, _)| **known == *name).map(|(_, val)| val.clone())
            }
            Val::Optimizer(optimizer) => optimizer.arg(name),
            _ => None,
        }
    }
}

impl<'h> Lower<'h> {
    /// Goes on with the names of a session. `mentioned` are the names that stand in the text of the
    /// entry.
    pub fn entry(host: &'h mut dyn Host, names: Names, file: &File, mentioned: Vec<Arc<str>>) -> Lower<'h> {
        let imports = file.items.iter().any(|item| matches!(&item.kind, StmtKind::Import { .. }));
        let declares = imports || file.items.iter().any(derivative::declares);
        let entry = Entry { mentioned: (!imports).then_some(mentioned), declares };
        let mut lower = Lower::new(host);
        lower.globals = names.globals;
        lower.homes = names.homes;
        lower.library = names.library;
        lower.judged = names.judged;
        lower.next_unit = names.next_unit;
        lower.entry = Some(entry);
        lower
    }

    /// The names after the entry. Those that it could not give a value are left out.
    pub fn into_names(self) -> Names {
        let globals = self.globals.compact();
        let mut homes = self.homes;
        if let Some(Entry { mentioned, declares: true }) = &self.entry {
            let home = mentioned.as_ref().map_or(globals.clone(), |names| globals.only(names));
            Rc::make_mut(&mut homes).push(home);
        }
        let mut judged = self.judged;
        judged.retain(|objective| objective.strong_count() > 0);
        Names { globals, homes, library: self.library, judged, next_unit: self.next_unit }
    }

    /// The value of an expression at the top of the entry.
    pub fn value_of(&mut self, e: &Expr) -> Res<Val> {
        let scope = self.globals.clone();
        self.compute("value", e.span, |lower| lower.expr(&scope, e))
    }

    /// The scope that declarations stand in.
    pub(super) fn own_scope(&self) -> Scope {
        if self.entry.is_some() { Scope::of_entry(self.homes.len()) } else { Scope::default() }
    }

    /// The names at the top of the program, or of the entry that a scope belongs to.
    fn home(&self, scope: &Scope) -> &Scope {
        scope.entry().and_then(|entry| self.homes.get(entry)).unwrap_or(&self.globals)
    }

    /// What a name is bound to in a scope, or at the top of its program.
    pub(super) fn slot<'a>(&'a self, scope: &'a Scope, name: &str) -> Option<&'a Slot> {
        let top = || if scope.is_library() { None } else { self.home(scope).get(name) };
        scope.get(name).or_else(top)
    }

    /// The scope of a statement at the top of an entry: only what it mentions, so that what is made
    /// there keeps nothing else. None where that is not known.
    pub(super) fn narrowed(&self, scope: &Scope, item: &Stmt) -> Option<Scope> {
        let mentioned = self.entry.as_ref()?.mentioned.as_ref()?;
        (!matches!(&item.kind, StmtKind::Import { .. })).then(|| scope.only(mentioned))
    }
}
