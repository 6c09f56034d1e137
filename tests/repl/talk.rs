//! Conversations at a terminal.

use crate::folder;
use crate::terminal::Terminal;

/// A solve that goes on for hours.
const ENDLESS: &str = "minimize (1 - p)^2 + 100*(q - p^2)^2 over p = -1.0, q = 1.0 using gd(lr = 1e-9) until steps >= 10_000_000_000";

#[test]
fn entries_are_complete_when_they_are() {
    let mut terminal = Terminal::start(&[], &folder("complete"));
    terminal.asks("let x = [1,\r2]", "x = [1, 2]");
    terminal.asks("for i in 0..2 {\rprint i + 10\r}", "11");
    terminal.asks("fn f(x: real) = x^2", "fn f(x: real)");
    // A clause goes on with the entry before it.
    terminal.asks("  derivative dx -> 3*x*dx", "fn f(x: real)");
    terminal.asks("grad(f)(2)", "6");
    // Alt-Enter begins a line where the entry could end.
    terminal.asks("let y = 5\x1b\rlet z = y + 1", "z = 6");
    terminal.asks("y*z", "30");
    terminal.types("\x04");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn control_c_clears_the_line_and_twice_ends() {
    let mut terminal = Terminal::start(&[], &folder("clears"));
    terminal.types("let x = nonsense(");
    terminal.sees("> let x = nonsense(");
    terminal.types("\x03");
    terminal.sees("> ");
    terminal.asks("7*6", "42");
    terminal.types("\x03");
    terminal.sees("Ctrl-C again, Ctrl-D or :quit ends");
    terminal.sees("> ");
    terminal.asks("7*5", "35");
    terminal.types("\x03");
    terminal.sees("Ctrl-C again, Ctrl-D or :quit ends");
    terminal.sees("> ");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn control_c_stops_a_solve_and_keeps_its_best_point() {
    let mut terminal = Terminal::start(&["--verbose"], &folder("interrupted"));
    terminal.types(&format!("let fit = {ENDLESS}\r"));
    // It has begun: there is a line of progress.
    let steps = |line: &str| line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    terminal.sees_where("progress", |line| steps(line).is_some_and(|steps| steps > 0));
    terminal.interrupts();
    terminal.sees_beginning("fit = interrupted (loss ");
    terminal.sees("> ");
    terminal.asks("fit.status", "interrupted");
    terminal.asks("fit.steps > 0 and fit.loss < 4", "true");
    terminal.asks("fit.p + fit.q > -100", "true");
    terminal.types(":quit\r");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn the_history_is_there_the_next_time() {
    let place = folder("history");
    let mut first = Terminal::start(&[], &place);
    first.asks("let long_name = [1,\r2]", "long_name = [1, 2]");
    first.types("\x04");
    assert_eq!(first.ends(), 0);
    let mut second = Terminal::start(&[], &place);
    second.types("\x1b[A");
    second.sees("2]");
    second.types("\r");
    second.sees("long_name = [1, 2]");
    second.sees("> ");
    second.asks(":type long_name", "int[2]");
}

#[test]
fn a_history_that_cannot_be_written_is_no_error() {
    let place = folder("no_history");
    std::fs::create_dir(place.join("history")).expect("a folder can be made");
    let mut terminal = Terminal::start(&[], &place);
    terminal.asks("1 + 1", "2");
    terminal.types("\x04");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn tab_completes_what_is_known() {
    let place = folder("tab");
    std::fs::write(place.join("cooling.csv"), "minutes,celsius\n0,84\n1,81\n").expect("it can be written");
    let mut terminal = Terminal::start(&[], &place);
    terminal.asks("let data = csv(\"coo\t\")", "data: a table of 2 rows: minutes, celsius");
    terminal.asks("data.cel\t", "[84, 81]");
    terminal.types("let fit = minimi\t (p - 3)^2 ov\t p = 1.0 using momen\t(l\t0.1) until steps >= 2\r");
    terminal.sees_beginning("fit = iteration_limit");
    terminal.sees("> ");
    terminal.asks("fit.gra\t > 0", "true");
    terminal.asks(":ty\t fit.lo\t", "real");
    // Several words are listed.
    terminal.types("fit.s\t\t");
    terminal.sees_beginning("status");
    terminal.types("\x15adamw(\t\t");
    terminal.sees_beginning("lr =");
}

#[test]
fn a_wrong_entry_leaves_everything_as_it_was() {
    let mut terminal = Terminal::start(&[], &folder("wrong"));
    terminal.asks("var x = 1", "x = 1");
    terminal.types("x += 1; let y = [1, 2][x + 5]\r");
    terminal.sees_beginning("[E0223] Error: index");
    terminal.asks("x", "1");
    terminal.types("y\r");
    terminal.sees_beginning("[E0301] Error: `y` is not defined");
    terminal.sees("> ");
}

#[test]
fn entries_are_colored_unless_refused() {
    let mut plain = Terminal::start(&["--color", "never"], &folder("plain"));
    plain.asks("let x = 2", "x = 2");
    assert!(!plain.is_colored());
    let mut colored = Terminal::start(&["--color", "always"], &folder("colored"));
    colored.asks("let x = 2", "x = 2");
    assert!(colored.is_colored());
}

#[test]
fn lines_typed_ahead_are_kept() {
    let mut terminal = Terminal::start(&[], &folder("ahead"));
    terminal.types("let aa = 1\rlet bb = 2\rlet cc = 3\raa+bb+cc\r");
    for line in ["aa = 1", "bb = 2", "cc = 3", "6"] {
        terminal.sees(line);
    }
    // A prompt for each, the last one for what comes.
    terminal.sees("> ");
    // While a solve runs, too.
    terminal
        .types("let fit = minimize (p - 3)^2 over p = 1.0 using gd(lr = 1e-6) until steps >= 3_000_000\r");
    terminal.sees("");
    terminal.types("let dd = 40\rdd + aa + 1\r");
    terminal.sees_beginning("fit = iteration_limit");
    terminal.sees("dd = 40");
    terminal.sees("42");
}

#[test]
fn tab_completes_columns_that_are_no_names() {
    let place = folder("columns");
    std::fs::write(
        place.join("people.csv"),
        "Age (years),BMI [kg/m²],height,\"a \"\"b\"\"\"\n30,20,1.5,7\n40,30,1.75,8\n",
    )
    .expect("it can be written");
    let mut terminal = Terminal::start(&[], &place);
    terminal.types("let d = csv(\"peo\t\")\r");
    terminal.sees_beginning("d: a table of 2 rows");
    terminal.asks("d.Ag\t", "[30, 40]");
    terminal.asks("d.BM\t", "[20, 30]");
    terminal.asks("d.he\t", "[1.5, 1.75]");
    terminal.asks("d[\"Ag\t]", "[30, 40]");
    terminal.asks("d[\"a \t]", "[7, 8]");
    terminal.asks("matrix(d, only = \"BM\t)", "[[20],");
    terminal.asks("matrix(d, only = [\"BM\t, \"Ag\t])", "[[20, 30],");
    terminal.asks("names(d, except = [\"Age (years)\", \"BM\t, \"hei\t])", "[\"a \"b\"\"]");
    terminal.asks(":type d.Ag\t", "int[2]");
}

#[test]
fn tab_after_until_gives_figures() {
    let mut terminal = Terminal::start(&[], &folder("figures"));
    terminal.types("objective o(t: real) { param w = 0.0; minimize (w - t)^2; report off = w - t }\r");
    terminal.sees_beginning("objective o");
    terminal.sees("> ");
    terminal.types("let st = 1\r");
    terminal.sees("st = 1");
    terminal.types("let fit = solve o(2.0) using gd(lr = 0.5) until ste\t >= 1 or of\t > 1\r");
    terminal.sees_beginning("fit = iteration_limit: steps 1 >= 1");
}

#[test]
fn tables_are_as_wide_as_the_terminal() {
    let place = folder("width");
    let header: Vec<String> = (0..20).map(|k| format!("column_{k}")).collect();
    std::fs::write(place.join("wide.csv"), format!("{}\n{}1\n", header.join(","), "1,".repeat(19)))
        .expect("it can be written");
    let mut narrow = Terminal::of_width(60, &[], &place);
    narrow.types("csv(\"wide.csv\")\r");
    narrow.sees("column_0  column_1  column_2  …  column_18  column_19");
    let mut wide = Terminal::of_width(150, &[], &place);
    wide.types("csv(\"wide.csv\")\r");
    wide.sees_where("a wide table", |line| {
        line.starts_with("column_0") && line.trim_end().chars().count() > 130
    });
}
