//! The standard library as an editor shows it: signatures, comments, places.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::study::{Origin, Place};
use crate::diag::{Sources, Span};
use crate::driver::{self, Library};
use crate::lower::{builtins, called};
use crate::syntax::ast::{ParamSpec, Stmt, StmtKind};
use crate::syntax::print_type;

/// What a name of the library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelved {
    /// A function.
    Function,
    /// An optimizer.
    Optimizer,
    /// A distribution or set.
    Distribution,
    /// A type.
    Type,
    /// A number.
    Constant,
}

/// A name of the library.
#[derive(Debug, Clone)]
pub struct Book {
    /// What it is.
    pub kind: Shelved,
    /// How it is called: `adam(lr: real = 1e-3)`.
    pub signature: String,
    /// What is said of it.
    pub doc: String,
    /// Its parameters.
    pub params: Vec<Parameter>,
    /// Where it stands; functions that are built in stand nowhere.
    pub place: Option<Place>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// As it is written: `lr: real in (0, inf) = 1e-3`.
    pub text: String,
    /// Its default.
    pub default: Option<String>,
}

/// The library.
#[derive(Debug)]
pub struct Shelf {
    names: Vec<Arc<str>>,
    known: HashSet<Arc<str>>,
    /// The names of optimizers.
    optimizing: HashSet<&'static str>,
    read: RefCell<Read>,
    optimizers: OnceCell<Vec<(String, String)>>,
}

#[derive(Debug, Default)]
struct Read {
    library: Library,
    sources: Sources,
    books: HashMap<Arc<str>, Option<Rc<Book>>>,
}

/// Numbers with a name, and what they are.
const CONSTANTS: [(&str, &str); 3] =
    [("pi", "3.141592653589793"), ("e", "2.718281828459045"), ("inf", "infinity")];

/// The distributions of the library.
const DISTRIBUTIONS: [&str; 4] = ["normal", "uniform", "bernoulli", "categorical"];

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf::new()
    }
}

impl Shelf {
    /// The library of this compiler. What is not asked for is not read.
    pub fn new() -> Shelf {
        let mut names = Library::new().names();
        names.extend(builtins().map(|(name, _)| Arc::from(name)));
        names.extend(CONSTANTS.map(|(name, _)| Arc::from(name)));
        names.sort();
        names.dedup();
        let known = names.iter().cloned().collect();
        let optimizer = |path: &'static str| path.strip_prefix("stdlib/optim/")?.strip_suffix(".opt");
        let optimizing = Library::files().iter().filter_map(|(path, _)| optimizer(path)).collect();
        Shelf { names, known, optimizing, read: RefCell::default(), optimizers: OnceCell::new() }
    }

    /// Whether it has a name.
    pub fn has(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// Its names, in the alphabet's order.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The optimizers, each with a line about it.
    pub fn optimizers(&self) -> &[(String, String)] {
        self.optimizers.get_or_init(|| {
            driver::catalogue().into_iter().map(|one| (one.name.clone(), one.line())).collect()
        })
    }

    /// What kind of thing a name is, as far as can be told without reading it.
    pub fn kind(&self, name: &str) -> Shelved {
        if CONSTANTS.iter().any(|(known, _)| *known == name) {
            return Shelved::Constant;
        }
        if self.optimizing.contains(name) {
            return Shelved::Optimizer;
        }
        match self.read.borrow().books.get(name) {
            Some(Some(book)) => book.kind,
            _ if DISTRIBUTIONS.contains(&name) => Shelved::Distribution,
            _ => Shelved::Function,
        }
    }

    /// What a name is.
    pub fn book(&self, name: &str) -> Option<Rc<Book>> {
        let name = self.known.get(name)?.clone();
        let mut read = self.read.borrow_mut();
        if let Some(book) = read.books.get(&name) {
            return book.clone();
        }
        let book = built_in(&name).or_else(|| read.declared(&name)).map(Rc::new);
        read.books.insert(name, book.clone());
        book
    }
}

fn built_in(name: &str) -> Option<Book> {
    if let Some((_, value)) = CONSTANTS.iter().find(|(known, _)| *known == name) {
        let signature = format!("{name}: real");
        let doc = (*value).to_string();
        return Some(Book { kind: Shelved::Constant, signature, doc, params: Vec::new(), place: None });
    }
    let (_, about) = builtins().find(|(known, _)| *known == name)?;
    let parameters = called(name).unwrap_or_default();
    let parameter = |text: &&str| Parameter {
        name: text.split([':', ' ']).next().unwrap_or_default().to_string(),
        text: (*text).to_string(),
        default: None,
    };
    Some(Book {
        kind: Shelved::Function,
        signature: format!("fn {name}({})", parameters.join(", ")),
        doc: sentence(about),
        params: parameters.iter().map(parameter).collect(),
        place: None,
    })
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    // What begins with a formula keeps its letters.
    let begins = text.split(['(', ' ']).next().unwrap_or_default();
    let formula = begins.len() <= 2 || text.starts_with('(') || text[begins.len()..].starts_with('(');
    let text = if formula { text.to_string() } else { first + letters.as_str() };
    if text.ends_with('.') { text } else { text + "." }
}

impl Read {
    fn declared(&mut self, name: &str) -> Option<Book> {
        let (file, _) = self.library.file_of(name, &mut self.sources)?;
        let item = file.items.iter().find(|item| declared_name(item).is_some_and(|found| found.0 == name))?;
        let (_, at) = declared_name(item)?;
        let (path, text) = self.sources.get(at.file);
        let place = Place {
            origin: Origin::Library(path.to_string()),
            text: Arc::from(text),
            start: at.start as usize,
            end: at.end as usize,
        };
        Some(Book {
            kind: kind(item),
            signature: signature(item, text),
            doc: comment_above(text, item.span),
            params: params(item).iter().map(|param| parameter(param, text)).collect(),
            place: Some(place),
        })
    }
}

/// The documentation comment above a declaration, which is read without it.
fn comment_above(text: &str, item: Span) -> String {
    let before = text.get(..item.start as usize).unwrap_or_default();
    let lines: Vec<&str> =
        before.lines().rev().map_while(|line| line.strip_prefix("///").map(str::trim)).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

fn declared_name(item: &Stmt) -> Option<(&str, Span)> {
    let name = match &item.kind {
        StmtKind::Fn(decl) => &decl.name,
        StmtKind::Primitive(decl) => &decl.name,
        StmtKind::Optimizer(decl) => &decl.name,
        StmtKind::Objective(decl) => &decl.name,
        StmtKind::Members(decl) => &decl.name,
        StmtKind::Type(decl) => &decl.name,
        StmtKind::Let { pattern: crate::syntax::ast::Pattern::Name(name), .. } => name,
        _ => return None,
    };
    Some((&name.name, name.span))
}

fn kind(item: &Stmt) -> Shelved {
    match &item.kind {
        StmtKind::Optimizer(_) => Shelved::Optimizer,
        StmtKind::Members(_) => Shelved::Distribution,
        StmtKind::Type(_) => Shelved::Type,
        StmtKind::Let { .. } => Shelved::Constant,
        _ => Shelved::Function,
    }
}

/// The parameters of a declaration.
pub fn params(item: &Stmt) -> &[ParamSpec] {
    match &item.kind {
        StmtKind::Fn(decl) => &decl.params,
        StmtKind::Primitive(decl) => &decl.params,
        StmtKind::Optimizer(decl) => &decl.params,
        StmtKind::Objective(decl) => &decl.params,
        StmtKind::Members(decl) => &decl.params,
        _ => &[],
    }
}

/// A parameter as it is written.
pub fn parameter(param: &ParamSpec, text: &str) -> Parameter {
    let written = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let mut whole = param.name.name.to_string();
    if let Some(ty) = &param.ty {
        whole += &format!(": {}", print_type(ty));
    }
    if let Some(set) = &param.set {
        whole += &format!(" in {}", written(set.span));
    }
    let default = param.default.as_ref().map(|e| written(e.span).to_string());
    if let Some(default) = &default {
        whole += &format!(" = {default}");
    }
    Parameter { name: param.name.name.to_string(), text: whole, default }
}

/// A declaration without its body: `fn norm(x: real[n]) -> real`.
pub fn signature(item: &Stmt, text: &str) -> String {
    let listed = |word: &str, name: &str, params: &[ParamSpec]| {
        let params: Vec<String> = params.iter().map(|param| parameter(param, text).text).collect();
        format!("{word} {name}({})", params.join(", "))
    };
    let result = |ty: &Option<crate::syntax::ast::TypeExpr>| {
        ty.as_ref().map(|ty| format!(" -> {}", print_type(ty))).unwrap_or_default()
    };
    match &item.kind {
        StmtKind::Fn(decl) => listed("fn", &decl.name.name, &decl.params) + &result(&decl.result),
        StmtKind::Primitive(decl) => listed("fn", &decl.name.name, &decl.params) + &result(&decl.result),
        StmtKind::Optimizer(decl) => listed("optimizer", &decl.name.name, &decl.params),
        StmtKind::Objective(decl) => listed("objective", &decl.name.name, &decl.params),
        StmtKind::Members(decl) => {
            let word = if decl.distribution { "distribution" } else { "set" };
            listed(word, &decl.name.name, &decl.params)
        }
        _ => {
            let whole = text.get(item.span.start as usize..item.span.end as usize).unwrap_or_default();
            whole.lines().next().unwrap_or_default().trim_end().to_string()
        }
    }
}
