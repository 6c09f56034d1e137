//! From a name to where it is defined, to where it is used, and to another name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::Document;
use super::names::{Def, Kind, Target, Use};
use super::scan::{Piece, scan};
use super::shelf::Shelf;
use super::study::{Origin, Place};
use super::text::in_name;
use crate::diag::{FileId, Span};
use crate::syntax::is_reserved;

/// Where the thing at a place is defined.
pub fn definition(document: &Document, shelf: &Shelf, at: usize) -> Option<Place> {
    if let Some((def, _)) = document.meant_at(at) {
        return Some(document.place(document.names.defs[def].at));
    }
    let place = u32::try_from(at).ok()?;
    if let Some(import) =
        document.names.imports.iter().find(|one| one.at.start <= place && place <= one.at.end)
    {
        let path = document.imported(&import.path)?;
        return Some(Place {
            origin: Origin::File(path.to_path_buf()),
            text: Arc::from(""),
            start: 0,
            end: 0,
        });
    }
    let one = document.names.use_at(place)?;
    if one.target != Target::Library {
        return None;
    }
    shelf.book(&one.name)?.place.clone()
}

/// A use of a name, or its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// First byte and end.
    pub at: (usize, usize),
    /// Whether it is defined or assigned here.
    pub writes: bool,
}

/// Where the name at a place stands in this text, its definition first if it is wanted and here.
pub fn mentions(document: &Document, at: usize, with_definition: bool) -> Vec<Mention> {
    let Some((def, _)) = document.meant_at(at) else {
        return same_outside(document, at);
    };
    all_mentions(document, def, with_definition)
}

fn all_mentions(document: &Document, def: usize, with_definition: bool) -> Vec<Mention> {
    let own = document.names.defs[def].at;
    let definition =
        (with_definition && own.file == FileId(0)).then(|| Mention { at: range(own), writes: true });
    definition.into_iter().chain(document.uses_of(def).into_iter().map(mention)).collect()
}

/// The uses of the same name of the library, or of the same figure.
fn same_outside(document: &Document, at: usize) -> Vec<Mention> {
    let Some(one) = u32::try_from(at).ok().and_then(|at| document.names.use_at(at)) else {
        return Vec::new();
    };
    if !matches!(one.target, Target::Library | Target::Figure) {
        return Vec::new();
    }
    let same =
        document.names.uses.iter().filter(|other| other.name == one.name && other.target == one.target);
    same.map(mention).collect()
}

/// Where a text that imports a file mentions a definition of it.
pub fn mentions_of_import(document: &Document, path: &Path, at: (usize, usize)) -> Vec<Mention> {
    let same = |span: Span| {
        let place = document.place(span);
        place.origin == Origin::File(path.to_path_buf()) && (place.start, place.end) == at
    };
    let def = document.names.defs.iter().position(|def| def.at.file != FileId(0) && same(def.at));
    def.map(|def| all_mentions(document, def, false)).unwrap_or_default()
}

fn mention(one: &Use) -> Mention {
    Mention { at: range(one.at), writes: one.writes }
}

fn range(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

/// The name at a place, if it can get another one; else why not.
pub fn renamable(document: &Document, at: usize) -> Result<(usize, Span), String> {
    if let Some((def, span)) = document.meant_at(at) {
        let found = &document.names.defs[def];
        if found.at.file != FileId(0) {
            return Err(format!("`{}` is declared in another file: rename it there", found.name));
        }
        return Ok((def, span));
    }
    let one = u32::try_from(at).ok().and_then(|at| document.names.use_at(at));
    Err(match one.map(|one| (one.target, &one.name)) {
        Some((Target::Library, name)) => format!("`{name}` is of the standard library"),
        Some((Target::Given | Target::Figure, name)) => format!("`{name}` is a name of the language here"),
        Some((Target::Field(_), name)) => format!("it is not known what defines the field `{name}`"),
        Some((_, name)) => format!("`{name}` is not defined"),
        None => "there is no name here".into(),
    })
}

/// The places where the name at a place is to be replaced by another.
///
/// # Errors
/// Why it cannot: the new name is none, or the program would mean something else.
pub fn rename(
    document: &Document,
    shelf: &Shelf,
    at: usize,
    new: &str,
) -> Result<Vec<(usize, usize)>, String> {
    let (def, _) = renamable(document, at)?;
    is_name(new)?;
    let old = &document.names.defs[def];
    if matches!(old.kind, Kind::Param | Kind::Report) {
        loose_fields(document, &old.name)?;
    }
    let meets = |other: &Def| other.known.start < old.known.end && old.known.start < other.known.end;
    if document.names.defs.iter().any(|other| *other.name == *new && meets(other)) {
        return Err(taken(new));
    }
    let mut edits: Vec<(usize, usize)> = all_mentions(document, def, true).iter().map(|one| one.at).collect();
    edits.sort_unstable();
    edits.dedup();
    let mut text = document.text.to_string();
    for (start, end) in edits.iter().rev() {
        text.replace_range(start..end, new);
    }
    let after = Document::read(Arc::from(text), shelf, &|path| {
        let found = document.imported_text(path);
        found.map_or_else(|| (PathBuf::new(), None), |(full, text)| (full, Some(text)))
    });
    if meanings(document) == meanings(&after) { Ok(edits) } else { Err(taken(new)) }
}

fn taken(new: &str) -> String {
    format!("`{new}` is taken: the program would mean something else")
}

/// What every use means.
fn meanings(document: &Document) -> (usize, Vec<Option<Target>>) {
    let plain = |one: &Use| match one.target {
        // Places move, and fields are found by elaboration.
        Target::Field(_) => None,
        other => Some(other),
    };
    (document.names.defs.len(), document.names.uses.iter().map(plain).collect())
}

fn is_name(new: &str) -> Result<(), String> {
    let first = new.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
    if !first || !new.chars().all(in_name) {
        return Err(format!("`{new}` is no name: names are letters, digits and `_`"));
    }
    if is_reserved(new) || new == "_" {
        return Err(format!("`{new}` is a word of the language"));
    }
    Ok(())
}

/// Fields of records that may stand for a param: `(w = …)`, `p.w`. They are not renamed, so neither is the param.
fn loose_fields(document: &Document, name: &str) -> Result<(), String> {
    let known = |start: usize| {
        let at = |span: Span| span.start as usize == start;
        document.names.defs.iter().any(|def| def.at.file == FileId(0) && at(def.at))
            || document.names.uses.iter().any(|one| at(one.at) && !unresolved(document, one))
    };
    let tokens = scan(&document.text);
    for (k, token) in
        tokens.iter().enumerate().filter(|(_, token)| token.piece == Piece::Word && token.text == name)
    {
        let before = k.checked_sub(1).map(|k| tokens[k]);
        let field = before.is_some_and(|before| before.is("."));
        let given = before.is_some_and(|before| before.is("(") || before.is(","))
            && tokens.get(k + 1).is_some_and(|next| next.is("="));
        if (field || given) && !known(token.start) {
            let line = document.lines.line(token.start) + 1;
            return Err(format!("the field `{name}` on line {line} may be this: rename that by hand first"));
        }
    }
    Ok(())
}

fn unresolved(document: &Document, one: &Use) -> bool {
    matches!(one.target, Target::Field(_)) && document.target(one).is_none()
}
