//! Everything this room has to say. One function per diagnostic; `unexpected` finds the habit of
//! another language behind a token that does not fit.

use super::ast::{Expr, MAX_DEPTH};
use super::lines::Placed;
use super::token::Token;
use crate::diag::{FileId, Report, Severity, Span};

/// How many reports a file gets.
const SHOWN: usize = 20;
/// How many of each kind are kept before the first [`SHOWN`] are chosen.
const KEPT: usize = 200;

/// The reports of one file.
#[derive(Debug, Default)]
pub struct Reports {
    errors: Vec<Report>,
    warnings: Vec<Report>,
    too_deep: bool,
}

impl Reports {
    /// Adds a report, unless there are too many already.
    pub fn push(&mut self, report: Report) {
        let list = match report.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if list.len() < KEPT {
            list.push(report);
        }
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Whether there are more errors than will be shown.
    pub fn is_full(&self) -> bool {
        self.errors.len() >= KEPT
    }

    /// Whether an error was found in the span.
    pub fn has_error_in(&self, span: Span) -> bool {
        self.errors.iter().any(|report| {
            report.span.start >= span.start && report.span.start <= span.end
                || report
                    .labels
                    .iter()
                    .any(|label| label.span.start >= span.start && label.span.start <= span.end)
        })
    }

    /// The first reports in the order of the text; errors come before warnings when not all fit.
    pub fn finish(mut self) -> Vec<Report> {
        self.errors.sort_by_key(|report| report.span.start);
        self.warnings.sort_by_key(|report| report.span.start);
        let mut all = self.errors;
        all.append(&mut self.warnings);
        all.truncate(SHOWN);
        all.sort_by_key(|report| report.span.start);
        all
    }

    /// E0107. Said once per file, since everything around a deep place is deep.
    pub fn nested_too_deeply(&mut self, span: Span) {
        if !self.too_deep {
            self.too_deep = true;
            self.push(
                Report::error("E0107", span, "this is nested too deeply")
                    .note(format!(
                        "brackets, blocks and expressions nest at most {MAX_DEPTH} deep"
                    ))
                    .help("give an inner part a name with `let`"),
            );
        }
    }
}

// Characters and tokens

/// E0101. A character that no token begins with.
pub fn unknown_character(span: Span, text: &str) -> Report {
    let first = text.chars().next().unwrap_or('?');
    let message = if first.is_control() || first.is_whitespace() {
        format!(
            "the invisible character U+{:04X} is not part of the language",
            first as u32
        )
    } else {
        format!(
            "the character `{first}` (U+{:04X}) is not part of the language",
            first as u32
        )
    };
    Report::error("E0101", span, message)
}

/// E0101. A sign of other languages; read as what was meant.
pub fn foreign_sign(span: Span, sign: &str, meant: Option<Token<'_>>, advice: &str) -> Report {
    let report =
        Report::error("E0101", span, format!("there is no `{sign}` in Minima")).help(advice);
    match meant.map(Token::text) {
        Some(text) if !text.is_empty() && !sign.ends_with('=') => report.fix(span, text),
        Some(_) | None => report,
    }
}

/// E0102. A string without its closing quote.
pub fn string_never_ends(span: Span) -> Report {
    Report::error("E0102", span, "this string never ends")
        .help("a string stands on one line; `\\n` is a line break in it, `\\\"` a quote")
}

/// E0102. A string in single quotes.
pub fn single_quotes(span: Span, inside: Option<&str>) -> Report {
    let report = Report::error("E0102", span, "strings stand in double quotes");
    match inside {
        Some(inside) => {
            let pasted = format!("\"{}\"", inside.replace('"', "\\\""));
            report.help(format!("write `{pasted}`")).fix(span, pasted)
        }
        None => report.help("`'` transposes what stands directly before it: `A'`"),
    }
}

/// E0103. A backslash before a letter that it gives no meaning.
pub fn unknown_escape(span: Span, letter: char) -> Report {
    Report::error("E0103", span, format!("there is no escape `\\{letter}`"))
        .help("strings know `\\\"`, `\\\\` and `\\n`")
}

/// E0104. An integer beyond 64 bits.
pub fn integer_too_large(span: Span) -> Report {
    Report::error("E0104", span, "this integer does not fit into 64 bits")
        .note(format!("the largest is {}", i64::MAX))
        .help("write it as a real, such as `1e20`")
}

/// E0104. A real beyond the largest.
pub fn real_too_large(span: Span) -> Report {
    Report::error("E0104", span, "this number is larger than any real")
        .note("the largest is about 1.8e308")
        .help("infinity is written `inf`")
}

// Lines and brackets

/// E0105. An opening bracket without its end.
pub fn never_closed(opening: Span, bracket: &str, here: Span) -> Report {
    let end = match bracket {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    Report::error(
        "E0105",
        opening,
        format!("this `{bracket}` is never closed"),
    )
    .label(opening, "opened here")
    .label(here, format!("expected `{end}` by here"))
}

/// E0106. A closing bracket without its beginning.
pub fn closes_nothing(span: Span, bracket: &str) -> Report {
    Report::error("E0106", span, format!("this `{bracket}` closes nothing"))
}

/// E0108. A semicolon where no statement can end.
pub fn semicolon_in_brackets(span: Span) -> Report {
    Report::error("E0108", span, "`;` cannot stand inside brackets")
        .help("the rows of a matrix are arrays: `[[1, 2], [3, 4]]`")
}

/// E0150. A line that may have been meant as a statement of its own.
pub fn minus_continues_line(span: Span) -> Report {
    Report::warning(
        "E0150",
        span,
        "this line goes on with the statement before it",
    )
    .help("indent it to show that, or write `-` without a space after it to begin a statement")
}

/// E0151. `x^2'`
pub fn transposed_exponent(span: Span, base: Span, inner: Span) -> Report {
    Report::warning("E0151", span, "`'` transposes the exponent here")
        .label(inner, "this is what is transposed")
        .label(base, "not this")
        .help("write `(x^2)'` or `x'^2`")
}

/// E0152. A documentation comment where no statement follows.
pub fn documents_nothing(span: Span) -> Report {
    Report::warning("E0152", span, "this comment documents nothing")
        .help("`///` stands above a statement; other comments begin with `//`")
}

// Statements

/// E0113. An expression whose value nobody takes.
pub fn value_is_lost(expr: &Expr) -> Report {
    Report::error("E0113", expr.span, "the value of this expression is lost")
        .note("only the last line of a block may be an expression")
        .help("name it with `let`, or show it with `print`")
        .help("if it goes on with the line before, end that line with the operator")
}

/// E0114. The left side of `=` is not a place.
pub fn cannot_assign(place: &Expr) -> Report {
    Report::error(
        "E0114",
        place.span,
        "only a name, an entry or a field can be assigned to",
    )
    .help("`x = e`, `a[i] = e` and `r.w = e` assign; `let (u, v) = e` takes a tuple apart")
    .help("to compare, write `==`")
}

/// E0115. A lambda whose parameters are not names.
pub fn lambda_takes_names(span: Span) -> Report {
    Report::error("E0115", span, "a parameter must be a name here")
        .help("functions without a name are written `x -> e` and `(x, y) -> e`")
}

/// E0116. A statement that belongs into an objective or optimizer.
pub fn misplaced_statement(span: Span, word: &str, home: &str) -> Report {
    Report::error("E0116", span, format!("`{word}` stands only in an {home}"))
}

/// E0117. A clause given twice.
pub fn clause_twice(span: Span, clause: &str) -> Report {
    Report::error(
        "E0117",
        span,
        format!("there is already a clause `{clause}`"),
    )
    .help("put both into one clause, with commas")
}

/// E0118. An interval with one or three ends.
pub fn interval_has_two_ends(span: Span, found: usize) -> Report {
    Report::error(
        "E0118",
        span,
        format!("an interval has 2 ends, this has {found}"),
    )
}

/// E0119. `prox` behind a primitive.
pub fn prox_of_primitive(span: Span) -> Report {
    Report::error("E0119", span, "a primitive has no `prox` clause")
        .help("declare a `fn` that calls it, and give that one the clause")
}

/// E0120. Text that should be one expression and is not.
pub fn not_one_expression(span: Span) -> Report {
    Report::error("E0120", span, "expected one expression")
}

// What does not fit

/// A token that does not fit, with what stands around it.
pub struct Unexpected<'a, 't> {
    /// The file.
    pub file: FileId,
    /// The text of the file.
    pub text: &'t str,
    /// The tokens of the file.
    pub tokens: &'a [Placed<'t>],
    /// The place of the token that does not fit; the number of tokens at the end of the file.
    pub at: usize,
    /// Whether the statement is the last of the file.
    pub last: bool,
    /// What would fit, by the names the grammar has for them.
    pub expected: &'a [String],
}

impl<'t> Unexpected<'_, 't> {
    fn token(&self, at: usize) -> Token<'t> {
        self.tokens
            .get(at)
            .map_or(Token::Sep, |(_, token, _)| *token)
    }

    fn before(&self) -> Token<'t> {
        self.at
            .checked_sub(1)
            .map_or(Token::Sep, |at| self.token(at))
    }

    fn found(&self) -> Token<'t> {
        self.token(self.at)
    }

    fn span_of(&self, at: usize) -> Span {
        let end = self.text.len();
        let (start, end) = self
            .tokens
            .get(at)
            .map_or((end, end), |(start, _, end)| (*start, *end));
        Span::new(self.file, start, end)
    }

    /// The place of the token; the end of the line before, if it is a line end.
    pub fn span(&self) -> Span {
        match (self.found(), self.at.checked_sub(1)) {
            (Token::Sep, Some(before)) => {
                let end = self.span_of(before).end as usize;
                Span::new(self.file, end, end)
            }
            _ => self.span_of(self.at),
        }
    }

    /// The first token of the statement around the place.
    fn first(&self) -> Token<'t> {
        let before = self.tokens.get(..self.at).unwrap_or(&[]);
        let start = before.iter().rposition(|(_, token, _)| {
            matches!(
                token,
                Token::Sep | Token::OpenBrace | Token::CloseBrace | Token::Doc(_)
            )
        });
        self.token(start.map_or(0, |start| start + 1))
    }

    fn expects(&self, what: &str) -> bool {
        self.expected
            .iter()
            .any(|expected| expected.trim_matches('"') == what)
    }

    fn expects_operand(&self) -> bool {
        self.expects("int")
    }

    /// The innermost bracket open at the place.
    fn opening(&self) -> Option<usize> {
        let mut closed = 0usize;
        for at in (0..self.at).rev() {
            match self.token(at) {
                Token::CloseParen | Token::CloseBracket | Token::CloseBrace => closed += 1,
                Token::OpenParen | Token::OpenBracket | Token::OpenBrace if closed == 0 => {
                    return Some(at);
                }
                Token::OpenParen | Token::OpenBracket | Token::OpenBrace => closed -= 1,
                _ => {}
            }
        }
        None
    }
}

/// The report for a token that does not fit.
pub fn unexpected(place: &Unexpected<'_, '_>) -> Report {
    reserved_word(place)
        .or_else(|| foreign_statement(place))
        .or_else(|| foreign_form(place))
        .unwrap_or_else(|| generic(place))
}

/// E0110. Says what fits and what was found.
fn generic(place: &Unexpected<'_, '_>) -> Report {
    let found = describe(place.found(), place.last && place.at >= place.tokens.len());
    let message = match expectation(place) {
        Some(expected) => format!("expected {expected}, found {found}"),
        None => format!("{found} does not fit here"),
    };
    let mut report = Report::error("E0110", place.span(), message);
    if matches!(
        place.found(),
        Token::CloseParen | Token::CloseBracket | Token::Sep
    ) && let Some(opening) = place.opening()
        && place.token(opening) != Token::OpenBrace
    {
        report = report.label(place.span_of(opening), "the bracket opened here");
    }
    match advice(place) {
        Some(advice) => report.help(advice),
        None => report,
    }
}

/// E0111. A reserved word where a name is wanted.
fn reserved_word(place: &Unexpected<'_, '_>) -> Option<Report> {
    let word = place.found();
    let wants_name = place.expects("name") && !place.expects_operand();
    let names_thing = matches!(
        (place.before(), place.token(place.at + 1)),
        (
            Token::Comma | Token::OpenParen,
            Token::Colon | Token::Comma | Token::Tilde
        )
    );
    let defines = wants_name || (names_thing && place.expects("name"));
    (word.is_reserved() && defines).then(|| {
        let text = word.text();
        Report::error(
            "E0111",
            place.span(),
            format!("`{text}` is a word of the language, not a name"),
        )
        .help(format!(
            "choose another name, such as `{text}_` or `my_{text}`"
        ))
    })
}

/// E0112. A statement of another language, known by its first word.
fn foreign_statement(place: &Unexpected<'_, '_>) -> Option<Report> {
    let told =
        |message: &str, help: &str| Some(Report::error("E0112", place.span(), message).help(help));
    let word_before = match place.before() {
        Token::Id(word) => word,
        _ => "",
    };
    let followed = matches!(
        place.found(),
        Token::Id(_)
            | Token::OpenParen
            | Token::Str(_)
            | Token::Int(_)
            | Token::Real(_)
            | Token::Minus
    ) || place.found().is_reserved();
    match (word_before, place.found()) {
        (_, Token::While) => told(
            "there is no `while` loop",
            "loops are bounded: `for k in 0..1000 while c { … }`",
        ),
        ("def" | "function" | "func" | "fun", Token::Id(_)) => told(
            "functions begin with `fn`",
            "write `fn f(x) = e` or `fn f(x) { … }`",
        ),
        ("lambda", Token::Id(_) | Token::Colon) => told(
            "functions without a name have no `lambda`",
            "write `x -> e` or `(x, y) -> e`",
        ),
        ("elif" | "elsif" | "elseif", _) if followed => told(
            "this is written `else if`",
            "`if a { … } else if b { … } else { … }`",
        ),
        ("return", _) if followed => told(
            "there is no `return`",
            "the value of a block is its last line: leave the word out",
        ),
        ("const" | "auto" | "double" | "float" | "int" | "real", Token::Id(_)) => told(
            "values are named with `let`",
            "write `let x = e`, or `let x: real = e`",
        ),
        ("mut", Token::Id(_)) => told("what changes is declared with `var`", "write `var x = e`"),
        ("import" | "use" | "include", Token::Id(_)) => told(
            "a file is imported by its path",
            "write `import \"file.opt\" as m`",
        ),
        ("class" | "struct" | "record" | "enum", Token::Id(_)) => told(
            "types are named with `type`",
            "write `type Point = (x: real, y: real)`",
        ),
        ("await" | "yield" | "async" | "raise" | "throw" | "del" | "global", Token::Id(_)) => told(
            &format!("there is no `{word_before}` in Minima"),
            "a program is a function of its inputs",
        ),
        (
            "objective" | "optimizer" | "set" | "distribution" | "type" | "param",
            Token::OpenBrace | Token::OpenParen,
        ) => told(
            &format!("this {word_before} needs a name"),
            &format!("write `{word_before} name …`"),
        ),
        _ => None,
    }
}

/// E0112. A form of another language, known by the token that does not fit.
fn foreign_form(place: &Unexpected<'_, '_>) -> Option<Report> {
    let told =
        |message: &str, help: &str| Some(Report::error("E0112", place.span(), message).help(help));
    let first = place.first();
    let header = matches!(
        first,
        Token::If
            | Token::For
            | Token::Fn
            | Token::Else
            | Token::CloseBrace
            | Token::Id("else" | "elif")
    );
    let before = place.before();
    match place.found() {
        Token::Colon
            if header
                && place
                    .opening()
                    .is_none_or(|at| place.token(at) == Token::OpenBrace) =>
        {
            told(
                "blocks stand in braces, not after `:`",
                "write `for i in 0..n { … }`",
            )
        }
        Token::Colon
            if place
                .opening()
                .is_some_and(|at| place.token(at) != Token::OpenBracket) =>
        {
            told(
                "a `:` does not fit here",
                "records are written `(a = 1, b = 2)`",
            )
        }
        Token::Colon if place.opening().is_some() => told(
            "a `:` does not fit here",
            "ranges are written `x[1..3]`; `x[:]` is all of x",
        ),
        Token::Equal if place.expects("=") => told(
            "a definition has one `=`",
            "`let x = e` defines, `x == e` compares",
        ),
        Token::Assign if place.expects("==") && !place.expects("=") => Some(
            told("this `=` does not compare", "write `==` to compare")?.fix(place.span(), "=="),
        ),
        Token::FatArrow if first == Token::Fn && place.expects("=") => told(
            "the body of a function stands after `=`",
            "write `fn f(x) = e`, or `fn f(x) { … }`",
        ),
        Token::Plus if before == Token::Plus || place.expects_operand() => told(
            "there is no `+` before an operand",
            "leave it out; `x += 1` adds to a variable",
        ),
        Token::For
            if before != Token::Sep && place.opening().is_some_and(|at| is_group(place, at)) =>
        {
            told(
                "a generator stands in `[ ]` or as the last argument of a function",
                "write `[e for p in S]` or `sum(e for p in S)`",
            )
        }
        Token::OpenBrace if place.expects_operand() => told(
            "a block cannot stand here",
            "records are written `(a = 1, b = 2)`, sets `[1, 2]`; a block stands after `=`, `->` or in `( )`",
        ),
        Token::Solve | Token::Minimize | Token::Maximize | Token::Bound
            if place.expects_operand() =>
        {
            let word = place.found().text();
            told(
                &format!("`{word}` inside an expression stands in parentheses"),
                &format!("write `({word} …)`"),
            )
        }
        Token::Minimize | Token::Maximize if place.expects("end") => None,
        Token::In
            if place
                .opening()
                .is_some_and(|at| place.token(at.wrapping_sub(1)) == Token::For) =>
        {
            told(
                "the binding of a `for` has no parentheses around it",
                "write `for p in S { … }`",
            )
        }
        Token::Sep | Token::CloseParen | Token::CloseBracket | Token::Comma | Token::CloseBrace
            if place.expects("else") && !place.expects(")") && !place.expects("end") =>
        {
            told(
                "an `if` that is a value needs an `else`",
                "write `if c then a else b`, or `if c { a } else { b }`",
            )
        }
        Token::Sep if place.expects("else") && place.expects("then") => told(
            "an `if` that is a value needs an `else`",
            "write `if c then a else b`",
        ),
        Token::Id(_) if matches!(before, Token::Int(_) | Token::Real(_)) => {
            told("a product is written with `*`", "write `2*x`")
        }
        Token::Int(_) if before == Token::Dot => told(
            "a number has digits on both sides of its point",
            "write `0.5`",
        ),
        Token::Dot if place.expects_operand() => told(
            "a number has digits on both sides of its point",
            "write `0.5`",
        ),
        Token::Sep | Token::CloseParen | Token::CloseBracket | Token::Comma
            if before == Token::Dot =>
        {
            told(
                "a number has digits on both sides of its point",
                "write `1.0`; a field is `r.name`",
            )
        }
        _ => None,
    }
}

/// Whether the bracket is a `(` around an expression, not around arguments.
fn is_group(place: &Unexpected<'_, '_>, at: usize) -> bool {
    let before = at
        .checked_sub(1)
        .map_or(Token::Sep, |before| place.token(before));
    place.token(at) == Token::OpenParen && !before.ends_operand()
}

/// A further hint for a token that does not fit.
fn advice(place: &Unexpected<'_, '_>) -> Option<&'static str> {
    match (place.before(), place.found()) {
        (Token::Id(_), Token::Id(_) | Token::Int(_) | Token::Real(_)) => {
            Some("an operator, a comma or a line end is missing before this")
        }
        (_, Token::Else) => Some("an `else` follows the `}` of its `if`"),
        (_, Token::For) if !place.expects("for") => Some(
            "a loop begins a line; a constraint for a family has its `for` on its own line's end",
        ),
        (Token::MinimizeClause | Token::MaximizeClause, _) => None,
        (_, Token::Using | Token::From | Token::Until | Token::With)
            if matches!(place.first(), Token::MinimizeClause | Token::MaximizeClause) =>
        {
            Some(
                "inside an objective `minimize` has only `over`, `given` and `subject to`; the others stand at `solve`",
            )
        }
        _ => None,
    }
}

/// How a token is called in a sentence.
fn describe(token: Token<'_>, at_end: bool) -> String {
    match token {
        _ if at_end => "the end of the file".to_string(),
        Token::Id(name) => format!("the name `{}`", shortened(name)),
        Token::Int(value) => format!("the number {value}"),
        Token::Real(value) => format!("the number {value}"),
        Token::Str(inside) => format!("the string \"{}\"", shortened(inside)),
        Token::Doc(_) => "a documentation comment".to_string(),
        Token::Sep => "the end of the statement".to_string(),
        Token::Bad => "a statement with an error".to_string(),
        other => format!("`{}`", other.text()),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 30 {
        return text.to_string();
    }
    text.chars().take(29).chain(['…']).collect()
}

/// Groups of what may stand at a place, in the order they are named. A group is named by its
/// first member, if that is expected; its other members go without saying.
const GROUPS: &[(&str, &str, &[&str])] = &[
    ("let", "a statement", &[]),
    (
        "int",
        "an expression",
        &[
            "real", "string", "true", "false", "name", "(", "[", "-", "not", "if", "solve",
            "minimize", "maximize", "bound", "{", "..", ":",
        ],
    ),
    ("name", "a name", &["("]),
    ("string", "a string", &[]),
    ("*", "", OPERATORS),
];

/// Signs that could go on with any expression: worth naming only when nothing else fits.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "mod", "div", "@", "^", "<", "<=", "==", "!=", ">=", ">", "and", "or",
    "|>", "..", "'", ".", "(", "[", "->", "+=", "-=", "*=", "/=",
];

/// What fits, in words.
fn expectation(place: &Unexpected<'_, '_>) -> Option<String> {
    let mut left: Vec<&str> = place
        .expected
        .iter()
        .map(|name| name.trim_matches('"'))
        .collect();
    if left.contains(&"let") {
        return Some("a statement".to_string());
    }
    let mut named: Vec<String> = Vec::new();
    for (sign, words, others) in GROUPS {
        if left.contains(sign) {
            left.retain(|name| name != sign && !others.contains(name));
            if !words.is_empty() {
                named.push((*words).to_string());
            }
        }
    }
    left.retain(|name| {
        !matches!(*name, "bad" | "doc" | "=" | "}" | "end") || keep_end(name, place)
    });
    named.extend(left.iter().map(|name| match *name {
        "end" => "the end of the statement".to_string(),
        name => format!("`{name}`"),
    }));
    named.truncate(5);
    let last = named.pop()?;
    Some(if named.is_empty() {
        last
    } else {
        format!("{} or {last}", named.join(", "))
    })
}

/// Line ends are worth naming unless the place is inside brackets; `=` unless an operand came before.
fn keep_end(name: &str, place: &Unexpected<'_, '_>) -> bool {
    match name {
        "=" => !place.expects("=="),
        "end" => true,
        _ => false,
    }
}
