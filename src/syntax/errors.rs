//! Everything this room has to say, one function per diagnostic. What it says of a token that does
//! not fit stands in [`super::unexpected`].

use super::ast::{Arg, ArgValue, Expr, ExprKind, MAX_DEPTH};
use super::token::Token;
use crate::diag::{Report, Severity, Span};

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

    /// Whether an error was found at a byte of `start..end`.
    pub fn has_error_at(&self, start: usize, end: usize) -> bool {
        let range = start..end;
        self.errors.iter().any(|report| range.contains(&(report.span.start as usize)))
    }

    /// Whether a semicolon was found inside brackets in `start..end`.
    pub fn semicolon_in(&self, start: usize, end: usize) -> bool {
        let range = start..end;
        let mut found = self.errors.iter().filter(|report| report.code == "E0108");
        found.any(|report| range.contains(&(report.span.start as usize)))
    }

    /// Whether a bracket that opens in `start..end` has lost its end.
    pub fn lost_bracket_in(&self, start: usize, end: usize) -> bool {
        let range = start..end;
        let mut lost = self.errors.iter().filter(|report| report.code == "E0105");
        lost.any(|report| range.contains(&(report.span.start as usize)))
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
                    .note(format!("brackets, blocks and expressions nest at most {MAX_DEPTH} deep"))
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
        format!("the invisible character U+{:04X} is not part of the language", first as u32)
    } else {
        format!("the character `{first}` (U+{:04X}) is not part of the language", first as u32)
    };
    Report::error("E0101", span, message)
}

/// E0101. A sign of other languages; read as what was meant.
pub fn foreign_sign(span: Span, sign: &str, meant: Option<Token<'_>>, advice: &str) -> Report {
    let report = Report::error("E0101", span, format!("there is no `{sign}` in Minima")).help(advice);
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
pub fn unknown_escape(span: Span, letter: char, path: bool) -> Report {
    let report = Report::error("E0103", span, format!("there is no escape `\\{letter}`"));
    let report = if path { report.help("the parts of a path are separated by `/`") } else { report };
    report.help("strings know `\\\"`, `\\\\` and `\\n`")
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
    Report::error("E0105", opening, format!("this `{bracket}` is never closed"))
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
    Report::warning("E0150", span, "this line goes on with the statement before it")
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

/// E0153. A comment where a quotient of integers may have been meant.
pub fn comment_after_operand(span: Span) -> Report {
    Report::warning("E0153", span, "`//` begins a comment: the rest of this line is not computed")
        .help("integers are divided by `div`: `n div 2`")
}

// Statements

/// E0113. An expression whose value nobody takes.
pub fn value_is_lost(expr: &Expr) -> Report {
    Report::error("E0113", expr.span, "the value of this expression is lost")
        .note("only the last line of a block may be an expression")
        .help("name it with `let`, or show it with `print`")
        .help("if it goes on with the line before, end that line with the operator")
}

/// E0112. The word that ends a block in other languages.
pub fn block_word(span: Span, word: &str) -> Report {
    Report::error("E0112", span, format!("there is no `{word}` in Minima"))
        .help("blocks stand in braces: `for i in 0..n { … }`, `fn f(x) { … }`")
}

/// E0114. The left side of `=` is not a place.
pub fn cannot_assign(place: &Expr) -> Report {
    let report = Report::error("E0114", place.span, "only a name, an entry or a field can be assigned to");
    if let ExprKind::Call { function, args } = &*place.kind
        && let ExprKind::Name(name) = &*function.kind
    {
        let parts = |arg: &Arg| match &arg.value {
            ArgValue::Expr(e) => super::print_expr(e),
            ArgValue::Generator(..) => "…".to_string(),
        };
        let inside = args.iter().map(parts).collect::<Vec<_>>().join(", ");
        let names = args
            .iter()
            .all(|arg| matches!(&arg.value, ArgValue::Expr(e) if matches!(&*e.kind, ExprKind::Name(_))));
        let report = if names {
            report.help(format!("a function is declared with `fn {name}({inside}) = e`"))
        } else {
            report
        };
        return report.help(format!("an entry has brackets: `{name}[{inside}] = e`"));
    }
    report
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
    let report = Report::error("E0117", span, format!("there is already a clause `{clause}`"));
    match clause {
        "until" => report.help("put both into one condition, with `or` between them, or `and`"),
        "from" | "using" => report.help("leave one of them out"),
        _ => report.help("put both into one clause, with commas"),
    }
}

/// E0118. An interval with one or three ends.
pub fn interval_has_two_ends(span: Span, found: usize) -> Report {
    Report::error("E0118", span, format!("an interval has 2 ends, this has {found}"))
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
