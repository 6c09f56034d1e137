//! Entry after entry of a session: what one elaboration leaves behind for the next.
//!
//! A program is one file, and its functions see the names of the file. In a session each entry is a
//! file of its own in the scope of those before, and a name may be bound again. What was made before
//! keeps what it was made of: declarations of an entry stand in a scope that bears the number of the
//! entry, and what they do not find there is looked up among the names as they were when the entry
//! ended, its *home*. A file that is imported under a name has a home likewise. Of what is bound again nothing is kept but what is still mentioned.

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
    homes: Rc<Vec<Home>>,
    /// How many entries there were.
    entries: usize,
    library: HashMap<Arc<str>, Option<Val>>,
    judged: Vec<Weak<Objective>>,
    next_unit: usize,
}

/// The names that the declarations of an entry mention, or all of an imported file, as they were when it
/// ended.
#[derive(Clone)]
pub(super) struct Home {
    /// The number of the entry.
    number: usize,
    /// The same, as long as there is a scope that bears it.
    borne: Weak<usize>,
    /// What the entry declares, if that is one thing: it is not among the names, which would keep it.
    own: Option<Arc<str>>,
    names: Scope,
}

/// An entry that is being elaborated.
pub(super) struct Entry {
    /// Its number.
    number: Rc<usize>,
    /// The names that stand in its text; none if it brings in other files.
    mentioned: Option<Vec<Arc<str>>>,
    /// Whether it declares something that looks names up later.
    declares: bool,
    /// The one name that it binds, if it is one.
    own: Option<Arc<str>>,
}

impl Names {
    /// What a name is bound to.
    pub fn get(&self, name: &str) -> Option<Val> {
        self.globals.get(name).map(value_of)
    }

    /// All names with what they are bound to and where, the latest first.
    pub fn all(&self) -> Vec<(Arc<str>, Val, Span)> {
        let bound = |(name, slot): (&Arc<str>, &Slot)| {
            let (Slot::Let(_, at) | Slot::Var(_, at)) = slot;
            (name.clone(), value_of(slot), *at)
        };
        self.globals.slots().into_iter().map(bound).collect()
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
        let cell = |(_, slot): (&Arc<str>, &Slot)| match slot {
            Slot::Var(cell, _) => Some((cell.clone(), cell.borrow().clone())),
            Slot::Let(..) => None,
        };
        self.globals.slots().into_iter().filter_map(cell).collect()
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
        let number = Rc::new(names.entries + 1);
        let own = match file.items.as_slice() {
            [item] if declares && !imports => derivative::bound_names(item).into_iter().next(),
            _ => None,
        };
        let entry = Entry { number, own, mentioned: (!imports).then_some(mentioned), declares };
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
        let mut entries = 0;
        if let Some(Entry { number, mentioned, declares, own }) = self.entry {
            entries = homes.last().map_or(*number, |home| home.number.max(*number));
            let homes = Rc::make_mut(&mut homes);
            // A home is of no use without a scope that bears its number.
            homes.retain(|home| home.borne.strong_count() > 0);
            if declares {
                let names = mentioned.map_or(globals.clone(), |mut names| {
                    names.retain(|name| Some(name) != own.as_ref());
                    globals.only(&names)
                });
                homes.push(Home { number: *number, borne: Rc::downgrade(&number), own, names });
                homes.sort_by_key(|home| home.number);
            }
        }
        let mut judged = self.judged;
        judged.retain(|objective| objective.strong_count() > 0);
        Names { globals, homes, entries, library: self.library, judged, next_unit: self.next_unit }
    }

    /// The value of an expression at the top of the entry.
    pub fn value_of(&mut self, e: &Expr) -> Res<Val> {
        let scope = self.globals.clone();
        self.compute("value", e.span, |lower| lower.expr(&scope, e))
    }

    /// The scope that declarations stand in.
    pub(super) fn own_scope(&self) -> Scope {
        let entry = self.entry.as_ref().map(|entry| &entry.number);
        let number = self.modules.last().or(entry);
        number.map_or(Scope::default(), |number| Scope::of_entry(number.clone()))
    }

    /// The declarations that follow are those of a file whose names are its own, until its end.
    pub(super) fn begin_module(&mut self) {
        let known = self.homes.last().map(|home| home.number);
        let entry = self.entry.as_ref().map(|entry| *entry.number);
        let around = self.modules.last().map(|number| **number);
        let last = known.max(entry).max(around).unwrap_or(0);
        self.modules.push(Rc::new(last + 1));
    }

    /// The end of such a file: what its declarations do not find where they stand, they find among its names.
    pub(super) fn end_module(&mut self, names: &Scope) {
        if let Some(number) = self.modules.pop() {
            let homes = Rc::make_mut(&mut self.homes);
            let borne = Rc::downgrade(&number);
            homes.push(Home { number: *number, borne, own: None, names: names.clone() });
            homes.sort_by_key(|home| home.number);
        }
    }

    /// What a name is bound to in a scope, or at the top of its program or entry.
    pub(super) fn slot<'a>(&'a self, scope: &'a Scope, name: &str) -> Option<&'a Slot> {
        let top = || if scope.is_library() { None } else { self.at_top(scope, name) };
        scope.get(name).or_else(top)
    }

    fn at_top(&self, scope: &Scope, name: &str) -> Option<&Slot> {
        let home = scope.entry().and_then(|entry| {
            let at = self.homes.binary_search_by_key(&**entry, |home| home.number).ok()?;
            self.homes.get(at)
        });
        match home {
            Some(home) if home.own.as_deref() != Some(name) => home.names.get(name),
            Some(_) | None => self.globals.get(name),
        }
    }

    /// The scope of a statement at the top of an entry: only what it mentions, so that what is made
    /// there keeps nothing else. None where that is not known.
    pub(super) fn narrowed(&self, scope: &Scope, item: &Stmt) -> Option<Scope> {
        let mentioned = self.entry.as_ref()?.mentioned.as_ref()?;
        (!matches!(&item.kind, StmtKind::Import { .. })).then(|| scope.only(mentioned))
    }
}
