//! What the places of a program denote, for editors.
//!
//! Elaboration walks over all that there is to know of a program. Where it is asked to, it writes down at expressions
//! and at names what they turned out to be. A place may be met more than once, in every call of a function; the first
//! few different answers are kept.

use std::collections::HashMap;
use std::sync::Arc;

use super::objective::{Fit, Objective};
use super::value::{Record, Slot};
use super::{Function, Lower, Val};
use crate::diag::{FileId, Span};
use crate::ir::{Dim, Tensor};

/// So many answers are kept of one place.
const KEPT: usize = 3;
/// So often a place is looked at: what is unrolled meets it again and again.
const LOOKS: usize = 8;
/// The most elements of an array that is shown.
const SHORT: usize = 12;
/// The most fields that are written down of one value, and how deep.
const FIELDS: usize = 400;
const DEPTH: usize = 3;

/// What kind of thing a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An array or a number.
    Array,
    /// A text.
    Text,
    /// A record or a tuple.
    Record,
    /// A table.
    Table,
    /// A function.
    Function,
    /// The problem `f` of an optimizer.
    Problem,
    /// An optimizer.
    Optimizer,
    /// An objective with its arguments.
    Objective,
    /// The result of a solve.
    Fit,
    /// A distribution or set.
    Members,
    /// Anything else.
    Other,
}

/// What a place denotes.
#[derive(Debug, Clone, PartialEq)]
pub struct Denoted {
    /// What kind of thing.
    pub sort: Sort,
    /// Its type in words: `real[3]`.
    pub about: String,
    /// Its value, if it is short and known.
    pub value: Option<Tensor>,
    /// What may stand behind a dot.
    pub fields: Vec<Member>,
}

/// What may stand behind a dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is declared.
    pub at: Option<Span>,
    /// What it denotes.
    pub what: Denoted,
}

/// What the places of one file denote.
#[derive(Debug, Default)]
pub struct Places {
    file: FileId,
    found: HashMap<Span, (usize, Vec<Denoted>)>,
}

impl Places {
    /// Nothing yet of a file.
    pub fn of(file: FileId) -> Places {
        Places { file, found: HashMap::new() }
    }

    /// All places with what they denote, in the order of the text.
    pub fn all(self) -> Vec<(Span, Vec<Denoted>)> {
        let mut all: Vec<_> = self.found.into_iter().map(|(span, (_, found))| (span, found)).collect();
        all.sort_by_key(|(span, _)| (span.start, span.end));
        all
    }

    fn see(&mut self, span: Span, val: &Val, trusted: bool) {
        if span.file != self.file {
            return;
        }
        let (looks, found) = self.found.entry(span).or_default();
        *looks += 1;
        if *looks > LOOKS || found.len() >= KEPT || matches!(val, Val::Poison) {
            return;
        }
        let what = denoted(val, trusted, DEPTH);
        if !found.contains(&what) {
            found.push(what);
        }
    }
}

impl Lower<'_> {
    /// From now on what places of a file denote is written down.
    pub fn write_down(&mut self, file: FileId) {
        self.places = Some(Places::of(file));
    }

    /// What was written down.
    pub fn take_places(&mut self) -> Option<Places> {
        self.places.take()
    }

    /// Writes down what an expression or a name denotes, if that is asked for.
    #[inline]
    pub(crate) fn denotes(&mut self, span: Span, val: &Val) {
        if let Some(places) = &mut self.places {
            // In a check values are made up where code would have to run; then none is shown.
            let trusted = !self.pretended && !self.symbolic;
            places.see(span, val, trusted);
        }
    }

    /// Writes down at a name's definition what a use of it found.
    pub(crate) fn denotes_bound(&mut self, name: &str, slot: &Slot) {
        if self.places.is_none() {
            return;
        }
        let (at, val) = match slot {
            Slot::Let(val, at) => (*at, val.clone()),
            Slot::Var(cell, at) => (*at, cell.borrow().clone()),
        };
        // Other slots carry the place of a whole statement.
        if (at.end - at.start) as usize == name.len() {
            self.denotes(at, &val);
        }
    }
}

fn denoted(val: &Val, trusted: bool, depth: usize) -> Denoted {
    let sort = sort(val);
    let value = match val {
        Val::Known(tensor) if trusted && tensor.len() <= SHORT => Some(tensor.clone()),
        Val::Int(Dim::Known(n)) if trusted => Some(Tensor::int(&[], vec![*n])),
        _ => None,
    };
    let fields = if depth == 0 { Vec::new() } else { fields(val, trusted, depth - 1) };
    Denoted { sort, about: about(val), value, fields }
}

fn sort(val: &Val) -> Sort {
    match val {
        Val::Staged(_) | Val::Known(_) | Val::Int(_) | Val::Range(..) => Sort::Array,
        Val::Str(_) | Val::Strs(_) => Sort::Text,
        Val::Record(record) if record.rows.is_some() => Sort::Table,
        Val::Tuple(_) | Val::Record(_) => Sort::Record,
        Val::Function(function) => match &**function {
            Function::Native(native) if matches!(native.role, super::value::Role::Problem(_)) => {
                Sort::Problem
            }
            _ => Sort::Function,
        },
        Val::Optimizer(_) => Sort::Optimizer,
        Val::Objective(_) => Sort::Objective,
        Val::Fit(_) => Sort::Fit,
        Val::Members(_) => Sort::Members,
        Val::List(_) | Val::Poison => Sort::Other,
    }
}

/// The type in words, without names that only the compiler knows.
fn about(val: &Val) -> String {
    match val {
        Val::Optimizer(optimizer) => optimizer.label(),
        Val::Objective(objective) => format!("objective {}", objective.name),
        Val::Fit(fit) => format!("the result of solving {}", fit.objective.name),
        Val::Range(a, b) => match (&**a, &**b) {
            (Val::Int(a), Val::Int(b)) => readable(&format!("{a}..{b}")),
            _ => "a range".into(),
        },
        _ => readable(&val.describe()),
    }
}

/// Dimensions made up by a check, `_12`, as `…`.
fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('_') {
        let digits = rest[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let inside = rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if digits > 0 && !inside {
            out.push_str(&rest[..at]);
            out.push('…');
            rest = &rest[at + 1 + digits..];
        } else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    out + rest
}

fn fields(val: &Val, trusted: bool, depth: usize) -> Vec<Member> {
    let plain = |(name, val): &(Arc<str>, Val)| Member {
        name: name.clone(),
        at: None,
        what: denoted(val, trusted, depth),
    };
    match val {
        Val::Record(record) => record.fields.iter().take(FIELDS).map(plain).collect(),
        Val::Fit(fit) => of_fit(fit, depth),
        Val::Objective(objective) => of_reports(objective),
        Val::Optimizer(optimizer) => {
            let declared = |name: &str| {
                optimizer.decl.params.iter().find(|p| *p.name.name == *name).map(|p| p.name.span)
            };
            let args = optimizer.args.iter();
            args.map(|arg| Member { at: declared(&arg.0), ..plain(arg) }).collect()
        }
        Val::Members(members) => {
            let member = |m: &crate::syntax::ast::Member| Member {
                name: m.name.name.clone(),
                at: Some(m.name.span),
                what: simple(Sort::Function, "a function"),
            };
            members.decl.members.iter().map(member).collect()
        }
        _ => Vec::new(),
    }
}

/// The figures of a result, its params and its reports.
fn of_fit(fit: &Fit, depth: usize) -> Vec<Member> {
    let plain = |(name, val): &(Arc<str>, Val)| Member {
        name: name.clone(),
        at: None,
        what: denoted(val, false, depth),
    };
    let params = fit.params.iter().map(|param| {
        let at = fit.objective.params.iter().find(|known| known.name == param.0).map(|known| known.span);
        Member { at, ..plain(param) }
    });
    let reports = fit.reports.iter().map(|report| {
        let at =
            fit.objective.reports.iter().find(|(name, _)| name.name == report.0).map(|(name, _)| name.span);
        Member { at, ..plain(report) }
    });
    let figures = [
        ("status", "why it stopped, in one word"),
        ("reason", "the test that fired, with its numbers"),
        ("loss", "real"),
        ("grad_norm", "real"),
        ("steps", "int"),
        ("evals", "(f: int, grad: int, hvp: int)"),
        ("seconds", "real"),
        ("params", "all params as a record"),
        ("trace", "a table of recorded points"),
        ("state", "the optimizer's state, to go on from"),
    ];
    let figure = |(name, about): (&str, &str)| Member {
        name: Arc::from(name),
        at: None,
        what: match name {
            "params" => denoted(
                &Val::Record(std::rc::Rc::new(Record { fields: fit.params.clone(), rows: None })),
                false,
                depth,
            ),
            "evals" => Denoted { fields: evaluations(), ..simple(Sort::Record, about) },
            _ => simple(Sort::Array, about),
        },
    };
    params.chain(reports).chain(figures.into_iter().map(figure)).collect()
}

fn evaluations() -> Vec<Member> {
    let part = |name: &str| Member { name: Arc::from(name), at: None, what: simple(Sort::Array, "int") };
    ["f", "grad", "hvp"].map(part).to_vec()
}

fn of_reports(objective: &Objective) -> Vec<Member> {
    let figure = |(name, _): &(crate::syntax::ast::Ident, _)| Member {
        name: name.name.clone(),
        at: Some(name.span),
        what: simple(Sort::Function, "a report, as a function of the params"),
    };
    objective.reports.iter().map(figure).collect()
}

fn simple(sort: Sort, about: &str) -> Denoted {
    Denoted { sort, about: about.to_string(), value: None, fields: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn made_up_dimensions_are_dots() {
        assert_eq!(readable("real[_12, 3]"), "real[…, 3]");
        assert_eq!(readable("real[n_1, 2*_3]"), "real[n_1, 2*…]");
        assert_eq!(readable("a_ _b _4"), "a_ _b …");
    }
}
