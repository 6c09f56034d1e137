//! E05 stops at run time and limits; E09 what is not built yet.

use super::human;
use crate::diag::{Report, Span};

/// E0902. A derivative that cannot be written as a program yet.
pub fn unprintable(span: Span, what: &str) -> Report {
    Report::error("E0902", span, format!("this derivative has no text yet: it needs {what}"))
        .note("it can be computed: `grad(f)(x)` works")
}

/// E0501. Compiled code stopped, such as at an index out of range.
pub fn trap(span: Span, message: &str) -> Report {
    Report::error("E0501", span, message.to_string())
}

/// E0502. A limit was reached.
pub fn limit(span: Span, message: &str) -> Report {
    Report::error("E0502", span, message.to_string())
}

/// E0509. More memory is needed than there may be, although reverse mode keeps of `kept` loops no
/// more than it must.
pub fn memory(span: Span, needed: u64, limit: u64, reverse: bool, kept: &[(Span, u64)]) -> Report {
    let sizes = (human(needed), human(limit));
    let message = format!("this needs {} of memory, and the limit is {}", sizes.0, sizes.1);
    let mut report = Report::error("E0509", span, message);
    for (place, bytes) in kept {
        report = report.label(*place, format!("reverse mode keeps at least {} of this loop", human(*bytes)));
    }
    if reverse {
        report = report.help(
            "reverse mode keeps what is computed outside of loops: `checkpoint(e)` computes e again instead",
        );
    }
    report.help("`--memory-limit` raises the limit")
}

/// E0503. The program was interrupted.
pub fn interrupted(span: Span, message: &str) -> Report {
    Report::error(INTERRUPTED, span, message.to_string())
}

/// E0504. Expressions or calls nested too deeply.
pub fn nested_too_deeply(span: Span) -> Report {
    Report::error("E0504", span, "expressions and calls are nested too deeply here")
}

/// E0505. Too much unrolling or inlining.
pub fn too_much_work(span: Span, limit: u64) -> Report {
    Report::error(
        "E0505",
        span,
        format!("putting functions in place and unrolling loops took more than {limit} steps"),
    )
    .help(
        "use a loop over a range where a list or growing array is unrolled; `--work-limit` raises the limit",
    )
}

/// E0901. A construct of the language that is not built yet.
pub fn not_yet(span: Span, what: &str) -> Report {
    let report = Report::error("E0901", span, format!("{what} is not built yet"));
    match what {
        "`subject to`" => report.help("add a penalty to what is minimized, such as `100*relu(-x)^2` for `x >= 0`"),
        "a set for a param" => {
            report.help("put a function into the set in its place: `softmax(u)` for a simplex, `exp(u)` above 0, `a + (b - a)*sigmoid(u)` in (a, b)")
        }
        _ => report,
    }
}

/// The code of what was interrupted.
pub const INTERRUPTED: &str = "E0503";
