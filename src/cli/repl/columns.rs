//! Columns in quotes: `data["…"]`, `matrix(data, except = ["…"])`.

use std::ops::Range;
use std::sync::Arc;

use super::complete::{fields, is_letter};
use crate::run::Interpreter;
use crate::syntax::Class;

/// The columns that a text may name that begins at the end of `head`; none where it names something else.
pub fn columns(known: &Interpreter, tokens: &[(Range<usize>, Class)], head: &str) -> Vec<Arc<str>> {
    let text = |at: usize| tokens.get(at).and_then(|(range, _)| head.get(range.clone())).unwrap_or("");
    let Some(last) = tokens.len().checked_sub(1) else { return Vec::new() };
    let mut at = last;
    if matches!(text(at), "[" | ",") {
        let Some(open) = opening(tokens, head, last + 1).filter(|open| text(*open) == "[") else {
            return Vec::new();
        };
        let start = tokens.get(open).map_or(0, |(range, _)| range.start);
        let before = head.get(..start).unwrap_or("");
        if before.ends_with(is_letter) {
            return fields(known, before);
        }
        let Some(before) = open.checked_sub(1) else { return Vec::new() };
        at = before;
    }
    let named = at.checked_sub(1).is_some_and(|name| matches!(text(name), "except" | "only"));
    if text(at) != "=" || !named {
        return Vec::new();
    }
    let Some(open) = opening(tokens, head, at).filter(|open| text(*open) == "(") else { return Vec::new() };
    // The table is the first argument.
    let comma = (open..at).find(|at| text(*at) == ",").unwrap_or(open);
    let start = tokens.get(open).map_or(0, |(range, _)| range.end);
    let end = tokens.get(comma).map_or(start, |(range, _)| range.start);
    head.get(start..end).map(|table| fields(known, table.trim_end())).unwrap_or_default()
}

/// The bracket that is open before a token.
fn opening(tokens: &[(Range<usize>, Class)], head: &str, end: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let before = tokens.get(..end)?.iter().enumerate().rev();
    for (at, (range, _)) in before {
        match head.get(range.clone()).unwrap_or("") {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" if depth == 0 => return Some(at),
            "(" | "[" | "{" => depth -= 1,
            _ => {}
        }
    }
    None
}
