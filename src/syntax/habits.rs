//! Habits from other languages that show only in what stands around a token: what was meant, in the
//! words of the program. The first function that knows the place speaks.

use super::token::Token;
use super::unexpected::Unexpected;
use crate::diag::Report;

type Place<'a, 't> = Unexpected<'a, 't>;

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

fn told(place: &Place<'_, '_>, message: impl Into<String>, help: impl Into<String>) -> Option<Report> {
    Some(Report::error("E0112", place.span(), message).help(help))
}

/// A number or name, as it stands in the program.
fn operand(token: Token<'_>) -> Option<String> {
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

// Signs

fn signs(place: &Place<'_, '_>) -> Option<Report> {
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

// Numbers

fn numbers(place: &Place<'_, '_>) -> Option<Report> {
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

// Texts, files and prints

fn texts(place: &Place<'_, '_>) -> Option<Report> {
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

// Functions, their parameters and arguments

fn signatures(place: &Place<'_, '_>) -> Option<Report> {
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
