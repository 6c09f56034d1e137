//! Columns that the author lined up stay lined up.
//!
//! Spaces beyond the usual ones are kept where they put a token under or over a like one of a line
//! nearby, or a number so that it ends where one nearby does. All that stood in one column then
//! stand in one column again, as far to the right as the longest line needs. Other spaces go.

use std::collections::BTreeMap;

use super::super::token::Token;
use super::layout::{Layout, place, width};
use super::pieces::Piece;
use super::spaces::{gap, is_binary};

/// How many lines apart two cells of a column may be.
const NEAR: usize = 3;

/// The same, where a wide gap shows that a column is meant, as before conditions of a table of rules.
const FAR: usize = 24;

/// A gap as wide as this is no slip.
const WIDE: usize = 4;

/// How often columns are moved until none has to.
const TURNS: usize = 20;

/// A token that a column can be made of.
#[derive(Debug, Clone, Copy)]
struct Cell {
    at: usize,
    line: usize,
    /// Where the author had its first letter, and its end.
    start: usize,
    end: usize,
    /// The spaces beyond the usual ones.
    more: usize,
    number: bool,
    /// Whether it usually stands behind a space.
    apart: bool,
}

/// For each token, the spaces before it beyond the usual ones.
pub fn extra(pieces: &[Piece<'_>], breaks: &[bool], tight: &[bool]) -> Vec<usize> {
    let mut extra = vec![0; pieces.len()];
    let cells = cells(pieces, breaks, tight);
    let columns = columns(pieces, &cells);
    if columns.is_empty() {
        return extra;
    }
    for _ in 0..TURNS {
        let layout = place(pieces, breaks, tight, &extra);
        let mut moved = false;
        for column in &columns {
            moved |= line_up(pieces, &layout, column, &mut extra);
        }
        if !moved {
            break;
        }
    }
    extra
}

/// The tokens that had a place of their own on their line, and have one still.
fn cells(pieces: &[Piece<'_>], breaks: &[bool], tight: &[bool]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for at in 1..pieces.len().saturating_sub(1) {
        let (Some(own), Some(next)) = (pieces.get(at), pieces.get(at + 1)) else { break };
        if own.newline || breaks.get(at) == Some(&true) {
            continue;
        }
        let minus = own.token == Token::Minus && !is_binary(pieces, at);
        let is_number = |piece: &Piece<'_>| matches!(piece.token, Token::Int(_) | Token::Real(_));
        let signed = minus && is_number(next) && !next.newline;
        let end = if signed { next.column + width(next.text) } else { own.column + width(own.text) };
        let (usual, number) = (gap(pieces, tight, at), signed || is_number(own));
        let sign_before = pieces.get(at - 1).is_some_and(|before| before.token == Token::Minus)
            && !is_binary(pieces, at - 1);
        if (usual == 0 && !number) || sign_before {
            continue;
        }
        let more = own.gap.saturating_sub(usual);
        cells.push(Cell { at, line: own.line, start: own.column, end, more, number, apart: usual > 0 });
    }
    cells
}

/// What two tokens of one column have in common: the sign before them, where that begins an entry,
/// else their spelling, if they are words or signs.
fn likeness<'t>(pieces: &[Piece<'t>], at: usize) -> (bool, &'t str) {
    let before = pieces.get(at - 1).map_or("", |piece| piece.text);
    match (before, pieces.get(at)) {
        ("(" | "[" | ",", _) => (false, ","),
        (":" | "=" | "=>" | "->", _) | (_, None) => (false, before),
        (_, Some(piece)) if piece.token.text().is_empty() => (false, before),
        (_, Some(piece)) => (true, piece.text),
    }
}

/// A column: its cells, and whether they line up at their ends.
struct Column {
    cells: Vec<Cell>,
    at_end: bool,
}

/// The columns of a program in which a cell has more spaces than usual.
fn columns(pieces: &[Piece<'_>], cells: &[Cell]) -> Vec<Column> {
    let mut by_start: BTreeMap<((bool, &str), usize), Vec<Cell>> = BTreeMap::new();
    let mut by_end: BTreeMap<usize, Vec<Cell>> = BTreeMap::new();
    for cell in cells {
        by_start.entry((likeness(pieces, cell.at), cell.start)).or_default().push(*cell);
        if cell.number {
            by_end.entry(cell.end).or_default().push(*cell);
        }
    }
    let mut found = Vec::new();
    let mut taken = vec![false; pieces.len()];
    let by_start = by_start.into_values().map(|group| (false, group));
    for (at_end, mut group) in by_start.chain(by_end.into_values().map(|group| (true, group))) {
        // A token stands in one column only.
        group.retain(|cell| taken.get(cell.at) == Some(&false));
        for cells in runs(&group).into_iter().filter(|cells| is_meant(cells)) {
            for cell in &cells {
                taken.iter_mut().skip(cell.at).take(1).for_each(|own| *own = true);
            }
            found.push(Column { cells, at_end });
        }
    }
    found
}

/// Whether spaces are needed to line the cells up.
fn is_meant(cells: &[Cell]) -> bool {
    let slack = cells.iter().all(|cell| !cell.apart && cell.more > 0);
    !slack && cells.iter().any(|cell| cell.more > 0)
}

/// Cells of one place, in the order of their lines, cut where lines are too far apart.
fn runs(group: &[Cell]) -> Vec<Vec<Cell>> {
    let mut runs: Vec<Vec<Cell>> = Vec::new();
    for cell in group {
        let near = runs.last().and_then(|run| run.last()).is_some_and(|last| {
            let reach = if last.more >= WIDE && cell.more >= WIDE { FAR } else { NEAR };
            cell.line > last.line && cell.line - last.line <= reach
        });
        match runs.last_mut().filter(|_| near) {
            Some(run) => run.push(*cell),
            None => runs.push(vec![*cell]),
        }
    }
    runs.retain(|run| run.len() > 1);
    runs
}

/// Moves the cells of a column under one another; says whether one moved.
fn line_up(pieces: &[Piece<'_>], layout: &Layout, column: &Column, extra: &mut [usize]) -> bool {
    let more = |extra: &[usize], at: usize| extra.get(at).copied().unwrap_or(0);
    let place = |cell: &Cell| layout.column.get(cell.at).copied().unwrap_or(0);
    let length = |cell: &Cell| if column.at_end { cell.end - cell.start } else { 0 };
    // Where the author had it, as far as the indentation of its line is still the same.
    let wanted = |cell: &Cell| {
        let first = layout.first.get(cell.at).copied().unwrap_or(0);
        let same_line = pieces.get(first).filter(|first| first.line == cell.line)?;
        let moved = layout.column.get(first).copied().unwrap_or(0);
        Some((cell.start + moved).saturating_sub(same_line.column) + length(cell))
    };
    let natural: Vec<usize> = column
        .cells
        .iter()
        .map(|cell| (place(cell) + length(cell)).saturating_sub(more(extra, cell.at)))
        .collect();
    let wanted = column.cells.iter().filter_map(wanted);
    let target = natural.iter().copied().chain(wanted).max().unwrap_or(0);
    let mut moved = false;
    for (cell, natural) in column.cells.iter().zip(natural) {
        let needed = target - natural;
        if let Some(own) = extra.get_mut(cell.at).filter(|own| **own != needed) {
            *own = needed;
            moved = true;
        }
    }
    moved
}
