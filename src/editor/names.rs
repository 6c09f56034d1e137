//! The names of a text: where each is defined, where it is used, where it is known.
//!
//! This is a walk over the tree alone, with the rules of scope that elaboration has. So it knows the names of functions
//! that nothing calls, and those of a file with errors elsewhere. What lies behind a dot is found by
//! [`super::Facts`], which elaboration wrote.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::scopes::Walk;
use crate::diag::Span;
use crate::syntax::ast::File;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `let`, and what a pattern binds.
    Let,
    /// `var`
    Var,
    /// `let x ~ D`
    Draw,
    /// `input`
    Input,
    /// `fn`
    Function,
    /// `objective`
    Objective,
    /// `optimizer`
    Optimizer,
    /// `distribution`
    Distribution,
    /// `set`
    Set,
    /// `type`
    Type,
    /// `param`, also behind `over`.
    Param,
    /// A parameter of a function, objective or distribution.
    Parameter,
    /// A parameter of an optimizer.
    HyperParameter,
    /// `state`
    State,
    /// `report`
    Report,
    /// Bound by a generator or a loop.
    Binding,
    /// A size that arguments bind: `n` of `real[n]`.
    Dimension,
    /// `import … as m`
    Module,
    /// A member of a distribution or set.
    Member,
}

/// Where a name is defined.
#[derive(Debug, Clone)]
pub struct Def {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub at: Span,
    /// What it stands for.
    pub kind: Kind,
    /// The statement, parameter or binding that defines it.
    pub item: Span,
    /// The comment above it.
    pub doc: Option<Arc<str>>,
    /// Where it is known.
    pub known: Range<u32>,
    /// Whether its type is written.
    pub typed: bool,
    /// The parameters of what can be called, by their places among the definitions.
    pub params: Vec<usize>,
}

/// What a use means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A definition, by its place.
    Def(usize),
    /// A name of the standard library.
    Library,
    /// `x`, `g`, `f` or `t` of an optimizer.
    Given,
    /// A figure of a stopping condition.
    Figure,
    /// A field whose meaning only elaboration knows; the place of what stands before the dot.
    Field(Span),
    /// Nothing known.
    Unknown,
}

/// A use of a name.
#[derive(Debug, Clone)]
pub struct Use {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub at: Span,
    /// What it means.
    pub target: Target,
    /// Whether it is assigned here.
    pub writes: bool,
}

/// An import, with the definitions it brings.
#[derive(Debug, Clone)]
pub struct Import {
    /// The path as written.
    pub path: Arc<str>,
    /// Where it stands.
    pub at: Span,
}

/// The names of a text.
#[derive(Debug, Default)]
pub struct Names {
    /// The definitions, imported ones too.
    pub defs: Vec<Def>,
    /// The uses, in the order of the text.
    pub uses: Vec<Use>,
    /// The imports.
    pub imports: Vec<Import>,
    /// Where optimizers stand: there x, g, f and t mean something.
    pub optimizers: Vec<Span>,
}

/// Finds the tree of an imported file.
pub type Imports<'i> = &'i dyn Fn(&str) -> Option<Arc<File>>;

/// Names with a meaning in the body of an optimizer.
pub const GIVEN: [&str; 4] = ["x", "g", "f", "t"];
/// Names with a meaning in a stopping condition.
pub const FIGURES: [&str; 9] =
    ["steps", "epochs", "loss", "grad_norm", "change", "evals", "seconds", "violation", "start_loss"];

impl Names {
    /// Of a file; `library` says whether a name is of the standard library.
    pub fn of(file: &File, end: usize, library: &dyn Fn(&str) -> bool, imports: Imports<'_>) -> Names {
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let mut names = Walk::of(file, 0..end, library, imports);
        names.uses.sort_by_key(|one| (one.at.start, one.at.end));
        names
    }

    /// The definition whose name stands at a place of the main file.
    pub fn def_at(&self, at: u32) -> Option<usize> {
        let file = self.main();
        self.defs.iter().position(|def| def.at.file == file && touches(def.at, at))
    }

    /// The use at a place.
    pub fn use_at(&self, at: u32) -> Option<&Use> {
        let end = self.uses.partition_point(|one| one.at.start <= at);
        self.uses[..end].iter().rev().take(4).find(|one| touches(one.at, at))
    }

    /// The definitions known at a place, inner ones first; of equal names the innermost.
    pub fn known_at(&self, at: u32) -> Vec<usize> {
        let known = |def: &Def| def.known.start <= at && at <= def.known.end;
        let mut found: Vec<usize> = (0..self.defs.len()).filter(|k| known(&self.defs[*k])).collect();
        found.sort_by_key(|k| std::cmp::Reverse(self.defs[*k].known.start));
        let mut names = HashSet::new();
        found.retain(|k| names.insert(&*self.defs[*k].name));
        found
    }

    /// What a name means at a place.
    pub fn lookup(&self, name: &str, at: u32) -> Option<usize> {
        let known = |def: &&Def| *def.name == *name && def.known.start <= at && at <= def.known.end;
        let best = self.defs.iter().enumerate().filter(|(_, def)| known(def));
        best.max_by_key(|(_, def)| def.known.start).map(|(k, _)| k)
    }

    /// Whether a place is in the body of an optimizer.
    pub fn in_optimizer(&self, at: u32) -> bool {
        self.optimizers.iter().any(|span| span.start <= at && at <= span.end)
    }

    /// The file that the names are of.
    pub fn main(&self) -> crate::diag::FileId {
        crate::diag::FileId(0)
    }
}

fn touches(span: Span, at: u32) -> bool {
    span.start <= at && at <= span.end
}
