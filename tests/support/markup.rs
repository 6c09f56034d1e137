//! Whether a text is well-formed markup.

/// Every tag is closed in its order, every value of an attribute is in quotes, and every `&` begins a known name.
pub fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        content(&rest[..at]);
        let end = tag_end(&rest[at..]).unwrap_or_else(|| panic!("a tag never ends: {}", &rest[at..]));
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().expect("there is one");
        assert!(!name.is_empty() && name.chars().all(char::is_alphanumeric), "<{tag}>");
        attributes(tag[name.len()..].trim_end_matches('/'));
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    content(rest);
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// Where the tag at the beginning ends.
fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn attributes(text: &str) {
    let parts: Vec<&str> = text.split('"').collect();
    assert!(parts.len() % 2 == 1, "quotes pair up: {text}");
    for pair in parts.chunks(2) {
        if let [name, value] = pair {
            let name = name.trim().strip_suffix('=').unwrap_or_else(|| panic!("`{name}` in {text}"));
            assert!(name.chars().all(|c| c.is_alphanumeric() || "-:".contains(c)), "{name}");
            content(value);
        } else {
            assert!(pair[0].trim().is_empty(), "`{}` in {text}", pair[0]);
        }
    }
}

fn content(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known =
            ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|name| text[at..].starts_with(name));
        assert!(known, "{}", &text[at..]);
    }
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}
