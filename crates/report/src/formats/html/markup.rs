//! Markup that is whole by construction: what is opened is closed, and all text is escaped.

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

/// Attributes of an element, in order.
pub(super) type Attrs<'a> = &'a [(&'a str, &'a str)];

impl Html {
    /// The text written so far.
    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// An element with what `body` writes in it.
    pub(super) fn el(&mut self, tag: &str, attrs: Attrs<'_>, body: impl FnOnce(&mut Self)) {
        self.open(tag, attrs);
        self.out.push('>');
        body(self);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// An element that holds text.
    pub(super) fn leaf(&mut self, tag: &str, attrs: Attrs<'_>, text: &str) {
        self.el(tag, attrs, |page| page.text(text));
    }

    /// An element of HTML that is never closed, such as `meta`.
    pub(super) fn void(&mut self, tag: &str, attrs: Attrs<'_>) {
        self.open(tag, attrs);
        self.out.push('>');
    }

    /// An element of SVG without content.
    pub(super) fn shape(&mut self, tag: &str, attrs: Attrs<'_>) {
        self.open(tag, attrs);
        self.out.push_str("/>");
    }

    /// Text, in which nothing is markup.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                '\n' | '\t' => self.out.push(c),
                c if c.is_control() || is_nonchar(c) => self.out.push('\u{fffd}'),
                c => self.out.push(c),
            }
        }
    }

    /// A sentence, in which names between backticks become code.
    pub(super) fn prose(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('`').collect();
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (index, part) in parts.into_iter().enumerate() {
            if index % 2 == 1 {
                self.leaf("code", &[], part);
            } else {
                self.text(part);
            }
        }
    }

    /// Markup of our own, as it is. Never anything that a file or a name has a part in.
    pub(super) fn own(&mut self, markup: &'static str) {
        self.out.push_str(markup);
    }

    /// A line break in the source, for people who look at it.
    pub(super) fn line(&mut self) {
        self.out.push('\n');
    }

    fn open(&mut self, tag: &str, attrs: Attrs<'_>) {
        self.out.push('<');
        self.out.push_str(tag);
        // A class that is empty says nothing.
        for (name, value) in attrs.iter().filter(|a| **a != ("class", "")) {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.text(value);
            self.out.push('"');
        }
    }
}

/// Code points that a page must not contain.
const fn is_nonchar(c: char) -> bool {
    let c = c as u32;
    c & 0xfffe == 0xfffe || matches!(c, 0xfdd0..=0xfdef)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_text_or_attribute() {
        let mut page = Html::default();
        let odd = "</p><script>\"'&\u{0}\u{ffff}";
        page.el("p", &[("title", odd)], |page| page.text(odd));
        let safe = "&lt;/p&gt;&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}";
        let whole = format!("<p title=\"{safe}\">{safe}</p>");
        assert_eq!(page.into_text(), whole);
    }

    #[test]
    fn names_in_sentences_are_code() {
        let mut page = Html::default();
        page.prose("due to `a<b` and ` alone");
        page.prose("due to `a<b`");
        let whole = "due to `a&lt;b` and ` alonedue to <code>a&lt;b</code>";
        assert_eq!(page.into_text(), whole);
    }
}
