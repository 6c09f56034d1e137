//! The words and signs of a text that may be broken, as far as an editor has to tell them apart.

use crate::syntax::{Class, classes, is_reserved};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A string, with its quotes as far as it has them.
    Text,
    /// From `//` to the end of the line.
    Comment,
    /// A sign, a bracket, or what is nothing of the language.
    Sign,
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub piece: Piece,
    /// Its letters.
    pub text: &'t str,
    /// Its first byte.
    pub start: usize,
    /// Whether a line ends before it.
    pub fresh: bool,
}

impl Token<'_> {
    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this word or sign.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.piece, Piece::Word | Piece::Sign) && self.text == text
    }
}

/// The pieces of a text.
pub fn scan(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    for (place, class) in classes(text) {
        let before = found.last().map_or(0, Token::end);
        let fresh = found.is_empty() || text[before..place.start].contains('\n');
        found.push(Token {
            piece: piece(class, &text[place.clone()]),
            text: &text[place.clone()],
            start: place.start,
            fresh,
        });
    }
    found
}

/// What a piece of a class is here: truth values are words, and a text may have no end yet.
fn piece(class: Class, text: &str) -> Piece {
    match class {
        Class::Keyword | Class::Name => Piece::Word,
        Class::Number if text.starts_with(|c: char| c.is_ascii_digit()) => Piece::Number,
        Class::Number => Piece::Word,
        Class::Comment | Class::Doc => Piece::Comment,
        Class::Text => Piece::Text,
        Class::Wrong if text.starts_with('"') => Piece::Text,
        Class::Bracket | Class::Sign | Class::Wrong => Piece::Sign,
    }
}

/// The call around the end of some tokens: the place of its bracket, and how many commas stand behind it.
pub fn call_around(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    let (mut depth, mut commas) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate().rev() {
        match token.text {
            ")" | "]" | "}" if token.piece == Piece::Sign => depth += 1,
            "(" if token.piece == Piece::Sign && depth == 0 => {
                let called = at.checked_sub(1).map(|before| tokens[before]);
                let called =
                    called.is_some_and(|before| before.piece == Piece::Word && !is_reserved(before.text));
                return called.then_some((at, commas));
            }
            "(" | "[" | "{" if token.piece == Piece::Sign => depth = depth.checked_sub(1)?,
            "," if token.piece == Piece::Sign && depth == 0 => commas += 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{call_around, scan};

    #[test]
    fn texts_are_taken_apart() {
        let words = |text| scan(text).iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(
            words("x[1..2] // no\n\"a\\\"b\" 1.5e-3"),
            ["x", "[", "1", "..", "2", "]", "// no", "\"a\\\"b\"", "1.5e-3"]
        );
        assert_eq!(words("\"open\nθ₁ = 2."), ["\"open", "θ₁", "=", "2", "."]);
    }

    #[test]
    fn calls_are_found_around_a_place() {
        let around = |text| call_around(&scan(text));
        assert_eq!(around("f(a, g(b), "), Some((1, 2)));
        assert_eq!(around("f(a, [1, 2"), None);
        assert_eq!(around("f(a, g(b"), Some((5, 0)));
        assert_eq!(around("let (a, "), None);
        assert_eq!(around("f(a) + "), None);
    }
}
