//! Characters to tokens. What is foreign to the language is reported here, with what was probably
//! meant, and read as that, so that one slip gives one message.

use logos::Logos;

use super::errors::{self, Reports};
use crate::diag::{FileId, Span};

/// Declares the tokens with their spelling in one table.
macro_rules! tokens {
    (reserved { $($word:ident $spelt:tt)* }
     contextual { $($later:ident $called:tt)* }
     signs { $($sign:ident $drawn:tt)* }) => {
        /// A token. Names, numbers and strings borrow from the source text.
        #[derive(Logos, Debug, Clone, Copy, PartialEq)]
        #[logos(skip r"[ \t\r\n]+")]
        pub enum Token<'t> {
            /// A name.
            #[regex(r"[\p{XID_Start}_][\p{XID_Continue}\u{2080}-\u{2089}]*", |lex| lex.slice())]
            Id(&'t str),
            /// A number as written; the scanner turns it into one of the next two.
            #[regex(r"[0-9](_?[0-9])*(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?")]
            Number,
            /// `42`
            Int(i64),
            /// `1.5`
            Real(f64),
            /// A string without its quotes, escapes as written.
            #[regex(r#""([^"\\\n]|\\[^\n])*""#, |lex| unquote(lex.slice()))]
            Str(&'t str),
            /// A string that its line does not end.
            #[regex(r#""([^"\\\n]|\\[^\n])*\\?"#)]
            OpenString,
            /// A comment; dropped by the scanner unless it documents.
            #[regex(r"//[^\n]*", allow_greedy = true)]
            Comment,
            /// A run of `///` lines, as written.
            Doc(&'t str),
            /// A sign of another language.
            #[token("!")] #[token("&&")] #[token("||")] #[token("**")] #[token("%")] #[token("&")]
            #[token("|")] #[token(":=")] #[token("<-")] #[token("===")] #[token("!==")] #[token("?")]
            #[token("≤")] #[token("≥")] #[token("≠")] #[token("×")] #[token("·")] #[token("−")]
            #[token("∈")] #[token("→")] #[token("²")] #[token("³")] #[token("∞")] #[token("$")]
            #[token("#")] #[token("`")] #[token("\\")] #[token("^=")] #[token("@=")] #[token("/*")]
            #[token("←")] #[token("÷")] #[token("√")] #[token("∇")] #[token("∂")] #[token("∑")]
            #[token("∏")] #[token("⋅")] #[token("⊙")] #[token("‖")] #[token("“")] #[token("”")]
            #[token("„")] #[token("‘")] #[token("’")] #[token("≈")]
            Foreign,
            /// The end of a statement.
            Sep,
            /// In place of a statement that could not be read.
            Bad,
            /// `minimize` as the clause of an objective.
            MinimizeClause,
            /// `maximize` as the clause of an objective.
            MaximizeClause,
            $(#[doc = concat!("`", $spelt, "`")] #[token($spelt)] $word,)*
            $(#[doc = concat!("`", $called, "` where it is a keyword")] $later,)*
            $(#[doc = concat!("`", $drawn, "`")] #[token($drawn)] $sign,)*
        }

        impl<'t> Token<'t> {
            /// The spelling of a word or sign; nothing for tokens with many spellings.
            pub fn text(self) -> &'static str {
                match self {
                    $(Token::$word => $spelt,)*
                    $(Token::$later => $called,)*
                    $(Token::$sign => $drawn,)*
                    Token::MinimizeClause => "minimize",
                    Token::MaximizeClause => "maximize",
                    Token::Id(_) | Token::Number | Token::Int(_) | Token::Real(_)
                    | Token::Str(_) | Token::OpenString | Token::Comment | Token::Doc(_)
                    | Token::Foreign | Token::Sep | Token::Bad => "",
                }
            }

            /// Whether it is a word that can never be a variable.
            pub fn is_reserved(self) -> bool {
                matches!(self, Token::MinimizeClause | Token::MaximizeClause $(| Token::$word)*)
            }

            /// The keyword a contextual word is in its place.
            pub fn contextual(word: &str) -> Option<Token<'static>> {
                match word {
                    $($called => Some(Token::$later),)*
                    _ => None,
                }
            }
        }
    };
}

tokens! {
    reserved {
        Fn "fn"  Let "let"  Var "var"  For "for"  In "in"  If "if"  Then "then"  Else "else"
        While "while"  Over "over"  From "from"  Using "using"  Until "until"  With "with"
        Subject "subject"  Given "given"  Minimize "minimize"  Maximize "maximize"
        Solve "solve"  Bound "bound"  Print "print"  Plot "plot"  Save "save"  Assert "assert"
        And "and"  Or "or"  Not "not"  Mod "mod"  Div "div"  True "true"  False "false"
    }
    contextual {
        Import "import"  Precision "precision"  Input "input"  Test "test"
        Objective "objective"  Optimizer "optimizer"  Set "set"  Distribution "distribution"
        Primitive "primitive"  Rule "rule"  Exact "exact"  Stable "stable"  Type "type"  Native "native"
        Param "param"  Report "report"  State "state"  Step "step"  Answer "answer"
        Each "each"  Otherwise "otherwise"  Stop "stop"  Players "players"
        As "as"  To "to"  By "by"  Derivative "derivative"  Prox "prox"  Is "is"
    }
    signs {
        Comma ","  Colon ":"  Dot "."  DotDot ".."  Plus "+"  Minus "-"  Star "*"  Slash "/"
        At "@"  Caret "^"  Less "<"  LessEqual "<="  Equal "=="  NotEqual "!="
        GreaterEqual ">="  Greater ">"  Assign "="  PlusAssign "+="  MinusAssign "-="
        StarAssign "*="  SlashAssign "/="  Arrow "->"  FatArrow "=>"  Pipe "|>"  Tilde "~"
        Prime "'"  OpenParen "("  CloseParen ")"  OpenBracket "["  CloseBracket "]"
        OpenBrace "{"  CloseBrace "}"  Semicolon ";"
    }
}

impl Token<'_> {
    /// Whether an operand can end here, so that what follows is an operator.
    pub fn ends_operand(self) -> bool {
        use Token::*;
        matches!(
            self,
            Id(_) | Int(_) | Real(_) | Str(_) | True | False | Prime | CloseParen | CloseBracket | CloseBrace
        )
    }
}

/// A token with its place, as the scanner found it.
#[derive(Debug, Clone, Copy)]
pub struct Lexeme<'t> {
    /// The token.
    pub token: Token<'t>,
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The bytes of indentation before it, if it is the first of its line.
    pub column: Option<usize>,
}

/// What a foreign sign is read as (nothing: it is left out), and what to say about it.
fn meaning(sign: &str) -> (Option<Token<'static>>, &'static str) {
    use Token::*;
    match sign {
        "!" => (Some(Not), "negation is written `not`"),
        "&&" | "&" => (Some(And), "write `and`"),
        "||" => (Some(Or), "write `or`"),
        "**" => (Some(Caret), "powers are written `x^2`"),
        "%" => (Some(Mod), "the remainder is written `a mod b`"),
        "|" => (None, "absolute values are written `abs(x)`, norms `norm(x)`"),
        ":=" | "<-" => (Some(Assign), "write `=`"),
        "===" => (Some(Equal), "write `==`"),
        "!==" => (Some(NotEqual), "write `!=`"),
        "?" => (None, "a choice is written `if c then a else b`"),
        "≤" => (Some(LessEqual), "write `<=`"),
        "≥" => (Some(GreaterEqual), "write `>=`"),
        "≠" => (Some(NotEqual), "write `!=`"),
        "×" | "·" | "⋅" | "⊙" => (Some(Star), "write `*`, or `@` for a matrix product"),
        "÷" => (Some(Slash), "write `/`, or `div` for the quotient of integers"),
        "←" => (Some(Assign), "write `=`"),
        "√" => (None, "write `sqrt(x)`"),
        "∇" => (None, "the gradient of f at x is `grad(f)(x)`"),
        "∂" => (None, "a derivative is `grad(f)(x)`; of several arguments `grad(f, wrt = (a, b))`"),
        "∑" => (None, "write `sum(e for i in 0..n)`"),
        "∏" => (None, "write `prod(e for i in 0..n)`"),
        "≈" => (Some(Equal), "write `abs(a - b) < 1e-9`"),
        "‖" => (None, "a norm is written `norm(x)`"),
        "“" | "”" | "„" | "‘" | "’" => (None, "texts stand in straight quotes, `\"`"),
        "/*" => (None, "comments begin with `//`, on every line"),
        "−" => (Some(Minus), "this is a typographic minus: write `-`"),
        "∈" => (Some(In), "write `in`"),
        "→" => (Some(Arrow), "write `->`"),
        "²" => (None, "write `^2`"),
        "³" => (None, "write `^3`"),
        "∞" => (Some(Id("inf")), "write `inf`"),
        "#" => (None, "comments begin with `//`"),
        "\\" => (
            None,
            "a line goes on by itself after an operator or inside brackets; equations `A x == b` are solved by `inv(A) @ b`",
        ),
        "^=" => (Some(Assign), "write `x = x^…`"),
        "@=" => (Some(Assign), "write `x = x @ …`"),
        _ => (None, "it is not a sign of the language"),
    }
}

/// Turns text into tokens; never fails. What it cannot read is reported and left out.
pub fn scan<'t>(file: FileId, text: &'t str, start: usize, reports: &mut Reports) -> Vec<Lexeme<'t>> {
    let mut scanner =
        Scanner { file, text, reports, found: Vec::new(), last_line: Some(start), after: start, bars: 0 };
    scanner.run(start);
    scanner.found
}

struct Scanner<'t, 'r> {
    file: FileId,
    text: &'t str,
    reports: &'r mut Reports,
    found: Vec<Lexeme<'t>>,
    /// Where the current line begins, until a token has been seen on it.
    last_line: Option<usize>,
    /// One past the last token or comment.
    after: usize,
    /// How many `|x|` and `||x||` are open on the line.
    bars: usize,
}

impl<'t> Scanner<'t, '_> {
    fn run(&mut self, start: usize) {
        let mut lexer = Token::lexer(self.text);
        lexer.bump(start);
        if start == 0 && self.text.starts_with('\u{feff}') {
            lexer.bump('\u{feff}'.len_utf8());
        }
        while let Some(token) = lexer.next() {
            let start = lexer.span().start;
            self.meet_lines(start);
            match token {
                Ok(Token::Foreign) => {
                    let foreign = lexer.slice();
                    let rest = lexer.remainder();
                    let left = self.foreign(foreign, start, rest);
                    lexer.bump(left);
                }
                Ok(Token::Prime) if self.after_dot(start) => {
                    let span = Span::new(self.file, start - 1, start + 1);
                    let advice = "write `A'`";
                    self.reports.push(errors::foreign_sign(span, ".'", Some(Token::Prime), advice));
                    self.found.pop();
                    self.push(Token::Prime, start, start + 1);
                }
                Ok(Token::Prime) if !self.after_operand() => {
                    let rest = lexer.remainder();
                    let line = rest.get(..line_length(rest)).unwrap_or(rest);
                    let inside = line.find('\'').and_then(|end| line.get(..end));
                    lexer.bump(inside.map_or(0, |inside| inside.len() + 1));
                    self.single_quote(inside, start, lexer.span().end);
                }
                Ok(token) => self.token(token, lexer.slice(), start),
                Err(()) => {
                    let span = Span::new(self.file, start, lexer.span().end);
                    self.reports.push(errors::unknown_character(span, lexer.slice()));
                }
            }
            self.after = lexer.span().end;
        }
    }

    /// Looks for line ends in the space before a token.
    fn meet_lines(&mut self, start: usize) {
        let gap = self.text.get(self.after..start).unwrap_or("");
        if let Some(at) = gap.rfind('\n') {
            self.last_line = Some(self.after + at + 1);
            self.bars = 0;
        }
    }

    fn push(&mut self, token: Token<'t>, start: usize, end: usize) {
        let column = self.last_line.take().map(|line| start.saturating_sub(line));
        self.found.push(Lexeme { token, start, end, column });
    }

    fn after_operand(&self) -> bool {
        self.last_line.is_none() && self.found.last().is_some_and(|last| last.token.ends_operand())
    }

    fn token(&mut self, token: Token<'t>, slice: &'t str, start: usize) {
        let end = start + slice.len();
        let span = Span::new(self.file, start, end);
        match token {
            Token::Comment if slice.starts_with("///") && !slice.starts_with("////") => {
                self.push(Token::Doc(slice), start, end);
            }
            Token::Comment => {
                if self.after_operand() && looks_like_division(slice) {
                    self.reports.push(errors::comment_after_operand(Span::new(self.file, start, start + 2)));
                }
            }
            Token::Number => {
                let number = self.number(slice, span);
                self.push(number, start, end);
            }
            Token::OpenString => {
                self.reports.push(errors::string_never_ends(span));
                self.push(Token::Str(""), start, end);
            }
            Token::Str(inside) => {
                self.check_escapes(inside, start + 1);
                self.push(token, start, end);
            }
            other => self.push(other, start, end),
        }
    }

    fn number(&mut self, slice: &str, span: Span) -> Token<'t> {
        let digits: String = slice.chars().filter(|letter| *letter != '_').collect();
        if slice.contains(['.', 'e', 'E']) {
            let value = digits.parse().unwrap_or(f64::INFINITY);
            if value.is_finite() {
                return Token::Real(value);
            }
            self.reports.push(errors::real_too_large(span));
            return Token::Real(0.0);
        }
        digits.parse().map(Token::Int).unwrap_or_else(|_| {
            self.reports.push(errors::integer_too_large(span));
            Token::Int(0)
        })
    }

    fn check_escapes(&mut self, inside: &str, start: usize) {
        let mut letters = inside.char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter != '\\' {
                continue;
            }
            if let Some((_, escaped)) = letters.next()
                && !matches!(escaped, '"' | '\\' | 'n')
            {
                let end = start + at + 1 + escaped.len_utf8();
                let span = Span::new(self.file, start + at, end);
                let path =
                    inside.matches('\\').count() > 1 || inside.get(..at).is_some_and(|it| it.ends_with(':'));
                self.reports.push(errors::unknown_escape(span, escaped, path));
                return;
            }
        }
    }

    /// Whether the last token is a dot behind an operand, directly before the place.
    fn after_dot(&self, start: usize) -> bool {
        let mut last = self.found.iter().rev();
        let dot = last.next().is_some_and(|last| last.token == Token::Dot && last.end == start);
        dot && last.next().is_some_and(|before| before.token.ends_operand())
    }

    /// A sign of another language; gives how many bytes behind it belong to it.
    fn foreign(&mut self, sign: &'t str, start: usize, rest: &'t str) -> usize {
        let end = start + sign.len();
        let span = Span::new(self.file, start, end);
        match sign {
            "|" | "||" | "‖" if self.bars > 0 && self.after_operand() => {
                self.bars -= 1;
                let index = rest.strip_prefix('_').map_or("", |rest| rest);
                let name = index.find(|c: char| !c.is_alphanumeric()).unwrap_or(index.len());
                return if index.is_empty() { 0 } else { name + 1 };
            }
            "|" | "||" | "‖" if !self.after_operand() => {
                self.bars += 1;
                let advice = match sign {
                    "|" => "absolute values are written `abs(x)`, norms `norm(x)`",
                    _ => "norms are written `norm(x)`, `l1(x)`, `norm_inf(x)`",
                };
                self.reports.push(errors::foreign_sign(span, sign, None, advice));
                return 0;
            }
            "%" if self.last_line.is_some() => {
                self.reports.push(errors::foreign_sign(span, sign, None, "comments begin with `//`"));
                return line_length(rest);
            }
            "/*" => {
                self.reports.push(errors::foreign_sign(span, sign, None, meaning(sign).1));
                return rest.find("*/").map_or(rest.len(), |at| at + 2);
            }
            "“" | "„" | "‘" => {
                let line = rest.get(..line_length(rest)).unwrap_or(rest);
                let close = line.find(['”', '“', '’', '‘', '"']);
                self.reports.push(errors::foreign_sign(span, sign, None, meaning(sign).1));
                let inside = close.and_then(|close| line.get(..close));
                self.push(Token::Str(inside.unwrap_or("")), start, end + inside.map_or(0, str::len));
                let quote = close.and_then(|close| line.get(close..)?.chars().next());
                return close.map_or(0, |close| close + quote.map_or(0, char::len_utf8));
            }
            _ => {}
        }
        let (meant, advice) = meaning(sign);
        self.reports.push(errors::foreign_sign(span, sign, meant, advice));
        if let Some(token) = meant {
            self.push(token, start, end);
        }
        if sign == "#" { line_length(rest) } else { 0 }
    }

    fn single_quote(&mut self, inside: Option<&'t str>, start: usize, end: usize) {
        let span = Span::new(self.file, start, end);
        self.reports.push(errors::single_quotes(span, inside));
        if let Some(inside) = inside {
            self.push(Token::Str(inside), start, end);
        }
    }
}

/// The bytes before the end of the first line.
fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Whether a comment is a number, and signs of arithmetic behind it: `// 2`, `// 2 + 1)`.
fn looks_like_division(comment: &str) -> bool {
    let rest = comment.trim_start_matches('/').trim();
    let arithmetic =
        |c: char| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '*' | '(' | ')' | '[' | ']');
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(arithmetic)
}

/// A string literal without its quotes.
fn unquote(slice: &str) -> &str {
    slice.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("")
}

/// The text a string literal stands for; unknown escapes stand for themselves.
pub fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (Vec<Token<'_>>, usize) {
        let mut reports = Reports::default();
        let found = scan(FileId(0), text, 0, &mut reports);
        (found.into_iter().map(|lexeme| lexeme.token).collect(), reports.finish().len())
    }

    #[test]
    fn numbers_and_ranges() {
        use Token::*;
        assert_eq!(words("1..n"), (vec![Int(1), DotDot, Id("n")], 0));
        assert_eq!(words("1.5 2e-3 1_000"), (vec![Real(1.5), Real(2e-3), Int(1000)], 0));
        assert_eq!(words("1.x"), (vec![Int(1), Dot, Id("x")], 0));
        assert_eq!(words("1.5..2.5"), (vec![Real(1.5), DotDot, Real(2.5)], 0));
        assert_eq!(words("99999999999999999999"), (vec![Int(0)], 1));
        assert_eq!(words("1e999"), (vec![Real(0.0)], 1));
    }

    #[test]
    fn names_of_any_script() {
        use Token::*;
        assert_eq!(words("θ₁ λ x_1 _"), (vec![Id("θ₁"), Id("λ"), Id("x_1"), Id("_")], 0));
        assert_eq!(words("form for"), (vec![Id("form"), For], 0));
    }

    #[test]
    fn foreign_signs_are_read_as_meant() {
        use Token::*;
        assert_eq!(words("a ** b"), (vec![Id("a"), Caret, Id("b")], 1));
        assert_eq!(words("!a && b"), (vec![Not, Id("a"), And, Id("b")], 2));
        assert_eq!(words("x # a comment\ny"), (vec![Id("x"), Id("y")], 1));
        assert_eq!(words("f('a')"), (vec![Id("f"), OpenParen, Str("a"), CloseParen], 1));
        assert_eq!(words("A' B"), (vec![Id("A"), Prime, Id("B")], 0));
        assert_eq!(words("\"abc\nx"), (vec![Str(""), Id("x")], 1));
        assert_eq!(words("\"a\\"), (vec![Str("")], 1));
    }

    #[test]
    fn strings() {
        assert_eq!(unescape(r#"a\"b\\c\nd"#), "a\"b\\c\nd");
        assert_eq!(words(r#""a\q""#).1, 1);
        assert_eq!(words(r#""a\"b\n""#).1, 0);
    }
}
