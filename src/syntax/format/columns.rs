//! Columns that the author lined up stay lined up.
//!
//! Spaces beyond the usual ones are kept where they put a token under or over one of the same
//! column of a table (`tables.rs`) nearby, or a number so that it ends where one nearby does. All
//! that stood in one column then stand in one column again, as far to the right as the longest line
//! needs, unless a line gets too long by that. Other spaces go.

use std::collections::BTreeMap;

use super::super::token::Token;
use super::layout::{Layout, place, width};
use super::pieces::Piece;
use super::spaces::{gap, is_binary};
use super::tables;
use super::wide::WIDTH;

/// How many lines apart two cells of a column may be.
pub const NEAR: usize = 3;

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
    let mut columns = columns(pieces, &cells, &tables::names(pieces, breaks, tight));
    while !columns.is_empty() {
        let mut layout = place(pieces, breaks, tight, &extra);
        for _ in 0..TURNS {
            let mut moved = false;
            for column in &columns {
                moved |= line_up(pieces, &layout, column, &mut extra);
            }
            if !moved {
                break;
            }
            layout = place(pieces, breaks, tight, &extra);
        }
        // What is dropped here gives its lines their length back, so all others are placed anew.
        let before = columns.len();
        let long = long_lines(pieces, &layout);
        columns.retain(|column| !column.is_to_blame(&layout, &long, &extra));
        if columns.len() == before {
            break;
        }
        extra.fill(0);
    }
    extra
}

/// For each token that begins a line, whether the line is too long.
fn long_lines(pieces: &[Piece<'_>], layout: &Layout) -> Vec<bool> {
    let mut long = vec![false; pieces.len()];
    for at in 0..pieces.len() {
        let first = layout.first.get(at).copied().unwrap_or(0);
        if let Some(own) = long.get_mut(first).filter(|_| layout.end(pieces, at) > WIDTH) {
            *own = true;
        }
    }
    long
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

/// A column: its cells, and whether they line up at their ends.
struct Column {
    cells: Vec<Cell>,
    at_end: bool,
}

impl Column {
    /// Whether its spaces stand in a line that is too long.
    fn is_to_blame(&self, layout: &Layout, long: &[bool], extra: &[usize]) -> bool {
        self.cells.iter().any(|cell| {
            let first = layout.first.get(cell.at).copied().unwrap_or(0);
            extra.get(cell.at).is_some_and(|own| *own > 0) && long.get(first) == Some(&true)
        })
    }
}

/// The columns of a program in which a cell has more spaces than usual.
fn columns(pieces: &[Piece<'_>], cells: &[Cell], names: &[Option<String>]) -> Vec<Column> {
    let mut by_start: BTreeMap<(&str, usize), Vec<Cell>> = BTreeMap::new();
    let mut by_end: BTreeMap<(&str, usize), Vec<Cell>> = BTreeMap::new();
    let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for cell in cells {
        let Some(name) = names.get(cell.at).and_then(Option::as_deref) else { continue };
        by_start.entry((name, cell.start)).or_default().push(*cell);
        lines.entry(name).or_default().push(cell.line);
        if cell.number {
            by_end.entry((name, cell.end)).or_default().push(*cell);
        }
    }
    let mut found = Vec::new();
    let mut taken = vec![false; pieces.len()];
    let by_start = by_start.into_iter().map(|group| (false, group));
    for (at_end, ((name, _), mut group)) in by_start.chain(by_end.into_iter().map(|group| (true, group))) {
        let lines = lines.get(name).map_or(&[][..], Vec::as_slice);
        // A token stands in one column only.
        group.retain(|cell| taken.get(cell.at) == Some(&false));
        for cells in runs(&group).into_iter().filter(|cells| is_meant(cells) && is_usual(cells, lines)) {
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

/// Whether at least half of the lines there that have such a cell have it in this column.
fn is_usual(cells: &[Cell], lines: &[usize]) -> bool {
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return false };
    let all = lines.iter().filter(|line| (first.line..=last.line).contains(*line)).count();
    2 * cells.len() >= all
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
