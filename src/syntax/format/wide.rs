//! Lines that are too long: where they are broken.
//!
//! Every place of a line where it could end has a cost: what stands deep in brackets or binds
//! tight is dear, and so is what leaves a short line. The cheapest is taken, and the line looked
//! at again.

use std::ops::Range;

use super::super::token::Token;
use super::breaks::{Kind, kind, open_block, set};
use super::layout::{Layout, place, place_again};
use super::pieces::Piece;
use super::spaces::is_binary;

/// The most columns of a line.
pub const WIDTH: usize = 100;

/// Breaks lines until none is too long that could be shorter, one statement of the top level after
/// the other.
pub fn narrow(pieces: &[Piece<'_>], breaks: &mut [bool], tight: &[bool]) {
    let mut layout = place(pieces, breaks, tight, &[]);
    let mut start = 0;
    while start < pieces.len() {
        let top = |at: &usize| pieces.get(*at).is_some_and(|piece| piece.starts && piece.around.is_none());
        let end = (start + 1..pieces.len()).find(top).unwrap_or(pieces.len());
        narrow_statement(pieces, breaks, tight, &mut layout, start..end);
        start = end;
    }
}

fn narrow_statement(
    pieces: &[Piece<'_>],
    breaks: &mut [bool],
    tight: &[bool],
    layout: &mut Layout,
    statement: Range<usize>,
) {
    let mut from = statement.start;
    // Every turn breaks a line or goes on to the next.
    for _ in 0..2 * statement.len() + 1 {
        let Some((start, end)) = too_long(pieces, breaks, layout, from..statement.end) else { return };
        match cheapest(pieces, layout, start, end) {
            Some(at) => {
                break_at(pieces, breaks, at);
                place_again(layout, pieces, breaks, tight, &[], statement.clone());
                from = start;
            }
            None => from = end,
        }
    }
}

/// The first line of a part that is too long.
fn too_long(
    pieces: &[Piece<'_>],
    breaks: &[bool],
    layout: &Layout,
    part: Range<usize>,
) -> Option<(usize, usize)> {
    let mut start = part.start;
    while start < part.end {
        let begins = |at: &usize| breaks.get(*at).copied().unwrap_or(true);
        let end = (start + 1..part.end).find(begins).unwrap_or(part.end);
        if layout.end(pieces, end - 1) > WIDTH {
            return Some((start, end));
        }
        start = end;
    }
    None
}

/// The best place to break a line, if it has one.
fn cheapest(pieces: &[Piece<'_>], layout: &Layout, start: usize, end: usize) -> Option<usize> {
    let depths = depths(pieces, start, end);
    let line_end = layout.end(pieces, end - 1);
    let line_start = layout.column.get(start).copied().unwrap_or(0);
    let mut best: Option<(usize, usize)> = None;
    for (at, depth) in (start + 1..end).zip(depths.into_iter().skip(1)) {
        let Some(own) = cost(pieces, start, at) else { continue };
        let before = layout.end(pieces, at - 1);
        let rest = line_end.saturating_sub(layout.column.get(at).copied().unwrap_or(0));
        let over = before.saturating_sub(WIDTH) * 50;
        let fits = rest + 4 <= WIDTH;
        // What cannot be broken stays behind its `=`.
        if !fits && at + 1 == end {
            continue;
        }
        let short = WIDTH.saturating_sub(before) / if fits { 12 } else { 6 };
        let orphan = if rest < 12 { 6 } else { 0 };
        let head = if before < line_start + 16 { 8 } else { 0 };
        let again = if fits { 0 } else { 8 };
        let total = 12 * depth + own + over + short + orphan + head + again + looser(pieces, start, end, at);
        if best.is_none_or(|(least, _)| total < least) {
            best = Some((total, at));
        }
    }
    best.map(|(_, at)| at)
}

/// What it costs to break at an operator where the line has a clause around it, or an operator
/// beside it that binds looser: the lines would show the wrong grouping.
fn looser(pieces: &[Piece<'_>], start: usize, end: usize, at: usize) -> usize {
    let Some(own) = pieces.get(at).filter(|_| kind(pieces, at) == Kind::Operator) else { return 0 };
    let tightness = |token: Token<'_>| match token {
        Token::Or => 1,
        Token::And => 2,
        Token::Plus | Token::Minus => 5,
        Token::Star | Token::Slash | Token::Mod | Token::Div => 6,
        Token::At => 7,
        Token::Pipe => 4,
        _ => 3,
    };
    let clause = (start + 1..at).any(|k| {
        pieces.get(k).is_some_and(|other| other.around == own.around) && kind(pieces, k) == Kind::Clause
    });
    let beside = (start..end).filter(|k| {
        is_binary(pieces, *k)
            && pieces.get(*k).is_some_and(|other| {
                other.around == own.around && tightness(other.token) < tightness(own.token)
            })
    });
    (if beside.count() > 0 { 14 } else { 0 }) + (if clause { 14 } else { 0 })
}

/// How many brackets are open before each token of a line, beyond the fewest.
fn depths(pieces: &[Piece<'_>], start: usize, end: usize) -> Vec<usize> {
    let mut depth = 0i64;
    let mut found: Vec<i64> = Vec::new();
    for at in start..end {
        let token = pieces.get(at).map(|piece| piece.token);
        if matches!(token, Some(Token::CloseParen | Token::CloseBracket | Token::CloseBrace)) {
            depth -= 1;
        }
        found.push(depth);
        if matches!(token, Some(Token::OpenParen | Token::OpenBracket | Token::OpenBrace)) {
            depth += 1;
        }
    }
    let least = found.iter().copied().min().unwrap_or(0);
    found.into_iter().map(|depth| usize::try_from(depth - least).unwrap_or(0)).collect()
}

/// What it costs to break before a token, apart from depth; nothing where no line may end.
fn cost(pieces: &[Piece<'_>], start: usize, at: usize) -> Option<usize> {
    let token = |at: usize| pieces.get(at).map_or(Token::Sep, |piece| piece.token);
    let piece = pieces.get(at)?;
    let in_bracket =
        piece.around.and_then(|open| pieces.get(open)).is_some_and(|open| open.token != Token::OpenBrace);
    let previous = token(at - 1);
    match kind(pieces, at) {
        // The statements of a block come on lines of their own.
        Kind::Opening if previous == Token::OpenBrace => piece.starts.then_some(1),
        Kind::Opening => (piece.partner.is_none() && at > start + 1).then_some(14),
        // The names of `derivative dx, dy -> …` belong together.
        Kind::Item if !in_bracket && matches!(token(start), Token::Derivative | Token::Prox) => Some(24),
        Kind::Item => Some(if in_bracket { 2 } else { 0 }),
        Kind::Clause if whole_body(pieces, start, at) => Some(12),
        Kind::Clause => Some(if piece.token == Token::With { 2 } else { 0 }),
        Kind::Side if previous == Token::CloseBrace => {
            let block = pieces.get(at - 1).and_then(|close| close.partner);
            block.is_some_and(|block| block > start).then_some(0)
        }
        Kind::Side => Some(if piece.token == Token::Else { 2 } else { 5 }),
        Kind::Generator => Some(if piece.token == Token::For { 1 } else { 4 }),
        Kind::Value => match previous {
            Token::Then | Token::Else => None,
            Token::Assign if in_bracket => Some(22),
            // `over x = x0`, `state a = 1, b = 2`
            Token::Assign if !is_first_value(pieces, start, at) => None,
            Token::Assign if token(start) == Token::Fn => Some(1),
            _ => Some(7),
        },
        Kind::Operator if is_binary(pieces, at) => match piece.token {
            Token::Or => Some(1),
            Token::And => Some(2),
            Token::Pipe => Some(2),
            Token::Plus | Token::Minus if whole_body(pieces, start, at) => Some(12),
            Token::Plus | Token::Minus => Some(4),
            Token::Star | Token::Slash | Token::Mod | Token::Div => Some(8),
            Token::At => Some(9),
            _ => Some(5),
        },
        Kind::Never | Kind::Closing | Kind::Operator => None,
    }
}

/// Whether no clause and no comma stands before a value on its line.
fn is_first_value(pieces: &[Piece<'_>], start: usize, at: usize) -> bool {
    let around = pieces.get(at).map(|piece| piece.around);
    (start..at).all(|k| {
        pieces.get(k).map(|piece| piece.around) != around
            || !matches!(kind(pieces, k), Kind::Clause | Kind::Item)
    })
}

/// Whether a place lies in the body of a function that begins on this line, outside of brackets:
/// rather than there, the line ends behind the `=`.
fn whole_body(pieces: &[Piece<'_>], start: usize, at: usize) -> bool {
    let first = pieces.get(start);
    first.is_some_and(|first| first.token == Token::Fn)
        && first.map(|first| first.around) == pieces.get(at).map(|piece| piece.around)
        && !pieces
            .get(at)
            .is_some_and(|piece| matches!(piece.token, Token::Derivative | Token::Prox | Token::Is))
}

/// Ends a line before a token, and what belongs to that.
fn break_at(pieces: &[Piece<'_>], breaks: &mut [bool], at: usize) {
    let around = pieces.get(at).and_then(|piece| piece.around);
    let open = around.and_then(|open| pieces.get(open));
    match kind(pieces, at) {
        Kind::Opening => {
            let Some(block) = around else { return };
            if open.is_some_and(|open| open.token == Token::OpenBrace) {
                open_block(pieces, breaks, block);
            } else {
                set(breaks, at, true);
                if let Some(close) = open.and_then(|open| open.partner) {
                    set(breaks, close, true);
                }
            }
        }
        Kind::Item => {
            let hangs = around.is_some_and(|open| breaks.get(open + 1) == Some(&true));
            if !hangs {
                fill_again(pieces, breaks, at);
            }
            set(breaks, at, true);
        }
        Kind::Operator => {
            sum_again(pieces, breaks, at);
            set(breaks, at, true);
        }
        _ => set(breaks, at, true),
    }
}

/// Forgets where the lines of a chain of operators end behind a place.
fn sum_again(pieces: &[Piece<'_>], breaks: &mut [bool], from: usize) {
    let Some(piece) = pieces.get(from) else { return };
    let alike = |token: Token<'_>| match piece.token {
        Token::Plus | Token::Minus => matches!(token, Token::Plus | Token::Minus),
        own => token == own,
    };
    for at in from..pieces.len() {
        let Some(own) = pieces.get(at) else { return };
        let outside = own.around < piece.around || (own.around == piece.around && own.starts);
        let place = kind(pieces, at);
        if outside || (own.around == piece.around && matches!(place, Kind::Item | Kind::Clause | Kind::Side))
        {
            return;
        }
        let operator = if is_binary(pieces, at) { at } else { at.saturating_sub(1) };
        let same = pieces.get(operator).is_some_and(|operator| alike(operator.token));
        if own.around == piece.around && place == Kind::Operator && same && own.comments.is_empty() {
            set(breaks, at, false);
        }
    }
}

/// Forgets where the lines of a list end behind a place, so that the rest is filled again.
fn fill_again(pieces: &[Piece<'_>], breaks: &mut [bool], from: usize) {
    let Some(piece) = pieces.get(from) else { return };
    let end = match piece.around.and_then(|open| pieces.get(open)) {
        Some(open) if open.token != Token::OpenBrace => open.partner.unwrap_or(from),
        _ => return,
    };
    for at in from..end {
        let item = pieces.get(at).is_some_and(|own| own.around == piece.around && own.comments.is_empty());
        if item && kind(pieces, at) == Kind::Item {
            set(breaks, at, false);
        }
    }
}
