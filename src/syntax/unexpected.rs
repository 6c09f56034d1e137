//! What to say of a token that does not fit: first the habits of other languages, then what the
//! grammar expected, in words.

use super::habits::habit;
use super::lines::Placed;
use super::marks::hint;
use super::token::Token;
use crate::diag::{FileId, Report, Span};

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
    /// The token at a place.
    pub(super) fn token(&self, at: usize) -> Token<'t> {
        self.tokens.get(at).map_or(Token::Sep, |(_, token, _)| *token)
    }

    /// The token so many before.
    pub(super) fn back(&self, count: usize) -> Token<'t> {
        self.at.checked_sub(count).map_or(Token::Sep, |at| self.token(at))
    }

    pub(super) fn before(&self) -> Token<'t> {
        self.back(1)
    }

    pub(super) fn found(&self) -> Token<'t> {
        self.token(self.at)
    }

    /// Where a token stands.
    pub(super) fn span_of(&self, at: usize) -> Span {
        let end = self.text.len();
        let (start, end) = self.tokens.get(at).map_or((end, end), |(start, _, end)| (*start, *end));
        Span::new(self.file, start, end)
    }

    /// The empty place behind the token before.
    pub(super) fn end_before(&self) -> Span {
        let before = self.span_of(self.at.saturating_sub(1));
        Span { start: before.end, ..before }
    }

    /// The text of tokens, without the space around.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'t str {
        let Some(last) = to.checked_sub(1).filter(|last| *last >= from) else { return "" };
        let (start, end) = (self.span_of(from).start as usize, self.span_of(last).end as usize);
        self.text.get(start..end).unwrap_or("")
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

    /// The place of the first token of the statement around the place.
    pub(super) fn start(&self) -> usize {
        let before = self.tokens.get(..self.at).unwrap_or(&[]);
        let start = before.iter().rposition(|(_, token, _)| {
            matches!(token, Token::Sep | Token::OpenBrace | Token::CloseBrace | Token::Doc(_))
        });
        start.map_or(0, |start| start + 1)
    }

    /// One past the last token of the statement, as far as it goes on in this block.
    pub(super) fn statement_end(&self) -> usize {
        let ends = |at: &usize| matches!(self.token(*at), Token::Sep | Token::OpenBrace | Token::CloseBrace);
        (self.at..self.tokens.len()).find(ends).unwrap_or(self.tokens.len())
    }

    /// The first token of the statement around the place.
    pub(super) fn first(&self) -> Token<'t> {
        self.token(self.start())
    }

    /// Where a word stands in the statement before the place.
    pub(super) fn word_in_statement(&self, word: Token<'_>) -> Option<usize> {
        (self.start()..self.at).rfind(|at| self.token(*at) == word)
    }

    /// The clause of a solve that the place is in.
    pub(super) fn last_clause(&self) -> Option<Token<'t>> {
        let clause = |token: &Token<'_>| {
            matches!(token, Token::Over | Token::From | Token::Using | Token::Until | Token::With)
        };
        (self.start()..self.at).rev().map(|at| self.token(at)).find(clause)
    }

    /// Whether no space stands before the token.
    pub(super) fn touches(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.span_of(at).end);
        before == Some(self.span_of(self.at).start)
    }

    pub(super) fn expects(&self, what: &str) -> bool {
        self.expected.iter().any(|expected| expected.trim_matches('"') == what)
    }

    pub(super) fn expects_operand(&self) -> bool {
        self.expects("int")
    }

    /// Whether no `(` or `[` is open, so that a statement could end here.
    pub(super) fn in_block(&self) -> bool {
        self.opening().is_none_or(|at| self.token(at) == Token::OpenBrace)
    }

    /// What is called with the arguments around the place: its last token.
    pub(super) fn called_at(&self) -> Option<usize> {
        let open = self.opening().filter(|at| self.token(*at) == Token::OpenParen)?;
        let before = open.checked_sub(1)?;
        let called = self.token(before).ends_operand()
            || matches!(
                self.token(before),
                Token::Minimize | Token::Maximize | Token::MinimizeClause | Token::MaximizeClause
            );
        (called && self.token(before) != Token::CloseBrace).then_some(before)
    }

    /// The innermost bracket open at the place.
    pub(super) fn opening(&self) -> Option<usize> {
        self.opening_before(self.at)
    }

    /// The bytes of the array around the place.
    pub fn array_around(&self) -> Option<(usize, usize)> {
        let open = self.opening().filter(|at| self.token(*at) == Token::OpenBracket)?;
        let end = self.closing(open)?;
        Some((self.span_of(open).start as usize, self.span_of(end).end as usize))
    }

    fn opening_before(&self, end: usize) -> Option<usize> {
        let mut closed = 0usize;
        for at in (0..end).rev() {
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

    /// The end of a bracket.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut deep = 0usize;
        for at in open..self.tokens.len() {
            match self.token(at) {
                Token::OpenParen | Token::OpenBracket | Token::OpenBrace => deep += 1,
                Token::CloseParen | Token::CloseBracket | Token::CloseBrace => {
                    deep = deep.saturating_sub(1);
                    if deep == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The word that begins the declaration, or the `step`, whose braces are around the place.
    pub(super) fn home(&self) -> Option<Token<'t>> {
        let mut end = self.at;
        while let Some(open) = self.opening_before(end) {
            if self.token(open) == Token::OpenBrace {
                let place = Unexpected { at: open, ..*self };
                let first = place.first();
                if matches!(first, Token::Objective | Token::Optimizer | Token::Step | Token::Fn) {
                    return Some(first);
                }
            }
            end = open;
        }
        None
    }
}

/// The report for a token that does not fit.
pub fn unexpected(place: &Unexpected<'_, '_>) -> Report {
    reserved_word(place)
        .or_else(|| habit(place))
        .or_else(|| foreign_statement(place))
        .or_else(|| foreign_form(place))
        .unwrap_or_else(|| generic(place))
}

/// Words that begin a statement.
const STATEMENTS: &[&str] = &[
    "let",
    "var",
    "fn",
    "for",
    "if",
    "print",
    "plot",
    "save",
    "assert",
    "import",
    "input",
    "test",
    "objective",
    "optimizer",
    "set",
    "distribution",
    "type",
    "param",
    "minimize",
    "maximize",
    "report",
    "state",
    "step",
    "answer",
    "stop",
    "precision",
];

/// A misspelt word of the language: the token itself where a clause may stand, or the name before it
/// at the start of a statement.
fn misspelt(place: &Unexpected<'_, '_>, report: Report) -> Report {
    if let Token::Id(name) = place.found() {
        let clauses = CLAUSES.iter().chain(&["given", "for", "else", "then", "in"]).copied();
        let report = report.clone().did_you_mean(name, clauses.filter(|word| place.expects(word)));
        if !report.help.is_empty() {
            return report;
        }
    }
    let starts = place.at.checked_sub(2).is_none_or(|at| {
        matches!(place.token(at), Token::Sep | Token::OpenBrace | Token::CloseBrace | Token::Doc(_))
    });
    let Some(before) = place.at.checked_sub(1).filter(|_| starts) else { return report };
    let Token::Id(name) = place.token(before) else { return report };
    let synonym = SYNONYMS.iter().find(|(names, _)| names.contains(&name)).map(|(_, word)| *word);
    let near = || crate::diag::nearest(name, STATEMENTS.iter().copied());
    match synonym.map(str::to_string).or_else(near) {
        Some(word) => {
            report.help(format!("did you mean `{word}` for `{name}`?")).fix(place.span_of(before), word)
        }
        None => report,
    }
}

/// What people write for words that begin a statement.
const SYNONYMS: &[(&[&str], &str)] = &[
    (&["parameter", "parameters", "params", "variable", "variables", "weights", "trainable"], "param"),
    (&["update", "iterate", "iteration", "next"], "step"),
    (&["show", "println", "printf", "disp", "display", "echo", "puts"], "print"),
    (&["minimise", "loss", "cost", "argmin"], "minimize"),
    (&["maximise", "reward", "argmax"], "maximize"),
    (&["problem", "model"], "objective"),
    (&["metric", "log"], "report"),
];

/// E0110. Says what fits and what was found.
fn generic(place: &Unexpected<'_, '_>) -> Report {
    let found = describe(place.found(), place.last && place.at >= place.tokens.len());
    let message = match expectation(place) {
        Some(expected) => format!("expected {expected}, found {found}"),
        None => format!("{found} does not fit here"),
    };
    let mut report = Report::error("E0110", place.span(), message);
    if matches!(place.found(), Token::CloseParen | Token::CloseBracket | Token::Sep)
        && let Some(opening) = place.opening()
        && place.token(opening) != Token::OpenBrace
    {
        report = report.label(place.span_of(opening), "the bracket opened here");
    }
    let report = misspelt(place, report);
    let report = if report.help.is_empty() { hint(place, report) } else { report };
    match advice(place) {
        Some(advice) if report.help.is_empty() => report.help(advice),
        Some(_) | None => report,
    }
}

/// E0111. A reserved word where a name is wanted.
fn reserved_word(place: &Unexpected<'_, '_>) -> Option<Report> {
    let word = place.found();
    let wants_name = place.expects("name") && !place.expects_operand();
    let names_thing = matches!(
        (place.before(), place.token(place.at + 1)),
        (Token::Comma | Token::OpenParen, Token::Colon | Token::Comma | Token::Tilde)
    );
    let defines = wants_name || (names_thing && place.expects("name"));
    (word.is_reserved() && defines).then(|| {
        let text = word.text();
        Report::error("E0111", place.span(), format!("`{text}` is a word of the language, not a name"))
            .help(format!("choose another name, such as `{text}_` or `my_{text}`"))
    })
}

/// E0112. A statement of another language, known by its first word.
fn foreign_statement(place: &Unexpected<'_, '_>) -> Option<Report> {
    let told = |message: &str, help: &str| Some(Report::error("E0112", place.span(), message).help(help));
    let word_before = match place.before() {
        Token::Id(word) => word,
        _ => "",
    };
    let followed = matches!(
        place.found(),
        Token::Id(_) | Token::OpenParen | Token::Str(_) | Token::Int(_) | Token::Real(_) | Token::Minus
    ) || place.found().is_reserved();
    let starts = place.at == place.start() + 1;
    match (word_before, place.found()) {
        (_, Token::While) => {
            told("there is no `while` loop", "loops are bounded: `for k in 0..1000 while c { … }`")
        }
        ("def" | "function" | "func" | "fun", Token::Id(_)) => {
            told("functions begin with `fn`", "write `fn f(x) = e` or `fn f(x) { … }`")
        }
        ("lambda", Token::Id(_) | Token::Colon) => {
            told("functions without a name have no `lambda`", "write `x -> e` or `(x, y) -> e`")
        }
        ("elif" | "elsif" | "elseif", _) if starts => {
            let at = place.span_of(place.at.saturating_sub(1));
            let report = Report::error("E0112", at, "this is written `else if`");
            Some(report.help("`if a { … } else if b { … } else { … }`"))
        }
        ("repeat" | "loop" | "do" | "try" | "except" | "finally" | "unsafe", _) if starts => {
            let at = place.span_of(place.at.saturating_sub(1));
            let report = Report::error("E0112", at, format!("there is no `{word_before}` in Minima"));
            Some(match word_before {
                "repeat" | "loop" | "do" => report.help("loops are bounded: `for k in 0..1000 { … }`"),
                _ => report.help("an operation that fails ends the program with its place"),
            })
        }
        ("constraint" | "constraints" | "st", _) if starts => {
            let at = place.span_of(place.at.saturating_sub(1));
            let report = Report::error("E0112", at, "constraints stand behind `subject to`");
            Some(report.help(
                "they are not built yet: add a penalty to what is minimized, such as `100*relu(-x)^2` for `x >= 0`",
            ))
        }
        (_, Token::Id("elif" | "elsif" | "elseif")) => {
            told("this is written `else if`", "`if a { … } else if b { … } else { … }`")
        }
        ("return", _) if followed => {
            let help = match place.home() {
                Some(Token::Objective) => "an objective says `minimize` before its value",
                Some(Token::Step) => "a step assigns: `x = x - lr*g`",
                _ => "the value of a block is its last line: leave the word out",
            };
            told("there is no `return`", help)
        }
        ("const" | "auto" | "double" | "float" | "int" | "real", Token::Id(_)) if place.in_block() => {
            told("values are named with `let`", "write `let x = e`, or `let x: real = e`")
        }
        ("mut", Token::Id(_)) => told("what changes is declared with `var`", "write `var x = e`"),
        ("import" | "use" | "include", Token::Id(_)) => {
            told("a file is imported by its path", "write `import \"file.opt\" as m`")
        }
        ("class" | "struct" | "record" | "enum", Token::Id(_)) => {
            told("types are named with `type`", "write `type Point = (x: real, y: real)`")
        }
        ("await" | "yield" | "async" | "raise" | "throw" | "del" | "global", Token::Id(_)) => {
            told(&format!("there is no `{word_before}` in Minima"), "a program is a function of its inputs")
        }
        (
            "objective" | "optimizer" | "set" | "distribution" | "type" | "param",
            Token::OpenBrace | Token::OpenParen,
        ) => told(&format!("this {word_before} needs a name"), &format!("write `{word_before} name …`")),
        ("test", Token::OpenBrace) => told("this test needs a name", "write `test \"name\" { … }`"),
        ("stop", Token::If) => told("this `stop` names no status", "write `stop locally_solved if c`"),
        (_, Token::OpenParen) if place.first() == Token::Let && place.expects("~") => {
            told("functions are declared with `fn`", "write `fn f(x) = e`, or `let f = x -> e`")
        }
        _ => None,
    }
}

/// E0112. A form of another language, known by the token that does not fit.
fn foreign_form(place: &Unexpected<'_, '_>) -> Option<Report> {
    let told = |message: &str, help: &str| Some(Report::error("E0112", place.span(), message).help(help));
    let first = place.first();
    let header = matches!(
        first,
        Token::If | Token::For | Token::Fn | Token::Else | Token::CloseBrace | Token::Id("else" | "elif")
    );
    let before = place.before();
    match place.found() {
        Token::Colon if header && place.opening().is_none_or(|at| place.token(at) == Token::OpenBrace) => {
            let help = match first {
                Token::If => "write `if c { … } else { … }`",
                Token::Else | Token::CloseBrace | Token::Id(_) => "write `} else { … }`",
                Token::Fn => "write `fn f(x) = e` or `fn f(x) { … }`",
                _ => "write `for i in 0..n { … }`",
            };
            told("blocks stand in braces, not after `:`", help)
        }
        Token::Colon if place.opening().is_some_and(|at| place.token(at) != Token::OpenBracket) => {
            told("a `:` does not fit here", "records are written `(a = 1, b = 2)`")
        }
        Token::Colon if place.opening().is_some() => {
            told("a `:` does not fit here", "ranges are written `x[1..3]`; `x[:]` is all of x")
        }
        Token::Equal if place.expects("=") => {
            told("a definition has one `=`", "`let x = e` defines, `x == e` compares")
        }
        Token::Assign if before.ends_operand() && !place.expects("=") && !place.expects(":") => {
            Some(told("this `=` does not compare", "write `==` to compare")?.fix(place.span(), "=="))
        }
        Token::FatArrow if first == Token::Fn && place.expects("=") => {
            told("the body of a function stands after `=`", "write `fn f(x) = e`, or `fn f(x) { … }`")
        }
        Token::Plus if before == Token::Plus || place.expects_operand() => {
            told("there is no `+` before an operand", "leave it out; `x += 1` adds to a variable")
        }
        Token::For if before != Token::Sep && place.opening().is_some_and(|at| is_group(place, at)) => told(
            "a generator stands in `[ ]` or as the last argument of a function",
            "write `[e for p in S]` or `sum(e for p in S)`",
        ),
        Token::OpenBrace
            if place.expects_operand()
                && !matches!(before, Token::If | Token::In | Token::While | Token::Tilde) =>
        {
            told(
                "a block cannot stand here",
                "records are written `(a = 1, b = 2)`; a block stands after `=`, `->` or in `( )`",
            )
        }
        Token::Solve | Token::Minimize | Token::Maximize | Token::Bound if place.expects_operand() => {
            let word = place.found().text();
            told(
                &format!("`{word}` inside an expression stands in parentheses"),
                &format!("write `({word} …)`"),
            )
        }
        Token::Minimize | Token::Maximize if place.expects("end") => None,
        Token::In if place.opening().is_some_and(|at| place.token(at.wrapping_sub(1)) == Token::For) => {
            told("the binding of a `for` has no parentheses around it", "write `for p in S { … }`")
        }
        Token::Sep | Token::CloseParen | Token::CloseBracket | Token::Comma | Token::CloseBrace
            if place.expects("else") && !place.expects(")") && !place.expects("end") =>
        {
            told(
                "an `if` that is a value needs an `else`",
                "write `if c then a else b`, or `if c { a } else { b }`",
            )
        }
        Token::Sep if place.expects("else") && place.expects("then") => {
            told("an `if` that is a value needs an `else`", "write `if c then a else b`")
        }
        _ => None,
    }
}

/// Whether the bracket is a `(` around an expression, not around arguments.
fn is_group(place: &Unexpected<'_, '_>, at: usize) -> bool {
    let before = at.checked_sub(1).map_or(Token::Sep, |before| place.token(before));
    place.token(at) == Token::OpenParen && !before.ends_operand()
}

/// A further hint for a token that does not fit.
fn advice(place: &Unexpected<'_, '_>) -> Option<&'static str> {
    match (place.before(), place.found()) {
        (Token::Id(_), Token::Id(_) | Token::Int(_) | Token::Real(_)) => {
            Some("an operator, a comma or a line end is missing before this")
        }
        (_, Token::To) if place.first() == Token::Plot && place.word_in_statement(Token::With).is_some() => {
            Some("`to \"file\"` stands before `with`: `plot x to \"x.svg\" with title = \"…\"`")
        }
        (_, Token::Else) => Some("an `else` follows the `}` of its `if`"),
        (_, Token::For) if !place.expects("for") => {
            Some("a loop begins a line; a constraint for a family has its `for` on its own line's end")
        }
        (_, Token::In) => Some("`in` stands in bindings, declarations and constraints"),
        (_, Token::CloseParen | Token::CloseBracket) if place.expects("in") && place.expects("~") => {
            Some("a generator is the last argument; behind its comma stands a binding `q in T`")
        }
        (_, _) if place.first() == Token::Fn && place.expects("=") && place.expects("->") => {
            Some("the type of the result stands behind `->`, the body behind `=`")
        }
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

/// What can begin an expression; named as one.
const OPERANDS: &[&str] = &[
    "int", "real", "string", "true", "false", "name", "(", "[", "-", "not", "if", "solve", "minimize",
    "maximize", "bound", "{", "..", ":",
];

/// Signs that could go on with any expression: worth naming only when nothing else fits.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "mod", "div", "@", "^", "<", "<=", "==", "!=", ">=", ">", "and", "or", "|>", "..",
    "'", ".", "(", "[", "->", "+=", "-=", "*=", "/=", "=",
];

/// Words that begin a clause of a `solve`.
const CLAUSES: &[&str] = &["over", "from", "using", "until", "with", "subject"];

/// What fits, in words.
fn expectation(place: &Unexpected<'_, '_>) -> Option<String> {
    let names = place.expected.iter().map(|name| name.trim_matches('"'));
    let mut left: Vec<&str> = names.filter(|name| !matches!(*name, "bad" | "doc" | "}")).collect();
    if left.contains(&"let") {
        return Some("a statement".to_string());
    }
    let mut named: Vec<String> = Vec::new();
    if left.contains(&"int") {
        left.retain(|name| !OPERANDS.contains(name));
        named.push("an expression".to_string());
    } else if left.contains(&"name") {
        left.retain(|name| !matches!(*name, "name" | "("));
        let ty = matches!(place.before(), Token::Colon | Token::Arrow);
        named.push(if ty { "a type" } else { "a name" }.to_string());
    }
    if left.iter().any(|name| !OPERATORS.contains(name)) {
        left.retain(|name| !OPERATORS.contains(name) || *name == "=");
    } else if left.len() > 2 && named.is_empty() {
        left.clear();
        named.push("an operator".to_string());
    }
    if CLAUSES.iter().all(|clause| left.contains(clause)) {
        left.retain(|name| !CLAUSES.contains(name));
        left.push("a clause such as `using`");
    }
    let ends = left.is_empty() && place.in_block() && place.before().ends_operand();
    if ends || left.contains(&"end") {
        left.retain(|name| *name != "end");
        left.push("the end of the statement");
    }
    named.extend(left.iter().map(|name| match *name {
        "string" => "a string".to_string(),
        "subject" => "`subject to`".to_string(),
        words if words.contains(' ') => words.to_string(),
        sign => format!("`{sign}`"),
    }));
    named.truncate(6);
    let last = named.pop()?;
    Some(if named.is_empty() { last } else { format!("{} or {last}", named.join(", ")) })
}
