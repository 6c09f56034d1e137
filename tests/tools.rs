//! The verbs around programs as a user meets them: `fmt`, `new`, `watch`, `completions`; and the
//! words that editors know.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Long enough for any machine; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(120);

fn minima(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minima"));
    command.args(arguments).current_dir(folder).env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::null());
    command
}

/// What a command did: its exit code, standard output, standard error.
#[track_caller]
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = minima(folder, arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

/// An empty folder with a name of its own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools").join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
    std::fs::write(&path, text).expect("the file can be written");
    path
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it can be read")
}

fn modified(path: &Path) -> SystemTime {
    path.metadata().and_then(|found| found.modified()).expect("it has a time")
}

/// Puts the time of a file back, so that any writing shows.
fn long_ago(path: &Path) -> SystemTime {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().append(true).open(path).expect("it can be opened");
    file.set_modified(then).expect("its time can be set");
    modified(path)
}

// fmt

#[test]
fn fmt_writes_what_changes_and_nothing_else() {
    let folder = folder("fmt");
    let bad = write(&folder, "a.opt", "let x=1\n");
    let good = write(&folder, "deep/b.opt", "let x = 1\n");
    let other = write(&folder, "deep/c.txt", "let x=1\n");
    write(&folder, ".hidden/d.opt", "let x=1\n");
    let times = [&good, &other].map(|path| long_ago(path));
    assert_eq!(
        run(&folder, &["fmt", "--check", "."]),
        (1, "./a.opt\n".into(), "1 file would change\n".into())
    );
    assert_eq!(read(&bad), "let x=1\n");
    assert_eq!(run(&folder, &["fmt", "."]), (0, String::new(), "formatted ./a.opt\n".into()));
    assert_eq!(read(&bad), "let x = 1\n");
    assert_eq!([&good, &other].map(|path| modified(path)), times);
    assert_eq!(read(&folder.join(".hidden/d.opt")), "let x=1\n");
    assert_eq!(run(&folder, &["fmt", "--check", "a.opt", "deep"]), (0, String::new(), String::new()));
}

#[test]
fn fmt_leaves_programs_with_errors_alone() {
    let folder = folder("fmt_errors");
    let wrong = write(&folder, "wrong.opt", "let  x=(1\n");
    let right = write(&folder, "right.opt", "let  x=1\n");
    let time = long_ago(&wrong);
    let (code, out, err) = run(&folder, &["fmt", "."]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("E0102") || err.contains("never closed"), "{err}");
    assert!(err.contains("wrong.opt:1"), "{err}");
    assert_eq!((read(&wrong).as_str(), modified(&wrong)), ("let  x=(1\n", time));
    assert_eq!(read(&right), "let x = 1\n", "the others are formatted");
    std::fs::write(&wrong, b"let x=1 // \xff\n").expect("it can be written");
    let (code, _, err) = run(&folder, &["fmt", "wrong.opt"]);
    assert_eq!(code, 1);
    assert!(err.contains("E0121"), "{err}");
    assert_eq!(std::fs::read(&wrong).expect("it is there"), b"let x=1 // \xff\n");
}

#[test]
fn fmt_reads_standard_input() {
    let folder = folder("fmt_input");
    let mut child = minima(&folder, &["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(b"let x=[1,2] // c").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "let x = [1, 2] // c\n");
    assert_eq!(run(&folder, &["fmt", "-"]), (0, String::new(), String::new()));
}

#[test]
fn fmt_reports_as_json() {
    let folder = folder("fmt_json");
    write(&folder, "a.opt", "let x=1\n");
    write(&folder, "b.opt", "let x = (\n");
    let (code, out, _) = run(&folder, &["fmt", "--check", "--json", "."]);
    let report: Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!((code, &report["exit"]), (1, &Value::from(1)));
    assert_eq!(report["files"][0]["changed"], Value::from(true));
    assert_eq!(report["files"][1]["changed"], Value::from(false));
    assert_eq!(report["files"][1]["diagnostics"][0]["severity"], Value::from("error"));
    assert_eq!(read(&folder.join("a.opt")), "let x=1\n");
}

#[test]
fn fmt_says_what_it_cannot_read() {
    let folder = folder("fmt_unread");
    let (code, _, err) = run(&folder, &["fmt", "none.opt"]);
    assert_eq!((code, err.as_str()), (2, "error: there is no file `none.opt`\n"));
    let (code, _, err) = run(&folder, &["fmt", "."]);
    assert_eq!((code, err.as_str()), (2, "error: there are no `.opt` files in `.`\n"));
}

#[cfg(unix)]
#[test]
fn fmt_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder("fmt_links");
    let file = write(&folder, "real.opt", "let x=1\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o750)).expect("it can be changed");
    symlink("real.opt", folder.join("link.opt")).expect("a link can be made");
    assert_eq!(run(&folder, &["fmt", "link.opt"]).0, 0);
    assert_eq!(read(&file), "let x = 1\n");
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o750);
    assert!(folder.join("link.opt").symlink_metadata().expect("it is there").is_symlink());
    std::fs::write(&file, "let x=1\n").expect("it can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).expect("it can be changed");
    let (code, _, err) = run(&folder, &["fmt", "real.opt"]);
    assert_eq!((code, err.as_str()), (6, "error: cannot write `real.opt`: it is read-only\n"));
    let left: Vec<_> =
        folder.read_dir().expect("it is there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

// new

/// What `new` made runs, passes its test and has its form.
#[track_caller]
fn is_sound(folder: &Path, program: &str) {
    let (code, out, err) = run(folder, &["run", program]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("locally_solved"), "{out}");
    let (code, out, err) = run(folder, &["test", program]);
    assert_eq!((code, out.as_str()), (0, "1 passed, 0 failed\n"), "{err}");
    assert_eq!(run(folder, &["fmt", "--check", "."]), (0, String::new(), String::new()));
}

#[test]
fn new_makes_a_program_that_works() {
    let folder = folder("new");
    let (code, out, err) = run(&folder, &["new", "fit"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "made fit: fit.opt, data.csv, README.md, .gitignore\n\nnext:\n  cd fit\n  minima run fit.opt\n  minima watch fit.opt\n"
    );
    is_sound(&folder.join("fit"), "fit.opt");
    let readme = read(&folder.join("fit/README.md"));
    assert!(readme.contains("`minima run fit.opt`") && !readme.contains('{'), "{readme}");
    let program = read(&folder.join("fit/fit.opt"));
    let (code, out, err) = run(&folder, &["new", "fit"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, "error: `fit` is there already: choose another name, or remove it\n");
    assert_eq!(read(&folder.join("fit/fit.opt")), program);
    for name in ["..", "a b", "sub/-x", "."] {
        assert_eq!(run(&folder, &["new", "--", name]).0, 2, "{name}");
    }
    assert_eq!(run(&folder, &["new", "sub/other"]).0, 0);
    is_sound(&folder.join("sub/other"), "other.opt");
}

#[test]
fn new_fits_the_columns_of_a_table() {
    let folder = folder("new_from");
    let table =
        "the size,town,one,from,how \"much\"\n1,x,3,0.5,2\n2,y,3,0.1,3.5\n4,x,3,0.7,5\n5,z,3,0.2,6.5\n";
    write(&folder, "houses.csv", &table.replace("how \"much\"", "\"how \"\"much\"\"\""));
    assert_eq!(run(&folder, &["new", "houses", "--from", "houses.csv"]).0, 0);
    let program = read(&folder.join("houses/houses.opt"));
    assert!(program.contains("// Left out: `town` is text, `one` is constant.\n"), "{program}");
    assert!(program.contains("let target = data[\"how \\\"much\\\"\"]\n"), "{program}");
    // 0.5/(1 + 2), with one digit.
    assert!(program.contains("Steps of 0.1 are safe with 2 columns") && program.contains("mine(lr = 0.1)"));
    is_sound(&folder.join("houses"), "houses.opt");
    let (_, out, _) = run(&folder.join("houses"), &["run", "houses.opt"]);
    assert!(out.contains("the size") && out.contains("from") && !out.contains("town"), "{out}");
    write(&folder, "flags.csv", "a,b,hit\n1,2,true\n2,1,false\n3,5,true\n0,1,false\n");
    assert_eq!(run(&folder, &["new", "flags", "--from", "flags.csv"]).0, 0);
    is_sound(&folder.join("flags"), "flags.opt");
    for (name, text, code, said) in [
        (
            "text.csv",
            "a,b\n1,x\n2,y\n",
            6,
            "`b`, is the target, and is text: choose another, such as `--target a`",
        ),
        ("alone.csv", "b\n1\n2\n", 6, "`alone.csv` has no column of numbers besides `b`, its target"),
        ("gaps.csv", "a,b\n1,\n,3\n", 6, "has no row without a missing value"),
        ("empty.csv", "", 6, "is empty; a table is a header line"),
        ("data.txt", "a,b\n1,2\n", 2, "`data.txt` is no table"),
    ] {
        write(&folder, name, text);
        let (found, out, err) = run(&folder, &["new", "made", "--from", name]);
        assert_eq!((found, out.as_str()), (code, ""), "{name}: {err}");
        assert!(err.contains(said), "{err}");
        assert!(!folder.join("made").exists(), "{name}");
    }
}

#[test]
fn new_leaves_out_rows_with_missing_values() {
    let folder = folder("new_gaps");
    write(&folder, "gaps.csv", "size,town,price\n1,x,2\n2,y,\n3,z,5.5\n,x,6\n5,y,9\n6,z,13\n");
    assert_eq!(run(&folder, &["new", "gaps", "--from", "gaps.csv"]).0, 0);
    let program = read(&folder.join("gaps/gaps.opt"));
    let said = "// 2 of 6 rows are left out: values are missing there.\n\
        let data = csv(\"gaps.csv\", drop_missing = true)\n";
    assert!(program.contains(said), "{program}");
    is_sound(&folder.join("gaps"), "gaps.opt");
    write(&folder, "one.tsv", "a\tb\n1\t2\n2\t\n3\t1\n");
    assert_eq!(run(&folder, &["new", "one", "--from", "one.tsv"]).0, 0);
    let program = read(&folder.join("one/one.opt"));
    assert!(program.contains("// 1 of 3 rows is left out: a value is missing there.\n"), "{program}");
    is_sound(&folder.join("one"), "one.opt");
}

#[test]
fn new_predicts_the_column_that_is_named() {
    let folder = folder("new_target");
    write(&folder, "houses.csv", "the price,town,size,age\n1,x,3,5\n2,y,1,2\n4,x,7,3\n5,z,2,2\n");
    let made = |target| run(&folder, &["new", "made", "--from", "houses.csv", "--target", target]);
    let (code, out, err) = made("the prise");
    let near = "error: `houses.csv` has no column `the prise`; did you mean `the price`?\n";
    assert_eq!((code, out.as_str(), err.as_str()), (2, "", near));
    assert_eq!(
        made("zzz").2,
        "error: `houses.csv` has no column `zzz`; its columns are the price, town, size, age\n"
    );
    assert_eq!(
        made("town").2,
        "error: the column `town` of `houses.csv` is text: choose another, such as `--target age`\n"
    );
    assert_eq!(made("the price").0, 0);
    let program = read(&folder.join("made/made.opt"));
    assert!(program.contains("let target = data[\"the price\"]\n"), "{program}");
    let pattern = "(column = name, weight = w)";
    assert!(program.contains(pattern) && program.contains("for (name, w) in (names(data,"), "{program}");
    is_sound(&folder.join("made"), "made.opt");
    // The README tells of a comparison with the program's own optimizer.
    let readme = read(&folder.join("made/README.md"));
    let verbs = "compare made.opt --using mine,adam,lbfgs";
    assert!(readme.contains(&format!("`minima {verbs}`")), "{readme}");
    let (code, out, err) = run(&folder.join("made"), &verbs.split(' ').collect::<Vec<_>>());
    assert!(code == 0 && ["mine", "adam", "lbfgs"].iter().all(|name| out.contains(name)), "{out}{err}");
    assert_eq!(run(&folder, &["new", "other", "--target", "age"]).0, 2);
}

#[test]
fn new_says_which_table_is_not_there() {
    let folder = folder("new_unread");
    write(&folder, "houses.csv", "a,b\n1,2\n2,3\n");
    let failed = |from| run(&folder, &["new", "made", "--from", from]);
    assert_eq!(
        failed("house.csv"),
        (2, String::new(), "error: there is no file `house.csv`; did you mean `houses.csv`?\n".into())
    );
    assert_eq!(failed("none/x.csv").2, "error: there is no file `none/x.csv`\n");
    assert_eq!(failed(".").2, "error: `.` is a folder, not a table\n");
    assert!(!folder.join("made").exists());
}

// watch

/// A process whose lines arrive as they are written.
struct Watched {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

impl Watched {
    fn begin(folder: &Path, arguments: &[&str]) -> Watched {
        let mut child = minima(folder, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = lines(child.stdout.take().expect("a pipe"));
        let err = lines(child.stderr.take().expect("a pipe"));
        Watched { child, out, err }
    }

    #[track_caller]
    fn says(&self, expected: &str) {
        assert_eq!(self.out.recv_timeout(PATIENCE).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn notes(&self, expected: &str) {
        assert_eq!(self.err.recv_timeout(PATIENCE).as_deref(), Ok(expected));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WAITING: &str = "exit code 0; waiting for changes, Ctrl-C ends";

#[cfg(unix)]
#[test]
fn watch_runs_again_when_a_file_changes() {
    let folder = folder("watch");
    write(&folder, "data.csv", "x\n1\n2\n");
    write(&folder, "lib.opt", "fn power(x: real) = x^2\n");
    let program = "import \"lib.opt\"\ninput k: real = 1\nlet data = csv(\"data.csv\")\n";
    let program = format!("{program}print k*sum(power(r.x) for r in data)\n");
    write(&folder, "p.opt", &program);
    let mut watched = Watched::begin(&folder, &["watch", "p.opt", "k=10"]);
    watched.says("50");
    watched.notes(WAITING);
    write(&folder, "data.csv", "x\n1\n30\n");
    watched.notes("data.csv changed: running again");
    watched.says("9010");
    watched.notes(WAITING);
    write(&folder, "lib.opt", "fn power(x: real) = x^3 + 1\n");
    watched.notes("lib.opt changed: running again");
    watched.says("270030");
    watched.notes(WAITING);
    // A run that would go on for hours is ended by a change.
    let endless = "fn bowl(x: real[n]) = sum((x - 3)^2)\nprint \"begins\"\n\
        let fit = minimize bowl(x) over x = [0.0, 10.0] using gd(lr = 1e-12) until grad_norm < 1e-8\n";
    write(&folder, "p.opt", &format!("input k: real = 1\n{endless}"));
    watched.notes("p.opt changed: running again");
    watched.says("begins");
    write(&folder, "p.opt", "input k: real = 1\nprint \"over\", k\n");
    watched.notes("p.opt changed: running again");
    watched.says("over 10");
    watched.notes(WAITING);
    let id = watched.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill starts");
    assert!(sent.success());
    assert_eq!(watched.child.wait().expect("it ends").code(), Some(0));
    assert!(watched.out.recv_timeout(PATIENCE).is_err(), "nothing more is said");
}

#[test]
fn watch_lets_a_run_end_what_it_saves() {
    let folder = folder("watch_saves");
    let endless = "let a = zeros[400_000]\nprint \"begins\"\n\
        for i in 0..1_000_000 { save a to \"big.npy\" }\nprint \"the end\"\n";
    write(&folder, "p.opt", endless);
    let watched = Watched::begin(&folder, &["watch", "p.opt"]);
    for turn in 0..4 {
        watched.says("begins");
        // Some saves have been made, and one is being made.
        let since = std::time::Instant::now();
        while !folder.join("big.npy").exists() && since.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(std::fs::remove_file(folder.join("big.npy")));
        write(&folder, "p.opt", &format!("// {turn}{}\n{endless}", "!".repeat(turn)));
        watched.notes("p.opt changed: running again");
    }
    watched.says("begins");
    write(&folder, "p.opt", "print \"over\"\n");
    watched.notes("p.opt changed: running again");
    watched.says("over");
    watched.notes(WAITING);
    let mut left: Vec<String> = folder
        .read_dir()
        .expect("it is there")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    left.retain(|name| name != "big.npy");
    assert_eq!(left, ["p.opt"]);
}

#[cfg(unix)]
#[test]
fn watch_runs_tests_and_waits_for_files_that_are_missing() {
    let folder = folder("watch_test");
    write(&folder, "p.opt", "let data = csv(\"late.csv\")\ntest \"t\" { assert len(data) == 2 }\n");
    let watched = Watched::begin(&folder, &["watch", "--test", "--quiet", "p.opt"]);
    watched.says("0 passed, 0 failed, 1 program with errors");
    write(&folder, "late.csv", "x\n1\n2\n");
    watched.says("1 passed, 0 failed");
}

#[test]
fn watch_refuses_what_it_cannot_watch() {
    let folder = folder("watch_refused");
    let (code, _, err) = run(&folder, &["watch", "none.opt"]);
    assert_eq!((code, err.as_str()), (2, "error: there is no file `none.opt`\n"));
    write(&folder, "fit.opt", "print 1\n");
    assert_eq!(
        run(&folder, &["watch", "fot.opt"]).2,
        "error: there is no file `fot.opt`; did you mean `fit.opt`?\n"
    );
    assert_eq!(run(&folder, &["watch", "."]).2, "error: `.` is a folder, not a program\n");
    assert_eq!(run(&folder, &["watch", "-"]).0, 2);
}

// completions

#[test]
fn completions_know_every_verb() {
    let folder = folder("completions");
    let (_, help, _) = run(&folder, &["--help"]);
    let verbs = help.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let verbs: Vec<&str> = verbs.collect();
    assert!(["run", "fmt", "completions", "help"].iter().all(|verb| verbs.contains(verb)), "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, err) = run(&folder, &["completions", shell]);
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        for verb in verbs.iter().chain(&["--time-limit"]) {
            let word = verb.trim_start_matches('-');
            assert!(script.contains(word), "{shell} does not know {verb}");
        }
        assert!(!script.contains("read-files"), "{shell} knows what is hidden");
    }
    assert_eq!(run(&folder, &["completions", "ksh"]).0, 2);
}

#[cfg(unix)]
#[test]
fn bash_completes_verbs_options_and_files() {
    let folder = folder("completions_bash");
    if !Command::new("bash").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let (_, script, _) = run(&folder, &["completions", "bash"]);
    write(&folder, "script.bash", &script);
    write(&folder, "fit.opt", "");
    write(&folder, "a table.csv", "");
    let completed = |line: &[&str]| {
        let ask = "source ./script.bash; compopt() { :; }; COMP_WORDS=(minima \"$@\"); COMP_CWORD=$#; \
            last=\"${@: -1}\"; _minima_words minima \"$last\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
            printf '%s\\n' \"${COMPREPLY[@]}\"";
        let output = Command::new("bash")
            .args(["--norc", "-c", ask, "bash"])
            .args(line)
            .current_dir(&folder)
            .output()
            .expect("bash starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| !line.is_empty()).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["co"]), ["compare", "completions"]);
    assert_eq!(completed(&["run", "--tr"]), ["--trace"]);
    assert_eq!(completed(&["completions", "f"]), ["fish"]);
    assert_eq!(completed(&["run", "--color", "n"]), ["never"]);
    assert_eq!(completed(&["new", "x", "--from", "a"]), ["a table.csv"]);
    let verbs = completed(&[""]);
    assert!(verbs.contains(&"help".into()) && verbs.iter().all(|verb| !verb.starts_with('-')), "{verbs:?}");
    // No offer of its own: bash offers files.
    assert_eq!(completed(&["run", ""]), Vec::<String>::new());
    assert!(script.contains("complete -F _minima_words -o bashdefault -o default minima"));
}

// editors

/// The words of a table in the scanner, `Fn "fn"` and so on.
fn words(section: &str) -> Vec<String> {
    let scanner = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/token.rs"));
    let table = scanner.split(&format!("\n    {section} {{")).nth(1).expect("the table");
    let table = table.split("\n    }").next().expect("its end");
    table.split('"').skip(1).step_by(2).map(str::to_string).collect()
}

#[test]
fn vim_knows_the_words_of_the_language() {
    let syntax = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vim/syntax/minima.vim"));
    let keywords = syntax.lines().filter_map(|line| line.strip_prefix("syntax keyword minima"));
    let groups = ["Define", "Repeat", "Conditional", "Solve", "Clause", "Statement", "Operator", "Boolean"];
    let mut coloured: Vec<String> = keywords
        .filter_map(|line| line.split_once(' '))
        .filter(|(group, _)| groups.contains(group))
        .flat_map(|(_, words)| words.split_whitespace().map(str::to_string))
        .collect();
    let mut reserved = words("reserved");
    assert!(reserved.len() > 25, "{reserved:?}");
    coloured.sort();
    reserved.sort();
    assert_eq!(coloured, reserved);
    let contextual: String =
        syntax.lines().filter(|line| line.starts_with("syntax match minimaContextual")).collect();
    let known: Vec<&str> = contextual.split(|letter: char| !letter.is_alphabetic()).collect();
    for word in words("contextual") {
        // Behind `\<` and `\zs` letters of the pattern stand before the word.
        let found = known.iter().any(|part| *part == word || part.strip_prefix("zs") == Some(&word));
        assert!(found, "`{word}` is not coloured");
    }
}
