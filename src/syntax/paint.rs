//! Text as people look at it while they type: which stretch is a keyword, a name, a number. Nothing is
//! reported, and nothing is left out: what is wrong has its own ink.

use std::ops::Range;
use std::sync::Arc;

use logos::Logos;

use super::token::Token;

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// A word of the language.
    Keyword,
    /// A name.
    Name,
    /// A number, or a truth value.
    Number,
    /// A text in quotes.
    Text,
    /// A comment.
    Comment,
    /// A bracket of any kind.
    Bracket,
    /// An operator or another sign.
    Sign,
    /// Nothing of the language.
    Wrong,
}

/// The tokens of a text with their ink, in order. What lies between is white space.
pub fn paint(text: &str) -> Vec<(Range<usize>, Ink)> {
    let mut found: Vec<(Range<usize>, Ink)> = Vec::new();
    let mut lexer = Token::lexer(text);
    while let Some(token) = lexer.next() {
        let place = lexer.span();
        let before = found.last().map_or(0, |(range, _)| range.end);
        let brace = found.last().is_some_and(|(range, _)| text.get(range.clone()) == Some("{"));
        let first =
            before == 0 || brace || text.get(before..place.start).is_some_and(|gap| gap.contains('\n'));
        found.push((place, token.map_or(Ink::Wrong, |token| ink(token, first))));
    }
    found
}

/// The names that stand in a text, each once, in order.
pub fn names_in(text: &str) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for token in Token::lexer(text).flatten() {
        if let Token::Id(name) = token
            && !names.iter().any(|known| **known == *name)
        {
            names.push(Arc::from(name));
        }
    }
    names
}

fn ink(token: Token<'_>, first: bool) -> Ink {
    use Token::*;
    match token {
        Id(word) if first && Token::contextual(word).is_some() => Ink::Keyword,
        Id(_) => Ink::Name,
        Number | Int(_) | Real(_) | True | False => Ink::Number,
        Str(_) => Ink::Text,
        Comment | Doc(_) => Ink::Comment,
        OpenParen | CloseParen | OpenBracket | CloseBracket | OpenBrace | CloseBrace => Ink::Bracket,
        OpenString | Foreign | Bad => Ink::Wrong,
        token if token.is_reserved() => Ink::Keyword,
        _ => Ink::Sign,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ink, names_in, paint};

    fn inks(text: &str) -> Vec<(&str, Ink)> {
        paint(text).into_iter().map(|(range, ink)| (&text[range], ink)).collect()
    }

    #[test]
    fn every_stretch_has_its_ink() {
        let found = inks("let x = f(2.5) // two\n\"a");
        let expected = [
            ("let", Ink::Keyword),
            ("x", Ink::Name),
            ("=", Ink::Sign),
            ("f", Ink::Name),
            ("(", Ink::Bracket),
            ("2.5", Ink::Number),
            (")", Ink::Bracket),
            ("// two", Ink::Comment),
            ("\"a", Ink::Wrong),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn words_are_keywords_in_their_place() {
        let last = |text| inks(text).into_iter().next_back().map(|(_, ink)| ink);
        assert_eq!(last("a() { step"), Some(Ink::Keyword));
        assert_eq!(last("let report"), Some(Ink::Name));
        assert_eq!(last("a\nreport"), Some(Ink::Keyword));
    }

    #[test]
    fn names_are_listed_once() {
        let names: Vec<String> = names_in("let x = f(y) + y*x").iter().map(ToString::to_string).collect();
        assert_eq!(names, ["x", "f", "y"]);
    }
}
