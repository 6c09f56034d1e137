//! Text as HTML, and the frame that all pages share.

use std::fmt::Write as _;

/// The style of all pages.
pub const STYLE: (&str, &str) = ("assets/style.css", include_str!("style.css"));
/// What searches.
pub const SCRIPT: (&str, &str) = ("assets/search.js", include_str!("search.js"));
/// What is searched.
pub const INDEX: &str = "assets/index.js";

/// The text with what HTML would read as its own spelled out; also inside attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(letter),
            other if other.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// How a page at this path names the top of the site: `../` for each folder it is in.
pub fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count())
}

/// `<a href="…">…</a>` to a place of the site; the text is HTML.
pub fn link(root: &str, href: &str, text: &str) -> String {
    format!("<a href=\"{root}{}\">{text}</a>", address(href))
}

/// An address inside an attribute: what a browser would take apart is spelled as `%20`.
pub fn address(href: &str) -> String {
    let (path, place) = href.split_once('#').map_or((href, None), |(path, place)| (path, Some(place)));
    let safe = |text: &str| {
        let mut safe = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b':' => {
                    safe.push(char::from(byte));
                }
                other => write!(safe, "%{other:02X}").expect("a string takes all"),
            }
        }
        safe
    };
    place.map_or_else(|| safe(path), |place| format!("{}#{}", safe(path), safe(place)))
}

/// A whole page: the frame with what the page says.
pub fn page(path: &str, title: &str, body: &str) -> String {
    let root = root(path);
    let title = escape(title);
    let here = |target: &str| if target == path { " aria-current=\"page\"" } else { "" };
    let tabs = [
        ("index.html", "Start"),
        ("optimizers/index.html", "Optimizers"),
        ("library/index.html", "Library"),
        ("docs/index.html", "Documents"),
        ("examples/index.html", "Examples"),
    ];
    let mut menu = String::new();
    for (target, name) in tabs {
        write!(menu, "<a href=\"{root}{target}\"{}>{name}</a>", here(target)).expect("a string takes all");
    }
    let (style, script) = (STYLE.0, SCRIPT.0);
    format!(
        "<!doctype html>\n<html lang=\"en\" data-root=\"{root}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{root}{style}\">\n\
         <script src=\"{root}{INDEX}\" defer></script>\n<script src=\"{root}{script}\" defer></script>\n\
         </head>\n<body>\n<header>\n<nav aria-label=\"Pages\">{menu}</nav>\n\
         <div class=\"search\" role=\"search\"><input type=\"search\" placeholder=\"Search: press /\" \
         aria-label=\"Search by name, comment or paper\" autocomplete=\"off\" spellcheck=\"false\">\
         <div class=\"results\" role=\"listbox\" hidden></div></div>\n</header>\n<main>\n{body}</main>\n\
         <footer>Written by <code>minima doc</code>, version {}.</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// A text as a literal of JavaScript that may stand in a page.
pub fn literal(text: &str) -> String {
    let mut safe = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                safe.push('\\');
                safe.push(letter);
            }
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(safe, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
            }
            other if other.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe.push('"');
    safe
}

#[cfg(test)]
mod tests {
    use super::{address, escape, literal, page, root};

    #[test]
    fn nothing_a_program_says_becomes_a_tag() {
        let evil = "<script>alert(\"1\" & '2')</script>\u{1b}[31m";
        assert_eq!(
            escape(evil),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;\u{fffd}[31m"
        );
        assert!(!literal(evil).contains('<') && !page("a.html", evil, "").contains("<script>alert"));
        assert_eq!(address("files/a b\".html#θ"), "files/a%20b%22.html#%CE%B8");
    }

    #[test]
    fn pages_in_folders_find_the_top() {
        assert_eq!((root("index.html").as_str(), root("docs/errors/E0101.html").as_str()), ("", "../../"));
    }
}
