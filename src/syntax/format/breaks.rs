//! Where lines end: what the author broke, as far as it is a good place.

use super::super::token::Token;
use super::pieces::Piece;
use super::spaces::is_binary;

/// What a line begins with that goes on with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A place where no line should end.
    Never,
    /// Behind an opening bracket.
    Opening,
    /// A closing bracket.
    Closing,
    /// Behind a comma.
    Item,
    /// A word such as `using` or `until`, or a clause of a function.
    Clause,
    /// `then` or `else`.
    Side,
    /// `for`, `if` or `by` of a generator.
    Generator,
    /// Behind `=` or an arrow.
    Value,
    /// At an operator.
    Operator,
}

/// What kind of place lies before a token, inside its statement.
pub fn kind(pieces: &[Piece<'_>], at: usize) -> Kind {
    use Token::*;
    let before = at.checked_sub(1);
    let (Some(previous), Some(own)) = (before.and_then(|before| pieces.get(before)), pieces.get(at)) else {
        return Kind::Never;
    };
    match (previous.token, own.token) {
        (_, CloseParen | CloseBracket | CloseBrace) => Kind::Closing,
        (OpenParen | OpenBracket | OpenBrace, _) => Kind::Opening,
        (Comma, _) => Kind::Item,
        (_, Comma) => Kind::Never,
        (_, Then) => Kind::Side,
        (_, Else) => Kind::Side,
        (_, Over | From | Using | Until | With | Subject | Given | Derivative | Prox | Is | While) => {
            Kind::Clause
        }
        (_, For | By) => Kind::Generator,
        (previous, If) if previous.ends_operand() => Kind::Generator,
        (Assign | PlusAssign | MinusAssign | StarAssign | SlashAssign | Arrow | FatArrow | Tilde, _) => {
            Kind::Value
        }
        (Then | Else, own) if !matches!(own, If | OpenBrace) => Kind::Value,
        _ if is_binary(pieces, at) || before.is_some_and(|before| is_binary(pieces, before)) => {
            Kind::Operator
        }
        _ => Kind::Never,
    }
}

/// For each token, whether it begins a line.
pub fn from_author(pieces: &[Piece<'_>]) -> Vec<bool> {
    let mut breaks: Vec<bool> = (0..pieces.len()).map(|at| is_broken(pieces, at)).collect();
    for at in (0..pieces.len()).rev() {
        settle(pieces, &mut breaks, at);
    }
    breaks
}

fn is_broken(pieces: &[Piece<'_>], at: usize) -> bool {
    let Some(piece) = pieces.get(at) else { return false };
    if at == 0 || !piece.comments.is_empty() {
        return true;
    }
    let own_lines = piece.around.is_none_or(|block| is_multiline(pieces, block));
    if piece.starts {
        return own_lines;
    }
    match (kind(pieces, at), piece.token) {
        (_, Token::CloseBrace) => {
            piece.partner.is_some_and(|block| block + 1 != at && is_multiline(pieces, block))
        }
        (Kind::Never | Kind::Closing, _) => false,
        // `else` stands behind the `}` of a block of several lines.
        (Kind::Side, Token::Else) if behind_lines(pieces, at) => false,
        _ => piece.newline,
    }
}

/// Whether the author wrote what stands in a `{ }` over several lines.
fn is_multiline(pieces: &[Piece<'_>], block: usize) -> bool {
    let open = pieces.get(block);
    let close = open.and_then(|open| open.partner).and_then(|close| pieces.get(close));
    open.map(|open| open.line) != close.map(|close| close.line)
}

/// Whether a token stands behind the `}` of a block of several lines.
fn behind_lines(pieces: &[Piece<'_>], at: usize) -> bool {
    let block = at
        .checked_sub(1)
        .and_then(|before| pieces.get(before))
        .filter(|before| before.token == Token::CloseBrace);
    block.and_then(|close| close.partner).is_some_and(|block| is_multiline(pieces, block))
}

/// Gives a closing bracket a line of its own where the opening one ends its line, and its block
/// lines where there is a line end inside.
pub fn settle(pieces: &[Piece<'_>], breaks: &mut [bool], at: usize) {
    let Some(open) = pieces.get(at) else { return };
    let Some(close) = open.partner.filter(|close| *close > at) else { return };
    let is = |breaks: &[bool], at: usize| breaks.get(at).copied().unwrap_or(false);
    if open.token == Token::OpenBrace {
        if close > at + 1 && (at + 1..=close).any(|inside| is(breaks, inside)) {
            open_block(pieces, breaks, at);
        }
    } else if is(breaks, at + 1) && close > at + 1 {
        set(breaks, close, true);
    }
}

/// Puts the statements of a `{ }` on lines of their own.
pub fn open_block(pieces: &[Piece<'_>], breaks: &mut [bool], block: usize) {
    let Some(close) = pieces.get(block).and_then(|open| open.partner) else { return };
    for at in block + 1..close {
        if pieces.get(at).is_some_and(|piece| piece.starts && piece.around == Some(block)) {
            set(breaks, at, true);
        }
    }
    set(breaks, close, true);
    if pieces.get(close + 1).is_some_and(|next| next.token == Token::Else && next.comments.is_empty()) {
        set(breaks, close + 1, false);
    }
}

/// Sets whether a token begins a line.
pub fn set(breaks: &mut [bool], at: usize, value: bool) {
    if let Some(broken) = breaks.get_mut(at) {
        *broken = value;
    }
}
