//! Kinds of text in a program: what programs are colored by, and what is looked for while they are typed. Any text has
//! them, also one that is broken; nothing is reported.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use logos::Logos;

use super::errors::Reports;
use super::lines::lay_out;
use super::token::{Token, scan};
use crate::diag::FileId;

/// What a piece of a program's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A word of the language, where it is one.
    Keyword,
    /// A name.
    Name,
    /// A number, or a truth value.
    Number,
    /// A text in quotes.
    Text,
    /// A comment.
    Comment,
    /// A line of documentation.
    Doc,
    /// A bracket of any kind.
    Bracket,
    /// An operator, a comma.
    Sign,
    /// Nothing of the language, or a text that its line does not end.
    Wrong,
}

/// The pieces of a text in their order, without overlap; only spaces lie between them. A piece lies on one line.
pub fn classes(text: &str) -> Vec<(Range<usize>, Class)> {
    let placed = placed(text);
    let mut found = Vec::new();
    let mut lexer = Token::lexer(text);
    if text.starts_with('\u{feff}') {
        lexer.bump('\u{feff}'.len_utf8());
    }
    while let Some(token) = lexer.next() {
        let start = lexer.span().start;
        let piece = lexer.slice().trim_end();
        let class = match token {
            Ok(Token::Comment) if piece.starts_with("///") && !piece.starts_with("////") => Class::Doc,
            Ok(token) => class(token, placed.get(&start).copied()),
            Err(()) => Class::Wrong,
        };
        found.push((start..start + piece.len(), class));
    }
    found
}

/// The tokens that the grammar reads, by their places: they tell where a word is a keyword.
fn placed(text: &str) -> HashMap<usize, Token<'_>> {
    // What is wrong with the text is told where it is parsed.
    let mut unheard = Reports::default();
    let lexemes = scan(FileId::default(), text, 0, &mut unheard);
    let lines = lay_out(FileId::default(), text, &lexemes, &mut unheard);
    let read = lines.tokens.into_iter().filter(|(start, token, end)| start < end && *token != Token::Sep);
    read.map(|(start, token, _)| (start, token)).collect()
}

/// The class of a token as it is written, which the grammar may read as another one.
fn class(written: Token<'_>, read: Option<Token<'_>>) -> Class {
    use Token::{
        Bad, CloseBrace, CloseBracket, CloseParen, Comment, Doc, False, Foreign, Id, Int, Number, OpenBrace,
        OpenBracket, OpenParen, OpenString, Real, Str, True,
    };
    let is_name = matches!(read.unwrap_or(written), Id(_));
    match written {
        Id(_) if !is_name => Class::Keyword,
        Id(_) => Class::Name,
        word if word.is_reserved() && is_name => Class::Name,
        Number | Int(_) | Real(_) | True | False => Class::Number,
        Str(_) => Class::Text,
        Comment | Doc(_) => Class::Comment,
        OpenParen | CloseParen | OpenBracket | CloseBracket | OpenBrace | CloseBrace => Class::Bracket,
        OpenString | Foreign | Bad => Class::Wrong,
        word if word.is_reserved() => Class::Keyword,
        _ => Class::Sign,
    }
}

/// Whether a word can never be a variable.
pub fn is_reserved(word: &str) -> bool {
    let mut lexer = Token::lexer(word);
    matches!(lexer.next(), Some(Ok(token)) if token.is_reserved()) && lexer.next().is_none()
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

#[cfg(test)]
mod tests {
    use super::{Class, classes, is_reserved, names_in};

    #[test]
    fn words_are_keywords_in_their_places_only() {
        let text = "/// Doc.\noptimizer o(step: real) { // why\n  step { x -= step*\"a\" }\n}\n";
        let found = classes(text);
        let of = |class: Class| -> Vec<&str> {
            found.iter().filter(|(_, c)| *c == class).map(|(place, _)| &text[place.clone()]).collect()
        };
        assert_eq!(of(Class::Keyword), ["optimizer", "step"]);
        assert_eq!(of(Class::Name), ["o", "step", "real", "x", "step"]);
        assert_eq!(of(Class::Doc), ["/// Doc."]);
        assert_eq!(of(Class::Comment), ["// why"]);
        assert_eq!(of(Class::Text), ["\"a\""]);
    }

    #[test]
    fn pieces_of_any_text_are_in_order() {
        for text in ["", "((((", "a # b\n c", "\"open", "x ≤ y ** 2 /* no */", "}}}", "é\u{feff}// ü"] {
            let mut after = 0;
            for (place, _) in classes(text) {
                assert!(after <= place.start && place.start < place.end, "{text}");
                assert!(text.get(place.clone()).is_some_and(|piece| !piece.contains('\n')), "{text}");
                after = place.end;
            }
        }
    }

    #[test]
    fn every_stretch_has_its_class() {
        let text = "let x = f(2.5) // two\n\"a";
        let found: Vec<(&str, Class)> =
            classes(text).into_iter().map(|(place, class)| (&text[place], class)).collect();
        let expected = [
            ("let", Class::Keyword),
            ("x", Class::Name),
            ("=", Class::Sign),
            ("f", Class::Name),
            ("(", Class::Bracket),
            ("2.5", Class::Number),
            (")", Class::Bracket),
            ("// two", Class::Comment),
            ("\"a", Class::Wrong),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_but_spaces_is_left_out() {
        for text in
            ["\u{feff}let a = 1\r\n", "x # y\n'a' “b” /* c */ |z| ∞ true", "a = \"open\\", "\u{7}((((é"]
        {
            let mut after = if text.starts_with('\u{feff}') { 3 } else { 0 };
            for (place, _) in classes(text).into_iter().chain([(text.len()..text.len(), Class::Sign)]) {
                assert_eq!(text[after..place.start].trim(), "", "{text}");
                after = place.end;
            }
        }
    }

    #[test]
    fn words_of_unfinished_entries_are_keywords_in_their_place() {
        let of = |text: &str, word: &str| {
            let found = classes(text).into_iter().rev().find(|(place, _)| &text[place.clone()] == word);
            found.map(|(_, class)| class)
        };
        assert_eq!(of("optimizer a() { step {", "step"), Some(Class::Keyword));
        assert_eq!(of("let report", "report"), Some(Class::Name));
        assert_eq!(of("objective a() {\n  report b = 1", "report"), Some(Class::Keyword));
        assert_eq!(of("f(over = 3", "over"), Some(Class::Name));
        assert_eq!(of("x = true", "true"), Some(Class::Number));
    }

    #[test]
    fn words_that_are_never_names() {
        let found: Vec<&str> = ["let", "true", "step", "lets", "let x", "", "+"]
            .into_iter()
            .filter(|w| is_reserved(w))
            .collect();
        assert_eq!(found, ["let", "true"]);
    }

    #[test]
    fn names_are_listed_once() {
        let names: Vec<String> = names_in("let x = f(y) + y*x").iter().map(ToString::to_string).collect();
        assert_eq!(names, ["x", "f", "y"]);
    }
}
