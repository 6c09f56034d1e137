//! Plots and the report page as a user of the command meets them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

#[path = "support/markup.rs"]
mod markup;

/// A folder of its own with a program in it.
fn program(text: &str) -> (PathBuf, PathBuf) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("report_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let file = folder.join("p.opt");
    std::fs::write(&file, text).expect("it can be written");
    (folder, file)
}

fn minima(file: &Path, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minima"));
    command.arg("run").arg(file).args(more).env_remove("NO_COLOR").stdin(Stdio::null());
    let output = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[test]
fn a_plot_is_a_result_and_has_colors_only_where_asked() {
    let (_, file) = program("print 1\nplot [1.0, 2.0, 4.0], b = [4.0, 3.0, 1.0]\nprint 2\n");
    let (code, plain, err) = minima(&file, &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(plain.starts_with("1\n") && plain.ends_with("index\n2\n"), "{plain}");
    assert!(plain.contains("─●─ [1.0, 2.0, 4.0]   ─▲─ b") && !plain.contains('\u{1b}'), "{plain}");
    let (_, colored, _) = minima(&file, &["--color", "always"]);
    assert!(colored.contains("\u{1b}[34m"), "{colored}");
    let mut bare = colored.replace("\u{1b}[34m", "").replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
    assert_eq!(bare, plain);
    bare.clear();
    let (_, quiet, _) = minima(&file, &["--quiet"]);
    assert_eq!(quiet, plain, "results are shown all the same");
}

#[test]
fn json_lists_plots_and_holds_no_picture() {
    let (folder, file) = program(
        "let y = [1.0, 0.0/0.0, 2.0]\nplot y, z = [1.0, 2.0] to \"a.svg\" with title = \"T\"\nplot y\n",
    );
    let (code, out, _) = minima(&file, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).expect("one report");
    assert_eq!(code, 0);
    let plots = report["plots"].as_array().expect("a list");
    assert_eq!(plots.len(), 2);
    assert_eq!(plots[0]["kind"], "line");
    assert_eq!(plots[0]["title"], "T");
    assert_eq!(plots[0]["series"], serde_json::json!(["y", "z"]));
    assert_eq!(plots[0]["notes"], serde_json::json!(["not finite, left as gaps: 1 value of y"]));
    assert_eq!((plots[0]["path"].as_str(), plots[1]["path"].as_str()), (Some("a.svg"), None));
    assert_eq!(plots[1]["line"], 3);
    let text = std::fs::read_to_string(folder.join("a.svg")).expect("it was written");
    markup::well_formed(&text);
}

#[test]
fn pictures_are_written_by_their_ending() {
    let (folder, file) = program("plot [1.0, 2.0] to \"a.png\"\n");
    assert_eq!(minima(&file, &[]), (0, String::new(), String::new()));
    let bytes = std::fs::read(folder.join("a.png")).expect("it was written");
    assert_eq!(&bytes[1..4], b"PNG");
    for path in ["a.pdf", "a", "missing/a.svg", "."] {
        std::fs::write(&file, format!("plot [1.0, 2.0] to \"{path}\"\n")).expect("it can be written");
        let (code, out, err) = minima(&file, &[]);
        assert_eq!((code, out.as_str()), (6, ""), "{path}: {err}");
        assert!(err.contains("E06"), "{path}: {err}");
    }
}

const RUN: &str = "\
// <b>bold</b> & \"quoted\"
input lr: real = 0.05
fn f(a: real, b: real) = (1 - a)^2 + 10*(b - a^2)^2
let fit = minimize f(a, b) over a = -1.0, b = 1.0 using adam(lr = lr) until grad_norm < 1e-6 or steps >= 20
print \"<script>\", fit.steps
plot contour(f, box(-2, 2), path = fit) with title = \"</svg><script>\"
print \"last\"
";

#[test]
fn the_page_has_everything_and_needs_nothing() {
    let (folder, file) = program(RUN);
    let page = folder.join("page.html");
    let page_path = page.display().to_string();
    let (code, plain, _) = minima(&file, &["lr=0.1", "--seed", "7", "--report", &page_path]);
    assert_eq!(code, 3);
    let text = std::fs::read_to_string(&page).expect("it was written");
    markup::well_formed(&text);
    for part in [
        "exit 3: a solve stopped early",
        "<h3>fit <span class=\"badge bad\">iteration_limit</span></h3>",
        "steps 20 &gt;= 20",
        "<th>optimizer</th><td><pre>adam</pre>",
        "<pre>  lr = 0.1</pre>",
        "<pre>  b1 = 0.9  (default)</pre>",
        "<pre>&lt;script&gt; 20</pre>",
        "&lt;/svg&gt;&lt;script&gt;",
        "<span class=\"comment\">// &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;</span>",
        "<span class=\"keyword\">minimize</span>",
        "<tr><th>seed</th><td>7</td></tr>",
        "<tr><th>precision</th><td>f64 <span class=\"soft\">default</span></td></tr>",
        "<tr><th>input lr</th><td>0.1</td></tr>",
        "prefers-color-scheme: dark",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!text.contains("<script") && !text.contains("<b>"), "nothing of a program is markup");
    let links = text.matches("http").count();
    assert_eq!(links, text.matches("http://www.w3.org/2000/svg").count(), "nothing comes from elsewhere");
    assert_eq!(text.matches("<svg ").count(), 2, "the course of the solve, and the plot");
    let (print, plot, last) =
        (text.find("&lt;script&gt;&quot; 20"), text.find("&lt;/svg&gt;"), text.find("<pre>last"));
    assert!(print < plot && plot < last, "in the order of the program");
    assert!(plain.contains("last"), "results are printed all the same");
}

#[test]
fn the_page_is_written_of_programs_that_fail() {
    let (folder, file) = program("print 1\nlet x = [1.0, 2.0] + [1.0, 2.0, 3.0]\n");
    let page = folder.join("page.html");
    let path = page.display().to_string();
    let (code, out, _) = minima(&file, &["--report", &path]);
    assert_eq!((code, out.as_str()), (1, ""));
    let text = std::fs::read_to_string(&page).expect("it was written");
    markup::well_formed(&text);
    assert!(text.contains("E0203") && text.contains("the program is wrong"), "{text}");
    let (_, file) = program(
        "let fit = minimize log(x) over x = 1.0 using gd() until steps >= 1000\nprint [1.0][fit.steps]\n",
    );
    let (code, _, _) = minima(&file, &["--report", &path]);
    let text = std::fs::read_to_string(&page).expect("it was written");
    markup::well_formed(&text);
    assert!(
        code != 0 && text.contains(&format!("exit {code}: ")) && text.contains("numerical_error"),
        "{text}"
    );
    let (_, file) = program(
        "let fit = minimize log(x) over x = -1.0 using gd() until steps >= 5\nplot fit\nprint \"after\"\n",
    );
    let (code, out, err) = minima(&file, &[]);
    assert_eq!(
        (code, out.as_str()),
        (4, "after\n"),
        "the status of the solve is not hidden by its picture: {err}"
    );
    assert!(err.contains("[E0495] Warning: there is nothing to draw"), "{err}");
    let (code, out, err) = minima(&file, &["--report", "no/such/page.html"]);
    assert_eq!((code, out.as_str()), (6, ""));
    assert!(err.contains("its folder does not exist"), "{err}");
}

#[cfg(unix)]
#[test]
fn the_page_is_written_when_the_run_is_interrupted() {
    let (folder, file) = program(
        "fn bowl(x: real[n]) = sum((x - 3)^2)\n\
         let fit = minimize bowl(x) over x = [0.0, 10.0] using gd(lr = 1e-12) until grad_norm < 1e-8\n",
    );
    let page = folder.join("page.html");
    let (code, _, _) = minima(&file, &["--time-limit", "0.3", "--report", &page.display().to_string()]);
    assert_eq!(code, 3);
    assert!(std::fs::read_to_string(&page).expect("it was written").contains("time_limit"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_minima"))
        .args(["run", "--verbose"])
        .arg(&file)
        .arg("--report")
        .arg(&page)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // It has begun once it tells of its progress.
    let mut told = [0; 1];
    std::io::Read::read_exact(child.stderr.as_mut().expect("a pipe"), &mut told).expect("it tells");
    let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("it is sent");
    assert!(done.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let text = std::fs::read_to_string(&page).expect("it was written");
    markup::well_formed(&text);
    assert!(text.contains("exit 130: interrupted"), "{text}");
}

#[test]
fn the_page_shows_what_the_program_imports() {
    let (folder, file) = program("import \"deep.opt\"\nprint f(2.0)\n");
    std::fs::write(folder.join("deep.opt"), "import \"deeper.opt\"\nfn f(x: real) = g(x) + 1 // <deep>\n")
        .expect("it can be written");
    std::fs::write(folder.join("deeper.opt"), "fn g(x: real) = 2*x // deeper\n").expect("it can be written");
    let page = folder.join("page.html");
    let (code, out, err) = minima(&file, &["--report", page.to_str().expect("a path")]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "5\n", ""));
    let text = std::fs::read_to_string(page).expect("it was written");
    for (name, inside) in [("deep.opt", "// &lt;deep&gt;"), ("deeper.opt", "// deeper")] {
        let section = text.split("<section>").find(|part| part.contains(&format!("{name}</h2>")));
        let section = section.unwrap_or_else(|| panic!("{name} has a section:\n{text}"));
        assert!(section.contains(inside), "{section}");
    }
    assert_eq!(text.matches("Imported: ").count(), 2);
}
