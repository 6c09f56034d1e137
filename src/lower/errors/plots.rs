//! E0491 to E0499: plots.

use crate::diag::{Report, Span};

/// E0491. A form of plot that does not exist.
pub fn unknown_plot(span: Span, name: &str, near: &str) -> Report {
    let known: Vec<&str> = crate::lower::plots::FORMS.iter().map(|(name, ..)| *name).collect();
    Report::error("E0491", span, format!("there is no plot `{name}`"))
        .did_you_mean(name, [near])
        .note(format!("plots are {}", known.join(", ")))
}

/// E0491. An argument that a form of plot does not have.
pub fn unknown_plot_argument(span: Span, form: &str, name: &str, known: &[&str]) -> Report {
    Report::error("E0491", span, format!("`{form}` has no argument `{name}`"))
        .did_you_mean(name, known.iter().copied())
        .note(format!("its arguments are {}", known.join(", ")))
}

/// E0491. An option that `plot` does not have.
pub fn unknown_plot_option(span: Span, name: &str) -> Report {
    let known = crate::lower::plots::OPTIONS;
    let report = Report::error("E0491", span, format!("`plot` has no option `{name}`"));
    let meant = match name {
        "xlabel" | "x_label" | "xlab" => Some("x"),
        "ylabel" | "y_label" | "ylab" => Some("y"),
        "logy" | "yscale" | "semilogy" => Some("log_y"),
        "logx" | "xscale" | "semilogx" => Some("log_x"),
        _ => None,
    };
    match meant {
        Some(meant) => report.help(format!("write `{meant} = …`")),
        None => report.did_you_mean(name, known.iter().copied()),
    }
    .note(format!("options are {}", known.join(", ")))
}

/// E0491. Too few or too many arguments of a form of plot.
pub fn plot_arguments(span: Span, form: &str, params: &[&str], needed: usize) -> Report {
    let written = match form {
        "contour" => "contour(f, box(lo, hi), path = fit)".to_string(),
        _ => format!("{form}({})", params[..needed].join(", ")),
    };
    Report::error("E0491", span, format!("write `{written}`"))
}

/// E0491. An option or argument given twice.
pub fn plot_twice(span: Span, name: &str) -> Report {
    Report::error("E0491", span, format!("`{name}` is given twice"))
}

/// E0492. An option of a plot with a value that it cannot have.
pub fn plot_value(span: Span, name: &str, want: &str, found: Option<&str>) -> Report {
    let found = found.map_or(String::new(), |found| format!(", not {found}"));
    Report::error("E0492", span, format!("`{name}` takes {want}{found}"))
}

/// E0492. No region for level sets.
pub fn no_box(span: Span) -> Report {
    Report::error("E0492", span, "level sets are drawn in a box: `contour(f, box([-2, -1], [2, 3]))`")
        .help("`box(lo, hi)` goes from one corner to the other; `box(-2, 2)` is a square")
}

/// E0492. A box that is none: empty, without end, or larger than any number.
pub fn no_area(span: Span, lo: f64, hi: f64) -> Report {
    let message = if !lo.is_finite() || !hi.is_finite() {
        "the corners of a box are finite numbers"
    } else if lo < hi {
        "this box is too large"
    } else {
        "this box is empty"
    };
    Report::error("E0492", span, format!("{message}: it goes from {} to {}", brief(lo), brief(hi)))
}

/// A number as short as it can be read back.
pub fn brief(x: f64) -> String {
    let plain = x == 0.0 || !x.is_finite() || (1e-4..1e9).contains(&x.abs());
    match x {
        x if x.is_nan() => "nan".into(),
        x if plain => x.to_string(),
        x => format!("{x:e}"),
    }
}

/// E0492. A logarithmic axis where there is none.
pub fn no_log_axis(span: Span, name: &str, family: &str) -> Report {
    let report = Report::error("E0492", span, format!("`{name}` has no meaning for {family}"));
    match family {
        "a heatmap" => report.help("its axes count rows and columns; for colors, show `log(A)`"),
        "level sets" => {
            report.help("give the function exponents: `contour((a, b) -> f(10^a, 10^b), box(-3, 1))`")
        }
        _ => report.help("its bars begin at zero, which a logarithmic axis does not have"),
    }
}

/// E0493. Columns of a plot that differ in length.
pub fn plot_lengths(span: Span, first: usize, second: usize, at: Span) -> Report {
    let many = |n: usize| if n == 1 { "1 number".to_string() } else { format!("{n} numbers") };
    Report::error(
        "E0493",
        span,
        format!("points need as many numbers of both kinds, not {first} and {second}"),
    )
    .label(at, format!("these are {}", many(first)))
    .label(span, format!("these are {}", many(second)))
}

/// E0494. Plots without axes in common.
pub fn plots_differ(span: Span, found: &str, first: &str, at: Span) -> Report {
    Report::error("E0494", span, format!("{found} and {first} do not go into one picture"))
        .label(at, format!("{first}, here"))
        .label(span, format!("{found}, here"))
        .help("write two `plot` statements")
}

/// E0495. Nothing that could be drawn.
/// Of a solve, whose status tells what is wrong, it is a warning.
pub fn nothing_to_plot(span: Span, name: &str, values: usize, solve: bool) -> Report {
    let why = match values {
        0 => format!("`{name}` has no values"),
        1 => format!("the only value of `{name}` cannot be shown"),
        _ => format!("none of the {values} values of `{name}` can be shown"),
    };
    let message = format!("there is nothing to draw: {why}");
    let report = if solve { Report::warning } else { Report::error };
    report("E0495", span, message)
        .help("values that are not finite are gaps, and a logarithmic axis has positive ones only")
}

/// E0496. Level sets of something that is no function.
pub fn not_a_plane(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("`contour` takes a function of two numbers or an objective, not {found}"),
    )
    .help("such as `contour((a, b) -> a^2 + b^2, box(-1, 1))`")
}

/// E0496. Level sets of a function that takes more than two arguments, or none.
pub fn function_of_others(span: Span, count: usize) -> Report {
    let many = if count == 1 { "1 argument".to_string() } else { format!("{count} arguments") };
    Report::error(
        "E0496",
        span,
        format!("level sets are those of a function of two numbers; this one takes {many}"),
    )
    .help("fix the others: `contour((a, b) -> f(a, b, 1.0), box(-1, 1))`")
}

/// E0496. Level sets of a function whose value is no number.
pub fn levels_of_numbers(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("level sets are those of a function with one number as value, not {found}"),
    )
}

/// E0496. Level sets of a problem that has not two numbers as params, or its way.
pub fn not_two_numbers(span: Span, count: Option<i64>) -> Report {
    let found = match count {
        Some(1) => "1 number".to_string(),
        Some(count) => format!("{count} numbers"),
        None => "others".to_string(),
    };
    Report::error("E0496", span, format!("a picture has two axes, and the params of this are {found}"))
        .help("a function of two of them is a plane through the others: `contour((a, b) -> P((a = a, b = b, c = 0)), …)`")
}

/// E0496. A way that is neither a result nor points.
pub fn no_way(span: Span, found: &str) -> Report {
    Report::error(
        "E0496",
        span,
        format!("`path` takes the result of a solve, or points as rows of two numbers, not {found}"),
    )
}
