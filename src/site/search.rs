//! What can be searched: names, comments and papers, as one script that every page loads.

use super::html::literal;

/// The most bytes of a text that are searched.
const MOST: usize = 400;

/// Something that can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, which counts most.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Where it is told.
    pub href: String,
    /// Its comment, with its paper.
    pub text: String,
}

/// The index as a script. It is data, apart from the name it is given.
pub fn script(entries: &[Entry]) -> String {
    let mut out = String::from("const MINIMA = [\n");
    for entry in entries {
        let href = super::html::address(&entry.href);
        let parts = [&entry.name, entry.kind, &href, &short(&entry.text)].map(literal);
        out += &format!("[{}],\n", parts.join(","));
    }
    out + "];\n"
}

/// The beginning of a text, in one line.
fn short(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.len() + word.len() > MOST {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Entry, script};

    #[test]
    fn the_index_is_data() {
        let entry = Entry {
            name: "a\"</script>".into(),
            kind: "function",
            href: "a.html#b c".into(),
            text: "x\n y".into(),
        };
        assert_eq!(
            script(&[entry]),
            "const MINIMA = [\n[\"a\\\"\\u003c/script\\u003e\",\"function\",\"a.html#b%20c\",\"x y\"],\n];\n"
        );
    }
}
