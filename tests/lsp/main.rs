//! The language server as an editor sees it: over standard input and output, with a small client.

mod editor;
mod hostile;

use std::path::PathBuf;

use serde_json::{Value, json};

use editor::Editor;

fn codes(wrong: &[Value]) -> Vec<&str> {
    wrong.iter().map(|one| one["code"].as_str().expect("a code")).collect()
}

const PROGRAM: &str = r#"/// A bowl.
fn bowl(x: real[n], k: int = 2) = sum((x[i] - 1)^k for i in 0..n)

/// A straight line.
objective line(X: real[n, d], y: real[n]) {
  param w: real[d] = 0
  param b = 0.0
  minimize mean((dot(x, w) + b - t)^2 for (x, t) in (X, y))
  report miss = sqrt(mean((dot(x, w) + b - t)^2 for (x, t) in (X, y)))
}

optimizer plain(lr: real = 0.1) {
  state m = 0*x
  step {
    m = g + m/2
    x -= lr*m
  }
}

let A = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]
let fit = solve line(A, [1.0, 2.0, 3.0]) using plain(lr = 0.2) until miss < 1e-3 or steps >= 10
let v = bowl([1.0, 2.0])
print fit.w, fit.miss, v, softplus(v)
"#;

#[test]
fn a_program_is_checked_while_it_is_written() {
    let (mut editor, wrong) =
        Editor::with("checked", "let a = [1.0, 2.0]\nlet b = [1.0, 2.0, 3.0]\nprint a + b\n");
    assert_eq!(codes(&wrong), ["E0203"]);
    assert_eq!(wrong[0]["severity"], 1);
    assert_eq!(wrong[0]["source"], "minima");
    assert_eq!(wrong[0]["range"]["start"], json!({ "line": 2, "character": 6 }));
    assert_eq!(wrong[0]["range"]["end"], json!({ "line": 2, "character": 11 }));
    let related = wrong[0]["relatedInformation"].as_array().expect("further places");
    let lines: Vec<u64> = related
        .iter()
        .map(|one| one["location"]["range"]["start"]["line"].as_u64().expect("a line"))
        .collect();
    assert_eq!(lines, [2, 2, 0, 1]);
    assert_eq!(related[0]["location"]["uri"], editor.uri);
    // Mended, then broken in another way, then with a warning only.
    editor.edit(", 3.0]", "]");
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    editor.edit("print a + b", "print a +");
    assert_eq!(codes(&editor.wrong()), ["E0110"]);
    editor.edit("print a +", "print 7 // 2");
    let wrong = editor.wrong();
    assert_eq!(codes(&wrong), ["E0153"]);
    assert_eq!(wrong[0]["severity"], 2);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn only_the_newest_of_many_edits_counts() {
    let (mut editor, _) = Editor::with("newest", "let a = 1\n");
    for k in 2..40 {
        editor.edit(&format!("let a = {}\n", k - 1), &format!("let a = {k}\n"));
    }
    editor.edit("let a = 39\n", "let a = nothing_known\n");
    assert_eq!(codes(&editor.wrong()), ["E0301"]);
    // The whole text at once.
    editor.text = "print 1\n".into();
    editor.version += 1;
    let document = json!({ "uri": editor.uri, "version": editor.version });
    let params = json!({ "textDocument": document, "contentChanges": [{ "text": "print 1\n" }] });
    editor.tell("textDocument/didChange", &params);
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    editor.tell("textDocument/didClose", &json!({ "textDocument": { "uri": editor.uri } }));
    let told = editor.told("textDocument/publishDiagnostics");
    assert_eq!(told["diagnostics"], json!([]));
}

#[test]
fn what_is_under_the_pointer_is_explained() {
    let (mut editor, wrong) = Editor::with("hover", PROGRAM);
    assert_eq!(wrong, Vec::<Value>::new());
    assert_eq!(editor.hover("let |A ="), "```minima\nlet A: real[3, 2]\n```");
    assert_eq!(editor.hover("v = |bowl("), "```minima\nfn bowl(x: real[n], k: int = 2)\n```\n\nA bowl.");
    assert_eq!(
        editor.hover("fn bowl(|x"),
        "```minima\nx: real[n]\n```\n\na parameter of `bowl`\n\nseen as `real[n]`, `real[2]`"
    );
    assert_eq!(editor.hover("param |w"), "```minima\nparam w: real[2]\n```");
    assert_eq!(editor.hover("print fit.|w"), "```minima\nw: real[2]\n```\n\na param at the answer");
    assert_eq!(editor.hover("fit.|miss"), "```minima\nmiss: real\n```\n\na report at the answer");
    let fit = editor.hover("let |fit");
    assert!(fit.starts_with("```minima\nlet fit: the result of solving line\n```"), "{fit}");
    assert!(fit.contains("  w: real[2]\n  b: real\n  miss: real\n"), "{fit}");
    assert_eq!(editor.hover("using |plain"), "```minima\noptimizer plain(lr: real = 0.1)\n```");
    assert_eq!(
        editor.hover("plain(|lr = 0.2"),
        "```minima\nlr: real = 0.1\n```\n\na hyper-parameter of `plain`\n\nseen as `real`"
    );
    assert_eq!(editor.hover("m = |g"), "```minima\ng: real[3]\n```\n\nthe gradient at `x`");
    assert_eq!(editor.hover("or |steps"), "```minima\nsteps: int\n```\n\nsteps done");
    let softplus = editor.hover("|softplus");
    assert!(softplus.starts_with("```minima\nfn softplus(x: real) -> real\n```\n\n"), "{softplus}");
    assert_eq!(
        editor.hover("minimize |mean("),
        "```minima\nfn mean(x)\n```\n\nThe mean of all entries, or over a generator."
    );
    // What differs from turn to turn has no value.
    editor.edit("print fit.w", "for k in 1..4 {\n  let j = 2*k\n  print j\n}\nprint fit.w");
    editor.wrong();
    assert_eq!(editor.hover("for |k"), "```minima\nk: int\n```");
    assert_eq!(editor.hover("print |j"), "```minima\nlet j: int\n```");
    // On an operator the type of what it gives.
    assert_eq!(editor.hover("dot(x, w) |+ b"), "```minima\nreal\n```");
    assert_eq!(editor.hover("|\n/// A straight"), "");
}

#[test]
fn columns_and_values_are_shown() {
    let (mut editor, _) = Editor::with("columns", "");
    std::fs::write(editor.folder.join("d.csv"), "age,name\n3,ann\n4,bob\n").expect("a file can be written");
    editor.edit("", "let data = csv(\"d.csv\")\nlet k = 3\nlet p = [1, 2]\nprint data.age\n");
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    assert_eq!(
        editor.hover("let |data"),
        "```minima\nlet data: a table of 2 rows\n```\n\n```minima\n  age: int[2]\n  name: a column of 2 strings\n```"
    );
    assert_eq!(editor.hover("data.|age"), "```minima\nage: int[2] = [3, 4]\n```\n\na column");
    assert_eq!(editor.hover("let |k"), "```minima\nlet k: int = 3\n```");
    assert_eq!(editor.hover("let |p"), "```minima\nlet p: int[2] = [1, 2]\n```");
    editor.edit("print data.age", "print data.");
    assert_eq!(editor.offered("print data.|"), ["age", "name"]);
    // Data that change are read again.
    std::fs::write(editor.folder.join("d.csv"), "age,size\n3,1.5\n4,2\n5,6\n")
        .expect("a file can be written");
    editor.edit("print data.", "print data.size");
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    assert_eq!(editor.hover("data.|size"), "```minima\nsize: real[3] = [1.5, 2, 6]\n```\n\na column");
}

#[test]
fn columns_that_are_no_names_are_written_in_brackets() {
    let (mut editor, _) = Editor::with("odd_columns", "");
    std::fs::write(editor.folder.join("d.csv"), "Age (years),size\n3,1\n4,2\n")
        .expect("a file can be written");
    editor.edit("", "let data = csv(\"d.csv\")\nprint data.size\n");
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    editor.edit("print data.size", "print data.A");
    let found = editor.at("completion", "print data.A|", &json!({}));
    let item = &found["items"][0];
    assert_eq!((&item["label"], &item["filterText"]), (&json!("Age (years)"), &json!(".Age (years)")));
    let edits = json!([item["textEdit"]]);
    assert_eq!(editor.edited(&edits), "let data = csv(\"d.csv\")\nprint data[\"Age (years)\"]\n");
    editor.edit("print data.A", "print data[\"");
    assert_eq!(editor.offered("print data[\"|"), ["Age (years)", "size"]);
    editor.edit("print data[\"", "print names(data, except = [\"size\", \"");
    assert_eq!(editor.offered("\"size\", \"|"), ["Age (years)", "size"]);
}

/// What is offered first.
fn first(offered: &[String], count: usize) -> Vec<&str> {
    offered.iter().take(count).map(String::as_str).collect()
}

#[test]
fn what_fits_is_offered() {
    let (mut editor, _) = Editor::with("offered", &format!("{PROGRAM}HERE\n"));
    let mut now = "HERE".to_string();
    let mut after = |editor: &mut Editor, text: &str| {
        editor.edit(&format!("{now}\n"), &format!("{text}\n"));
        now = text.to_string();
        editor.offered(&format!("softplus(v)\n{text}|"))
    };
    let found = after(&mut editor, "print fit.");
    assert_eq!(first(&found, 4), ["w", "b", "miss", "status"]);
    assert_eq!(after(&mut editor, "print fit.evals."), ["f", "grad", "hvp"]);
    assert_eq!(after(&mut editor, "print fit.params.w, fit.params."), ["w", "b"]);
    let found = after(&mut editor, "let q = solve line(A, [1.0]) using ");
    assert_eq!(first(&found, 2), ["plain", "gd"]);
    assert!(found.contains(&"adam".into()) && !found.contains(&"softplus".into()));
    let found = after(&mut editor, "let q = solve line(A, [1.0]) using adam(lr = 1, ");
    assert_eq!(first(&found, 3), ["b1 = ", "b2 = ", "eps = "]);
    let found = after(&mut editor, "let q = solve line(A, [1.0]) until ");
    assert_eq!(first(&found, 4), ["steps", "epochs", "loss", "grad_norm"]);
    assert!(found.contains(&"miss".into()));
    let found = after(&mut editor, "let q = solve line(A, [1.0]) with ");
    assert_eq!(found, ["batch = ", "seed = ", "trace = ", "differentiate = "]);
    let found = after(&mut editor, "let q = solve line(A, [1.0]) us");
    assert_eq!(first(&found, 3), ["over", "using", "until"]);
    assert_eq!(after(&mut editor, "let q: "), ["real", "int", "bool", "string", "optimizer"]);
    let found = after(&mut editor, "print bowl(");
    assert_eq!(first(&found, 5), ["x = ", "k = ", "v", "fit", "A"]);
    let found = after(&mut editor, "optimizer o() { step { let h = f.");
    assert_eq!(first(&found, 3), ["fresh", "full", "on"]);
    let found = after(&mut editor, "objective o() {\n  ");
    assert_eq!(first(&found, 3), ["param", "let", "minimize"]);
    assert!(!found.contains(&"import".into()));
    let found = after(&mut editor, "print [abs(q) for q in A if q[0] > 0 and ");
    assert_eq!(first(&found, 2), ["v", "fit"]);
    for silent in ["let q", "print \"fi", "// fi", "print 1.", "param "] {
        assert_eq!(after(&mut editor, silent), Vec::<String>::new(), "{silent}");
    }
    // The page of a name of the library comes when it is asked for.
    let page = editor.ask("completionItem/resolve", &json!({ "label": "adam", "data": "adam" }));
    assert!(
        page["detail"].as_str().is_some_and(|text| text.starts_with("optimizer adam(lr: real")),
        "{page}"
    );
    let text = page["documentation"]["value"].as_str().unwrap_or_default();
    assert!(text.contains("Kingma & Ba, 2015"), "{text}");
}

#[test]
fn a_broken_text_still_knows_its_names() {
    let (mut editor, _) = Editor::with("broken", PROGRAM);
    // A brace is lost: the tree behind it is another one.
    editor.edit("\n}\n\noptimizer", "\n\n\noptimizer");
    editor.edit("let v = bowl([1.0, 2.0])", "let v = bowl([1.0, 2.0]) + fit.");
    let found = editor.offered("+ fit.|");
    assert_eq!(first(&found, 3), ["w", "b", "miss"]);
    assert!(codes(&editor.wrong()).iter().any(|code| code.starts_with("E01")));
    assert_eq!(editor.hover("let |A ="), "```minima\nlet A: real[3, 2]\n```");
}

#[test]
fn calls_show_their_parameters() {
    let (mut editor, _) = Editor::with("calls", PROGRAM);
    let found = editor.at("signatureHelp", "bowl([1.0, 2.0]|)", &json!({}));
    assert_eq!(found["signatures"][0]["label"], "bowl(x: real[n], k: int = 2)");
    assert_eq!(found["signatures"][0]["parameters"][0]["label"], "x: real[n]");
    assert_eq!(found["signatures"][0]["documentation"]["value"], "A bowl.");
    assert_eq!(found["activeParameter"], 0);
    editor.edit("softplus(v)", "adam(b2 = 0.9, b1 = ");
    let found = editor.at("signatureHelp", "b1 = |", &json!({}));
    assert_eq!(found["signatures"][0]["parameters"][0]["label"], "lr: real in (0, inf) = 1e-3");
    assert_eq!(found["activeParameter"], 1);
    assert_eq!(editor.at("signatureHelp", "let |fit", &json!({})), Value::Null);
}

#[test]
fn names_lead_to_their_definitions() {
    let (mut editor, _) = Editor::with("definitions", "");
    let text = "/// Half a life.\nfn decay(t: real) = exp(-t)\nlet room = 20.0\n";
    std::fs::write(editor.folder.join("law.opt"), text).expect("a file can be written");
    editor.edit("", &format!("import \"law.opt\" as law\n{PROGRAM}print law.decay(1), law.room\n"));
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    let mut lead = |marked: &str| {
        let found = editor.at("definition", marked, &json!({}));
        let uri = found["uri"].as_str().unwrap_or("nowhere").to_string();
        let start = &found["range"]["start"];
        let name = uri.rsplit('/').next().unwrap_or_default().to_string();
        (uri, name, start["line"].as_u64().unwrap_or(9999), start["character"].as_u64().unwrap_or(9999))
    };
    let mut short = |marked: &str| {
        let (_, name, line, column) = lead(marked);
        (name, line, column)
    };
    assert_eq!(short("v = |bowl"), ("main.opt".into(), 2, 3));
    assert_eq!(short("print fit.|w"), ("main.opt".into(), 6, 8));
    assert_eq!(short("until |miss"), ("main.opt".into(), 9, 9));
    assert_eq!(short("plain(|lr = 0.2"), ("main.opt".into(), 12, 16));
    assert_eq!(short("law.|decay"), ("law.opt".into(), 1, 3));
    assert_eq!(short("law.|room"), ("law.opt".into(), 2, 4));
    assert_eq!(short("\"law|.opt"), ("law.opt".into(), 0, 0));
    assert_eq!(short("|mean("), ("nowhere".into(), 9999, 9999));
    // The library is shown as a file that cannot be changed.
    let (uri, name, line, _) = lead("|softplus");
    assert!(uri.contains("/cache/minima/") && name == "primitives.opt", "{uri}");
    let path = PathBuf::from(uri.strip_prefix("file://").expect("a file"));
    let text = std::fs::read_to_string(&path).expect("it was written");
    let line = text.lines().nth(usize::try_from(line).expect("small")).unwrap_or_default();
    assert!(line.starts_with("primitive softplus("), "{line}");
    assert!(std::fs::metadata(&path).expect("it is there").permissions().readonly());
}

#[test]
fn uses_are_found_and_renamed_together() {
    let (mut editor, _) = Editor::with("renamed", PROGRAM);
    let found = editor.at("references", "param |w", &json!({ "context": { "includeDeclaration": true } }));
    let lines: Vec<u64> = found
        .as_array()
        .expect("places")
        .iter()
        .map(|one| one["range"]["start"]["line"].as_u64().expect("a line"))
        .collect();
    assert_eq!(lines, [5, 7, 8, 22]);
    let found = editor.at("documentHighlight", "state |m", &json!({}));
    let kinds: Vec<u64> =
        found.as_array().expect("places").iter().map(|one| one["kind"].as_u64().expect("a kind")).collect();
    assert_eq!(kinds, [3, 3, 2, 2]);
    let found = editor.at("prepareRename", "fit.|miss", &json!({}));
    assert_eq!(found["placeholder"], "miss");
    let found = editor.at("rename", "fit.|miss", &json!({ "newName": "error" }));
    let uri = editor.uri.clone();
    let text = editor.edited(&found["changes"][uri.as_str()]);
    assert_eq!(text, PROGRAM.replace("miss", "error"));
    let found = editor.at("rename", "plain(|lr: real", &json!({ "newName": "rate" }));
    let text = editor.edited(&found["changes"][uri.as_str()]);
    assert_eq!(text, PROGRAM.replace("lr", "rate"));
    let mut refused = |marked: &str, new: &str| {
        let answer = editor.answer_at("rename", marked, &json!({ "newName": new }));
        assert_eq!(answer["error"]["code"], -32803, "{answer}");
        answer["error"]["message"].as_str().expect("a sentence").to_string()
    };
    assert_eq!(refused("|softplus", "soft"), "`softplus` is of the standard library");
    assert_eq!(refused("m = |g", "gradient"), "`g` is a name of the language here");
    assert_eq!(refused("let |A", "fit"), "`fit` is taken: the program would mean something else");
    assert_eq!(refused("param |b", "t"), "`t` is taken: the program would mean something else");
    assert_eq!(refused("let |v", "softplus"), "`softplus` is taken: the program would mean something else");
    assert_eq!(refused("let |A", "over"), "`over` is a word of the language");
    assert_eq!(refused("let |A", "1A"), "`1A` is no name: names are letters, digits and `_`");
    assert_eq!(refused("|let A", "x"), "there is no name here");
    editor.edit("print fit.w", "let p = (w = [1.0, 2.0], b = 0.5)\nprint fit.w");
    editor.wrong();
    let answer = editor.answer_at("rename", "param |w", &json!({ "newName": "weights" }));
    assert_eq!(answer["error"]["message"], "the field `w` on line 23 may be this: rename that by hand first");
}

#[test]
fn a_name_is_renamed_in_all_open_files() {
    let (mut editor, _) = Editor::with("files", "import \"law.opt\"\nprint decay(1)\n");
    let main = editor.uri.clone();
    let law = main.replace("main.opt", "law.opt");
    std::fs::write(editor.folder.join("law.opt"), "nothing like it").expect("a file can be written");
    let text = "fn decay(t: real) = exp(-t)\n";
    let item = json!({ "uri": law, "languageId": "minima", "version": 1, "text": text });
    editor.tell("textDocument/didOpen", &json!({ "textDocument": item }));
    // What is open counts, not what is saved: the importer is checked again.
    while editor.wrong() != Vec::<Value>::new() {}
    let answer = editor.answer_at("rename", "print |decay", &json!({ "newName": "fall" }));
    assert_eq!(answer["error"]["message"], "`decay` is declared in another file: rename it there");
    let params = json!({
        "textDocument": { "uri": law }, "position": { "line": 0, "character": 4 }, "newName": "fall",
    });
    let found = editor.ask("textDocument/rename", &params);
    assert_eq!(found["changes"][law.as_str()].as_array().map(Vec::len), Some(1));
    assert_eq!(editor.edited(&found["changes"][main.as_str()]), "import \"law.opt\"\nprint fall(1)\n");
}

#[test]
fn mistakes_are_mended() {
    for (name, wrong, right) in [
        ("power", "let a = 2 ** 3\n", "let a = 2 ^ 3\n"),
        ("name", "let total = 1\nprint totl\n", "let total = 1\nprint total\n"),
        ("equals", "let a = 1\nprint if a = 1 then 2 else 3\n", "let a = 1\nprint if a == 1 then 2 else 3\n"),
        ("word", "lett a = 1\n", "let a = 1\n"),
        ("over", "let f = minimize (a - 1)^2 a = 0.5\n", "let f = minimize (a - 1)^2 over a = 0.5\n"),
        ("type", "let a: float = 1\n", "let a: real = 1\n"),
        ("sign", "let 😀😀 = 1\n", ""),
    ] {
        let (mut editor, found) = Editor::with(&format!("mended_{name}"), wrong);
        assert!(!found.is_empty(), "{wrong}");
        let actions = editor.whole("codeAction");
        if right.is_empty() {
            assert_eq!(actions, json!([]), "{wrong}");
            continue;
        }
        let action = &actions[0];
        assert_eq!(action["kind"], "quickfix", "{wrong}: {actions}");
        assert_eq!(action["diagnostics"][0]["code"], found[0]["code"]);
        let uri = editor.uri.clone();
        let text = editor.edited(&action["edit"]["changes"][uri.as_str()]);
        assert_eq!(text, right);
        // As an editor does it.
        let old = editor.text.clone();
        editor.edit(&old, &text);
        assert_eq!(editor.wrong(), Vec::<Value>::new(), "{right}");
    }
}

#[test]
fn the_shape_of_a_text_is_told() {
    let (mut editor, _) = Editor::with("shape", PROGRAM);
    let found = editor.whole("documentSymbol");
    let names = |list: &Value| -> Vec<String> {
        let name = |one: &Value| format!("{}: {}", one["name"], one["detail"]).replace('"', "");
        list.as_array().expect("symbols").iter().map(name).collect()
    };
    assert_eq!(
        names(&found),
        [
            "bowl: a function",
            "line: an objective",
            "plain: an optimizer",
            "A: real[3, 2]",
            "fit: the result of solving line",
            "v: real"
        ]
    );
    assert_eq!(names(&found[1]["children"]), ["w: real[2]", "b: real", "miss: real"]);
    let found = editor.whole("foldingRange");
    let lines: Vec<(u64, u64)> = found
        .as_array()
        .expect("folds")
        .iter()
        .map(|one| (one["startLine"].as_u64().expect("a line"), one["endLine"].as_u64().expect("a line")))
        .collect();
    assert_eq!(lines, [(4, 8), (11, 16), (13, 15)]);
    let found = editor.whole("inlayHint");
    let hints: Vec<String> = found
        .as_array()
        .expect("hints")
        .iter()
        .map(|one| format!("{} {}", one["position"]["line"], one["label"].as_str().expect("a label")))
        .collect();
    assert_eq!(hints, ["7 : real[2]", "8 : real[2]", "12 : real[3]", "19 : real[3, 2]"]);
    let found = editor.whole("semanticTokens/full");
    let data: Vec<u64> =
        found["data"].as_array().expect("numbers").iter().filter_map(Value::as_u64).collect();
    // `bowl` in line 1 is declared: a function that never changes.
    assert_eq!(data[..5], [1, 3, 4, 6, 3]);
    assert!(data.len().is_multiple_of(5) && data.len() > 300, "{}", data.len());
    let part = editor.whole("semanticTokens/range");
    assert_eq!(part["data"], found["data"]);
}

#[test]
fn a_text_is_formatted() {
    let (mut editor, _) = Editor::with("formatted", "let  😀_ = 1\n");
    assert_eq!(
        editor.answer("textDocument/formatting", &json!({ "textDocument": { "uri": editor.uri } }))["error"]
            ["code"],
        -32803
    );
    editor.edit("let  😀_ = 1\n", "fn f(x) {\nlet y=x\n      y  + 1\n}\nprint f( 1 )\n");
    editor.wrong();
    let edits = editor.whole("formatting");
    assert_eq!(editor.edited(&edits), "fn f(x) {\n  let y = x\n  y + 1\n}\nprint f(1)\n");
    let text = editor.edited(&edits);
    let old = editor.text.clone();
    editor.edit(&old, &text);
    assert_eq!(editor.whole("formatting"), json!([]));
}

#[test]
fn columns_are_counted_as_the_editor_does() {
    let text = "let θ = [1.0, 2.0]\nprint \"😀\", θ + [1.0]\n";
    let (mut editor, wrong) = Editor::with("utf16", text);
    assert_eq!(wrong[0]["range"]["start"], json!({ "line": 1, "character": 12 }));
    assert_eq!(editor.hover("let |θ"), "```minima\nlet θ: real[2] = [1, 2]\n```");
    editor.edit("+ [1.0]", "+ [1.0, 😀2.0]");
    editor.edit("😀2.0", "2.0");
    assert_eq!(editor.wrong(), Vec::<Value>::new());
    // The same in bytes, where the editor prefers them.
    let mut editor =
        Editor::start("utf8", &json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } }));
    let wrong = editor.open(text);
    assert_eq!(wrong[0]["range"]["start"], json!({ "line": 1, "character": 14 }));
    // Without related information it stands in the message.
    let message = wrong[0]["message"].as_str().expect("a text");
    assert!(message.contains("`θ` is bound here"), "{message}");
}

#[test]
fn what_is_no_message_is_refused_and_the_server_goes_on() {
    let mut editor = Editor::spawn("refused");
    let error = |answer: &Value| answer["error"]["code"].as_i64();
    let answer = editor.answer("textDocument/hover", &json!({}));
    assert_eq!(error(&answer), Some(-32002), "{answer}");
    editor.ask("initialize", &json!({ "capabilities": {} }));
    let answer = editor.answer("initialize", &json!({}));
    assert_eq!(error(&answer), Some(-32600));
    let answer = editor.answer("minima/unknown", &json!({}));
    assert_eq!(error(&answer), Some(-32601));
    let answer = editor.answer("textDocument/hover", &json!({ "textDocument": { "uri": "file:///none" } }));
    assert_eq!(error(&answer), Some(-32602));
    let answer = editor.answer("textDocument/hover", &json!({}));
    assert_eq!(error(&answer), Some(-32602));
    for (bytes, code) in [
        (b"Content-Type: text\r\n\r\n".as_slice(), -32700),
        (b"Content-Length: 5\r\n\r\n{\"a\":".as_slice(), -32700),
        (b"Content-Length: 2\r\n\r\n17".as_slice(), -32600),
        (b"Content-Length: 2\r\n\r\n[]".as_slice(), -32600),
    ] {
        editor.write(bytes);
        let answer = editor.receive();
        assert_eq!(error(&answer), Some(code), "{answer}");
        assert_eq!(answer["id"], Value::Null);
    }
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    editor.write(format!("Content-Length: {}\r\n\r\n{deep}", deep.len()).as_bytes());
    assert_eq!(error(&editor.receive()), Some(-32700));
    // Unknown and senseless notifications are passed over; those that cannot be done are logged.
    editor.tell("$/whatever", &json!({}));
    editor.tell("textDocument/didChange", &json!({ "textDocument": { "uri": "file:///none" } }));
    let told = editor.told("window/logMessage");
    assert_eq!(told["message"], "textDocument/didChange: `file:///none` is not open");
    let wrong = editor.open("print 1\n");
    assert_eq!(wrong, Vec::<Value>::new());
    assert_eq!(editor.ask("shutdown", &Value::Null), Value::Null);
    let answer = editor.answer("textDocument/hover", &json!({}));
    assert_eq!(error(&answer), Some(-32600));
    editor.tell("exit", &Value::Null);
    assert_eq!(editor.process.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_panic_is_told_and_the_server_goes_on() {
    let mut editor = Editor::spawn_with("panic", &["lsp", "--plant-panic", "check"]);
    editor.ask("initialize", &json!({ "capabilities": {} }));
    editor.text = "let a = 1\n".into();
    let item = json!({ "uri": editor.uri, "languageId": "minima", "version": 1, "text": editor.text });
    editor.tell("textDocument/didOpen", &json!({ "textDocument": item }));
    let told = editor.told("window/logMessage");
    let message = told["message"].as_str().expect("a text");
    assert!(message.contains("internal error, please report: a planted panic at check"), "{message}");
    editor.version = 1;
    editor.edit("a = 1", "a = b");
    assert_eq!(codes(&editor.wrong()), ["E0301"]);
    assert_eq!(editor.end(), Some(0));
}

#[test]
fn the_exit_code_tells_how_it_ended() {
    let mut editor = Editor::start("exit", &json!({}));
    editor.tell("exit", &Value::Null);
    assert_eq!(editor.process.wait().expect("it ends").code(), Some(1));
    let mut editor = Editor::start("closed", &json!({}));
    drop(editor.input.take());
    assert_eq!(editor.process.wait().expect("it ends").code(), Some(1));
    let editor = Editor::start("ended", &json!({}));
    assert_eq!(editor.end(), Some(0));
}

/// Texts that are cut anywhere, as they are while they are typed.
#[test]
fn no_text_stops_the_server() {
    let (mut editor, _) = Editor::with("typed", "");
    let mut whole = String::new();
    for (at, letter) in PROGRAM.char_indices() {
        whole.push(letter);
        if at % 23 != 0 {
            continue;
        }
        editor.version += 1;
        editor.text = whole.clone();
        let document = json!({ "uri": editor.uri, "version": editor.version });
        let changes = json!([{ "text": whole }]);
        editor
            .tell("textDocument/didChange", &json!({ "textDocument": document, "contentChanges": changes }));
        let end = editor.position(whole.len());
        let params = json!({ "textDocument": { "uri": editor.uri }, "position": end });
        for method in
            ["completion", "hover", "signatureHelp", "definition", "prepareRename", "documentHighlight"]
        {
            let answer = editor.answer(&format!("textDocument/{method}"), &params);
            let code = answer["error"]["code"].as_i64();
            assert!(code.is_none() || code == Some(-32803), "{method}: {answer}\n{whole}");
        }
        for method in ["documentSymbol", "foldingRange", "inlayHint", "codeAction", "semanticTokens/full"] {
            editor.whole(method);
        }
    }
    assert!(
        editor.waiting.iter().all(|message| message["method"] != "window/logMessage"),
        "{:?}",
        editor.waiting
    );
    editor.wrong();
    assert_eq!(editor.end(), Some(0));
}
