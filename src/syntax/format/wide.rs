//! Lines that are too long: where they are broken.
//!
//! Every place of a line where it could end has a cost: what stands deep in brackets or binds
//! tight is dear, and so is what leaves a short line. The cheapest is taken, and the line looked
//! at again.

use super::super::token::Token;
use super::breaks::{Kind, kind, open_block, set};
use super::layout::{Layout, blank, place_one, width};
use super::pieces::Piece;
use super::spaces::is_binary;

/// The most columns of a line.
pub const WIDTH: usize = 100;

/// The most columns of a pattern that is never broken.
const SHORT: usize = 60;

/// How far a long line is looked at.
const FAR: usize = 4 * WIDTH;

/// Breaks lines until none is too long that could be shorter.
pub fn narrow(pieces: &[Piece<'_>], breaks: &mut [bool], tight: &[bool]) {
    let mut layout = blank(pieces);
    let mut start = 0;
    // Every turn breaks a line or goes on to the next.
    while start < pieces.len() {
        let end = place_line(&mut layout, pieces, breaks, tight, start);
        let too_long = layout.end(pieces, end - 1) > WIDTH;
        match cheapest(pieces, &layout, start, end).filter(|_| too_long) {
            Some(at) => break_at(pieces, breaks, at),
            None => {
                // What follows on a line that stays too long is placed too.
                start = end;
                while start < pieces.len() && breaks.get(start) == Some(&false) {
                    place_one(&mut layout, pieces, breaks, tight, &[], start);
                    start += 1;
                }
            }
        }
    }
}

/// Places the tokens of a line, as far as it is looked at; gives the one behind them.
fn place_line(
    layout: &mut Layout,
    pieces: &[Piece<'_>],
    breaks: &[bool],
    tight: &[bool],
    start: usize,
) -> usize {
    for at in start..pieces.len() {
        if at > start && breaks.get(at) != Some(&false) {
            return at;
        }
        place_one(layout, pieces, breaks, tight, &[], at);
        if layout.end(pieces, at) > FAR {
            return at + 1;
        }
    }
    pieces.len()
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
        let total = 12 * depth
            + own
            + over
            + short
            + orphan
            + head
            + again
            + looser(pieces, start, end, at)
            + behind_for(pieces, start, at);
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

/// What it costs to break deep inside of a generator whose `for` stands on the same line.
fn behind_for(pieces: &[Piece<'_>], start: usize, at: usize) -> usize {
    let mut around = pieces.get(at).and_then(|piece| piece.around);
    let mut inner = at;
    while let Some(open) = around.filter(|open| *open >= start) {
        let generator = (open + 2..inner).any(|k| {
            pieces.get(k).is_some_and(|piece| piece.token == Token::For && piece.around == Some(open))
        });
        if generator && inner != at {
            return 20;
        }
        (inner, around) = (open, pieces.get(open).and_then(|piece| piece.around));
    }
    0
}

/// Whether a place lies in a short list of names that are bound: `for (a, b) in`, `let (a, b) =`,
/// `(a, b) -> `.
fn in_pattern(pieces: &[Piece<'_>], at: usize) -> bool {
    let Some(open) = pieces.get(at).and_then(|piece| piece.around) else { return false };
    let Some(close) = pieces.get(open).and_then(|piece| piece.partner) else { return false };
    let token = |at: Option<usize>| at.and_then(|at| pieces.get(at)).map(|piece| piece.token);
    let binds = matches!(token(open.checked_sub(1)), Some(Token::For | Token::Let))
        || (token(Some(open)) == Some(Token::OpenParen) && token(Some(close + 1)) == Some(Token::Arrow));
    let short = || {
        let inside = pieces.get(open..=close).unwrap_or(&[]).iter().take(SHORT);
        inside.map(|piece| width(piece.text) + 1).sum::<usize>() <= SHORT
    };
    binds && short()
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
    if in_pattern(pieces, at) {
        return None;
    }
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

/// Forgets where the next line of a chain of operators begins, so that it is filled again.
fn sum_again(pieces: &[Piece<'_>], breaks: &mut [bool], from: usize) {
    let alike = |a: Token<'_>, b: Token<'_>| {
        a == b || [a, b].iter().all(|token| matches!(token, Token::Plus | Token::Minus))
    };
    let Some(next) = next_line(breaks, from) else { return };
    let (Some(own), Some(other)) = (pieces.get(from), pieces.get(next)) else { return };
    let operator = if is_binary(pieces, next) { next } else { next.saturating_sub(1) };
    let same = is_binary(pieces, operator)
        && pieces.get(operator).is_some_and(|operator| alike(operator.token, own.token));
    let between = (from..next).any(|at| {
        pieces.get(at).is_some_and(|piece| piece.around == own.around && piece.token == Token::Comma)
    });
    if other.around == own.around && !other.starts && same && !between && other.comments.is_empty() {
        set(breaks, next, false);
    }
}

/// Forgets where the next line of a list begins, so that it is filled again.
fn fill_again(pieces: &[Piece<'_>], breaks: &mut [bool], from: usize) {
    let Some(next) = next_line(breaks, from) else { return };
    let (Some(own), Some(other)) = (pieces.get(from), pieces.get(next)) else { return };
    let in_bracket =
        own.around.and_then(|open| pieces.get(open)).is_some_and(|open| open.token != Token::OpenBrace);
    let item = other.around == own.around && !other.starts && kind(pieces, next) == Kind::Item;
    if in_bracket && item && other.comments.is_empty() {
        set(breaks, next, false);
    }
}

/// The first token of the next line, if it is near.
fn next_line(breaks: &[bool], from: usize) -> Option<usize> {
    breaks.iter().skip(from + 1).take(FAR).position(|begins| *begins).map(|offset| from + 1 + offset)
}
