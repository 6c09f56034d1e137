//! What lines must have in common for their columns to be those of a table.
//!
//! Spaces that by chance put two tokens under one another are no column. One is: the same sign in
//! statements of one kind, or in entries that have a line each; entries of rows that all have as
//! many, and all lined up; and any token in lines that are alike token by token, all lined up.

use std::collections::{BTreeMap, HashMap};

use super::super::token::Token;
use super::breaks::{Kind, kind};
use super::columns::NEAR;
use super::layout::width;
use super::pieces::Piece;
use super::spaces::gap;

/// The most tokens of a line that is compared with others as a whole.
const LONG: usize = 200;

/// For each token, the name of the column that it can stand in; those with one name can line up.
pub fn names(pieces: &[Piece<'_>], breaks: &[bool], tight: &[bool]) -> Vec<Option<String>> {
    let firsts = firsts(pieces, breaks);
    let mut lists = HashMap::new();
    let mut names: Vec<Option<String>> = (0..pieces.len())
        .map(|at| in_statement(pieces, &firsts, at).or_else(|| in_list(pieces, &mut lists, at)))
        .collect();
    for (at, first) in firsts.iter().enumerate() {
        if first.is_none() {
            set(&mut names, at, None);
        }
    }
    name_in_like_lines(pieces, &firsts, tight, &mut names);
    names
}

fn set(names: &mut [Option<String>], at: usize, name: Option<String>) {
    if let Some(own) = names.get_mut(at) {
        *own = name;
    }
}

/// For each token, the first one of its line, if that began and begins the line.
fn firsts(pieces: &[Piece<'_>], breaks: &[bool]) -> Vec<Option<usize>> {
    let mut first = None;
    let line = |(at, piece): (usize, &Piece<'_>)| {
        match (breaks.get(at) == Some(&true), piece.newline || at == 0) {
            (true, true) => first = Some(at),
            (false, false) => {}
            _ => first = None,
        }
        first
    };
    pieces.iter().enumerate().map(line).collect()
}

/// What a table is lined up by: a sign, or what stands behind one.
fn sign<'t>(pieces: &[Piece<'t>], at: usize) -> Option<(&'t str, bool)> {
    use Token::*;
    let (own, before) = (pieces.get(at)?, pieces.get(at.checked_sub(1)?)?);
    let is_sign = match own.token {
        Assign | PlusAssign | MinusAssign | StarAssign | SlashAssign | Arrow | FatArrow | Tilde
        | OpenBrace | Less | LessEqual | Equal | NotEqual | GreaterEqual | Greater => true,
        If => kind(pieces, at) == Kind::Generator,
        _ => kind(pieces, at) == Kind::Clause || own.text == "rule",
    };
    let behind = before.text == "rule" || matches!(before.token, Colon | Assign | FatArrow | Arrow);
    match (is_sign, behind) {
        (true, _) => Some((own.text, false)),
        (false, true) => Some((before.text, true)),
        _ => None,
    }
}

/// The name of a sign among those of its line or entry, which begins with a token.
fn sign_name(pieces: &[Piece<'_>], first: usize, at: usize) -> Option<String> {
    let own = sign(pieces, at)?;
    let around = pieces.get(at)?.around;
    let same = |k: &usize| pieces.get(*k).is_some_and(|piece| piece.around == around);
    let before = (first..at).filter(same).filter(|k| sign(pieces, *k) == Some(own)).count();
    Some(format!("{own:?} {before}"))
}

/// The name of a sign outside of the brackets of a statement: of the same block, and kind of statement.
fn in_statement(pieces: &[Piece<'_>], firsts: &[Option<usize>], at: usize) -> Option<String> {
    let first = (*firsts.get(at)?)?;
    let (start, own) = (pieces.get(first)?, pieces.get(at)?);
    if !start.starts || start.around != own.around {
        return None;
    }
    let second = pieces.get(first + 1);
    let is_rule = start.text == "rule" || second.is_some_and(|second| second.text == "rule");
    let is_word = second.is_some_and(|second| matches!(second.token, Token::Id(_)));
    let kind = match start.token {
        _ if is_rule => "rule",
        Token::Id(_) if !is_word => "",
        _ => start.text,
    };
    Some(format!("{:?} {kind} {}", own.around, sign_name(pieces, first, at)?))
}

/// An entry of a bracket.
#[derive(Clone, Copy)]
struct Entry {
    first: usize,
    last: usize,
}

/// The entries of a bracket.
fn entries(pieces: &[Piece<'_>], open: usize) -> Vec<Entry> {
    let Some(close) = pieces.get(open).and_then(|piece| piece.partner) else { return Vec::new() };
    let mut found = Vec::new();
    let (mut first, mut at) = (open + 1, open + 1);
    while at <= close {
        let Some(piece) = pieces.get(at) else { break };
        if piece.token == Token::Comma || at == close {
            if first < at {
                found.push(Entry { first, last: at - 1 });
            }
            first = at + 1;
        }
        // What stands in brackets inside is passed over.
        at = piece.partner.filter(|partner| *partner > at).unwrap_or(at) + 1;
    }
    found
}

/// How a bracket over several lines is a table.
enum List {
    /// It is none.
    No,
    /// Every entry has a line of its own.
    Lines,
    /// Every line has as many entries.
    Filled(BTreeMap<usize, usize>),
    /// Every entry is a bracket on a line of its own, and these have as many entries.
    Rows,
}

fn in_list(pieces: &[Piece<'_>], lists: &mut HashMap<usize, List>, at: usize) -> Option<String> {
    let open = pieces.get(at)?.around?;
    let bracket = pieces.get(open).filter(|open| open.token != Token::OpenBrace)?;
    let close = pieces.get(bracket.partner?)?;
    if bracket.line != close.line {
        return match lists.entry(open).or_insert_with(|| list(pieces, open)) {
            List::Lines => Some(format!("{open} {}", sign_name(pieces, item_start(pieces, open, at), at)?)),
            List::Filled(places) => places.get(&at).map(|place| format!("{open} [{place}]")),
            _ => None,
        };
    }
    let outer = bracket.around?;
    let rows = pieces.get(outer).filter(|outer| outer.token != Token::OpenBrace)?;
    if rows.line == pieces.get(rows.partner?)?.line {
        return None;
    }
    if !matches!(lists.entry(outer).or_insert_with(|| list(pieces, outer)), List::Rows) {
        return None;
    }
    let (place, entry) = entries(pieces, open)
        .into_iter()
        .enumerate()
        .find(|(_, entry)| (entry.first..=entry.last).contains(&at))?;
    let role = if entry.first == at { String::new() } else { sign_name(pieces, entry.first, at)? };
    Some(format!("{outer} [[{place}]] {role}"))
}

/// The first token of the entry that a token of a bracket belongs to.
fn item_start(pieces: &[Piece<'_>], open: usize, at: usize) -> usize {
    let comma = (open..at).rev().find(|k| {
        pieces.get(*k).is_some_and(|piece| piece.token == Token::Comma && piece.around == Some(open))
    });
    comma.unwrap_or(open) + 1
}

fn list(pieces: &[Piece<'_>], open: usize) -> List {
    let entries_here = entries(pieces, open);
    let line = |at: usize| pieces.get(at).map_or(0, |piece| piece.line);
    let mut lines: Vec<Vec<Entry>> = Vec::new();
    for entry in entries_here {
        match lines
            .last_mut()
            .filter(|last| last.first().is_some_and(|own| line(own.first) == line(entry.first)))
        {
            Some(last) => last.push(entry),
            None => lines.push(vec![entry]),
        }
    }
    if lines.len() < 2 {
        return List::No;
    }
    if lines.iter().all(|own| own.len() == 1) {
        let rows: Option<Vec<Vec<Entry>>> = lines.iter().flatten().map(|entry| row(pieces, *entry)).collect();
        let is_table = rows.is_some_and(|rows| same_names(pieces, &rows) && is_aligned(pieces, &rows));
        return if is_table { List::Rows } else { List::Lines };
    }
    let count = lines.first().map_or(0, Vec::len);
    let even = lines.iter().rev().skip(1).all(|own| own.len() == count)
        && lines.last().is_some_and(|own| own.len() <= count);
    let plain = |entry: &Entry| {
        let inside = |k: &usize| pieces.get(*k).is_some_and(|piece| piece.around == Some(open));
        line(entry.first) == line(entry.last)
            && !(entry.first..=entry.last).filter(inside).any(|k| sign(pieces, k).is_some())
    };
    if !even || !lines.iter().flatten().all(plain) || !is_aligned(pieces, &lines) {
        return List::No;
    }
    let places = lines.iter().flat_map(|own| own.iter().enumerate());
    List::Filled(places.map(|(place, entry)| (entry.first, place)).collect())
}

/// The entries of an entry that is a bracket on one line.
fn row(pieces: &[Piece<'_>], entry: Entry) -> Option<Vec<Entry>> {
    let (open, close) = (pieces.get(entry.first)?, pieces.get(entry.last)?);
    let is_row = open.partner == Some(entry.last) && open.line == close.line;
    is_row.then(|| entries(pieces, entry.first))
}

/// Whether rows have as many entries, and give them the same names.
fn same_names(pieces: &[Piece<'_>], rows: &[Vec<Entry>]) -> bool {
    let name = |entry: &Entry| {
        let named = pieces.get(entry.first + 1).is_some_and(|next| next.token == Token::Assign);
        pieces.get(entry.first).filter(|_| named).map(|piece| piece.text)
    };
    all_same(rows.iter().map(|row| row.iter().map(name).collect::<Vec<_>>()))
}

/// Whether the author lined up all entries of rows, at their begins or their ends.
fn is_aligned(pieces: &[Piece<'_>], rows: &[Vec<Entry>]) -> bool {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..count).all(|place| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        let cells: Vec<(usize, usize)> =
            cells.map(|entry| (start(pieces, entry.first), end(pieces, entry.last))).collect();
        is_column(&cells)
    })
}

fn is_column(cells: &[(usize, usize)]) -> bool {
    all_same(cells.iter().map(|cell| cell.0)) || all_same(cells.iter().map(|cell| cell.1))
}

fn all_same<T: PartialEq>(mut items: impl Iterator<Item = T>) -> bool {
    items.next().is_none_or(|first| items.all(|item| item == first))
}

fn start(pieces: &[Piece<'_>], at: usize) -> usize {
    pieces.get(at).map_or(0, |piece| piece.column)
}

fn end(pieces: &[Piece<'_>], at: usize) -> usize {
    pieces.get(at).map_or(0, |piece| piece.column + width(piece.text))
}

/// What a line looks like, whatever its names and numbers.
fn shape(pieces: &[Piece<'_>], line: &[usize]) -> String {
    let words = line.iter().filter_map(|at| pieces.get(*at)).map(|piece| match piece.token {
        Token::Id(_) => "name",
        Token::Int(_) | Token::Real(_) => "1",
        Token::Str(_) => "\"\"",
        _ => piece.text,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Names the other tokens of lines that are alike, near, and lined up throughout.
fn name_in_like_lines(
    pieces: &[Piece<'_>],
    firsts: &[Option<usize>],
    tight: &[bool],
    names: &mut [Option<String>],
) {
    let mut lines: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, first) in firsts.iter().enumerate() {
        if let Some(first) = first {
            lines.entry(*first).or_default().push(at);
        }
    }
    let mut alike: BTreeMap<(Option<usize>, String), Vec<Vec<usize>>> = BTreeMap::new();
    for (first, line) in lines {
        if line.len() <= LONG && pieces.get(first).is_some_and(|first| first.starts) {
            let around = pieces.get(first).and_then(|first| first.around);
            alike.entry((around, shape(pieces, &line))).or_default().push(line);
        }
    }
    let line_of = |line: &[usize]| line.first().and_then(|at| pieces.get(*at)).map_or(0, |piece| piece.line);
    for group in alike.into_values() {
        for run in group.chunk_by(|a, b| line_of(b).saturating_sub(line_of(a)) <= NEAR) {
            let Some((one, first)) = run.first().and_then(|one| Some((one, *one.first()?))) else { continue };
            let cells = (1..one.len()).filter(|place| {
                let number = |at: usize| {
                    pieces.get(at).is_some_and(|piece| matches!(piece.token, Token::Int(_) | Token::Real(_)))
                };
                one.get(*place).is_some_and(|at| gap(pieces, tight, *at) > 0 || number(*at))
            });
            let at = |line: &Vec<usize>, place: usize| line.get(place).copied().unwrap_or(0);
            let ends = |place: &usize| {
                let cells: Vec<(usize, usize)> = run
                    .iter()
                    .map(|line| (start(pieces, at(line, *place)), end(pieces, at(line, *place))))
                    .collect();
                is_column(&cells)
            };
            if run.len() < 2 || !cells.clone().all(|place| ends(&place)) {
                continue;
            }
            for (line, place) in run.iter().flat_map(|line| cells.clone().map(move |place| (line, place))) {
                let at = at(line, place);
                if names.get(at).is_some_and(Option::is_none) {
                    set(names, at, Some(format!("line {first} {place}")));
                }
            }
        }
    }
}
