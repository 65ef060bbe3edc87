//! JSON text as Go writes it: what is dangerous in a web page escaped, floats without `.0`.

/// A string with its quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A finite number in the fewest digits that give it back, with an exponent only where it is
/// very large or very small. `f32` and `f64` both have such digits of their own, so the caller
/// prints with its own type: `number(x, x.abs() as f64)`.
pub(crate) fn number<F: std::fmt::Display + std::fmt::LowerExp>(value: F, size: f64) -> String {
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    // Rust leaves out the sign of a positive exponent.
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_in_go() {
        assert_eq!(
            quote("a\"\\\n<é>&\u{1}\u{2028}"),
            r#""a\"\\\n\u003cé\u003e\u0026\u0001\u2028""#
        );
    }

    #[test]
    fn numbers_have_no_needless_digits() {
        let float32 = |x: f32| number(x, f64::from(x.abs()));
        assert_eq!(float32(1.0), "1");
        assert_eq!(float32(0.1), "0.1");
        assert_eq!(float32(-0.25), "-0.25");
        assert_eq!(float32(0.0), "0");
        assert_eq!(float32(1e-7), "1e-7");
        assert_eq!(float32(1e22), "1e+22");
        assert_eq!(number(0.000_001_f64, 0.000_001), "0.000001");
        assert_eq!(number(1e20_f64, 1e20), "100000000000000000000");
    }
}
