//! The pages of `minima doc`: every link and anchor of the whole site leads somewhere, nothing a program says
//! becomes a tag, and everything that can be looked up is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use minima::driver::{catalogue, families};
use minima::site::{Program, error_pages, site};

/// A program with everything that a page shows, and with text that means something in HTML.
const PROGRAM: &str = r#"// What <b>stands</b> first. And "more" & so on.

/// The bowl, see `adam(lr = 1)` and [the tutorial](javascript:alert(1)). <script>alert('doc')</script>
fn bowl(x: real[n]) -> real = sum((x - 3)^2)

/// Fits a line.
objective line(X: real[n, d], y: real[n]) {
  /// The slopes.
  param w: real[d] in box(-1, 1) = 0
  minimize mean((dot(x, w) - t)^2 for (x, t) in (X, y))
  report size = norm(w)
}

/// Small steps (Nobody & Friends, 1999).
optimizer small(lr: real in (0, inf) = 1e-3, base: optimizer = adam()) {
  state m = 0*x
  step { x -= lr*g + 0*m + 0*base.step() }
}

let start = [1.0, 2.0]
let fit = minimize bowl(x) over x = start using small(lr = 0.1) until steps >= 3 // </pre><script>
print "</code><img src=x onerror=alert(2)>", fit.loss, sqrt(start)
"#;

fn own() -> Vec<Program> {
    let program = |path: &str, text: &str| Program { path: path.into(), text: text.into() };
    vec![
        program("models/evil \"<x>\".opt", PROGRAM),
        program("other/evil \"<x>\".opt", "import \"shared.opt\"\nprint twice(2.0)\n"),
        program("other/shared.opt", "fn twice(x: real) = 2*x\nfn line_1(x) = x\nfn line_1(x) = 2*x\n"),
        program("broken.opt", "fn f(x = \nlet y = }\noptimizer o( { step\n\u{7}\u{feff}"),
        program("empty.opt", ""),
    ]
}

fn files() -> BTreeMap<String, String> {
    static FILES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    FILES.get_or_init(|| site(&own()).into_iter().collect()).clone()
}

/// The values of an attribute, as a browser reads them.
fn attributes(page: &str, name: &str) -> Vec<String> {
    let pattern = format!(" {name}=\"");
    let plain = |text: &str| {
        let spelled = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        spelled.iter().fold(text.to_string(), |text, (code, letter)| text.replace(code, letter))
    };
    let values = page.split(pattern.as_str()).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(plain).collect()
}

/// `%20` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("addresses are UTF-8")
}

/// The path that a link of a page leads to.
fn target(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    if path.is_empty() {
        return page.to_string();
    }
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{page}: `{path}` leaves the site"),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What is wrong with the links of a site.
fn broken(files: &BTreeMap<String, String>) -> (usize, Vec<String>) {
    let pages = || files.iter().filter(|(path, _)| path.ends_with(".html"));
    let mut wrong = Vec::new();
    let mut ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in pages() {
        let all = attributes(text, "id");
        let own: BTreeSet<String> = all.iter().cloned().collect();
        if own.len() < all.len() {
            wrong.push(format!("{path}: an identity stands twice"));
        }
        ids.insert(path, own);
    }
    let mut count = 0;
    let mut follow = |page: &str, link: &str| {
        count += 1;
        if link.starts_with("https://") || link.starts_with("http://") {
            return;
        }
        let (path, place) = link.split_once('#').map_or((link, None), |(path, place)| (path, Some(place)));
        let path = target(page, &decoded(path));
        let known =
            place.is_none_or(|place| ids.get(path.as_str()).is_some_and(|ids| ids.contains(&decoded(place))));
        if !files.contains_key(&path) || !known {
            wrong.push(format!("{page}: `{link}` leads nowhere"));
        }
    };
    for (path, text) in pages() {
        let links = attributes(text, "href").into_iter().chain(attributes(text, "src"));
        links.for_each(|link| follow(path, &link));
    }
    let index = &files["assets/index.js"];
    for line in index.lines().filter(|line| line.starts_with('[')) {
        let entry: Vec<String> = serde_json::from_str(line.trim_end_matches(',')).expect("a row of texts");
        assert_eq!(entry.len(), 4);
        follow("index.html", &entry[2]);
    }
    (count, wrong)
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let files = files();
    let (count, wrong) = broken(&files);
    assert!(count > 20_000, "{count} links were followed");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_crawler_sees_what_is_broken() {
    let mut files = files();
    let page =
        "<p id=\"a\"></p><p id=\"a\"></p><a href=\"../none.html\"></a><a href=\"index.html#nowhere\"></a>";
    files.insert("docs/zz.html".into(), page.into());
    assert_eq!(broken(&files).1.len(), 3);
}

#[test]
fn nothing_a_program_says_becomes_a_tag() {
    for (path, text) in files() {
        for tag in ["<script>", "<img src=x", "<b>stands", "href=\"javascript", "onerror=\""] {
            assert!(!text.contains(tag), "{path} has {tag}");
        }
        assert!(!text.contains('\u{7}'), "{path}");
        if path.ends_with(".html") {
            assert!(text.starts_with("<!doctype html>") && text.trim_end().ends_with("</html>"), "{path}");
            for scheme in ["src=\"http", "@import", "url("] {
                assert!(!text.contains(scheme), "{path} loads from the network: {scheme}");
            }
        }
    }
}

#[test]
fn every_declaration_of_the_library_can_be_found() {
    let files = files();
    let entries: BTreeSet<(String, String)> = files["assets/index.js"]
        .lines()
        .filter(|line| line.starts_with('['))
        .map(|line| serde_json::from_str::<Vec<String>>(line.trim_end_matches(',')).expect("a row"))
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let found = |name: &str, kind: &str| entries.contains(&(name.to_string(), kind.to_string()));
    for optimizer in catalogue() {
        assert!(found(&optimizer.name, "optimizer"), "{}", optimizer.name);
    }
    for (name, kind) in [
        ("softplus", "primitive"),
        ("sinc", "function"),
        ("strong_wolfe", "function"),
        ("two_loop", "function"),
        ("normal", "distribution"),
        ("mul_one", "rule"),
        ("rosenbrock", "function"),
        ("logsumexp", "function"),
        ("line", "objective"),
        ("small", "optimizer"),
        ("S014.opt", "paper"),
    ] {
        assert!(found(name, kind), "{name}, {kind}");
    }
    let mut library = minima::driver::Library::new();
    for name in library.names() {
        let (file, _) = library.file_of(&name, &mut minima::diag::Sources::default()).expect("it is listed");
        let value = matches!(file.items[0].kind, minima::syntax::ast::StmtKind::Let { .. });
        assert!(value || entries.iter().any(|(known, _)| **known == *name), "{name}");
    }
    for (code, _) in error_pages().iter().filter(|(code, _)| *code != "README") {
        assert!(found(code, "error"), "{code}");
    }
}

#[test]
fn an_optimizer_has_its_paper_its_needs_and_its_uses() {
    let files = files();
    let adam = &files["optimizers/adam.html"];
    for part in [
        "Kingma &amp; Ba, 2015",
        "<dt>Needs</dt><dd>the gradient</dd>",
        "<code>b2</code>",
        "<code>0.999</code>",
    ] {
        assert!(adam.contains(part), "{part}");
    }
    assert!(adam.contains("<dt>Used by your programs</dt>"), "the user's program names it");
    assert!(files["optimizers/svrg.html"].contains("all data"));
    assert!(files["optimizers/sam.html"].contains("another optimizer"));
    for family in families() {
        let id = family.name.replace(' ', "-");
        assert!(files["optimizers/index.html"].contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn papers_are_called_by_their_titles() {
    let files = files();
    let sania = &files["optimizers/sania.html"];
    let title = "SANIA: Polyak-type Optimization Framework Leads to Scale Invariant Stochastic Algorithms \
                 (Abdukhakimov et al., 2023)</a>";
    assert!(sania.contains(title), "{sania}");
    let untitled = |(path, text): &(&String, &String)| {
        path.starts_with("optimizers/")
            && text.split("<dt>Used by papers</dt>").skip(1).any(|rest| {
                let row = rest.split("</dd>").next().unwrap_or_default();
                row.split("</a>").any(|link| {
                    link.rsplit('>')
                        .next()
                        .is_some_and(|name| name.len() == 4 && name[1..].parse::<u32>().is_ok())
                })
            })
    };
    let found: Vec<&String> = files.iter().filter(untitled).map(|(path, _)| path).collect();
    assert!(found.is_empty(), "{found:?}");
    let index = &files["assets/index.js"];
    for name in ["bfgs", "lbfgs"] {
        let entry = index.lines().find(|line| line.starts_with(&format!("[\"{name}\",\"optimizer\"")));
        assert!(entry.is_some_and(|entry| entry.contains("quasi-Newton")), "{entry:?}");
    }
}

#[test]
fn a_page_of_a_program_shows_what_it_declares() {
    let files = files();
    let page = &files["files/evil---x--.html"];
    for part in [
        "<section id=\"bowl\">",
        "<dt>Param</dt><dd><code>w: real[d] ",
        "<p>The slopes.</p>",
        "<dt>Minimized</dt>",
        "<dt>Report</dt><dd><code>size = ",
        "<dt>Needs</dt><dd>another optimizer; the gradient</dd>",
        "id=\"line-22\"",
        "<a href=\"../optimizers/adam.html\"><code>adam(lr = 1)</code></a>",
        "<a href=\"#line-4\">line 4</a>",
    ] {
        let part = part.replace("<a href=\"#line-4\">", "<a class=\"kind\" href=\"#line-4\">");
        assert!(page.contains(&part), "{part}\n{page}");
    }
    assert!(page.contains("<a href=\"../files/evil---x--.html#bowl\">bowl</a>"), "its own names are links");
    let second = &files["files/evil---x---2.html"];
    assert!(second.contains("<a href=\"../files/shared.html#twice\">twice</a>"), "and those it imports");
    assert!(files["files/shared.html"].contains("<section id=\"line_1-2\">"));
    assert!(files["files/broken.html"].contains("id=\"line-4\""));
}

#[test]
fn a_site_is_the_same_every_time() {
    assert_eq!(site(&own()).into_iter().collect::<BTreeMap<_, _>>(), files());
}
