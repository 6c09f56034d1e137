//! Where each token stands, given which ones begin a line.

use super::super::token::Token;
use super::breaks::{Kind, kind};
use super::pieces::Piece;
use super::spaces::gap;

/// One level of indentation.
const INDENT: usize = 2;

/// The place of every token.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The column of its first letter.
    pub column: Vec<usize>,
    /// The first token of its line.
    pub first: Vec<usize>,
    /// The first token of its statement.
    statement: Vec<usize>,
}

impl Layout {
    fn column_of(&self, at: usize) -> usize {
        self.column.get(at).copied().unwrap_or(0)
    }

    fn statement_of(&self, at: usize) -> usize {
        self.statement.get(at).copied().unwrap_or(0)
    }

    fn first_of(&self, at: usize) -> usize {
        self.first.get(at).copied().unwrap_or(0)
    }

    /// The column behind a token.
    pub fn end(&self, pieces: &[Piece<'_>], at: usize) -> usize {
        self.column_of(at) + pieces.get(at).map_or(0, |piece| width(piece.text))
    }
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// Nothing placed yet.
pub fn blank(pieces: &[Piece<'_>]) -> Layout {
    let zeros = || vec![0; pieces.len()];
    Layout { column: zeros(), first: zeros(), statement: zeros() }
}

/// Places the tokens. `extra` are spaces before them beyond the usual ones.
pub fn place(pieces: &[Piece<'_>], breaks: &[bool], tight: &[bool], extra: &[usize]) -> Layout {
    let mut layout = blank(pieces);
    for at in 0..pieces.len() {
        place_one(&mut layout, pieces, breaks, tight, extra, at);
    }
    layout
}

/// Places a token; those before it are placed.
pub fn place_one(
    layout: &mut Layout,
    pieces: &[Piece<'_>],
    breaks: &[bool],
    tight: &[bool],
    extra: &[usize],
    at: usize,
) {
    let Some(piece) = pieces.get(at) else { return };
    let statement = match (piece.starts, piece.token, piece.partner) {
        (true, ..) => at,
        (_, Token::CloseBrace, Some(block)) => layout.statement_of(block),
        _ => layout.statement_of(at.saturating_sub(1)),
    };
    let begins = breaks.get(at).copied().unwrap_or(true);
    let column = if begins {
        indentation(pieces, breaks, layout, statement, at)
    } else {
        let more = extra.get(at).copied().unwrap_or(0);
        layout.end(pieces, at - 1) + gap(pieces, tight, at) + more
    };
    let first = if begins { at } else { layout.first_of(at - 1) };
    let Layout { column: columns, first: firsts, statement: statements } = layout;
    for (list, value) in [(columns, column), (firsts, first), (statements, statement)] {
        if let Some(own) = list.get_mut(at) {
            *own = value;
        }
    }
}

/// The indentation that what stands in a bracket goes by: that of its line, or, where that line
/// begins inside a bracket that is closed by then, that of the line where this one was opened.
fn base(pieces: &[Piece<'_>], layout: &Layout, bracket: usize) -> usize {
    let around = pieces.get(bracket).and_then(|piece| piece.around);
    let mut first = layout.first_of(bracket);
    loop {
        let outer = pieces.get(first).and_then(|piece| piece.around);
        match outer {
            Some(open) if Some(open) > around => first = layout.first_of(open),
            _ => return layout.column_of(first),
        }
    }
}

/// The indentation of what stands in a block.
fn block_base(pieces: &[Piece<'_>], layout: &Layout, block: usize) -> usize {
    let at = |at: usize| pieces.get(at);
    let value = block.checked_sub(1).and_then(at).is_some_and(|before| {
        matches!(
            before.token,
            Token::Assign | Token::Arrow | Token::OpenParen | Token::OpenBracket | Token::Comma
        )
    });
    let around = at(block).and_then(|piece| piece.around);
    let in_bracket = around.and_then(at).is_some_and(|open| open.token != Token::OpenBrace);
    if value || in_bracket {
        return base(pieces, layout, block);
    }
    layout.column_of(layout.statement_of(block))
}

/// The column of a line that begins with a token.
fn indentation(pieces: &[Piece<'_>], breaks: &[bool], layout: &Layout, statement: usize, at: usize) -> usize {
    let Some(piece) = pieces.get(at) else { return 0 };
    if piece.token == Token::CloseBrace {
        return piece.partner.map_or(0, |block| block_base(pieces, layout, block));
    }
    if piece.starts {
        return piece.around.map_or(0, |block| block_base(pieces, layout, block) + INDENT);
    }
    let kind = kind(pieces, at);
    if kind == Kind::Side
        && let Some(start) = first_if(pieces, statement, at)
    {
        return layout.column_of(start);
    }
    let closes = matches!(piece.token, Token::CloseParen | Token::CloseBracket);
    let open = if closes { piece.partner } else { piece.around };
    match open.filter(|open| pieces.get(*open).is_some_and(|open| open.token != Token::OpenBrace)) {
        Some(open) => in_bracket(pieces, breaks, layout, open, at, kind),
        None if piece.token == Token::OpenBrace || piece.token == Token::Else => layout.column_of(statement),
        None => outside(pieces, breaks, layout, statement, at, kind),
    }
}

/// The column of a line inside of `( )` or `[ ]`.
fn in_bracket(
    pieces: &[Piece<'_>],
    breaks: &[bool],
    layout: &Layout,
    open: usize,
    at: usize,
    kind: Kind,
) -> usize {
    let hangs = breaks.get(open + 1).copied().unwrap_or(false);
    let closes = pieces.get(at).is_some_and(|piece| piece.partner == Some(open));
    let content = if hangs { base(pieces, layout, open) + INDENT } else { layout.column_of(open) + 1 };
    match kind {
        _ if closes && hangs => content - INDENT,
        _ if closes => layout.column_of(open),
        Kind::Clause | Kind::Value => content + INDENT,
        Kind::Operator if has_items(pieces, open) => content + INDENT,
        _ => content,
    }
}

/// Whether there are commas in a bracket.
fn has_items(pieces: &[Piece<'_>], open: usize) -> bool {
    let end = pieces.get(open).and_then(|piece| piece.partner).unwrap_or(open);
    (open..end).any(|at| {
        pieces.get(at).is_some_and(|piece| piece.token == Token::Comma && piece.around == Some(open))
    })
}

/// The column of a line that goes on with a statement outside of brackets: one level more than
/// the part of the statement that it belongs to.
fn outside(
    pieces: &[Piece<'_>],
    breaks: &[bool],
    layout: &Layout,
    statement: usize,
    at: usize,
    own: Kind,
) -> usize {
    let around = pieces.get(at).and_then(|piece| piece.around);
    let of_function = |at: usize| {
        pieces.get(at).is_some_and(|piece| matches!(piece.token, Token::Derivative | Token::Prox | Token::Is))
    };
    // The lines of a long sum stand under one another.
    let last = layout.first_of(at.saturating_sub(1));
    let alike = |line: usize| kind(pieces, line) == Kind::Operator && own == Kind::Operator;
    if last > statement && alike(last) && pieces.get(last).is_some_and(|piece| piece.around == around) {
        return layout.column_of(last);
    }
    let mut column = layout.column_of(statement);
    let inside = |k: &usize| {
        breaks.get(*k) == Some(&true) && pieces.get(*k).is_some_and(|piece| piece.around == around)
    };
    for line in (statement + 1..at).filter(inside) {
        match kind(pieces, line) {
            Kind::Clause if own != Kind::Clause => column = layout.column_of(line),
            Kind::Value if !of_function(at) => column = layout.column_of(line),
            _ => {}
        }
    }
    column + INDENT
}

/// The first `if` of the choice that a `then` or `else` belongs to.
fn first_if(pieces: &[Piece<'_>], statement: usize, at: usize) -> Option<usize> {
    let around = pieces.get(at)?.around;
    let token = |k: usize| pieces.get(k).map(|piece| piece.token);
    let (mut at, mut missing) = (at, 1usize);
    loop {
        if token(at) == Some(Token::Then) {
            missing = 1;
        }
        let mut found = None;
        for k in (statement..at).rev().filter(|k| pieces.get(*k).is_some_and(|piece| piece.around == around))
        {
            match token(k) {
                Some(Token::Else) => missing += 1,
                Some(Token::If) if missing == 1 => {
                    found = Some(k);
                    break;
                }
                Some(Token::If) => missing -= 1,
                _ => {}
            }
        }
        let start = found?;
        match start.checked_sub(1) {
            Some(before) if token(before) == Some(Token::Else) => (at, missing) = (before, 1),
            _ => return Some(start),
        }
    }
}
