//! What an expression denotes while a program is elaborated: arrays that are known, arrays that
//! will be computed by the code being built, and the compile-time values around them.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::Lower;
use super::objective::{Fit, Objective};
use super::optimizer::OptimizerValue;
use crate::diag::Span;
use crate::ir::{self, Dim, Elem, Tensor, Ty};
use crate::math::Prim;
use crate::syntax::ast;

/// Something went wrong and has been reported; the value is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poisoned;

/// A value, or the knowledge that an error has been reported.
pub type Res<T> = Result<T, Poisoned>;

/// What an expression denotes.
#[derive(Clone)]
pub enum Val {
    /// An array that the code being built computes.
    Staged(Staged),
    /// An array that is known.
    Known(Tensor),
    /// An integer that is known when code is built: a dimension may be made of it.
    Int(Dim),
    /// A text: a label or a path.
    Str(Arc<str>),
    /// A column of texts.
    Strs(Arc<Vec<String>>),
    /// `a..b`
    Range(Box<Val>, Box<Val>),
    /// `(a, b)`
    Tuple(Rc<Vec<Val>>),
    /// `(w = a, b = c)`, or a table.
    Record(Rc<Record>),
    /// A list whose elements are compile-time values or differ in type.
    List(Rc<Vec<Val>>),
    /// A function.
    Function(Rc<Function>),
    /// An optimizer with its hyper-parameters.
    Optimizer(Rc<OptimizerValue>),
    /// An objective with its arguments.
    Objective(Rc<Objective>),
    /// The result of a solve.
    Fit(Rc<Fit>),
    /// A distribution or set with its arguments.
    Members(Rc<Members>),
    /// What an erroneous definition is bound to.
    Poison,
}

/// An array of the unit under construction.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Which unit.
    pub unit: usize,
    /// Which function of the unit's stack.
    pub level: usize,
    /// Which value of the function.
    pub value: ir::Value,
    /// Its type.
    pub ty: Ty,
}

/// Named values.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// By name, in order.
    pub fields: Vec<(Arc<str>, Val)>,
    /// The number of rows, if it is a table: then the first dimension of every field.
    pub rows: Option<Dim>,
}

/// A distribution or set with its arguments.
#[derive(Debug)]
pub struct Members {
    /// How it was declared.
    pub decl: Arc<ast::MembersDecl>,
    /// Its arguments by name, lifted and checked when used.
    pub args: Vec<(Arc<str>, Val)>,
    /// Where it was declared.
    pub scope: Scope,
}

/// A function.
pub enum Function {
    /// Declared with `fn`.
    User {
        /// How it was declared.
        decl: Arc<ast::FnDecl>,
        /// The names around it.
        scope: Scope,
    },
    /// `x -> e`
    Lambda {
        /// What it binds.
        params: Vec<ast::Pattern>,
        /// What it gives.
        body: ast::Expr,
        /// The names around it.
        scope: Scope,
    },
    /// An elementwise primitive under a user's name.
    Primitive(Prim),
    /// Built in, by its place in the table.
    Builtin(&'static super::builtins::Builtin),
    /// Made by the compiler: `grad(f)`, a view of the problem.
    Native(Native),
    /// Not a function: a named type, found under its name like one.
    Type(Arc<ast::TypeDecl>, Scope),
    /// A function that is only known by its type, while a generic function is checked.
    Opaque(Option<ast::TypeExpr>, Scope),
}

/// A function made by the compiler.
#[derive(Clone)]
pub struct Native {
    /// What reports call it.
    pub name: Arc<str>,
    /// What it does.
    pub call: NativeCall,
    /// What it is, where other functions treat it specially.
    pub role: Role,
}

/// What a native function does with positional arguments.
pub type NativeCall = Rc<dyn Fn(&mut Lower<'_>, Vec<Argument>, Span) -> Res<Val>>;

/// What a native function is, where other functions treat it specially.
#[derive(Clone, Default)]
pub enum Role {
    /// Nothing special.
    #[default]
    Plain,
    /// The problem `f` of an optimizer.
    Problem(Rc<super::problem::Problem>),
    /// The values of the examples, `f.each`.
    Each(Rc<super::problem::Problem>),
    /// Makes an objective, whose names are those of its scope.
    Objective(Scope),
    /// Makes a distribution.
    Distribution(Arc<ast::MembersDecl>),
}

/// An argument of a call, elaborated.
#[derive(Clone)]
pub struct Argument {
    /// `name = value`
    pub name: Option<ast::Ident>,
    /// The value.
    pub value: Val,
    /// Where it stands.
    pub span: Span,
}

/// Names and what they denote, innermost first.
#[derive(Clone, Default)]
pub struct Scope(Option<Rc<Frame>>);

struct Frame {
    name: Arc<str>,
    slot: Slot,
    parent: Scope,
    /// How many frames are around it.
    depth: usize,
    /// Whether it is inside the standard library.
    library: bool,
    /// The entry of a session that it belongs to.
    entry: Option<Rc<usize>>,
    /// Of the last frame of a block of [`BLOCK`]: what is around the block, and its names, so that
    /// a long function is not searched name by name.
    around: Scope,
    block: OnceCell<HashSet<Arc<str>>>,
}

/// So many frames are searched together.
const BLOCK: usize = 64;

/// What a name denotes.
#[derive(Clone)]
pub enum Slot {
    /// Bound once.
    Let(Val, Span),
    /// Assigned to.
    Var(Cell, Span),
}

impl Slot {
    /// Where the name was bound.
    pub fn span(&self) -> Span {
        let (Slot::Let(_, span) | Slot::Var(_, span)) = self;
        *span
    }
}

/// The present value of a `var`.
pub type Cell = Rc<RefCell<Val>>;

/// A name no program can write: it marks scopes of the standard library.
const LIBRARY: &str = "the standard library";
/// A name no program can write: it marks scopes of the entries of a session.
const ENTRY: &str = "an entry";

impl Scope {
    /// The scope of the standard library: it does not see the user's names.
    pub fn library() -> Scope {
        Scope::default().with(&Arc::from(LIBRARY), Slot::Let(Val::Poison, Span::default()))
    }

    /// The scope of the declarations of an entry of a session.
    pub(super) fn of_entry(entry: Rc<usize>) -> Scope {
        let marked = Scope::default().with(&Arc::from(ENTRY), Slot::Let(Val::Poison, Span::default()));
        let mut frame = marked.0;
        if let Some(frame) = frame.as_mut().and_then(Rc::get_mut) {
            frame.entry = Some(entry);
        }
        Scope(frame)
    }

    /// The entry of a session that its declarations belong to.
    pub(super) fn entry(&self) -> Option<&Rc<usize>> {
        self.0.as_ref().and_then(|frame| frame.entry.as_ref())
    }

    /// Only some of its names.
    pub(super) fn only(&self, names: &[Arc<str>]) -> Scope {
        let found = names.iter().filter_map(|name| Some((name, self.get(name)?)));
        found.fold(Scope::default(), |scope, (name, slot)| scope.with(name, slot.clone()))
    }

    /// This scope with the names that another has beyond one that it began with.
    pub(super) fn extended(&self, other: &Scope, from: &Scope) -> Scope {
        let mut more = Vec::new();
        let (mut at, end) = (other, from.0.as_ref());
        while let Some(frame) = at.0.as_ref().filter(|frame| !end.is_some_and(|end| Rc::ptr_eq(end, frame))) {
            more.push((&frame.name, &frame.slot));
            at = &frame.parent;
        }
        more.into_iter().rev().fold(self.clone(), |scope, (name, slot)| scope.with(name, slot.clone()))
    }

    /// All names with what they denote, innermost first.
    pub(super) fn slots(&self) -> Vec<(&Arc<str>, &Slot)> {
        let mut slots = Vec::new();
        let mut at = self;
        while let Some(frame) = &at.0 {
            slots.push((&frame.name, &frame.slot));
            at = &frame.parent;
        }
        slots
    }

    /// Each name once, with what it denotes; those without a value are left out.
    pub(super) fn compact(&self) -> Scope {
        let mut seen = HashSet::new();
        let mut kept = self.slots();
        kept.retain(|(name, slot)| seen.insert(*name) && !matches!(slot, Slot::Let(Val::Poison, _)));
        kept.into_iter().rev().fold(Scope::default(), |scope, (name, slot)| scope.with(name, slot.clone()))
    }

    /// Whether it is inside the standard library.
    pub fn is_library(&self) -> bool {
        self.0.as_ref().is_some_and(|frame| frame.library)
    }

    /// This scope with one more name, which hides an equal one.
    #[must_use]
    pub fn with(&self, name: &Arc<str>, slot: Slot) -> Scope {
        let depth = self.0.as_ref().map_or(0, |frame| frame.depth + 1);
        let ends_block = (depth + 1).is_multiple_of(BLOCK);
        Scope(Some(Rc::new(Frame {
            name: name.clone(),
            slot,
            parent: self.clone(),
            depth,
            library: self.is_library() || &**name == LIBRARY,
            entry: self.entry().cloned(),
            around: if ends_block { self.up(BLOCK - 1) } else { Scope::default() },
            block: OnceCell::new(),
        })))
    }

    /// The scope so many names further out.
    fn up(&self, count: usize) -> Scope {
        let mut at = self;
        for _ in 0..count {
            let Some(frame) = &at.0 else { break };
            at = &frame.parent;
        }
        at.clone()
    }

    /// What a name denotes.
    pub fn get(&self, name: &str) -> Option<&Slot> {
        let mut at = self;
        while let Some(frame) = &at.0 {
            if (frame.depth + 1).is_multiple_of(BLOCK) && !frame.block().contains(name) {
                at = &frame.around;
                continue;
            }
            if &*frame.name == name {
                return Some(&frame.slot);
            }
            at = &frame.parent;
        }
        None
    }

    /// All names, innermost first.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.frames().map(|frame| frame.name.clone()).collect()
    }

    /// The name of a result that has a param or report called so.
    pub(super) fn fit_with(&self, name: &str) -> Option<Arc<str>> {
        let has = |slot: &Slot| match slot {
            Slot::Let(Val::Fit(fit), _) => {
                fit.params.iter().chain(&fit.reports).any(|(known, _)| **known == *name)
            }
            _ => false,
        };
        let seen = |frame: &&Frame| has(&frame.slot) && self.get(&frame.name).is_some_and(has);
        self.frames().find(seen).map(|frame| frame.name.clone())
    }

    /// Its frames, innermost first.
    fn frames(&self) -> impl Iterator<Item = &Frame> {
        std::iter::successors(self.0.as_deref(), |frame| frame.parent.0.as_deref())
    }
}

impl Frame {
    /// The names of the block that it ends.
    fn block(&self) -> &HashSet<Arc<str>> {
        self.block.get_or_init(|| {
            let mut names = HashSet::from([self.name.clone()]);
            let mut at = &self.parent;
            while let Some(frame) = at.0.as_ref().filter(|frame| !(frame.depth + 1).is_multiple_of(BLOCK)) {
                names.insert(frame.name.clone());
                at = &frame.parent;
            }
            names
        })
    }
}

impl Drop for Frame {
    /// Unlinks long chains step by step: a recursive drop would overflow the stack.
    fn drop(&mut self) {
        self.around.0.take();
        let mut next = self.parent.0.take();
        while let Some(frame) = next {
            next = match Rc::try_unwrap(frame) {
                Ok(mut frame) => {
                    frame.around.0.take();
                    frame.parent.0.take()
                }
                Err(_) => None,
            };
        }
    }
}

impl Val {
    /// A known real.
    pub fn real(x: f64) -> Val {
        Val::Known(Tensor::scalar(x))
    }

    /// A known integer.
    pub fn int(n: i64) -> Val {
        Val::Int(Dim::Known(n))
    }

    /// A known truth value.
    pub fn bool(b: bool) -> Val {
        Val::Known(Tensor::bool_scalar(b))
    }

    /// A text.
    pub fn text(text: &str) -> Val {
        Val::Str(Arc::from(text))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Val>) -> Val {
        Val::Tuple(Rc::new(items))
    }

    /// A list.
    pub fn list(items: Vec<Val>) -> Val {
        Val::List(Rc::new(items))
    }

    /// A record that is not a table.
    pub fn record(fields: Vec<(Arc<str>, Val)>) -> Val {
        Val::Record(Rc::new(Record { fields, rows: None }))
    }

    /// A function made by the compiler.
    pub fn native(name: &str, call: NativeCall) -> Val {
        let native = Native { name: Arc::from(name), call, role: Role::Plain };
        Val::Function(Rc::new(Function::Native(native)))
    }

    /// Its type, if it is an array or a known integer.
    pub fn ty(&self) -> Option<Ty> {
        match self {
            Val::Staged(staged) => Some(staged.ty.clone()),
            Val::Known(tensor) => Some(tensor.ty()),
            Val::Int(_) => Some(Ty::scalar(Elem::Int)),
            Val::Str(_)
            | Val::Strs(_)
            | Val::Range(..)
            | Val::Tuple(_)
            | Val::Record(_)
            | Val::List(_)
            | Val::Function(_)
            | Val::Optimizer(_)
            | Val::Objective(_)
            | Val::Fit(_)
            | Val::Members(_)
            | Val::Poison => None,
        }
    }

    /// What it is, for reports: `real[3]`, `a function`.
    pub fn describe(&self) -> String {
        match self {
            Val::Staged(staged) => staged.ty.to_string(),
            Val::Known(tensor) => tensor.ty().to_string(),
            Val::Int(_) => "int".into(),
            Val::Str(_) => "a string".into(),
            Val::Strs(texts) => format!("a column of {} strings", texts.len()),
            Val::Range(..) => "a range".into(),
            Val::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Val::describe).collect();
                format!("({})", items.join(", "))
            }
            Val::Record(record) => match &record.rows {
                Some(rows) => format!("a table of {rows} rows"),
                None => {
                    let part = |(name, value): &(Arc<str>, Val)| format!("{name}: {}", value.describe());
                    let fields: Vec<String> = record.fields.iter().map(part).collect();
                    format!("({})", fields.join(", "))
                }
            },
            Val::List(items) => format!("a list of {} values", items.len()),
            Val::Function(_) => "a function".into(),
            Val::Optimizer(_) => "an optimizer".into(),
            Val::Objective(_) => "an objective".into(),
            Val::Fit(_) => "the result of a solve".into(),
            Val::Members(members) => {
                (if members.decl.distribution { "a distribution" } else { "a set" }).into()
            }
            Val::Poison => "an erroneous value".into(),
        }
    }

    /// The arrays it is made of, in order; `None` if something in it is no array.
    pub fn leaves(&self) -> Option<Vec<Val>> {
        match self {
            Val::Staged(_) | Val::Known(_) | Val::Int(_) => Some(vec![self.clone()]),
            Val::Tuple(items) => concat_leaves(items.iter()),
            Val::Record(record) => concat_leaves(record.fields.iter().map(|(_, value)| value)),
            Val::Str(_)
            | Val::Strs(_)
            | Val::Range(..)
            | Val::List(_)
            | Val::Function(_)
            | Val::Optimizer(_)
            | Val::Objective(_)
            | Val::Fit(_)
            | Val::Members(_)
            | Val::Poison => None,
        }
    }

    /// The name of each leaf of a value that is called `name`: `w`, `layer.b`, `pair.0`.
    pub fn leaf_names(&self, name: &str) -> Vec<String> {
        if let Val::Tuple(items) = self {
            let named = items.iter().enumerate();
            return named.flat_map(|(at, item)| item.leaf_names(&format!("{name}.{at}"))).collect();
        }
        if let Val::Record(record) = self {
            let named = record.fields.iter();
            return named.flat_map(|(field, val)| val.leaf_names(&format!("{name}.{field}"))).collect();
        }
        vec![name.to_string()]
    }

    /// The same structure with other arrays in it, taken in order.
    pub fn rebuild(&self, leaves: &mut dyn Iterator<Item = Val>) -> Val {
        match self {
            Val::Staged(_) | Val::Known(_) | Val::Int(_) => leaves.next().unwrap_or(Val::Poison),
            Val::Tuple(items) => Val::tuple(items.iter().map(|item| item.rebuild(leaves)).collect()),
            Val::Record(record) => {
                let part = |(name, value): &(Arc<str>, Val)| (name.clone(), value.rebuild(leaves));
                let fields = record.fields.iter().map(part).collect();
                Val::Record(Rc::new(Record { fields, rows: record.rows.clone() }))
            }
            Val::Str(_)
            | Val::Strs(_)
            | Val::Range(..)
            | Val::List(_)
            | Val::Function(_)
            | Val::Optimizer(_)
            | Val::Objective(_)
            | Val::Fit(_)
            | Val::Members(_)
            | Val::Poison => self.clone(),
        }
    }

    /// Whether it holds arrays only, so that it can be computed by code.
    pub fn is_numeric(&self) -> bool {
        self.leaves().is_some()
    }
}

fn concat_leaves<'a>(values: impl Iterator<Item = &'a Val>) -> Option<Vec<Val>> {
    let mut all = Vec::new();
    for value in values {
        all.extend(value.leaves()?);
    }
    Some(all)
}

impl Record {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Val> {
        self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scope")
    }
}
