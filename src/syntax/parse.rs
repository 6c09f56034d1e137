//! Text to tree.
//!
//! The grammar reads one top-level statement at a time. Where it fails, the innermost statement
//! around the place is reported and replaced by [`Token::Bad`], and the top-level statement is read
//! again, so that one mistake costs one statement and all independent mistakes are found.

use std::ops::Range;

use lalrpop_util::ParseError;

use super::ast::{Expr, File, Stmt, StmtKind};
use super::build::Builder;
use super::errors;
use super::grammar::StatementParser;
use super::lines::{Placed, lay_out};
use super::token::{Token, scan};
use super::unexpected::{Unexpected, unexpected};
use crate::diag::{FileId, Report, Span};

/// How often one top-level statement is read again after a mistake in it.
const RETRIES: usize = 20;

/// Why an entry of the REPL is not a program yet.
#[derive(Debug)]
pub enum Unread {
    /// More lines could complete it.
    Incomplete,
    /// It is wrong.
    Wrong(Vec<Report>),
}

/// Parses a file. What could not be read is [`StmtKind::Error`] or missing, and reported.
pub fn parse_file(file: FileId, text: &str) -> (File, Vec<Report>) {
    let parsed = parse(file, text);
    (parsed.file, parsed.reports)
}

/// Parses a part of a file that begins at the start of a line and holds whole statements.
pub fn parse_part(file: FileId, text: &str, part: Range<usize>) -> (File, Vec<Report>) {
    let parsed = parse_from(file, text.get(..part.end).unwrap_or(text), part.start);
    (parsed.file, parsed.reports)
}

/// Parses an entry of the REPL, with its warnings; says when the entry is not complete.
pub fn parse_entry(file: FileId, text: &str) -> Result<(File, Vec<Report>), Unread> {
    let parsed = parse(file, text);
    if parsed.incomplete {
        return Err(Unread::Incomplete);
    }
    if parsed.reports.iter().any(Report::is_error) {
        return Err(Unread::Wrong(parsed.reports));
    }
    Ok((parsed.file, parsed.reports))
}

/// Whether a line of the REPL goes on with the entry before it: it begins with a clause word.
pub fn continues_entry(line: &str) -> bool {
    use Token::{Else, From, Given, Id, Over, Pipe, Subject, Until, Using, With};
    let lexemes = scan(FileId::default(), line, 0, &mut errors::Reports::default());
    let mut tokens = lexemes.iter().map(|lexeme| lexeme.token);
    let (first, second) = (tokens.next(), tokens.next());
    matches!(first, Some(Over | From | Using | Until | With | Subject | Given | Else | Pipe))
        || (matches!(first, Some(Id("derivative" | "prox" | "is"))) && matches!(second, Some(Id(_))))
}

/// Parses one expression, which may also be a `solve`.
pub fn parse_expr(file: FileId, text: &str) -> Result<Expr, Vec<Report>> {
    let parsed = parse(file, text);
    if parsed.reports.iter().any(Report::is_error) {
        return Err(parsed.reports);
    }
    let mut items = parsed.file.items;
    match (items.pop(), items.is_empty()) {
        (Some(Stmt { kind: StmtKind::Expr(expr), .. }), true) => Ok(expr),
        _ => Err(vec![errors::not_one_expression(Span::new(file, 0, text.len()))]),
    }
}

struct Parsed {
    file: File,
    reports: Vec<Report>,
    incomplete: bool,
}

fn parse(file: FileId, text: &str) -> Parsed {
    parse_from(file, text, 0)
}

fn parse_from(file: FileId, text: &str, start: usize) -> Parsed {
    let mut builder = Builder::new(file);
    let lexemes = scan(file, text, start, &mut builder.reports);
    let lines = lay_out(file, text, &lexemes, &mut builder.reports);
    drop(lexemes);
    let mut reader = Reader { file, text, parser: StatementParser::new(), builder, failed_at_end: false };
    let items = reader.statements(lines.tokens);
    let incomplete = lines.incomplete || reader.failed_at_end;
    let mut builder = reader.builder;
    builder.check_file(&items);
    builder.check_places(&items, "");
    Parsed { file: File { items }, reports: builder.reports.finish(), incomplete }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    parser: StatementParser,
    builder: Builder,
    /// Whether the first mistake was that the text ended.
    failed_at_end: bool,
}

impl<'t> Reader<'t> {
    fn statements(&mut self, tokens: Vec<Placed<'t>>) -> Vec<Stmt> {
        let mut items = Vec::new();
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let length = statement_length(rest);
            let (statement, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let last = after.is_empty();
            items.push(self.statement(statement, last));
            rest = after.split_first().map_or(&[], |(_, rest)| rest);
        }
        items
    }

    /// Reads one top-level statement, as much of it as can be read.
    fn statement(&mut self, tokens: &[Placed<'t>], last: bool) -> Stmt {
        if self.builder.reports.is_full() {
            return self.unread(tokens);
        }
        let mut mended: Option<Vec<Placed<'t>>> = None;
        for _ in 0..RETRIES {
            let tokens = mended.as_deref().unwrap_or(tokens);
            let stream = tokens.iter().copied().map(Ok::<Placed<'t>, ()>);
            let (at, expected) = match self.parser.parse(&mut self.builder, stream) {
                Ok(statement) => return statement,
                Err(error) => locate(tokens, error),
            };
            self.report(tokens, at, &expected, last);
            if self.builder.reports.is_full() {
                break;
            }
            match mend(tokens, at) {
                Some(better) => mended = Some(better),
                None => break,
            }
        }
        self.unread(tokens)
    }

    fn unread(&mut self, tokens: &[Placed<'t>]) -> Stmt {
        let start = tokens.first().map_or(0, |(start, ..)| *start);
        let end = tokens.last().map_or(start, |(.., end)| *end);
        self.builder.statement(None, start, StmtKind::Error, end)
    }

    fn report(&mut self, tokens: &[Placed<'t>], at: usize, expected: &[String], last: bool) {
        let at_end = last && at >= tokens.len();
        if at_end && !self.builder.reports.has_errors() {
            self.failed_at_end = true;
        }
        // A bracket that was supplied has been reported; so has what was left out by then.
        let (start, end) = tokens.get(at).map_or((self.text.len(), 0), |(start, _, end)| (*start, *end));
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let previous = before.map_or(start, |(start, ..)| *start);
        let before = before.map_or(start, |(.., end)| *end);
        let supplied = start == end && self.builder.reports.has_errors();
        let (first, _) = statement_around(tokens, at);
        let first = tokens.get(first).map_or(before, |(start, ..)| *start);
        if self.builder.reports.lost_bracket_in(first, before) {
            return;
        }
        let told = self.builder.reports.has_error_at(previous, end.max(start + 1));
        if supplied || told || self.builder.reports.has_error_at(before, start) {
            return;
        }
        let (file, text) = (self.file, self.text);
        let text = match tokens.last() {
            Some((.., end)) if at >= tokens.len() && !last => text.get(..*end).unwrap_or(text),
            _ => text,
        };
        let place = Unexpected { file, text, tokens, at, last, expected };
        // A semicolon between rows says more than the missing commas in them.
        if let Some((start, end)) = place.array_around()
            && self.builder.reports.semicolon_in(start, end)
        {
            return;
        }
        self.builder.reports.push(unexpected(&place));
    }
}

/// The tokens before the first statement end outside all brackets.
fn statement_length(tokens: &[Placed<'_>]) -> usize {
    let mut braces = 0usize;
    for (at, (_, token, _)) in tokens.iter().enumerate() {
        match token {
            Token::OpenBrace => braces += 1,
            Token::CloseBrace => braces = braces.saturating_sub(1),
            Token::Sep if braces == 0 => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// Where the grammar failed, and what it wanted there.
fn locate(tokens: &[Placed<'_>], error: ParseError<usize, Token<'_>, ()>) -> (usize, Vec<String>) {
    match error {
        ParseError::UnrecognizedToken { token: (start, found, end), expected } => {
            let from = tokens.partition_point(|(at, ..)| *at < start);
            let near = tokens.get(from..).unwrap_or(&[]);
            let offset = near.iter().position(|token| *token == (start, found, end));
            (from + offset.unwrap_or(0), expected)
        }
        ParseError::UnrecognizedEof { expected, .. } => (tokens.len(), expected),
        ParseError::ExtraToken { .. } | ParseError::InvalidToken { .. } | ParseError::User { .. } => {
            (tokens.len(), Vec::new())
        }
    }
}

/// The tokens with the innermost statement around the place replaced by [`Token::Bad`]; none if
/// that is all there is.
fn mend<'t>(tokens: &[Placed<'t>], at: usize) -> Option<Vec<Placed<'t>>> {
    let mut place = at;
    loop {
        let (start, end) = statement_around(tokens, place);
        let whole = start == 0 && end == tokens.len();
        if whole {
            return None;
        }
        let inside = tokens.get(start..end)?;
        if let (Some((from, first, _)), Some((.., to))) = (inside.first(), inside.last())
            && *first != Token::Bad
        {
            let before = tokens.get(..start)?;
            let after = tokens.get(end..)?;
            let bad = (*from, Token::Bad, *to);
            return Some(before.iter().chain([&bad]).chain(after).copied().collect());
        }
        // The place is empty or already replaced: the mistake is in the statement around it.
        place = start.checked_sub(1)?;
    }
}

/// From the first to one past the last token of the innermost statement around a place.
fn statement_around(tokens: &[Placed<'_>], at: usize) -> (usize, usize) {
    let token = |at: usize| tokens.get(at).map(|(_, token, _)| *token);
    let (mut start, mut braces) = (at.min(tokens.len()), 0usize);
    while let Some(before) = start.checked_sub(1) {
        match token(before) {
            Some(Token::CloseBrace) => braces += 1,
            Some(Token::OpenBrace) if braces == 0 => break,
            Some(Token::OpenBrace) => braces -= 1,
            Some(Token::Sep) if braces == 0 => break,
            _ => {}
        }
        start = before;
    }
    let (mut end, mut braces) = (at.min(tokens.len()), 0usize);
    while let Some(next) = token(end) {
        match next {
            Token::OpenBrace => braces += 1,
            Token::CloseBrace if braces == 0 => break,
            Token::CloseBrace => braces -= 1,
            Token::Sep if braces == 0 => break,
            _ => {}
        }
        end += 1;
    }
    (start, end)
}
