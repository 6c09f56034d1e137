//! E0400 to E0439: statements, objectives, optimizers.

use crate::diag::{Report, Span};
use crate::lower::habits;

/// E0401. A block ends without a value.
pub fn block_without_value(span: Span) -> Report {
    Report::error("E0401", span, "this block has no value").help("end it with an expression")
}

/// E0402. An `if` with a value needs both sides.
pub fn if_without_else(span: Span) -> Report {
    Report::error("E0402", span, "an `if` used as a value needs an `else`")
}

/// E0403. A value that nothing uses.
pub fn value_not_used(span: Span) -> Report {
    Report::error("E0403", span, "the value of this expression is not used")
        .help("bind it with `let`, or assign it: `x = …`, `x -= …`")
}

/// E0404. A statement of the top level inside a function.
pub fn only_at_top(span: Span, what: &str) -> Report {
    Report::error("E0404", span, format!("{what} at the top level of a program, in its loops, and in tests"))
        .help("functions are pure: return the value and print it where the function is called")
}

/// E0405. `stop` outside a step.
pub fn only_in_step(span: Span) -> Report {
    Report::error("E0405", span, "`stop` stands in the step of an optimizer")
}

/// E0406. A statement that does not belong here.
pub fn not_here(span: Span) -> Report {
    Report::error("E0406", span, "this statement does not belong here")
}

/// E0407. A statement that does not belong in an objective.
pub fn not_in_objective(span: Span, instead: Option<&str>) -> Report {
    let report = Report::error("E0407", span, "this statement does not belong in an objective");
    let report = match instead {
        Some(instead) => report.help(instead),
        None => report,
    };
    report.help("an objective has `let`, `param`, one `minimize` or `maximize`, and `report`")
}

/// E0408. An objective that minimizes nothing.
pub fn no_clause(span: Span, name: &str) -> Report {
    Report::error("E0408", span, format!("the objective `{name}` does not say what to minimize"))
        .help("add a line `minimize …`")
}

/// E0409. An objective without params.
pub fn no_params(span: Span, name: &str) -> Report {
    Report::error("E0409", span, format!("the objective `{name}` has no params"))
        .help("add a line such as `param w: real[d] = 0`")
}

/// E0410. A param without a start.
pub fn param_without_start(span: Span, name: &str) -> Report {
    Report::error("E0410", span, format!("`{name}` has no start"))
        .help(format!("write `{name} = …` with the point to start from, or `{name} ~ normal(0, 1)`"))
}

/// E0411. A param that is no vector.
pub fn param_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error(
        "E0411",
        span,
        format!("the param `{name}` is an array or a record of arrays, found {found}"),
    )
}

/// E0412. A value of the wrong shape for a param.
pub fn param_shape(span: Span, name: &str, want: &str, found: &str) -> Report {
    Report::error("E0412", span, format!("the param `{name}` is {want}, found {found}"))
}

/// E0413. Several params and one value.
pub fn params_expected(span: Span, names: &[&str], found: &str) -> Report {
    let fields: Vec<String> = names.iter().map(|n| format!("{n} = …")).collect();
    Report::error("E0413", span, format!("expected the params {}, found {found}", names.join(", ")))
        .help(format!("write `({})`, or pass `fit.params`", fields.join(", ")))
}

/// E0414. The objective is no scalar.
pub fn objective_not_scalar(span: Span, found: &str) -> Report {
    Report::error("E0414", span, format!("what is minimized is one real number, found {found}")).help(
        match found {
            "bool" => {
                "for equations write `solve a == b over x = x0`; truth values are counted by `mean( … )`"
            }
            "real[1]" => "take its entry: `( … )[0]`, or reduce it: `sum( … )`",
            _ => "reduce it: `sum( … )`, `mean( … )`, `dot(r, r)`",
        },
    )
}

/// E0415. `minimize` without `over`.
pub fn minimize_without_over(span: Span, objective: Option<&str>) -> Report {
    let report = Report::error("E0415", span, "`minimize` needs to know over what");
    match objective {
        Some(text) => report.help(format!("an objective knows what it minimizes: write `solve {text}`")),
        None => report.help("write `minimize f(x) over x = x0`"),
    }
}

/// E0416. `solve P over …`.
pub fn solve_with_over(span: Span) -> Report {
    Report::error("E0416", span, "`solve` takes its params from the objective")
        .help("write `minimize … over …` for an expression, or `from` for another start")
}

/// E0417. `solve` of something that is no objective.
pub fn not_an_objective(span: Span, name: &str, found: &str) -> Report {
    let report = Report::error("E0417", span, format!("`solve` takes an objective, found {found}"));
    if found == "a function" {
        report.help(format!(
            "give the objective its arguments: `solve {name}(…)`; for a function write `minimize {name}(x) over x = x0`"
        ))
    } else {
        report
    }
}

/// E0418. `using` something that is no optimizer.
pub fn not_an_optimizer(span: Span, found: &str) -> Report {
    let report = Report::error("E0418", span, format!("`using` takes an optimizer, found {found}"));
    if found == "a string" {
        report.help("leave the quotes out and write its hyper-parameters in parentheses: `using adam()`")
    } else {
        report
    }
}

/// E0419. An optimizer without its parentheses.
pub fn optimizer_not_called(span: Span, name: &str) -> Report {
    Report::error("E0419", span, "an optimizer is given its hyper-parameters in parentheses")
        .help(format!("write `using {name}()`"))
}

/// E0420. An option without a name.
pub fn unnamed_option(span: Span) -> Report {
    Report::error("E0420", span, "an option is written `name = value`")
}

/// E0421. An option that does not exist.
pub fn unknown_option(span: Span, name: &str) -> Report {
    let known = ["batch", "seed", "trace", "restarts", "differentiate"];
    let report = Report::error("E0421", span, format!("there is no option `{name}`"));
    match habits::setting(name) {
        Some(advice) => report.help(advice),
        None => report.did_you_mean(name, known),
    }
    .note(format!("options are {}", known.join(", ")))
}

/// E0422. An option that must be positive.
pub fn option_positive(span: Span, name: &str) -> Report {
    Report::error("E0422", span, format!("`{name}` must be at least 1"))
}

/// E0423. A stopping condition that says nothing about the solve.
pub fn until_without_figure(span: Span) -> Report {
    Report::error(
        "E0423",
        span,
        "this condition says nothing about the solve, so it would hold always or never",
    )
    .help("use steps, epochs, loss, grad_norm, change, evals, seconds, or a report of the objective or optimizer")
}

/// E0424. A hyper-parameter outside its range.
pub fn hyper_out_of_range(span: Span, name: &str, set: &str, found: f64) -> Report {
    Report::error("E0424", span, format!("`{name}` must lie in {set}, found {found}"))
}

/// E0425. An optimizer without a step.
pub fn no_step(span: Span, name: &str) -> Report {
    Report::error("E0425", span, format!("the optimizer `{name}` has no step")).help("add `step { x = … }`")
}

/// E0425. A step that moves nothing.
pub fn step_moves_nothing(span: Span, name: &str, place: &str) -> Report {
    Report::error(
        "E0425",
        span,
        format!("the step of `{name}` never assigns `{place}`, so nothing would move"),
    )
    .help(format!("write `{place} = …` or `{place} -= …`; `let {place} = …` makes another name"))
}

/// E0426. A part of an optimizer that is there already.
pub fn part_twice(span: Span, what: &str, first: Span) -> Report {
    Report::error("E0426", span, format!("an optimizer has one {what}"))
        .label(span, "the second")
        .label(first, "the first")
        .help("put both into one")
}

/// E0426. A statement that does not belong in an optimizer; `instead` says where it would.
pub fn not_in_optimizer(span: Span, instead: Option<&str>) -> Report {
    let report = Report::error("E0426", span, "this statement does not belong in an optimizer");
    let report = match instead {
        Some(instead) => report.help(instead),
        None => report,
    };
    report.help("an optimizer has `let`, `state`, one `step { … }` and `answer`")
}

/// E0427. A status that does not exist.
pub fn unknown_status(span: Span, name: &str, known: &[&str]) -> Report {
    let report = Report::error("E0427", span, format!("there is no status `{name}`"));
    let report = match name {
        "converged" | "success" | "optimal" | "solved" | "done" | "ok" => {
            report.help("one that has found a minimum says `locally_solved`").fix(span, "locally_solved")
        }
        "failed" | "failure" | "error" | "diverged" => {
            report.help("one that failed says `numerical_error`").fix(span, "numerical_error")
        }
        _ => report.did_you_mean(name, known.iter().copied()),
    };
    report.note(format!("statuses are {}", known.join(", ")))
}

/// E0428. A state that is no vector.
pub fn state_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error(
        "E0428",
        span,
        format!("the state `{name}` is an array or a record of arrays, found {found}"),
    )
    .help(if found == "a function" {
        "the value at x is `f(x)`, the gradient `g`"
    } else {
        "`state m = 0*x` is like x"
    })
}

/// E0429. A state that changes its shape in a step.
pub fn state_changes(span: Span, name: &str, want: &str, found: &str) -> Report {
    Report::error("E0429", span, format!("`{name}` starts as {want} and becomes {found} in the step"))
        .help("a state keeps its type and shape; `state m = 0*x` starts with those of x")
}

/// E0430. The problem evaluated at a point of the wrong shape.
pub fn point_shape(span: Span, want: &str, found: &str) -> Report {
    Report::error("E0430", span, format!("the point of an evaluation is {want}, found {found}"))
        .help("`x` is one flat vector of all params")
}

/// E0431. `from` a result with other params.
pub fn resume_differs(span: Span, what: &str) -> Report {
    Report::error("E0431", span, format!("this result cannot be continued: its {what} differ"))
}

/// E0432. `from` a result of another optimizer.
pub fn resume_optimizer(span: Span, old: &str, new: &str) -> Report {
    Report::error("E0432", span, format!("this result of `{old}` cannot be continued with `{new}`"))
        .help("`from fit.params` starts afresh from its point")
}

/// E0433. Compiled code would have to wait for a value in its middle.
pub fn known_too_late(span: Span) -> Report {
    Report::error("E0433", span, "this has to be known before the code around it is compiled")
        .help("compute it outside the loop, generator, derivative or solve")
}

/// E0434. A draw in a generator that is no expectation.
pub fn draw_outside_expect(span: Span) -> Report {
    Report::error(
        "E0434",
        span,
        "`for z ~ D` integrates over D, which only `expect` does; `expect` is not built yet",
    )
    .help("draw with `let z ~ D`, or run over a set with `for z in S`")
}

/// E0435. A report that is no array.
pub fn report_kind(span: Span, name: &str, found: &str) -> Report {
    Report::error("E0435", span, format!("the report `{name}` is a number or an array, found {found}"))
}

/// E0436. An input given a value that does not fit.
pub fn input_value(span: Span, name: &str, text: &str) -> Report {
    Report::error(
        "E0436",
        span,
        format!("the value `{text}` given for the input `{name}` is no number, truth value or text"),
    )
}

/// E0437. An input without a value.
pub fn input_missing(span: Span, name: &str) -> Report {
    Report::error("E0437", span, format!("the input `{name}` has no value"))
        .help(format!("run with `{name}=…`, or give it a default"))
}

/// E0438. A value that cannot be saved.
pub fn cannot_save(span: Span, found: &str) -> Report {
    Report::error(
        "E0438",
        span,
        format!("only arrays, records of arrays and tables can be saved, found {found}"),
    )
}

/// E0439. A file that imports itself.
pub fn import_cycle(span: Span, path: &str) -> Report {
    Report::error("E0439", span, format!("`{path}` imports itself, directly or through other files"))
}
