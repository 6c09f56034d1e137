//! Habits from other languages that show only in what stands around a token: what was meant, in the
//! words of the program. The first function that knows the place speaks.

use super::marks::{numbers, signatures, signs, texts};
use super::token::Token;
use super::unexpected::Unexpected;
use crate::diag::Report;

pub(super) type Place<'a, 't> = Unexpected<'a, 't>;

/// E0112. A form of another language.
pub fn habit(place: &Place<'_, '_>) -> Option<Report> {
    loops(place)
        .or_else(|| ranges(place))
        .or_else(|| clauses(place))
        .or_else(|| definitions(place))
        .or_else(|| signs(place))
        .or_else(|| numbers(place))
        .or_else(|| texts(place))
        .or_else(|| signatures(place))
}

/// A report at the token that does not fit.
pub(super) fn told(
    place: &Place<'_, '_>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Option<Report> {
    Some(Report::error("E0112", place.span(), message).help(help))
}

/// A number or name, as it stands in the program.
pub(super) fn operand(token: Token<'_>) -> Option<String> {
    match token {
        Token::Int(value) => Some(value.to_string()),
        Token::Id(name) => Some(name.to_string()),
        _ => None,
    }
}

/// The operand and one more.
fn next(token: Token<'_>) -> Option<String> {
    match token {
        Token::Int(value) => value.checked_add(1).map(|value| value.to_string()),
        token => operand(token).map(|name| format!("{name}+1")),
    }
}

/// The range that `1:n`, `0..n` or `0; i < n` at a place means.
fn range_at(place: &Place<'_, '_>, at: usize) -> Option<String> {
    let start = operand(place.token(at))?;
    let (sign, end) = (place.token(at + 1), place.token(at + 2));
    let stop = match (sign, place.token(at + 3)) {
        (Token::Colon, after) if after != Token::Colon => next(end)?,
        (Token::DotDot, _) => operand(end)?,
        (Token::Comma, Token::Less) => operand(place.token(at + 4))?,
        (Token::Comma, Token::LessEqual) => next(place.token(at + 4))?,
        _ => return None,
    };
    Some(format!("{start}..{stop}"))
}

// Loops and generators

fn loops(place: &Place<'_, '_>) -> Option<Report> {
    let (before, found) = (place.before(), place.found());
    let bound =
        place.back(2) == Token::For || (place.back(2), place.back(3)) == (Token::OpenParen, Token::For);
    match (before, found) {
        (Token::Id(name), Token::Assign) if bound => {
            let set = range_at(place, place.at + 1).unwrap_or_else(|| "0..n".to_string());
            told(
                place,
                "a `for` runs over what stands behind `in`",
                format!("write `for {name} in {set} {{ … }}`"),
            )
        }
        (Token::Id(_), Token::Comma) if bound && place.expects("in") => several_names(place),
        (Token::Id(name), Token::In) if place.called_at().is_some() && !place.expects("in") => {
            let set = range_at(place, place.at + 1).unwrap_or_else(|| "S".to_string());
            told(
                place,
                "a generator says first what is summed, then over what",
                format!("write `sum(e for {name} in {set})`"),
            )
        }
        (_, Token::For) if place.first() == Token::Assert => told(
            place,
            "an assertion is one condition",
            "write `assert all(c for x in S)`, or a loop `for x in S { assert c }`",
        ),
        _ => None,
    }
}

/// `for x, y in zip(X, Y)`, `for i, v in enumerate(x)`
fn several_names(place: &Place<'_, '_>) -> Option<Report> {
    let mut at = place.at;
    let mut names = vec![operand(place.before())?];
    while let (Token::Comma, Token::Id(name)) = (place.token(at), place.token(at + 1)) {
        names.push(name.to_string());
        at += 2;
    }
    let inside = match (place.token(at), place.token(at + 1), place.token(at + 2)) {
        (Token::In, Token::Id(word), Token::OpenParen) => {
            let inside = place.closing(at + 2).map(|end| place.slice(at + 3, end));
            inside.map(|inside| (word, inside))
        }
        _ => None,
    };
    let source = match inside {
        Some(("zip", inside)) => format!("({inside})"),
        Some(("enumerate", inside)) => format!("(0..len({inside}), {inside})"),
        _ => "(X, Y)".to_string(),
    };
    told(
        place,
        "several names of one `for` stand in parentheses",
        format!("write `for ({}) in {source}`", names.join(", ")),
    )
}

// Ranges and slices

fn ranges(place: &Place<'_, '_>) -> Option<Report> {
    let in_index = place.opening().is_some_and(|at| place.token(at) == Token::OpenBracket);
    match (place.before(), place.found()) {
        (Token::Int(_) | Token::Id(_), Token::Colon)
            if place.back(2) == Token::In && range_at(place, place.at - 1).is_some() =>
        {
            let range = range_at(place, place.at - 1)?;
            told(
                place,
                "a range is written with two dots",
                format!("write `{range}`: the end is not part of it"),
            )
        }
        (Token::Colon, Token::Minus) if in_index => {
            let back = operand(place.token(place.at + 1))?;
            told(
                place,
                "places count from the start",
                format!("write `x[..len(x) - {back}]` for all but the last {back}"),
            )
        }
        (Token::Colon, Token::Int(_) | Token::Id(_)) if in_index => {
            let end = operand(place.found())?;
            let help = format!("write `x[..{end}]`; `x[:]` is all of x");
            told(place, "a range is written with two dots", help)
        }
        (Token::Colon, Token::Colon) if in_index => {
            told(place, "a slice has no step", "write `[x[2*i] for i in 0..len(x) div 2]` for every second")
        }
        (Token::Int(_) | Token::Id(_), Token::Colon) if in_index => {
            let help = match (operand(place.before()), operand(place.token(place.at + 1))) {
                (Some(start), Some(end)) => format!("write `x[{start}..{end}]`; `x[:]` is all of x"),
                (Some(start), None) => format!("write `x[{start}..]`; `x[:]` is all of x"),
                _ => return None,
            };
            told(place, "a range is written with two dots", help)
        }
        (Token::Int(_) | Token::Real(_), Token::Colon) if place.in_block() && place.first() == Token::Let => {
            told(
                place,
                "a range is written with two dots",
                "write `0..n` for integers, `linspace(a, b, n)` for evenly spaced reals",
            )
        }
        (_, Token::DotDot) if place.back(2) == Token::DotDot => told(
            place,
            "a range has no step",
            "count the turns and compute from them: `for k in 0..n { let i = 2*k … }`; `linspace(a, b, n)` gives reals",
        ),
        (Token::DotDot, Token::Dot) if matches!(place.back(2), Token::OpenBracket | Token::Comma) => {
            told(place, "there is no `...` among indices", "`:` takes all of a dimension: `A[:, 0]`")
        }
        (Token::DotDot, Token::Dot) => {
            told(place, "a range has two dots", "write `a..b`: from a up to b, which is not part of it")
        }
        (_, Token::DotDot) if place.expects_operand() && place.token(place.at + 1) == Token::Dot => told(
            place,
            "there is no sign for a line that goes on",
            "leave the dots out: after an operator or inside brackets a line goes on by itself",
        ),
        (Token::DotDot, Token::Assign) => {
            let stop = next(place.token(place.at + 1)).unwrap_or_else(|| "n+1".to_string());
            told(place, "the end of a range is not part of it", format!("write `..{stop}`"))
        }
        _ => None,
    }
}

// Solves

/// What people write for `minimize`, and what for `using` and `over`.
const MINIMIZE: &[&str] = &["min", "minimise", "argmin", "minimum", "optimize", "optimise", "minimizer"];
const MAXIMIZE: &[&str] = &["max", "maximise", "argmax", "maximum", "maximizer"];
const USING: &[&str] = &["use", "via", "method", "optimizer", "solver", "algorithm", "with_optimizer"];
const OVER: &[&str] = &["wrt", "on", "varying", "variables"];

fn clauses(place: &Place<'_, '_>) -> Option<Report> {
    let solving = place.expects("using") && place.expects("until");
    match (place.before(), place.found()) {
        (_, Token::Id(word)) if solving => {
            let meant = if USING.contains(&word) {
                "using"
            } else if OVER.contains(&word)
                && place.expects("over")
                && place.word_in_statement(Token::Over).is_none()
            {
                "over"
            } else if place.token(place.at + 1) == Token::Assign
                && place.expects("over")
                && place.word_in_statement(Token::Over).is_none()
            {
                let advice = format!("write `over {word} = …`");
                return Some(
                    told(place, "what is solved for stands behind `over`", advice)?
                        .fix(place.end_before(), " over"),
                );
            } else {
                return clause_words(place, word);
            };
            Some(
                told(place, format!("there is no clause `{word}`"), format!("write `{meant}`"))?
                    .fix(place.span(), meant),
            )
        }
        (_, Token::By) if solving => Some(
            told(place, "an optimizer stands behind `using`", "write `using`")?.fix(place.span(), "using"),
        ),
        (_, Token::For) if solving && place.expects("over") => Some(
            told(place, "what is solved for stands behind `over`", "write `over`")?.fix(place.span(), "over"),
        ),
        (_, Token::While) if solving => told(
            place,
            "a solve has no `while`",
            "say when it ends: `until` with the opposite condition, such as `until grad_norm < 1e-6`",
        ),
        (Token::Id(_), Token::OpenParen) if place.back(2) == Token::With && place.expects("=") => Some(
            told(place, "behind `with` stand options, `name = value`", "an optimizer stands behind `using`")?
                .fix(place.span_of(place.at - 2), "using"),
        ),
        (_, Token::Comma) if place.expects("until") && place.last_clause() == Some(Token::Until) => Some(
            told(place, "the condition of a solve is one", "join its parts with `or`, or with `and`")?
                .fix(place.span(), " or"),
        ),
        (_, Token::In) if solving && place.last_clause() == Some(Token::Over) => told(
            place,
            "bounds and sets of params are not built yet",
            "minimize over a free `u` and put `x = a + (b - a)*sigmoid(u)` in its place, which stays in (a, b)",
        ),
        (_, Token::Over | Token::Using | Token::Until)
            if place.expects("end") || !place.expects_operand() =>
        {
            solve_word(place)
        }
        _ => None,
    }
}

/// A name where a clause of a solve may begin.
fn clause_words(place: &Place<'_, '_>, word: &str) -> Option<Report> {
    let number = matches!(place.before(), Token::Int(_) | Token::Real(_));
    match (word, place.last_clause()) {
        ("such" | "s" | "st" | "subject_to" | "where" | "constraints" | "bounds", _) => told(
            place,
            "constraints stand behind `subject to`",
            "they are not built yet: add a penalty to what is minimized, such as `100*relu(-x)^2` for `x >= 0`",
        ),
        ("steps" | "iterations" | "epochs" | "seconds", Some(Token::Until)) if number => {
            let figure = if word == "iterations" { "steps" } else { word };
            let count = place.slice(place.at - 1, place.at);
            told(place, "the end of a solve is a condition", format!("write `until {figure} >= {count}`"))
        }
        ("starting" | "start" | "at" | "init" | "initial" | "x0", Some(Token::Over)) => {
            told(place, "the start of a param stands behind its `=`", "write `over x = 0.0`")
        }
        (_, Some(Token::Over)) if place.token(place.at + 1) == Token::Assign => Some(
            told(place, "a comma is missing between two params", format!("write `, {word} = …`"))?
                .fix(place.end_before(), ","),
        ),
        _ => None,
    }
}

/// `over`, `using` or `until` in a statement that does not solve.
fn solve_word(place: &Place<'_, '_>) -> Option<Report> {
    let start = place.start();
    let solves = |token: Token<'_>| {
        matches!(
            token,
            Token::Solve | Token::Minimize | Token::Maximize | Token::MinimizeClause | Token::MaximizeClause
        )
    };
    if (start..place.at).any(|at| solves(place.token(at))) {
        return None;
    }
    for at in start..place.at {
        let Token::Id(name) = place.token(at) else { continue };
        let lower = name.to_lowercase();
        let near = crate::diag::nearest(&lower, ["minimize", "maximize", "solve"]);
        let meant = if MINIMIZE.contains(&&*lower) || near.as_deref() == Some("minimize") {
            "minimize"
        } else if MAXIMIZE.contains(&&*lower) || near.as_deref() == Some("maximize") {
            "maximize"
        } else if near.is_some() {
            "solve"
        } else {
            continue;
        };
        let report = told(
            place,
            format!("`{}` belongs to a solve, and none begins before it", place.found().text()),
            format!("write `{meant}` for `{name}`: `{meant} e over x = x0 using …`"),
        )?;
        return Some(report.label(place.span_of(at), "this names no solve").fix(place.span_of(at), meant));
    }
    let assigned = (start..place.at).rfind(|at| place.token(*at) == Token::Assign)?;
    let objective = place.slice(assigned + 1, place.at);
    (place.token(assigned + 1) != Token::Sep && place.found() != Token::Over).then(|| {
        Report::error(
            "E0112",
            place.span(),
            format!("`{}` belongs to a solve, and none begins before it", place.found().text()),
        )
        .help(format!("write `solve {objective} {} …`", place.found().text()))
    })
}

// Definitions

fn definitions(place: &Place<'_, '_>) -> Option<Report> {
    let start = place.start();
    let named = matches!(place.first(), Token::Let | Token::Var | Token::Param);
    match (place.before(), place.found()) {
        (Token::Id(name), Token::Minus) if named && place.at == start + 2 => {
            let mut end = place.at;
            let mut all = name.to_string();
            while let (Token::Minus, Token::Id(part)) = (place.token(end), place.token(end + 1)) {
                all = format!("{all}_{part}");
                end += 2;
            }
            let span = place.span_of(start + 1).to(place.span_of(end - 1));
            Some(told(place, "a name has no `-`", format!("write `{all}`"))?.fix(span, all))
        }
        (Token::Id(name), Token::OpenBrace) if named && name.ends_with('_') => told(
            place,
            "a name has no braces",
            "write the subscript into the name, `x_i`; an entry of an array is `x[i]`",
        ),
        (_, Token::Int(_) | Token::Real(_)) if named && place.at == start + 1 => {
            told(place, "a name begins with a letter", "write the digits behind it: `x2`")
        }
        (Token::Id(_), Token::Comma) if named && place.at == start + 2 => tuple(place, start + 1, start),
        (Token::Id(_), Token::Comma) if place.at == start + 1 && !place.expects(",") => {
            tuple(place, start, start)
        }
        (Token::Id(name), Token::Assign) if named && place.in_block() && place.back(2) == Token::Assign => {
            let first = place.slice(start + 1, start + 2);
            told(
                place,
                "one definition names one value",
                format!("write two, `let {name} = …` and `let {first} = {name}`; to compare, write `==`"),
            )
        }
        (Token::Id(name), Token::Colon)
            if place.in_block()
                && place.at == start + 1
                && matches!(place.token(place.at + 1), Token::Id(_))
                && matches!(place.token(place.at + 2), Token::Assign | Token::OpenBracket) =>
        {
            let help = format!("write `let {name}: real = e`, or `var` where it changes");
            told(place, "a value is named by `let`", help)
        }
        (_, Token::Assign) if place.called_at().is_some_and(|at| solver_word(place.token(at))) => told(
            place,
            "`minimize` is a statement, not a function with arguments",
            "write `minimize f(x) over x = x0 using bfgs() until grad_norm < 1e-8`",
        ),
        (Token::Id(name), Token::Assign) if place.back(2) == Token::From => told(
            place,
            "`from` takes the start itself",
            format!(
                "write `from 0.0`, or a record of the params: `from ({name} = 0.0)`; without an objective the start stands behind `over`"
            ),
        ),
        (Token::Id(_), Token::Assign)
            if place.back(2) == Token::And && place.last_clause() == Some(Token::Over) =>
        {
            Some(
                told(place, "params stand one after the other with commas", "write `,` for `and`")?
                    .fix(place.span_of(place.at - 2), ","),
            )
        }
        (Token::Comma, Token::CloseParen) if place.expects_operand() && place.called_at().is_none() => {
            told(place, "a tuple has at least two parts", "leave the comma out")
        }
        (_, Token::Comma) if record_in_braces(place) => {
            told(place, "a record stands in parentheses", "write `(a = 1, b = 2)`")
        }
        _ => None,
    }
}

fn solver_word(token: Token<'_>) -> bool {
    matches!(token, Token::Minimize | Token::Maximize | Token::MinimizeClause | Token::MaximizeClause)
}

/// Whether the place is in `{x = 1, …`.
fn record_in_braces(place: &Place<'_, '_>) -> bool {
    let open = place.opening().filter(|at| place.token(*at) == Token::OpenBrace);
    open.is_some_and(|at| {
        matches!(place.token(at + 1), Token::Id(_) | Token::Str(_))
            && matches!(place.token(at + 2), Token::Assign | Token::Colon)
            && matches!(place.token(at.wrapping_sub(1)), Token::Assign | Token::OpenParen | Token::Comma)
    })
}

/// `a, b = 1, 2`
fn tuple(place: &Place<'_, '_>, names: usize, start: usize) -> Option<Report> {
    let end = place.statement_end();
    let assigned = (start..end).find(|at| place.token(*at) == Token::Assign)?;
    let (left, right) = (place.slice(names, assigned), place.slice(assigned + 1, end));
    let several = (assigned..end).any(|at| place.token(at) == Token::Comma) && !right.starts_with('(');
    let right = if several { format!("({right})") } else { right.to_string() };
    told(place, "several names stand in parentheses", format!("write `let ({left}) = {right}`"))
}
