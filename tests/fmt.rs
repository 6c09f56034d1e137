//! `minima fmt`: one form for every program, which means the same, keeps every comment, and stays
//! as it is when it is formatted again.

use std::path::{Path, PathBuf};

use minima::diag::{FileId, Report};
use minima::syntax::{format, parse_file, print_file};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with an ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().expect("the folder is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, ending, found);
            } else if path.extension().is_some_and(|own| own == ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it is text")
}

fn is_wrong(text: &str) -> bool {
    parse_file(FileId(0), text).1.iter().any(Report::is_error)
}

/// The tree of a program as text, without places.
fn tree(text: &str) -> String {
    print_file(&parse_file(FileId(0), text).0)
}

/// The comments of a program, in their order; `///` lines too.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let (mut quoted, mut escaped, mut last) = (false, false, ' ');
        for (at, letter) in line.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '/' if !quoted && last == '/' => {
                    found.push(line[at - 1..].trim_end().to_string());
                    break;
                }
                _ => {}
            }
            last = if quoted { ' ' } else { letter };
        }
    }
    found
}

/// Formats a program and looks at what came out.
#[track_caller]
fn formed(place: &str, text: &str) -> String {
    let formed = format(text).unwrap_or_else(|reports| panic!("{place}: {reports:?}\n{text}"));
    assert_eq!(tree(&formed), tree(text), "{place}: another program\n{text}\n{formed}");
    assert_eq!(comments(&formed), comments(text), "{place}: other comments\n{text}\n{formed}");
    let again = format(&formed).unwrap_or_else(|reports| panic!("{place}: {reports:?}"));
    assert_eq!(again, formed, "{place}: not stable\n{text}");
    let lines = if text.contains("\r\n") { formed.replace("\r\n", "\n") } else { formed.clone() };
    let untidy =
        lines.lines().find(|line| line.ends_with([' ', '\t']) || line.trim_start().starts_with('\t'));
    assert_eq!(untidy, None, "{place}");
    assert!(!lines.contains("\n\n\n") && !lines.starts_with('\n') && !lines.ends_with("\n\n"), "{place}");
    formed
}

/// The blocks of Minima in a document.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match &mut block {
            Some(_) if line.starts_with("```") => found.extend(block.take()),
            Some(block) => *block += &format!("{line}\n"),
            None if line.starts_with("```minima") => block = Some(String::new()),
            None => {}
        }
    }
    found
}

/// Every program there is: the library, examples, documents, cases; each with a name.
fn programs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["stdlib", "examples", "tests/cases"] {
        for path in files(folder, "opt") {
            found.push((path.display().to_string(), read(&path)));
        }
    }
    for path in files("docs", "md").into_iter().chain([root().join("README.md")]) {
        for (at, block) in blocks(&read(&path)).into_iter().enumerate() {
            found.push((format!("{} block {at}", path.display()), block));
        }
    }
    found
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (n as u64)).expect("it is small")
    }
}

#[test]
fn every_program_there_is_keeps_its_meaning_and_its_comments() {
    let (mut right, mut wrong) = (0, 0);
    for (name, text) in programs() {
        if is_wrong(&text) {
            let reports = format(&text).expect_err("it has errors");
            assert!(reports.iter().any(Report::is_error), "{name}");
            wrong += 1;
        } else {
            formed(&name, &text);
            right += 1;
        }
    }
    assert!(right > 500 && wrong > 40, "{right} programs, {wrong} of them wrong");
}

#[test]
fn the_library_and_the_examples_have_their_form() {
    for folder in ["stdlib", "examples"] {
        for path in files(folder, "opt") {
            let text = read(&path);
            let formed = formed(&path.display().to_string(), &text);
            assert_eq!(formed, text, "{}: run `minima fmt stdlib examples`", path.display());
        }
    }
}

/// The places between the tokens of a text where something may be put: beside spaces and brackets,
/// outside of texts and comments.
fn boundaries(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut quoted, mut comment, mut escaped, mut last) = (false, false, false, '\n');
    for (at, letter) in text.char_indices() {
        let apart = letter.is_whitespace() || last.is_whitespace() || "()[]{},".contains([letter, last]);
        if !quoted && !comment && apart {
            found.push(at);
        }
        match letter {
            '\n' => (quoted, comment) = (false, false),
            _ if comment => {}
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && last == '/' => {
                comment = true;
                found.retain(|place| *place < at - 1);
            }
            _ => {}
        }
        last = letter;
    }
    found
}

#[test]
fn comments_survive_wherever_they_stand() {
    let mut random = Random(20);
    let (mut tried, mut right) = (0, 0);
    for (name, text) in programs() {
        if is_wrong(&text) || text.len() > 6_000 {
            continue;
        }
        let places = boundaries(&text);
        for turn in 0..2 {
            let mut mutant = text.clone();
            let mut chosen: Vec<usize> =
                (0..=random.below(4)).map(|_| places[random.below(places.len())]).collect();
            chosen.sort_unstable();
            chosen.dedup();
            for (at, place) in chosen.into_iter().enumerate().rev() {
                let comment = match random.below(4) {
                    0 => format!(" // one {at}\n"),
                    1 => format!("\n\n\n // alone {at} \n"),
                    2 => format!("//tight {at}\r\n"),
                    _ => format!("\n// first {at}\n\n// second\n"),
                };
                mutant.insert_str(place, &comment);
            }
            tried += 1;
            // A comment ends its line, so some places are no places for one.
            if !is_wrong(&mutant) {
                formed(&format!("{name} with comments, turn {turn}"), &mutant);
                right += 1;
            }
        }
    }
    assert!(right > 400, "{right} of {tried}");
}

#[test]
fn spaces_of_the_author_do_not_matter() {
    let mut random = Random(7);
    let (mut tried, mut right) = (0, 0);
    for (name, text) in programs() {
        if is_wrong(&text) || text.len() > 6_000 {
            continue;
        }
        let places = boundaries(&text);
        let mut mutant = text.clone();
        for place in places.into_iter().rev() {
            if random.below(6) == 0 {
                mutant.insert_str(place, ["  ", "\t", " ", "      ", "\n", " \n\n\n\t"][random.below(6)]);
            }
        }
        tried += 1;
        if !is_wrong(&mutant) {
            formed(&format!("{name} with spaces"), &mutant);
            right += 1;
        }
    }
    assert!(right > 30, "{right} of {tried}");
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    assert_eq!(formed("here", text), expected);
    assert_eq!(formed("here", expected), expected);
}

#[test]
fn spaces() {
    becomes("let   x=1", "let x = 1\n");
    becomes("fn f ( x:real[n] ,y )=x [0]+ -y^2*3", "fn f(x: real[n], y) = x[0] + -y^2*3\n");
    becomes("print x[i+1], 2 * x, 2*x, 0 .. n", "print x[i+1], 2 * x, 2*x, 0..n\n");
    becomes("let y = a+b * c", "let y = a + b * c\n");
    becomes("let y = a+ b", "let y = a + b\n");
    becomes("let c = A [ i , : ]", "let c = A[i, :]\n");
    becomes("let y=-x+f(-1)*not_a", "let y = -x+f(-1)*not_a\n");
    becomes("let y = if a<b then - 1 else not c", "let y = if a < b then -1 else not c\n");
    becomes(
        "objective o(){param w:real[2]in[0,1)=0\nminimize w@w}",
        "objective o() {\n  param w: real[2] in [0, 1) = 0\n  minimize w@w\n}\n",
    );
    becomes("let f = x->x |> g", "let f = x -> x |> g\n");
    becomes("let z=(a=1,b=[ ])", "let z = (a = 1, b = [])\n");
}

#[test]
fn blocks_and_statements() {
    becomes("fn f(x)\n{\nlet y = x;\ny\n}", "fn f(x) {\n  let y = x\n  y\n}\n");
    becomes("fn f(x) = {let y = x;y}", "fn f(x) = { let y = x; y }\n");
    becomes("let a = 1; let b = 2 // both\n", "let a = 1\nlet b = 2 // both\n");
    becomes("if a {x = 1}\nelse {\nx = 2 }", "if a { x = 1 }\nelse {\n  x = 2\n}\n");
    becomes("if a {\nx = 1}\nelse {\nx = 2 }", "if a {\n  x = 1\n} else {\n  x = 2\n}\n");
    becomes("test \"t\" {}", "test \"t\" { }\n");
    becomes("\n\n\nlet a = 1\n\n\n\nlet b = 2\n\n", "let a = 1\n\nlet b = 2\n");
    becomes("fn f() {\n\n  1\n\n}", "fn f() {\n  1\n}\n");
}

#[test]
fn comments_stay_at_their_places() {
    becomes("// Licence\n\n\n// Why\nlet a = 1", "// Licence\n\n// Why\nlet a = 1\n");
    becomes(
        "fn f(x) {\n// before\nx // behind\n// last\n}",
        "fn f(x) {\n  // before\n  x // behind\n  // last\n}\n",
    );
    becomes(
        "let a = [ // first\n1, // one\n  // two\n2\n]",
        "let a = [ // first\n  1, // one\n  // two\n  2\n]\n",
    );
    becomes("let a = 1   // one\nlet bc = 2  // two\n", "let a = 1   // one\nlet bc = 2  // two\n");
    becomes("let a=1   // one\nlet bcd=2 // two\n", "let a = 1   // one\nlet bcd = 2 // two\n");
    becomes(
        "/// What it is.\n///\n/// More.\nfn f() = 1\n// the end",
        "/// What it is.\n///\n/// More.\nfn f() = 1\n// the end\n",
    );
    becomes("let a = f(x, // x\ny // y\n)", "let a = f(x, // x\n          y // y\n         )\n");
    becomes(
        "if a { // so\nx = 1\n} // not\nelse { x = 2 }",
        "if a { // so\n  x = 1\n} // not\nelse { x = 2 }\n",
    );
}

#[test]
fn what_is_lined_up_stays_lined_up() {
    let table = "let a     = 1\nlet bcd   = 22\nlet ef    = 3\n";
    becomes(table, table);
    becomes("let a   = 1\nlet  bcd  = 2\n", "let a = 1\nlet bcd = 2\n");
    becomes("let a   = 1\nlet bcd = f( 2 )\n", "let a   = 1\nlet bcd = f(2)\n");
    let matrix = "let A = [[ 1.0,  2.5],\n         [10.0, -3.0]]\n";
    becomes(matrix, matrix);
    becomes("let A = [[ 1.0,2.5],\n         [ 3.0,-3.0]]\n", "let A = [[1.0, 2.5],\n         [3.0, -3.0]]\n");
    let records = "let t = [\n  (name = \"a\",    n = 1),\n  (name = \"bcde\", n = 22)\n]\n";
    becomes(records, records);
}

#[test]
fn spaces_that_line_up_by_chance_go() {
    becomes(
        "let z = g(x  =  1,  y  =  2)\nprint g(xx = 1, y = 2)\n",
        "let z = g(x = 1, y = 2)\nprint g(xx = 1, y = 2)\n",
    );
    becomes(
        "let z = g(x  =  1,  y  =  2)\nlet w = g(xx = 1, y = 2)\n",
        "let z = g(x = 1, y = 2)\nlet w = g(xx = 1, y = 2)\n",
    );
    becomes("let x    = 1\ninput ab = 2\n", "let x = 1\ninput ab = 2\n");
    becomes("let A = [[1,  2],\n         [10, 2, 3]]\n", "let A = [[1, 2],\n         [10, 2, 3]]\n");
    becomes(
        "optimizer o(lr: real  in (0,  inf) = 1, b1: real in [0, 1) = 0.9,\n            b2: real in [0,  1) = 1) {\n  step { }\n}\n",
        "optimizer o(lr: real in (0, inf) = 1, b1: real in [0, 1) = 0.9,\n            b2: real in [0, 1) = 1) {\n  step { }\n}\n",
    );
    // Two of five are no column.
    becomes(
        "let abc = 1\nlet d   = 2\nlet e = 3\nlet f = 4\nlet hij = 5\n",
        "let abc = 1\nlet d   = 2\nlet e = 3\nlet f = 4\nlet hij = 5\n",
    );
}

#[test]
fn tables_of_other_kinds_stay_lined_up() {
    for table in [
        "optimizer o(\n  lr:  real in (0, inf) = 1e-3,\n  b1:  real in [0, 1)   = 0.9,\n  eps: real in (0, inf) = 1e-8\n) {\n  step { }\n}\n",
        "test \"t\" {\n  assert f(1,   2) < 3\n  assert f(100, 2) < 3\n}\n",
        "rule       a:   x + 0 => x      if x > 0\nexact rule bcd: x * 1 => x\nexact rule efg: 1 * x => f(x)   if x < 0\n",
        "let x =   1\nlet y = 100\n",
    ] {
        becomes(table, table);
    }
}

#[test]
fn columns_do_not_make_lines_too_long() {
    let names = ["a", "b", "c"].map(|name| name.repeat(24));
    let long = format!("let x = {}\nlet {} = {}\n", names.join(" + "), "y".repeat(30), names[0]);
    assert!(long.lines().all(|line| line.len() < 100));
    let spaced = long.replacen("x =", &format!("x{} =", " ".repeat(29)), 1);
    let formed = formed("spaced", &spaced);
    assert!(formed.lines().all(|line| line.len() <= 100), "{formed}");
    assert_eq!(formed, long);
}

#[test]
fn a_generator_is_broken_before_its_for() {
    becomes(
        "let weights = [(column = name, weight = w) for (name, w) in (names(data, except = (\"how much\", \"town\", \"one\")), fit.w)]",
        "let weights = [(column = name, weight = w)\n               for (name, w) in (names(data, except = (\"how much\", \"town\", \"one\")), fit.w)]\n",
    );
    // What follows may still be too long: the pattern stays whole.
    let names = ["\"some name\""; 12].join(", ");
    let text = format!(
        "let weights = [(column = name, weight = w) for (name, w) in (names(data, except = ({names})), fit.w)]"
    );
    let formed = formed("long", &text);
    assert!(formed.contains("\n               for (name, w) in ("), "{formed}");
}

#[test]
fn long_lines_are_broken_outside_first() {
    let sum = format!("let total = {}", ["some_long_name"; 8].join(" + "));
    becomes(
        &sum,
        &format!(
            "let total = {}\n  + {}\n",
            ["some_long_name"; 5].join(" + "),
            ["some_long_name"; 3].join(" + ")
        ),
    );
    becomes(
        "let fit = minimize mean((dot(x, w) - t)^2 for (x, t) in (X, y)) over w = zeros[20] using reduced() until epochs >= 40 with batch = 5",
        "let fit = minimize mean((dot(x, w) - t)^2 for (x, t) in (X, y)) over w = zeros[20] using reduced()\n  until epochs >= 40 with batch = 5\n",
    );
    becomes(
        "fn rosenbrock_of_a_name_that_is_rather_long(x: real[n]) = sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n-1)",
        "fn rosenbrock_of_a_name_that_is_rather_long(x: real[n]) =\n  sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n-1)\n",
    );
    let wide = format!("let numbers = [{}]", ["12345"; 40].join(", "));
    for line in formed("numbers", &wide).lines() {
        assert!(line.len() <= 100 && (line.len() > 80 || line.ends_with(']')), "{line}");
    }
    let long = format!("let text = \"{}\"\n", "x".repeat(200));
    becomes(&long, &long);
}

#[test]
fn texts_of_any_kind() {
    becomes("", "");
    becomes("\n \t\n", "");
    becomes("// only", "// only\n");
    becomes("\u{feff}let a = 1", "let a = 1\n");
    becomes("\tlet θ₁ =\t1 // Größe\n", "let θ₁ = 1 // Größe\n");
    becomes("let a=1\r\n\r\n\r\nlet b=2 // c\r\n", "let a = 1\r\n\r\nlet b = 2 // c\r\n");
    becomes("let a = \"//  no comment ; \\\" \"", "let a = \"//  no comment ; \\\" \"\n");
    assert!(format("let a = (1").is_err());
    assert!(format("let a = 7 % 2").is_err());
}

#[test]
fn no_text_is_too_deep_or_too_long() {
    let deep = format!("let a = {}1{}", "(".repeat(100), ")".repeat(100));
    formed("deep", &deep);
    let nested = format!("{}x = 1{}", "if a { ".repeat(60), " }".repeat(60));
    formed("nested", &nested);
    let long = format!("let a = [{}]", vec!["f(x, 1)"; 3_000].join(", "));
    formed("long", &long);
    let many = "let a = 1 // c\n".repeat(3_000);
    formed("many", &many);
}
