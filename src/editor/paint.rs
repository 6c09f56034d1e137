//! What an editor writes beside names and how it colours them.

use super::document::Document;
use super::names::{Kind, Target};
use crate::diag::FileId;
use crate::lower::{Denoted, Sort};

/// A shape that is not written, to be shown behind a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Where it is shown.
    pub at: usize,
    /// What is shown: `: real[569, 30]`.
    pub text: String,
}

/// The shapes of names in a range of bytes whose type is not written.
pub fn hints(document: &Document, range: (usize, usize)) -> Vec<Hint> {
    let mut found = Vec::new();
    for def in &document.names.defs {
        let end = def.at.end as usize;
        let here = def.at.file == FileId(0) && (range.0..=range.1).contains(&end);
        let kind = matches!(
            def.kind,
            Kind::Let
                | Kind::Var
                | Kind::Draw
                | Kind::Param
                | Kind::State
                | Kind::Binding
                | Kind::Parameter
                | Kind::Input
        );
        if !here || !kind || def.typed || &*def.name == "_" {
            continue;
        }
        if let Some(text) = shape(document.meaning(def)) {
            found.push(Hint { at: end, text });
        }
    }
    found.sort_by_key(|hint| hint.at);
    found
}

/// The shape of an array or table; that of a number is no news.
fn shape(found: &[Denoted]) -> Option<String> {
    let [what] = found else { return None };
    match what.sort {
        Sort::Array if what.about.contains('[') => Some(format!(": {}", what.about)),
        Sort::Table => Some(format!(": {}", what.about.trim_start_matches("a "))),
        _ => None,
    }
}

/// How a name is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// A module.
    Namespace,
    /// A type.
    Type,
    /// An objective, optimizer, distribution or set.
    Class,
    /// A parameter.
    Parameter,
    /// A value.
    Variable,
    /// A field, param or report behind a dot.
    Property,
    /// A function.
    Function,
}

impl Paint {
    /// All, in the order of their numbers.
    pub const ALL: [&'static str; 7] =
        ["namespace", "type", "class", "parameter", "variable", "property", "function"];
}

/// A coloured name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Painted {
    /// First byte and end.
    pub at: (usize, usize),
    /// Its colour.
    pub paint: Paint,
    /// Whether it is defined here.
    pub declared: bool,
    /// Whether it never changes.
    pub readonly: bool,
    /// Whether it is of the library.
    pub library: bool,
}

/// The names of a text with their colours, in its order.
pub fn painted(document: &Document) -> Vec<Painted> {
    let mut found = Vec::new();
    for def in document.names.defs.iter().filter(|def| def.at.file == FileId(0)) {
        found.push(Painted {
            at: (def.at.start as usize, def.at.end as usize),
            paint: paint(def.kind),
            declared: true,
            readonly: constant(def.kind),
            library: false,
        });
    }
    for one in &document.names.uses {
        let def = document.target(one).map(|def| document.names.defs[def].kind);
        let field = matches!(one.target, Target::Field(_));
        let (paint, library) = match (one.target, def) {
            (Target::Field(_), _) => (Paint::Property, false),
            (_, Some(kind)) => (paint(kind), false),
            (Target::Library, None) => (library(document, one.at), true),
            (Target::Given | Target::Figure, None) => (Paint::Variable, true),
            (_, None) => continue,
        };
        found.push(Painted {
            at: (one.at.start as usize, one.at.end as usize),
            paint,
            declared: false,
            readonly: !field && def.is_some_and(constant),
            library,
        });
    }
    found.retain(|one| one.at.0 < one.at.1);
    found.sort_by_key(|one| one.at);
    found.dedup_by_key(|one| one.at.0);
    found
}

/// A number of the library is a value, all else is called.
fn library(document: &Document, at: crate::diag::Span) -> Paint {
    let written = document.written(at);
    if matches!(written, "pi" | "e" | "inf") { Paint::Variable } else { Paint::Function }
}

fn constant(kind: Kind) -> bool {
    !matches!(kind, Kind::Var | Kind::State | Kind::Param)
}

fn paint(kind: Kind) -> Paint {
    match kind {
        Kind::Module => Paint::Namespace,
        Kind::Type => Paint::Type,
        Kind::Objective | Kind::Optimizer | Kind::Distribution | Kind::Set => Paint::Class,
        Kind::Parameter | Kind::HyperParameter | Kind::Dimension => Paint::Parameter,
        Kind::Report | Kind::Member => Paint::Property,
        Kind::Function => Paint::Function,
        Kind::Let | Kind::Var | Kind::Draw | Kind::Input | Kind::Param | Kind::State | Kind::Binding => {
            Paint::Variable
        }
    }
}
