//! The function that is being called at a place, with the parameter that is being written.

use super::document::Document;
use super::hover;
use super::scan::{Token, call_around, scan};
use super::shelf::{self, Parameter, Shelf};
use super::text::Shift;

/// A call that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The whole: `adam(lr: real = 1e-3)`.
    pub label: String,
    /// Its parameters: first byte and end of each in the label.
    pub parameters: Vec<(usize, usize)>,
    /// The one that is being written.
    pub active: Option<usize>,
    /// What is said of it.
    pub doc: String,
}

/// The call around a place.
pub fn signature(
    document: &Document,
    whole: Option<&Document>,
    shelf: &Shelf,
    at: usize,
) -> Option<Signature> {
    let tokens = scan(document.text.get(..at)?);
    let (bracket, commas) = call_around(&tokens)?;
    let name = tokens[bracket - 1].text;
    let parameters = parameters(document, whole, shelf, name, at);
    if parameters.is_empty() {
        return None;
    }
    let mut label = format!("{name}(");
    let mut places = Vec::new();
    for (k, parameter) in parameters.iter().enumerate() {
        label += if k > 0 { ", " } else { "" };
        places.push((label.len(), label.len() + parameter.text.len()));
        label += &parameter.text;
    }
    label.push(')');
    let named = named_argument(&tokens[bracket + 1..]);
    let active = match named {
        Some(name) => parameters.iter().position(|parameter| parameter.name == name),
        None => Some(commas).filter(|k| *k < parameters.len()),
    };
    Some(Signature { label, parameters: places, active, doc: doc(document, shelf, name, at) })
}

/// The name of the argument that the last tokens give, if it has one.
fn named_argument<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    let mut depth = 0_usize;
    let mut from = tokens.len();
    for (at, token) in tokens.iter().enumerate().rev() {
        match token.text {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" => depth = depth.saturating_sub(1),
            "," if depth == 0 => break,
            _ => {}
        }
        from = at;
    }
    match tokens.get(from..)? {
        [name, sign, ..] if sign.is("=") => Some(name.text),
        _ => None,
    }
}

/// The parameters of what a name means at a place.
pub fn parameters(
    document: &Document,
    whole: Option<&Document>,
    shelf: &Shelf,
    name: &str,
    at: usize,
) -> Vec<Parameter> {
    for here in [Some(document), whole].into_iter().flatten() {
        let at = Shift::between(&document.text, &here.text).moved(at).unwrap_or(at);
        let document = here;
        let Some(def) = document.names.lookup(name, u32::try_from(at).unwrap_or(u32::MAX)) else { continue };
        let def = &document.names.defs[def];
        if let Some(item) = hover::declaration(document, def) {
            let text = document.source(def.at.file);
            return shelf::params(item).iter().map(|param| shelf::parameter(param, text)).collect();
        }
        return Vec::new();
    }
    shelf.book(name).map(|book| book.params.clone()).unwrap_or_default()
}

fn doc(document: &Document, shelf: &Shelf, name: &str, at: usize) -> String {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    match document.names.lookup(name, at) {
        Some(def) => document.names.defs[def].doc.as_deref().unwrap_or_default().to_string(),
        None => shelf.book(name).map(|book| book.doc.clone()).unwrap_or_default(),
    }
}
