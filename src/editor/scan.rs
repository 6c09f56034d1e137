//! The words and signs of a text that may be broken, as far as an editor has to tell them apart.

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
    /// A sign: `..` is one, all others are single characters.
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
    let mut found = Vec::new();
    let (mut at, mut fresh) = (0, true);
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if letter.is_whitespace() {
            fresh |= letter == '\n';
            at += letter.len_utf8();
            continue;
        }
        let (piece, length) = measure(rest, letter);
        found.push(Token { piece, text: &rest[..length], start: at, fresh });
        fresh = false;
        at += length;
    }
    found
}

fn measure(rest: &str, letter: char) -> (Piece, usize) {
    let while_ = |keep: &dyn Fn(char) -> bool| rest.find(|c| !keep(c)).unwrap_or(rest.len());
    if rest.starts_with("//") {
        (Piece::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if letter.is_ascii_digit() {
        (Piece::Number, number(rest))
    } else if super::text::in_name(letter) {
        (Piece::Word, while_(&super::text::in_name))
    } else if letter == '"' {
        (Piece::Text, string(rest))
    } else if rest.starts_with("..") {
        (Piece::Sign, 2)
    } else {
        (Piece::Sign, letter.len_utf8())
    }
}

/// Digits, a decimal point between digits, an exponent.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'_');
    let mut at = 0;
    while digit(at) {
        at += 1;
    }
    if bytes.get(at) == Some(&b'.') && digit(at + 1) {
        at += 1;
        while digit(at) {
            at += 1;
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if digit(at + 1 + sign) {
            at += 1 + sign;
            while digit(at) {
                at += 1;
            }
        }
    }
    at
}

/// To the closing quote or the end of the line.
fn string(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return at + 1,
            '\n' => return at,
            '\\' => {
                letters.next();
            }
            _ => {}
        }
    }
    rest.len()
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

/// Words that can never be names.
pub const RESERVED: [&str; 34] = [
    "fn", "let", "var", "for", "in", "if", "then", "else", "while", "over", "from", "using", "until", "with",
    "subject", "given", "minimize", "maximize", "solve", "bound", "print", "plot", "save", "assert", "and",
    "or", "not", "mod", "div", "true", "false", "real", "int", "bool",
];

/// Whether a word can never be a name; the types are called like functions.
pub fn is_reserved(word: &str) -> bool {
    RESERVED[..31].contains(&word)
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
