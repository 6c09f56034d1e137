//! Spaces inside lines: which tokens stand together, and which apart.
//!
//! Around `+ - * / @` the author decides, `x[i+1]` or `2*x + 1`, but spaces may not contradict the
//! precedence: a product with spaces around its sign never stands beside a sum without. (`@` stands
//! for itself: `2*A @ x` is how papers write it.)

use std::cmp::Ordering;

use super::super::token::Token;
use super::pieces::Piece;

/// How tight an operator binds whose spaces the author chooses.
fn tightness(token: Token<'_>) -> Option<u8> {
    match token {
        Token::Plus | Token::Minus => Some(1),
        Token::Star | Token::Slash => Some(2),
        Token::At => Some(3),
        _ => None,
    }
}

/// Whether a token is an operator between two operands.
pub fn is_binary(pieces: &[Piece<'_>], at: usize) -> bool {
    use Token::*;
    let Some(piece) = pieces.get(at) else { return false };
    match piece.token {
        Minus => {
            let before = at.checked_sub(1).and_then(|before| pieces.get(before));
            !piece.starts && before.is_some_and(|before| before.token.ends_operand())
        }
        Plus | Star | Slash | At | Mod | Div | And | Or | Less | LessEqual | Equal | NotEqual
        | GreaterEqual | Greater | Pipe => true,
        _ => false,
    }
}

/// For each token, whether it is an operator that stands without spaces.
pub fn tight_operators(pieces: &[Piece<'_>]) -> Vec<bool> {
    let mut tight: Vec<bool> = (0..pieces.len())
        .map(|at| match (pieces.get(at), pieces.get(at + 1)) {
            (Some(own), Some(next)) if tightness(own.token).is_some() && is_binary(pieces, at) => {
                let together = |piece: &Piece<'_>| piece.gap == 0 && !piece.newline;
                together(own) && together(next)
            }
            _ => false,
        })
        .collect();
    for at in 0..pieces.len() {
        let sum = pieces.get(at).is_some_and(|piece| tightness(piece.token) == Some(1));
        if sum && tight.get(at) == Some(&true) && product_beside(pieces, &tight, at) {
            tight.iter_mut().skip(at).take(1).for_each(|tight| *tight = false);
        }
    }
    tight
}

/// Whether one of the operands of a sum is a product with spaces.
fn product_beside(pieces: &[Piece<'_>], tight: &[bool], at: usize) -> bool {
    let around = pieces.get(at).and_then(|piece| piece.around);
    let same = |k: &usize| pieces.get(*k).is_some_and(|piece| piece.around == around);
    // A bracket that is open around one token and not the other stands behind the one around both.
    let stops = |k: &usize| match pieces.get(*k).map(|piece| piece.around.cmp(&around)) {
        Some(Ordering::Greater) => false,
        Some(Ordering::Equal) => ends_term(pieces, *k),
        Some(Ordering::Less) | None => true,
    };
    let spaced = |k: &usize| {
        let product = pieces.get(*k).is_some_and(|piece| tightness(piece.token) == Some(2));
        product && is_binary(pieces, *k) && tight.get(*k) == Some(&false)
    };
    let after = (at + 1..pieces.len()).take_while(|k| !stops(k));
    let before = (0..at).rev().take_while(|k| !stops(k));
    after.filter(same).any(|k| spaced(&k)) || before.filter(same).any(|k| spaced(&k))
}

/// Whether a term of a sum ends here, at a token beside it in its bracket.
fn ends_term(pieces: &[Piece<'_>], at: usize) -> bool {
    use Token::*;
    let Some(piece) = pieces.get(at) else { return true };
    if piece.starts {
        return true;
    }
    match piece.token {
        OpenParen | OpenBracket | CloseParen | CloseBracket | Dot | Prime | Caret | Id(_) | Int(_)
        | Real(_) | Str(_) | True | False | OpenBrace | CloseBrace | Mod | Div => false,
        Minus if !is_binary(pieces, at) => false,
        token => tightness(token).is_none_or(|own| own == 1),
    }
}

/// How many spaces stand before a token on its line.
pub fn gap(pieces: &[Piece<'_>], tight: &[bool], at: usize) -> usize {
    use Token::*;
    let Some(before) = at.checked_sub(1) else { return 0 };
    if pieces.get(at).is_some_and(|own| own.starts) {
        let opens = pieces.get(before).is_some_and(|previous| previous.token == OpenBrace);
        // Behind `;` and a space.
        return if opens { 1 } else { 2 };
    }
    let (Some(own), Some(previous)) = (pieces.get(at), pieces.get(before)) else { return 0 };
    let tight = |at: usize| tight.get(at).copied().unwrap_or(false);
    let unary =
        |at: usize| pieces.get(at).is_some_and(|piece| piece.token == Minus) && !is_binary(pieces, at);
    match (previous.token, own.token) {
        (_, Comma | CloseParen | CloseBracket | Prime | Dot | Caret) => 0,
        (OpenParen | OpenBracket | Dot | Caret, _) => 0,
        (Comma, _) => 1,
        (DotDot, _) | (_, DotDot) => 0,
        (_, Colon) => 0,
        _ if unary(before) || tight(at) || tight(before) => 0,
        (CloseBrace, OpenParen | OpenBracket) => 1,
        (called, OpenParen | OpenBracket) if called.ends_operand() => 0,
        _ => 1,
    }
}
