//! The layer between scanner and grammar: newlines become statement ends, contextual words become
//! keywords, brackets come out balanced.
//!
//! One pass with a stack of open brackets. What it promises to the grammar:
//! - [`Token::Sep`] stands between statements only: never first, last or doubled in a block, and
//!   never inside `( )` or `[ ]`;
//! - every `(`, `[` and `{` has its end. Ends that were missing are supplied with an empty span;
//! - a [`Token::Doc`] stands directly before a statement.

use super::errors::{self, Reports};
use super::token::{Lexeme, Token};
use crate::diag::{FileId, Span};

/// The most brackets that may be open at once.
const MAX_OPEN: usize = super::ast::MAX_DEPTH as usize;

/// A token with its place, as the grammar reads it.
pub type Placed<'t> = (usize, Token<'t>, usize);

/// The tokens of a file, ready for the grammar.
#[derive(Debug)]
pub struct Lines<'t> {
    /// The tokens.
    pub tokens: Vec<Placed<'t>>,
    /// Whether the text ends inside a bracket or after a token that cannot end a statement.
    pub incomplete: bool,
}

/// Lays out the lexemes of a file.
pub fn lay_out<'t>(file: FileId, text: &'t str, lexemes: &[Lexeme<'t>], reports: &mut Reports) -> Lines<'t> {
    let mut layer = Layer {
        file,
        text,
        lexemes,
        reports,
        out: Vec::with_capacity(lexemes.len() + lexemes.len() / 4),
        open: Vec::new(),
        braces: 0,
        statement: Statement::default(),
        ended: None,
        full: false,
    };
    layer.run();
    let incomplete = layer.finish();
    Lines { tokens: layer.out, incomplete }
}

/// What a `{ }` holds, as far as words in it depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Plain,
    Objective,
    Optimizer,
    Constraints,
}

/// The statement being read in the innermost block.
#[derive(Debug, Clone, Copy, Default)]
struct Statement<'t> {
    first: Option<Token<'t>>,
    column: usize,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
struct Open<'t> {
    token: Token<'t>,
    start: usize,
    /// Its place among the tokens.
    at: usize,
    /// For `{`: what it holds, and the statement it stands in.
    body: Body,
    outer: Statement<'t>,
}

struct Layer<'t, 'r> {
    file: FileId,
    text: &'t str,
    lexemes: &'r [Lexeme<'t>],
    reports: &'r mut Reports,
    out: Vec<Placed<'t>>,
    open: Vec<Open<'t>>,
    /// How many of `open` are braces.
    braces: usize,
    statement: Statement<'t>,
    /// A statement end that comes out when another statement follows.
    ended: Option<(usize, usize)>,
    /// Whether the bracket limit was met; the rest of the file is not read.
    full: bool,
}

impl<'t> Layer<'t, '_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(lexeme) = self.lexemes.get(at).copied() {
            if self.full {
                return;
            }
            if let Token::Doc(_) = lexeme.token {
                at = self.documentation(at);
                continue;
            }
            if lexeme.column.is_some() {
                self.line(at, lexeme);
            }
            self.token(at, lexeme);
            at += 1;
        }
    }

    fn previous(&self) -> Option<Token<'t>> {
        self.out.last().map(|(_, token, _)| *token)
    }

    fn end_of_previous(&self) -> usize {
        self.out.last().map_or(0, |(_, _, end)| *end)
    }

    fn ahead(&self, at: usize) -> Option<Token<'t>> {
        self.lexemes.get(at).map(|lexeme| lexeme.token)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn in_brackets(&self) -> bool {
        self.open.last().is_some_and(|open| open.token != Token::OpenBrace)
    }

    fn body(&self) -> Body {
        self.open.last().map_or(Body::Plain, |open| open.body)
    }

    /// Whether the next token is the first of its statement.
    fn at_start(&self) -> bool {
        !self.in_brackets()
            && (self.ended.is_some()
                || matches!(self.previous(), None | Some(Token::Sep | Token::OpenBrace | Token::Doc(_))))
    }

    /// Decides what the newline before a token means.
    fn line(&mut self, at: usize, lexeme: Lexeme<'t>) {
        if self.in_brackets() {
            if self.opens_statement(at) {
                self.close_brackets(lexeme.start);
                self.ended = Some((self.end_of_previous(), lexeme.start));
            }
            return;
        }
        if self.at_start() {
            return;
        }
        let goes_on = self.previous().is_some_and(continues) && !self.opens_statement(at);
        if goes_on {
            return;
        }
        if !self.joins(at, lexeme) {
            self.ended = Some((self.end_of_previous(), lexeme.start));
        } else if lexeme.token == Token::Minus && lexeme.column == Some(self.statement.column) {
            let span = self.span(lexeme.start, lexeme.end);
            self.reports.push(errors::minus_continues_line(span));
        }
    }

    /// Whether a line that begins with this token inside `( )` shows that a bracket was lost.
    fn opens_statement(&self, at: usize) -> bool {
        use Token::{Arrow, Assert, Assign, Fn, Let, Plot, Print, Save, Var, While};
        let next = self.ahead(at + 1);
        match self.ahead(at) {
            Some(Let | Var | Fn | Print | Plot | Save | Assert | While) => {
                !matches!(next, Some(Assign | Arrow))
            }
            Some(Token::Id("objective" | "optimizer")) => {
                matches!(next, Some(Token::Id(_))) && self.previous() != Some(Token::Dot)
            }
            _ => false,
        }
    }

    /// Whether the token goes on with the statement of the line before.
    fn joins(&self, at: usize, lexeme: Lexeme<'t>) -> bool {
        use Token::*;
        let next = self.ahead(at + 1);
        match lexeme.token {
            Minus => self
                .text
                .get(lexeme.end..)
                .is_none_or(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)),
            Comma | Colon | Dot | DotDot | Plus | Star | Slash | At | Caret | Less | LessEqual | Equal
            | NotEqual | GreaterEqual | Greater | Assign | PlusAssign | MinusAssign | StarAssign
            | SlashAssign | Arrow | FatArrow | Pipe | Tilde | OpenBrace | CloseParen | CloseBracket | In
            | Then | Else | Over | From | Using | Until | With | Subject | Given | And | Or | Mod | Div
            | While => true,
            Id("derivative" | "prox" | "is") if self.braces == 0 => {
                matches!(self.statement.first, Some(Fn | Primitive))
            }
            Id("derivative" | "is") => {
                matches!(self.statement.first, Some(Fn | Primitive)) && matches!(next, Some(Id(_)))
            }
            _ => false,
        }
    }

    fn token(&mut self, at: usize, lexeme: Lexeme<'t>) {
        match lexeme.token {
            Token::Semicolon => self.semicolon(lexeme),
            Token::OpenParen | Token::OpenBracket | Token::OpenBrace => self.opening(lexeme),
            Token::CloseParen | Token::CloseBracket => self.closing(lexeme),
            Token::CloseBrace => self.closing_brace(lexeme),
            token => {
                let token = self.classify(at, token);
                self.emit(token, lexeme);
            }
        }
    }

    fn emit(&mut self, token: Token<'t>, lexeme: Lexeme<'t>) {
        if self.at_start() {
            let column = lexeme.column.unwrap_or(self.statement.column);
            self.statement = Statement { first: Some(token), column };
        }
        if let Some((start, end)) = self.ended.take() {
            self.out.push((start, Token::Sep, end));
        }
        self.out.push((lexeme.start, token, lexeme.end));
    }

    fn semicolon(&mut self, lexeme: Lexeme<'t>) {
        if self.in_brackets() {
            if !self.in_head_of_for() {
                self.reports.push(errors::semicolon_in_brackets(self.span(lexeme.start, lexeme.end)));
            }
            self.emit(Token::Comma, lexeme);
        } else if !self.at_start() {
            self.ended = Some((lexeme.start, lexeme.end));
        }
    }

    /// Whether the innermost bracket is that of `for (i = 0; …`, which is reported as a whole.
    fn in_head_of_for(&self) -> bool {
        let token = |at: usize| self.out.get(at).map(|(_, token, _)| *token);
        self.open.last().is_some_and(|open| {
            open.at.checked_sub(1).and_then(token) == Some(Token::For)
                && token(open.at + 2) == Some(Token::Assign)
        })
    }

    fn opening(&mut self, lexeme: Lexeme<'t>) {
        if self.open.len() >= MAX_OPEN {
            self.reports.nested_too_deeply(self.span(lexeme.start, lexeme.end));
            self.full = true;
            return;
        }
        let brace = lexeme.token == Token::OpenBrace;
        let body = match (self.previous(), self.statement.first) {
            _ if !brace || self.in_brackets() => Body::Plain,
            (Some(Token::To), _) => Body::Constraints,
            (_, Some(Token::Objective)) => Body::Objective,
            (_, Some(Token::Optimizer | Token::Each)) => Body::Optimizer,
            _ => Body::Plain,
        };
        self.emit(lexeme.token, lexeme);
        let (token, start) = (lexeme.token, lexeme.start);
        let at = self.out.len().saturating_sub(1);
        self.open.push(Open { token, start, at, body, outer: self.statement });
        if brace {
            self.braces += 1;
            self.statement = Statement { first: None, column: self.statement.column };
        }
    }

    fn closing(&mut self, lexeme: Lexeme<'t>) {
        if self.in_brackets() {
            self.open.pop();
            self.emit(lexeme.token, lexeme);
        } else {
            let span = self.span(lexeme.start, lexeme.end);
            self.reports.push(errors::closes_nothing(span, lexeme.token.text()));
        }
    }

    fn closing_brace(&mut self, lexeme: Lexeme<'t>) {
        if self.braces == 0 {
            let span = self.span(lexeme.start, lexeme.end);
            self.reports.push(errors::closes_nothing(span, "}"));
            return;
        }
        self.close_brackets(lexeme.start);
        self.end_block(lexeme.start, lexeme.end);
    }

    /// Supplies the ends of all `(` and `[` down to the innermost block.
    fn close_brackets(&mut self, place: usize) {
        let mut told = false;
        while let Some(open) = self.open.pop_if(|open| open.token != Token::OpenBrace) {
            if !told {
                self.report_lost_end(open, place);
                told = true;
            }
            self.supply_end(open);
        }
    }

    fn supply_end(&mut self, open: Open<'t>) {
        let here = self.end_of_previous();
        let parenthesis = open.token == Token::OpenParen;
        let end = if parenthesis { Token::CloseParen } else { Token::CloseBracket };
        self.out.push((here, end, here));
    }

    fn end_block(&mut self, start: usize, end: usize) {
        self.ended = None;
        if let Some(open) = self.open.pop() {
            self.braces -= 1;
            self.statement = open.outer;
        }
        self.out.push((start, Token::CloseBrace, end));
    }

    fn report_lost_end(&mut self, open: Open<'t>, place: usize) {
        let opening = self.span(open.start, open.start + 1);
        let here = self.span(self.end_of_previous(), place.max(self.end_of_previous()));
        self.reports.push(errors::never_closed(opening, open.token.text(), here));
    }

    /// Closes what is open; says whether more text could complete the file.
    fn finish(&mut self) -> bool {
        let end = self.text.len();
        let incomplete = !self.full
            && (!self.open.is_empty() || (self.ended.is_none() && self.previous().is_some_and(continues)));
        let mut told = self.full;
        while let Some(open) = self.open.last().copied() {
            if !told {
                self.report_lost_end(open, end);
                told = true;
            }
            if open.token == Token::OpenBrace {
                let here = self.end_of_previous();
                self.end_block(here, here);
            } else {
                self.open.pop();
                self.supply_end(open);
            }
        }
        incomplete
    }

    /// Reads a run of `///` lines; keeps it where a statement follows. Gives the next place.
    fn documentation(&mut self, first: usize) -> usize {
        let mut after = first;
        while matches!(self.ahead(after), Some(Token::Doc(_))) {
            after += 1;
        }
        let (Some(begin), Some(last)) = (self.lexemes.get(first), self.lexemes.get(after - 1)) else {
            return after;
        };
        let follows = self.lexemes.get(after).copied();
        let begins = follows.is_some_and(|next| {
            next.token != Token::CloseBrace
                && !self.in_brackets()
                && self.body() != Body::Constraints
                && begin.column.is_some()
                && (self.at_start() || !(self.previous().is_some_and(continues) || self.joins(after, next)))
        });
        if begins {
            if !self.at_start() {
                self.ended = Some((self.end_of_previous(), begin.start));
            }
            let text = self.text.get(begin.start..last.end).unwrap_or("");
            if let Some((start, end)) = self.ended.take() {
                self.out.push((start, Token::Sep, end));
            }
            self.out.push((begin.start, Token::Doc(text), last.end));
        } else {
            let span = self.span(begin.start, begin.end);
            self.reports.push(errors::documents_nothing(span));
            // The line end before the comment still counts for what follows.
        }
        after
    }

    /// Whether a word is a keyword or a name in its place.
    fn classify(&self, at: usize, token: Token<'t>) -> Token<'t> {
        let previous = if self.ended.is_some() { None } else { self.previous() };
        match token {
            Token::Minimize if self.at_start() && self.body() == Body::Objective => Token::MinimizeClause,
            Token::Maximize if self.at_start() && self.body() == Body::Objective => Token::MaximizeClause,
            Token::Id(word) => match Token::contextual(word) {
                Some(keyword) if self.is_keyword(at, keyword, previous) => keyword,
                Some(_) | None => token,
            },
            word if word.is_reserved() && previous == Some(Token::Dot) => Token::Id(word.text()),
            word if word.is_reserved() && self.names_argument(at, word, previous) => Token::Id(word.text()),
            other => other,
        }
    }

    /// Whether a reserved word is the name of an argument, as in `f(over = 3)`.
    fn names_argument(&self, at: usize, word: Token<'t>, previous: Option<Token<'t>>) -> bool {
        use Token::{Bound, False, If, Maximize, Minimize, Not, Solve, True};
        self.in_brackets()
            && matches!(previous, Some(Token::OpenParen | Token::Comma))
            && self.ahead(at + 1) == Some(Token::Assign)
            && !matches!(word, If | Not | True | False | Minimize | Maximize | Bound | Solve)
    }

    /// Whether a contextual word stands where it is a keyword: at the start of a statement with
    /// what belongs to it behind it, or where only an operator could stand.
    fn is_keyword(&self, at: usize, word: Token<'t>, previous: Option<Token<'t>>) -> bool {
        use Token::*;
        let next = self.lexemes.get(at + 1);
        let same_line = next.filter(|next| next.column.is_none()).map(|next| next.token);
        match word {
            As | By | Derivative | Prox | Is => previous.is_some_and(Token::ends_operand),
            To => previous.is_some_and(|before| before == Subject || before.ends_operand()),
            Native => previous == Some(Assign) && matches!(same_line, Some(Str(_))),
            Rule if matches!(previous, Some(Exact | Stable)) => true,
            Answer => self.at_start() && self.body() == Body::Optimizer,
            Test | Import => self.at_start() && matches!(same_line, Some(Str(_))),
            Step => self.at_start() && next.is_some_and(|next| next.token == OpenBrace),
            Otherwise => self.at_start() && next.is_some_and(|next| next.token == Using),
            Exact | Stable => self.at_start() && same_line == Some(Id("rule")),
            _ => {
                self.at_start()
                    && match same_line {
                        Some(Id(_)) => true,
                        Some(next) if next.is_reserved() => {
                            matches!(self.ahead(at + 2), Some(Colon | Assign | OpenParen))
                                && !matches!(next, In | And | Or | Mod | Div)
                        }
                        _ => false,
                    }
            }
        }
    }
}

/// Whether a statement cannot end after the token.
fn continues(token: Token<'_>) -> bool {
    use Token::*;
    matches!(
        token,
        Comma
            | Colon
            | Dot
            | DotDot
            | Plus
            | Minus
            | Star
            | Slash
            | At
            | Caret
            | Less
            | LessEqual
            | Equal
            | NotEqual
            | GreaterEqual
            | Greater
            | Assign
            | PlusAssign
            | MinusAssign
            | StarAssign
            | SlashAssign
            | Arrow
            | FatArrow
            | Pipe
            | Tilde
            | Fn
            | Let
            | Var
            | For
            | In
            | If
            | Then
            | Else
            | While
            | Over
            | From
            | Using
            | Until
            | With
            | Subject
            | Given
            | Minimize
            | Maximize
            | MinimizeClause
            | MaximizeClause
            | Solve
            | Bound
            | To
            | And
            | Or
            | Not
            | Mod
            | Div
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::token::scan;

    /// The tokens as words, statement ends as `;`, supplied brackets in quotes.
    fn laid_out(text: &str) -> String {
        let mut reports = Reports::default();
        let lexemes = scan(FileId(0), text, 0, &mut reports);
        let lines = lay_out(FileId(0), text, &lexemes, &mut reports);
        let shown = lines.tokens.iter().map(|(start, token, end)| match token {
            Token::Id(name) => (*name).to_string(),
            Token::Int(value) => value.to_string(),
            Token::Sep => ";".to_string(),
            Token::Doc(_) => "doc".to_string(),
            other if start == end => format!("'{}'", other.text()),
            other if Token::contextual(other.text()).is_some() => other.text().to_uppercase(),
            other => other.text().to_string(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn newlines_end_statements_or_vanish() {
        assert_eq!(laid_out("a\nb\n\n\nc\n"), "a ; b ; c");
        assert_eq!(laid_out("a +\nb\n* c"), "a + b * c");
        assert_eq!(laid_out("a\n- b"), "a - b");
        assert_eq!(laid_out("a\n-b"), "a ; - b");
        assert_eq!(laid_out("f(\na\n,b\n)"), "f ( a , b )");
        assert_eq!(laid_out("f({\na\nb\n})"), "f ( { a ; b } )");
        assert_eq!(laid_out("{\n\na\n}\nb;;\n;c;"), "{ a } ; b ; c");
        assert_eq!(laid_out("x // one\n// two\ny"), "x ; y");
    }

    #[test]
    fn words_are_keywords_in_their_place_only() {
        assert_eq!(laid_out("param w = 1"), "PARAM w = 1");
        assert_eq!(laid_out("param = 1"), "param = 1");
        assert_eq!(laid_out("state m = state"), "STATE m = state");
        assert_eq!(laid_out("step { step }"), "STEP { step }");
        assert_eq!(laid_out("save to to to"), "save to TO to");
        assert_eq!(laid_out("optimizer o { answer x }"), "OPTIMIZER o { ANSWER x }");
        assert_eq!(laid_out("answer x"), "answer x");
        assert_eq!(laid_out("r.for"), "r . for");
    }

    #[test]
    fn brackets_come_out_balanced() {
        assert_eq!(laid_out("f(a\nlet b"), "f ( a ')' ; let b");
        assert_eq!(laid_out("{ [a }"), "{ [ a ']' }");
        assert_eq!(laid_out("{ (a"), "{ ( a ')' '}'");
        assert_eq!(laid_out(") a ] }"), "a");
        assert_eq!(laid_out("[0, 1)"), "[ 0 , 1 )");
    }

    #[test]
    fn documentation_stands_before_statements() {
        assert_eq!(laid_out("/// a\n/// b\nx\n/// c\ny"), "doc x ; doc y");
        assert_eq!(laid_out("x\n/// c\n+ y\n/// d"), "x + y");
        assert_eq!(laid_out("{\n/// c\nx\n/// d\n}"), "{ doc x }");
    }
}
