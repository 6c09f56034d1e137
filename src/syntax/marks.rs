//! Habits from other languages in signs, numbers, texts and signatures, and hints for tokens that no
//! habit explains; the others are in [`super::habits`].

use super::habits::{Place, operand, told};
use super::token::Token;
use crate::diag::Report;

/// Signs and operators.
pub(super) fn signs(place: &Place<'_, '_>) -> Option<Report> {
    let after = place.token(place.at + 1);
    match (place.before(), place.found()) {
        (
            Token::Dot,
            Token::Star
            | Token::Slash
            | Token::Caret
            | Token::Plus
            | Token::Minus
            | Token::Pipe
            | Token::OpenParen,
        ) if place.back(2).ends_operand() => {
            let sign = place.found().text();
            let what =
                if sign == "(" { "functions of numbers work".to_string() } else { format!("`{sign}` works") };
            let dot = place.span_of(place.at - 1);
            Some(
                told(place, format!("{what} on arrays entry by entry as it is"), "leave the dot out")?
                    .fix(dot, ""),
            )
        }
        (_, Token::Tilde) if matches!(after, Token::Assign | Token::Equal) => Some(
            told(place, "there is no `~=`", "write `!=`")?
                .fix(place.span().to(place.span_of(place.at + 1)), "!="),
        ),
        (Token::Less, Token::Greater) if place.touches() => Some(
            told(place, "there is no `<>`", "write `!=`")?
                .fix(place.span_of(place.at - 1).to(place.span()), "!="),
        ),
        (_, Token::Assign)
            if matches!(after, Token::Less) && place.span().end == place.span_of(place.at + 1).start =>
        {
            Some(
                told(place, "there is no `=<`", "write `<=`")?
                    .fix(place.span().to(place.span_of(place.at + 1)), "<="),
            )
        }
        (_, Token::At) if place.expects_operand() && after == Token::OpenParen => {
            told(place, "a function without a name has no `@`", "write `x -> e` or `(x, y) -> e`")
        }
        (_, Token::At) if place.at == place.start() => told(
            place,
            "there are no decorators and macros",
            "leave this line out: every program is compiled",
        ),
        (_, Token::FatArrow) if place.first() != Token::Fn => Some(
            told(place, "a function without a name has a thin arrow", "write `x -> e`")?
                .fix(place.span(), "->"),
        ),
        (Token::Plus, Token::Plus) if place.touches() => {
            let name = place.slice(place.at - 2, place.at - 1);
            told(place, "there is no `++`", format!("write `{name} += 1`"))
        }
        (_, Token::Less) if place.expects_operand() && matches!(after, Token::Id(_)) => {
            told(place, "an inner product has a name", "write `dot(x, y)`")
        }
        (_, _)
            if (place.token(place.start()), place.token(place.start() + 1))
                == (Token::Minus, Token::Minus)
                && place.at > place.start() + 1 =>
        {
            let span = place.span_of(place.start()).to(place.span_of(place.start() + 1));
            let report = Report::error("E0112", span, "comments do not begin with `--`");
            Some(report.help("write `//`").fix(span, "//"))
        }
        _ => None,
    }
}

/// Numbers.
pub(super) fn numbers(place: &Place<'_, '_>) -> Option<Report> {
    let number = |at: usize| place.slice(at, at + 1);
    match (place.before(), place.found()) {
        (Token::Int(_) | Token::Real(_), Token::Id(name)) if place.touches() => {
            let digits = number(place.at - 1);
            let power = name.strip_prefix('x').is_some_and(|rest| rest == "10")
                && place.token(place.at + 1) == Token::Caret;
            if power {
                let exponent = operand(place.token(place.at + 2)).unwrap_or_else(|| "8".to_string());
                return told(
                    place,
                    "powers of ten are written with an `e`",
                    format!("write `{digits}e{exponent}`"),
                );
            }
            match name {
                "e" | "E" => {
                    told(place, "the exponent of this number is missing", format!("write `{digits}e-3`"))
                }
                "i" | "j" | "im" => told(
                    place,
                    "there are no complex numbers",
                    "compute with real and imaginary parts; a product is written with `*`",
                ),
                _ => Some(
                    told(place, "a product is written with `*`", format!("write `{digits}*{name}`"))?
                        .fix(place.end_before(), "*"),
                ),
            }
        }
        (Token::Int(_), Token::Comma)
            if place.touches()
                && place.in_block()
                && place.statement_end() == place.at + 2
                && matches!(place.first(), Token::Let | Token::Var)
                && matches!(place.token(place.at + 1), Token::Int(_)) =>
        {
            let (whole, part) = (number(place.at - 1), number(place.at + 1));
            told(place, "decimals are written with a point", format!("write `{whole}.{part}`"))
        }
        (_, Token::Dot) if place.expects_operand() && matches!(place.token(place.at + 1), Token::Int(_)) => {
            let digits = number(place.at + 1);
            Some(
                told(place, "a number has digits on both sides of its point", format!("write `0.{digits}`"))?
                    .fix(place.span(), "0."),
            )
        }
        (Token::Dot, Token::Sep | Token::CloseParen | Token::CloseBracket | Token::Comma)
            if matches!(place.back(2), Token::Int(_)) =>
        {
            let digits = number(place.at - 2);
            told(
                place,
                "a number has digits on both sides of its point",
                format!("write `{digits}.0`; a field is `r.name`"),
            )
        }
        _ => None,
    }
}

/// Texts, files and prints.
pub(super) fn texts(place: &Place<'_, '_>) -> Option<Report> {
    match (place.before(), place.found()) {
        (Token::Id("f" | "r" | "b" | "F"), Token::Str(_)) if place.touches() => told(
            place,
            "there are no texts with values in them",
            "`print \"loss\", loss` shows several values, `print loss = e` one with a name",
        ),
        (Token::Str(_), Token::Str(_)) if place.touches() => told(
            place,
            "a text has one quote at each end",
            "comments begin with `//`, documentation above a statement with `///`",
        ),
        (Token::Dot, Token::Str(name)) => told(
            place,
            "a field is a name",
            format!(
                "a column that is called otherwise is read by its text: `matrix(data, only = \"{name}\")`"
            ),
        ),
        (_, Token::From) if place.at == place.start() => told(
            place,
            "there is nothing to import from",
            "the functions of the library are in scope: leave this line out",
        ),
        (Token::Id("import" | "using"), Token::Id(_)) | (Token::Import, Token::Id(_))
            if place.at == place.start() + 1 =>
        {
            told(
                place,
                "a file is imported by its path",
                "write `import \"file.opt\" as m`; the functions of the library are in scope without",
            )
        }
        (_, Token::Comma | Token::Sep) if place.first() == Token::Save && place.expects("to") => {
            told(place, "`save` says what and where", "write `save w to \"w.npz\"`")
        }
        (_, Token::Colon) if place.first() == Token::Assert && place.in_block() => Some(
            told(
                place,
                "the message of an assertion stands behind a comma",
                "write `assert c, \"message\"`",
            )?
            .fix(place.span(), ","),
        ),
        (Token::Id("test"), Token::Id(name)) if place.at == place.start() + 1 => Some(
            told(place, "the name of a test is a text", format!("write `test \"{name}\" {{ … }}`"))?
                .fix(place.span(), format!("\"{name}\"")),
        ),
        _ => None,
    }
}

/// Functions, their parameters and arguments.
pub(super) fn signatures(place: &Place<'_, '_>) -> Option<Report> {
    let first = place.first();
    let declares = matches!(first, Token::Fn | Token::Objective | Token::Optimizer | Token::Distribution);
    let in_params = declares && place.opening().is_some_and(|at| place.token(at) == Token::OpenParen);
    match (place.before(), place.found()) {
        (Token::Colon, Token::Colon) => {
            Some(told(place, "a type stands behind one `:`", "write `x: real`")?.fix(place.span(), ""))
        }
        (Token::CloseParen, Token::Colon) if first == Token::Fn => Some(
            told(place, "the type of the result stands behind `->`", "write `fn f(x: real) -> real = e`")?
                .fix(place.span(), " ->"),
        ),
        (Token::Id(name), Token::Colon)
            if place.called_at().is_some() && matches!(place.back(2), Token::OpenParen | Token::Comma) =>
        {
            Some(
                told(place, "an argument is named with `=`", format!("write `{name} = …`"))?
                    .fix(place.span(), " ="),
            )
        }
        (Token::Id(a), Token::Id(b)) if in_params => {
            let types = ["real", "int", "bool", "string", "float", "double"];
            let (name, ty) = if types.contains(&a) { (b, a) } else { (a, b) };
            told(place, "the type of a parameter stands behind `:`", format!("write `{name}: {ty}`"))
        }
        (Token::OpenParen | Token::Comma, Token::Star) if in_params => told(
            place,
            "a function has as many parameters as it names",
            "take an array or a record: `fn f(xs: real[n]) = e`",
        ),
        (Token::Colon, Token::OpenBracket) if place.expects("name") => {
            told(place, "a type names what its entries are", "write `real[n]`")
        }
        (Token::Colon, Token::Int(_) | Token::Real(_)) if in_params => {
            let (name, value) =
                (place.slice(place.at - 2, place.at - 1), place.slice(place.at, place.at + 1));
            told(
                place,
                "a value stands behind `=`, a type behind `:`",
                format!("write `{name}: real = {value}`"),
            )
        }
        (Token::Id(_), Token::OpenBrace) if in_params => {
            told(place, "an array type is written with brackets", "write `real[n]`, `real[n, d]`")
        }
        (Token::Id(name), Token::Id(param)) if first == Token::Fn && place.at == place.start() + 2 => {
            told(place, "parameters stand in parentheses", format!("write `fn {name}({param}) = e`"))
        }
        _ => None,
    }
}

// Hints for tokens that no habit explains

/// Adds to what was expected how it is written.
pub fn hint(place: &Place<'_, '_>, report: Report) -> Report {
    let (before, found) = (place.before(), place.found());
    let first = place.first();
    if first == Token::For && place.expects("{") && place.expects("while") {
        return match found {
            Token::Until => report.help("a loop has the opposite condition: `for k in 0..n while c { … }`"),
            _ => report.help("the body of a loop stands in braces: `for i in S { … }`"),
        };
    }
    if place.expects("then") && place.expects("{") && found != Token::Else {
        return report.help("write `if c then a else b`, or `if c { … }`");
    }
    if found == Token::If && before.ends_operand() && !place.expects("if") {
        return choice(place, report);
    }
    if found == Token::If && place.expects_operand() {
        return report.help("an `if` inside an expression stands in parentheses: `(if c then a else b)`");
    }
    let separated = place.expects(",") && before.ends_operand() && (place.expects("]") || place.expects(")"));
    if separated && starts_operand(found) {
        let what = if place.expects("]") { "entries of an array" } else { "arguments" };
        let here = place.end_before();
        return report.help(format!("a comma is missing: {what} are separated by `,`")).fix(here, ",");
    }
    if found.is_reserved() && place.expects_operand() && place.token(place.at + 1) == Token::For {
        let word = found.text();
        return report.help(format!("`{word}` is a word of the language and cannot be a name"));
    }
    if found == Token::Id("where") {
        return report.help("give it a name before: `let a = 2` on a line above");
    }
    report
}

fn starts_operand(token: Token<'_>) -> bool {
    matches!(
        token,
        Token::Int(_) | Token::Real(_) | Token::Str(_) | Token::Id(_) | Token::True | Token::False
    )
}

/// `a if c else b`
fn choice(place: &Place<'_, '_>, report: Report) -> Report {
    let (start, end) = (place.start(), place.statement_end());
    let from = (start..place.at).rfind(|at| matches!(place.token(*at), Token::Assign | Token::OpenBrace));
    let otherwise = (place.at..end).find(|at| place.token(*at) == Token::Else);
    match (from, otherwise) {
        (Some(from), Some(otherwise)) if place.in_block() => {
            let (a, c) = (place.slice(from + 1, place.at), place.slice(place.at + 1, otherwise));
            let b = place.slice(otherwise + 1, end);
            let span = place.span_of(from + 1).to(place.span_of(end.saturating_sub(1)));
            let text = format!("if {c} then {a} else {b}");
            report.help(format!("write `{text}`")).fix(span, text)
        }
        _ => report.help("a choice says its condition first: `if c then a else b`"),
    }
}
